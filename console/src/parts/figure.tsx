import type { ComponentChildren } from "preact";

/** Figures that a reader takes in at a glance. */
export function Figures({ children }: { children: ComponentChildren }) {
  return <dl class="figures">{children}</dl>;
}

/** One of them: what it is, its value, and what there is to say of it. */
export function Figure({ name, children, note }: { name: string; children: ComponentChildren; note?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
      {note && <dd class="faint">{note}</dd>}
    </div>
  );
}
