import type { ComponentChildren } from "preact";

/** What is wider or higher than its place: it is scrolled by keys as well, so it has a name. */
export function Scroll({ label, tall, children }: { label: string; tall?: boolean; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keys
    <section class={tall ? "scroll tall" : "scroll"} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
