// One variable over time. Charts of the same view share a span and a cursor; whoever shows them keeps the span.
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { t } from "../../words";
import { useScheme } from "../scheme";
import { moment } from "../time";
import { vertical } from "./axis";
import { type ChartProps, data, drawing, HEIGHT } from "./drawing";
import { listen } from "./gestures";
import { Reading, sentence } from "./reading";
import { type Band, moved, placeOf, type Span, within, zoomed } from "./shapes";

const NONE: Band[] = [];

export function Chart(props: ChartProps) {
  const { label, unit, lines, bands = NONE, scale, span, at, height = HEIGHT, together } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const now = useRef(props); // what listeners and drawing see
  now.current = props;
  const [cursor, setCursor] = useState<number>();
  const [said, setSaid] = useState("");
  const scheme = useScheme();
  const help = useId();
  const form = JSON.stringify(lines.map(({ label, shape, weight, colour }) => [label, shape, weight, colour]));

  const { beyond } = useMemo(() => vertical(lines, span, scale ?? "level"), [lines, span.from, span.to, scale]);

  const show = (wanted: Span) => {
    const { onSpan, bounds } = now.current;
    const next = bounds ? within(wanted, bounds) : within(wanted, wanted);
    if (next.from !== now.current.span.from || next.to !== now.current.span.to) onSpan?.(next);
  };

  useLayoutEffect(() => {
    const parent = place.current as HTMLDivElement;
    const made = drawing(parent, () => now.current, { show, point: setCursor });
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: parent.clientWidth, height }));
    resized.observe(parent);
    const ended = listen(made.over, { span: () => now.current.span, show, point });
    return () => {
      ended();
      resized.disconnect();
      made.destroy();
    };
  }, [form, scale, height, together, unit]);

  useEffect(() => plot.current?.setData(data(lines), false), [lines]);
  useEffect(() => {
    plot.current?.setScale("x", { min: span.from, max: span.to });
  }, [lines, bands, span.from, span.to, at, scheme]);

  /** Put the cursor of this chart, and of those with it, at a moment. */
  const point = (seconds: number) => {
    const self = plot.current;
    if (!self) return;
    // Its last argument tells the other charts; uPlot's types do not have it.
    const put: (at: { left: number; top: number }, fire: boolean, publish: boolean) => void = self.setCursor;
    put({ left: self.valToPos(seconds, "x"), top: self.over.clientHeight / 2 }, true, true);
  };

  /** Move the cursor by some values of the first line. */
  const step = (by: number | "first" | "last") => {
    const times = lines[0]?.times ?? [];
    const first = placeOf(times, span.from);
    const last = placeOf(times, span.to + 1) - 1;
    const here = cursor === undefined ? (by === 1 ? first - 1 : last + 1) : placeOf(times, cursor);
    const to = by === "first" ? first : by === "last" ? last : Math.min(Math.max(here + by, first), last);
    const seconds = times[to];
    if (seconds === undefined) return;
    point(seconds);
    setCursor(seconds);
    setSaid(sentence(lines, unit, seconds, moment(seconds)));
  };

  const keys: Record<string, () => void> = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    PageUp: () => step(-10),
    PageDown: () => step(10),
    Home: () => step("first"),
    End: () => step("last"),
    "Shift+ArrowLeft": () => show(moved(span, -0.25)),
    "Shift+ArrowRight": () => show(moved(span, 0.25)),
    "+": () => show(zoomed(span, 0.5, cursor)),
    "-": () => show(zoomed(span, 2, cursor)),
    Escape: () => plot.current?.setCursor({ left: -10, top: -10 }),
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const key = event.key === "=" ? "+" : event.key;
    const act = keys[event.shiftKey && key.startsWith("Arrow") ? `Shift+${key}` : key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  return (
    <figure class="chart">
      <figcaption>
        <span class="name">
          {label} <span class="faint">{unit}</span>
        </span>
        {beyond && <span class="faint">{t("Readings that fail are beyond the scale.")}</span>}
        <Reading lines={lines} unit={unit} at={cursor} />
      </figcaption>
      <div
        class="plot"
        ref={place}
        role="application"
        aria-roledescription={t("chart")}
        aria-label={label}
        aria-describedby={help}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a chart is moved by keys
        tabIndex={0}
        onKeyDown={press}
      />
      <p id={help} class="hidden">
        {t("Left and right move the cursor, with Shift the chart; plus and minus zoom.")}
      </p>
      <p class="hidden" aria-live="polite">
        {said}
      </p>
    </figure>
  );
}
