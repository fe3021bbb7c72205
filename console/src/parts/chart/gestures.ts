// How hands move a chart. Mouse: dragging chooses a span, with Shift it moves; the wheel with Ctrl (or a pinch of a
// touchpad) zooms, sideways it moves; a double click zooms out. Touch: one finger moves, two zoom, a tap reads; up and
// down scrolls the page. Keys are in chart.tsx.
import { moved, type Span, zoomed } from "./shapes";

interface Moves {
  /** The span that is shown. */
  span: () => Span;
  /** Show another one. */
  show: (span: Span) => void;
  /** Read what is at a moment. */
  point: (moment: number) => void;
}

/** Listen to an element that is as wide as the span; the answer ends it. */
export function listen(element: HTMLElement, { span, show, point }: Moves): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  let pressed: number | undefined; // where one finger was put, until it moves
  const pointers = new Map<number, number>(); // where each was last, in pixels of the window
  const moment = (x: number) => {
    const { left, width } = element.getBoundingClientRect();
    return span().from + ((x - left) / width) * (span().to - span().from);
  };

  element.addEventListener(
    "pointerdown",
    (event) => {
      if (event.pointerType === "mouse" && !moves(event)) return;
      pointers.set(event.pointerId, event.clientX);
      element.setPointerCapture(event.pointerId);
      if (event.pointerType === "mouse") event.preventDefault();
      else pressed = pointers.size === 1 ? event.clientX : undefined;
    },
    { signal },
  );
  element.addEventListener(
    "pointermove",
    (event) => {
      const before = pointers.get(event.pointerId);
      if (before === undefined || before === event.clientX) return;
      if (pressed !== undefined && Math.abs(event.clientX - pressed) < 6) return;
      pressed = undefined;
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      if (other === undefined) {
        show(moved(span(), (before - event.clientX) / element.clientWidth));
      } else {
        const apart = Math.max(Math.abs(event.clientX - other), 8);
        show(zoomed(span(), Math.max(Math.abs(before - other), 8) / apart, moment(other)));
      }
      pointers.set(event.pointerId, event.clientX);
    },
    { signal },
  );
  element.addEventListener("pointerup", () => pressed !== undefined && point(moment(pressed)), { signal });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const)
    element.addEventListener(end, (event) => void pointers.delete(event.pointerId), { signal });

  element.addEventListener(
    "wheel",
    (event) => {
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (event.ctrlKey || event.metaKey) {
        show(zoomed(span(), Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.008), moment(event.clientX)));
      } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
        show(moved(span(), sideways / element.clientWidth));
      } else return; // the page scrolls
      event.preventDefault();
    },
    { signal, passive: false },
  );
  element.addEventListener("dblclick", (event) => show(zoomed(span(), 2, moment(event.clientX))), { signal });
  return () => stop.abort();
}

/** Whether a press of the mouse moves the chart, rather than choosing a span. */
export function moves(event: MouseEvent): boolean {
  return event.shiftKey || event.button === 1;
}
