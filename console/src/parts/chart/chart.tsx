// One variable over time. Charts of the same view share a span and a cursor; whoever shows them keeps the span.
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { t } from "../../words";
import { colour, useScheme } from "../scheme";
import { moment } from "../time";
import { COMPASS, compassLabels, timeLabels, vertical, zoned } from "./axis";
import { listen, moves } from "./gestures";
import { drawAreas, drawBands, drawFlags, drawMoment } from "./marks";
import { figure, Reading, sentence } from "./reading";
import { type Band, type Line, moved, placeOf, type Scale, type Span, within, zoomed } from "./shapes";

export interface ChartProps {
  /** What is drawn: the chart's name. */
  label: string;
  unit: string;
  /** The first is what the chart is about. */
  lines: Line[];
  bands?: Band[];
  scale?: Scale;
  /** What is shown. */
  span: Span;
  /** Show another span, which lies within `bounds`. Without it the chart stays where it is. */
  onSpan?: (span: Span) => void;
  /** How far one can go. */
  bounds?: Span;
  /** A moment that is marked. */
  at?: number;
  /** Height in CSS pixels. */
  height?: number;
  /** Charts with the same word share a cursor. */
  together?: string;
}

export function Chart(props: ChartProps) {
  const { label, unit, lines, bands = [], scale = "level", span, at, height = 190, together = "charts" } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const now = useRef(props); // what listeners and drawing see
  now.current = props;
  const [cursor, setCursor] = useState<number>();
  const [said, setSaid] = useState("");
  const scheme = useScheme();
  const help = useId();
  const form = JSON.stringify(lines.map(({ label, shape, weight, colour }) => [label, shape, weight, colour]));

  const show = (wanted: Span) => {
    const { onSpan, bounds } = now.current;
    const next = bounds ? within(wanted, bounds) : within(wanted, wanted);
    if (next.from !== now.current.span.from || next.to !== now.current.span.to) onSpan?.(next);
  };

  useLayoutEffect(() => {
    const parent = place.current as HTMLDivElement;
    const made = new uPlot(
      {
        width: parent.clientWidth,
        height,
        padding: [12, 8, 0, 0],
        tzDate: zoned,
        legend: { show: false },
        cursor: {
          y: false,
          points: { size: 7 },
          sync: { key: together, scales: ["x", null] },
          drag: { x: Boolean(now.current.onSpan), y: false, setScale: false, dist: 4 },
          bind: {
            mousedown: (_plot, _target, act) => (event) => (moves(event) ? null : act(event)),
            dblclick: () => null,
          },
        },
        scales: {
          x: { time: true, auto: false, range: () => [now.current.span.from, now.current.span.to] },
          y: { range: () => vertical(now.current.lines, now.current.span, scale) },
        },
        axes: [
          {
            stroke: () => colour("--faint"),
            grid: { stroke: () => colour("--line"), width: 1 },
            ticks: { stroke: () => colour("--line"), width: 1 },
            values: (_plot, splits, _axis, _space, apart) => timeLabels(splits, apart),
            space: 64,
          },
          {
            stroke: () => colour("--faint"),
            grid: { stroke: () => colour("--line"), width: 1 },
            ticks: { show: false },
            size: 52,
            ...(scale === "compass"
              ? { splits: () => COMPASS, values: compassLabels }
              : { values: (_plot: uPlot, splits: number[]) => splits.map(figure) }),
          },
        ],
        series: [{}, ...lines.map(drawn).reverse()],
        hooks: {
          drawClear: [(self) => drawBands(self, now.current.bands ?? [], now.current.span)],
          drawAxes: [(self) => drawAreas(self, now.current.lines, now.current.span)],
          draw: [
            (self) => {
              drawFlags(self, now.current.lines, now.current.span);
              if (now.current.at !== undefined) drawMoment(self, now.current.at);
            },
          ],
          setCursor: [(self) => setCursor(momentOf(self))],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              if (width > 4) show({ from: self.posToVal(left, "x"), to: self.posToVal(left + width, "x") });
            },
          ],
        },
      },
      data(now.current.lines),
      parent,
    );
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

/** The lines as uPlot takes them: with common times, and the first last, for what comes last is drawn over the others. */
function data(lines: Line[]): uPlot.AlignedData {
  const times = lines[0]?.times ?? [];
  if (lines.every((line) => line.times === times)) return [times, ...lines.map(({ values }) => values).reverse()];
  return uPlot.join(lines.map((line): uPlot.AlignedData => [line.times, line.values]).reverse());
}

/** How uPlot draws a line. */
function drawn(line: Line): uPlot.Series {
  const { shape = "line", weight = "main" } = line;
  const stroke = () => colour(line.colour ?? "--link");
  const common = { stroke, width: weight === "main" ? 1.6 : weight === "dashed" ? 1.4 : 0.8, points: { size: 4 } };
  const { stepped } = uPlot.paths;
  if (shape === "bars") return { ...common, paths: () => null, points: { show: false } }; // `drawAreas` does
  if (shape === "steps" && stepped) return { ...common, paths: stepped({ align: 1 }) };
  if (shape === "points") return { ...common, paths: () => null, points: { show: true, size: 3, fill: stroke } };
  return weight === "dashed" ? { ...common, dash: [6, 4] } : common;
}

/** Where the cursor is, in seconds; undefined where it is not on the chart. */
function momentOf(plot: uPlot): number | undefined {
  const { left } = plot.cursor;
  return left === undefined || left < 0 ? undefined : Math.round(plot.posToVal(left, "x"));
}
