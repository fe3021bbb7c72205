import type { ComponentChildren } from "preact";

/** A sentence that says that something is wrong, is old, or is still to come. Screen readers say it at once. */
export function Notice({
  kind,
  children,
}: {
  kind: "error" | "offline" | "stale" | "busy";
  children: ComponentChildren;
}) {
  return (
    <p class={`notice ${kind}`} role={kind === "busy" ? "status" : "alert"}>
      {children}
    </p>
  );
}
