// What is drawn on a chart's canvas besides its lines: bands, ranges of values, and flags.
import type uPlot from "uplot";
import { colour } from "../scheme";
import { type Band, FAIL, type Line, ODD, placeOf, type Span, SUSPECT, shown } from "./shapes";

/** Under the axes: spans of incidents and of maintenance, shaded, with an edge along the top. */
export function drawBands(plot: uPlot, bands: Band[], span: Span): void {
  const { ctx, bbox } = plot;
  const pixel = devicePixelRatio;
  ctx.save();
  for (const band of bands) {
    const from = Math.max(band.from, span.from);
    const to = Math.min(band.to ?? span.to, span.to);
    if (to < from) continue;
    const left = plot.valToPos(from, "x", true);
    const width = Math.max(plot.valToPos(to, "x", true) - left, 2 * pixel);
    ctx.fillStyle = colour(`--${band.kind}`);
    ctx.globalAlpha = 0.13;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.globalAlpha = 1;
    ctx.fillRect(left, bbox.top, width, 2 * pixel);
  }
  ctx.restore();
}

/** Under the lines: from the least to the greatest reading of each bucket, and bars. */
export function drawAreas(plot: uPlot, lines: Line[], span: Span): void {
  const { ctx } = plot;
  const y = (value: number) => plot.valToPos(value, "y", true);
  const x = (seconds: number) => plot.valToPos(seconds, "x", true);
  ctx.save();
  clip(plot);
  for (const line of lines) {
    const { times, values, low, high, ends, step = 0 } = line;
    ctx.fillStyle = colour(line.colour ?? "--link");
    ctx.globalAlpha = ends ? 0.8 : 0.35;
    const [first, after] = shown(line, span);
    for (let place = first; place < after; place += 1) {
      const top = high?.[place] ?? (ends ? values[place] : undefined);
      const bottom = low?.[place] ?? (ends ? 0 : undefined);
      if (typeof top !== "number" || typeof bottom !== "number") continue;
      const time = times[place] as number;
      const left = x(ends ? time : time - step / 2);
      const right = x(ends ? (ends[place] as number) : time + step / 2);
      const room = ends && right - left > 4 ? devicePixelRatio : 0;
      ctx.fillRect(left, y(top), Math.max(right - left - room, 1), Math.max(y(bottom) - y(top), ends && !top ? 0 : 1));
    }
  }
  ctx.restore();
}

const LOOKS: [flag: number, colour: string, height: number][] = [
  [ODD, "--weather", 2],
  [SUSPECT, "--suspect", 4],
  [FAIL, "--fail", 8],
];

/**
 * Over the lines: readings that are odd, suspect or fail. A strip above the plot has each of them (the worse, the
 * higher), and where there is room readings have marks: a triangle for suspect, a cross for fail.
 */
export function drawFlags(plot: uPlot, lines: Line[], span: Span): void {
  const { ctx, bbox } = plot;
  const pixel = devicePixelRatio;
  const right = bbox.left + bbox.width;
  ctx.save();
  for (const [flag, name, height] of LOOKS) {
    ctx.fillStyle = ctx.strokeStyle = colour(name);
    ctx.lineWidth = 1.6 * pixel;
    for (const line of lines) {
      for (const [start, end, its] of line.flags ?? []) {
        if (its !== flag || end < span.from || start > span.to) continue;
        const left = plot.valToPos(start, "x", true) - pixel;
        const from = Math.max(left, bbox.left);
        const to = Math.min(plot.valToPos(end, "x", true) + pixel, right);
        ctx.fillRect(from, bbox.top - (height + 1) * pixel, Math.max(to - from, 2 * pixel), height * pixel);
        if (flag !== ODD) markReadings(plot, line, flag, Math.max(start, span.from), Math.min(end, span.to));
      }
    }
  }
  ctx.restore();
}

function markReadings(plot: uPlot, line: Line, flag: number, from: number, to: number): void {
  const { times, values } = line;
  let last = -Infinity;
  for (let place = placeOf(times, from); place < times.length && (times[place] as number) <= to; place += 1) {
    const value = values[place];
    const x = plot.valToPos(times[place] as number, "x", true);
    if (typeof value !== "number" || x - last < 5 * devicePixelRatio) continue;
    last = x;
    const { top, height } = plot.bbox; // what is beyond the scale is marked at its edge
    const y = Math.min(Math.max(plot.valToPos(value, "y", true), top), top + height);
    mark(plot.ctx, flag, x, y, 3.2 * devicePixelRatio);
  }
}

/** A vertical line at a moment. */
export function drawMoment(plot: uPlot, at: number): void {
  const { ctx, bbox } = plot;
  const x = plot.valToPos(at, "x", true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.fillStyle = colour("--ink");
  ctx.fillRect(x - devicePixelRatio, bbox.top, 2 * devicePixelRatio, bbox.height);
  ctx.restore();
}

function mark(ctx: CanvasRenderingContext2D, flag: number, x: number, y: number, size: number): void {
  ctx.beginPath();
  if (flag === FAIL) {
    ctx.moveTo(x - size, y - size);
    ctx.lineTo(x + size, y + size);
    ctx.moveTo(x - size, y + size);
    ctx.lineTo(x + size, y - size);
    ctx.stroke();
  } else {
    ctx.moveTo(x - size, y - size);
    ctx.lineTo(x + size, y - size);
    ctx.lineTo(x, y + size);
    ctx.fill();
  }
}

function clip(plot: uPlot): void {
  const { left, top, width, height } = plot.bbox;
  plot.ctx.beginPath();
  plot.ctx.rect(left, top, width, height);
  plot.ctx.clip();
}
