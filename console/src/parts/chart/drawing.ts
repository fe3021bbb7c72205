// How uPlot draws a chart.
import uPlot from "uplot";
import { colour } from "../scheme";
import { COMPASS, compassLabels, timeLabels, vertical, zoned } from "./axis";
import { moves } from "./gestures";
import { drawAreas, drawBands, drawFlags, drawMoment } from "./marks";
import { figure } from "./reading";
import type { Band, Line, Scale, Span } from "./shapes";

/** The usual height, in CSS pixels. */
export const HEIGHT = 190;

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

interface Heard {
  /** A span was chosen. */
  show: (span: Span) => void;
  /** The cursor is at a moment, or on no chart. */
  point: (moment: number | undefined) => void;
}

/** Draw a chart into an element: what `given` answers, whenever it is drawn anew. */
export function drawing(parent: HTMLElement, given: () => ChartProps, { show, point }: Heard): uPlot {
  const { scale = "level", height = HEIGHT, together = "charts", lines, onSpan } = given();
  return new uPlot(
    {
      width: parent.clientWidth,
      height,
      padding: [12, 20, 0, 0],
      tzDate: zoned,
      legend: { show: false },
      cursor: {
        y: false,
        points: { size: 7 },
        sync: { key: together, scales: ["x", null] },
        drag: { x: Boolean(onSpan), y: false, setScale: false, dist: 4 },
        bind: {
          mousedown: (_plot, _target, act) => (event) => (moves(event) ? null : act(event)),
          dblclick: () => null,
        },
      },
      scales: {
        x: { time: true, auto: false, range: () => [given().span.from, given().span.to] },
        y: {
          range: () => {
            const { least, greatest } = vertical(given().lines, given().span, scale);
            return [least, greatest];
          },
        },
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
        drawClear: [(self) => drawBands(self, given().bands ?? [], given().span)],
        drawAxes: [(self) => drawAreas(self, given().lines, given().span)],
        draw: [
          (self) => {
            const { lines, span, at } = given();
            drawFlags(self, lines, span);
            if (at !== undefined) drawMoment(self, at);
          },
        ],
        setCursor: [(self) => point(momentOf(self))],
        setSelect: [
          (self) => {
            const { left, width } = self.select;
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            if (width > 4) show({ from: self.posToVal(left, "x"), to: self.posToVal(left + width, "x") });
          },
        ],
      },
    },
    data(lines),
    parent,
  );
}

/** The lines as uPlot takes them: with common times, and the first last, for what comes last is drawn over the others. */
export function data(lines: Line[]): uPlot.AlignedData {
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
