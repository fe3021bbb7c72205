import { useEffect } from "preact/hooks";

/** Name the view in the browser's tab and history. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} – weather console`;
  }, [title]);
}
