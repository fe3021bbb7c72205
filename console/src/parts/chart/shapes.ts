// What a chart is given. Times are seconds since the epoch.

/** A span of time. */
export interface Span {
  from: number;
  to: number;
}

/** From a first to a last reading: a QARTOD flag (4 fail, 3 suspect, 1 odd, but weather) and the test that decided. */
export type Flagged = readonly [from: number, to: number, flag: number, test: string];

/** Values over time. All arrays are as long as `times`, which increase; a line is broken where a value is null. */
export interface Line {
  label: string;
  times: number[];
  values: (number | null)[];
  /** Seconds of a bucket, whose middle is its time; 0 where each value is a reading. */
  step?: number;
  /** The least and the greatest reading of each bucket: drawn as a filled range. */
  low?: (number | null)[];
  high?: (number | null)[];
  /** For bars: where each ends; it begins at its time. */
  ends?: number[];
  flags?: readonly Flagged[];
  shape?: "line" | "steps" | "points" | "bars";
  /** How much it asks to be seen: what the chart is about, what it is compared with, or what is in its background. */
  weight?: "main" | "dashed" | "thin";
  /** A colour of style/colours.css. */
  colour?: string;
}

/** A span of time that is shaded. */
export interface Band {
  from: number;
  /** null for one that goes on. */
  to: number | null;
  /** A state's name (style/colours.css has its colour). */
  kind: "critical" | "warning" | "silent" | "maintenance" | "weather";
}

/** What the vertical scale has to show: whatever values there are, those and zero, or a compass. */
export type Scale = "level" | "zero" | "compass";

export const ODD = 1;
export const SUSPECT = 3;
export const FAIL = 4;
const SHORTEST = 1800;

/** A span that lies within bounds and is not too short, as close to what was wanted as can be. */
export function within(span: Span, bounds: Span): Span {
  const whole = Math.max(bounds.to - bounds.from, SHORTEST);
  const length = Math.min(Math.max(span.to - span.from, SHORTEST), whole);
  const middle = (span.from + span.to) / 2;
  const from = Math.min(Math.max(middle - length / 2, bounds.from), bounds.from + whole - length);
  return { from: Math.round(from), to: Math.round(from + length) };
}

/** A span `times` as long, with the moment `about` where it is in the picture. */
export function zoomed(span: Span, times: number, about = (span.from + span.to) / 2): Span {
  return { from: about - (about - span.from) * times, to: about + (span.to - about) * times };
}

/** A span that is later by a share of its length. */
export function moved(span: Span, share: number): Span {
  const by = (span.to - span.from) * share;
  return { from: span.from + by, to: span.to + by };
}

/** The place of the first time that is not before a moment. */
export function placeOf(times: number[], moment: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The place of the time next to a moment; -1 for none within `reach` seconds. */
export function nextTo(times: number[], moment: number, reach: number): number {
  const after = placeOf(times, moment);
  const far = (place: number) => Math.abs((times[place] ?? Infinity) - moment);
  const place = far(after - 1) < far(after) ? after - 1 : after;
  return far(place) <= reach ? place : -1;
}

/** The places of a line's values that a span of time shows, with one beyond each end: the first, and after the last. */
export function shown(line: Line, span: Span): [number, number] {
  const first = placeOf(line.times, span.from);
  return [Math.max(0, first - 1), Math.min(line.times.length, placeOf(line.times, span.to) + 1)];
}
