// Which span of time a view of a station shows: it is in the address, as `range=7d` that ends now, or as `from` and `to`.

import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import type { Span } from "../../parts/chart/shapes";
import { useNow } from "../../parts/time";
import { link } from "../../place";

const DAY = 86400;
/** The spans that end now, in seconds. */
export const RANGES: Record<string, number> = {
  "24h": DAY,
  "3d": 3 * DAY,
  "7d": 7 * DAY,
  "30d": 30 * DAY,
  "1y": 365 * DAY,
  "10y": 3652 * DAY,
};
const USUAL = "24h";
// To what the end of such a range is rounded, in seconds, so that readers ask for the same data, which are ready.
const GRAINS: [length: number, seconds: number][] = [
  [3 * DAY, 60],
  [30 * DAY, 600],
  [366 * DAY, 3600],
];
// The address follows once the picture rests.
const REST_MS = 300;

export type Words = Record<string, string | undefined>;

export interface Shown {
  span: Span;
  /** The name of a range that ends now; undefined for a span of its own. */
  range: string | undefined;
  /** The other words of the address. */
  words: Words;
  showSpan: (span: Span) => void;
  showRange: (name: string) => void;
  /** Change other words of the address. */
  change: (words: Words) => void;
}

/** The span and the other words of the address of a station's view. */
export function useShown(station: string): Shown {
  const { query, route } = useLocation();
  const now = useNow(60);
  const [own, setOwn] = useState<Span>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const asked = `${query.from} ${query.to} ${query.range}`;
  const written = useRef(asked);

  useEffect(() => {
    if (asked !== written.current) setOwn(undefined); // another link, or the browser's way back
    written.current = asked;
  }, [asked]);
  useEffect(() => () => clearTimeout(timer.current), [station]); // the address is another station's by then

  const fixed = own ?? spanOf(query);
  const range = fixed ? undefined : query.range && query.range in RANGES ? query.range : USUAL;
  const length = RANGES[range ?? USUAL] as number;
  const grain = GRAINS.find(([most]) => length <= most)?.[1] ?? DAY;
  const end = Math.ceil(now / grain) * grain;
  const span = fixed ?? { from: end - length, to: end };

  const write = (words: Words) => {
    written.current = `${words.from} ${words.to} ${words.range}`;
    route(link(["stations", station], words), true);
  };
  return {
    span,
    range,
    words: query,
    showSpan: (wanted) => {
      setOwn(wanted);
      clearTimeout(timer.current);
      timer.current = setTimeout(
        () => write({ ...query, range: undefined, from: wordOf(wanted.from), to: wordOf(wanted.to) }),
        REST_MS,
      );
    },
    showRange: (name) => {
      clearTimeout(timer.current);
      setOwn(undefined);
      write({ ...query, from: undefined, to: undefined, range: name === USUAL ? undefined : name });
    },
    change: (words) => write({ ...query, ...words }),
  };
}

/** The words of an address for a span: UTC, to the minute. */
export function spanWords(span: Span): { from: string; to: string } {
  return { from: wordOf(span.from), to: wordOf(span.to) };
}

function wordOf(seconds: number): string {
  return `${new Date(1000 * seconds).toISOString().slice(0, 16)}Z`;
}

function spanOf({ from, to }: Words): Span | undefined {
  const [start, end] = [from, to].map((word) => Date.parse(word ?? "") / 1000);
  return start !== undefined && end !== undefined && start < end ? { from: start, to: end } : undefined;
}

/** A value once it has rested for some milliseconds; at once for none. */
export function useRested<T>(value: T, key: string, ms: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    if (!ms) setRested(value);
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [key, ms]);
  return ms ? rested : value;
}

/** What came last of a kind, while the next is on its way. */
export function useKept<T>(data: T | undefined, kind: string): T | undefined {
  const kept = useRef<{ kind: string; data: T }>(undefined);
  if (data !== undefined) kept.current = { kind, data };
  return kept.current?.kind === kind ? kept.current.data : undefined;
}
