// Which span of time a view of a station shows: it is in the address, as `range=7d` that ends now, or as `from` and `to`.

import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
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
  useEffect(() => () => clearTimeout(timer.current), []);

  const fixed = own ?? spanOf(query);
  const range = fixed ? undefined : query.range && query.range in RANGES ? query.range : USUAL;
  const end = Math.ceil(now / 60) * 60;
  const span = fixed ?? { from: end - (RANGES[range as string] as number), to: end };

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
        () => write({ ...query, range: undefined, from: written_(wanted.from), to: written_(wanted.to) }),
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
  return { from: written_(span.from), to: written_(span.to) };
}

function written_(seconds: number): string {
  return `${new Date(1000 * seconds).toISOString().slice(0, 16)}Z`;
}

function spanOf({ from, to }: Words): Span | undefined {
  const [start, end] = [from, to].map((word) => Date.parse(word ?? "") / 1000);
  return start !== undefined && end !== undefined && start < end ? { from: start, to: end } : undefined;
}

/** A value once it has rested for some milliseconds. */
export function useRested<T>(value: T, key: string, ms: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [key, ms]);
  return rested;
}

/** What came last of a kind, while the next is on its way. */
export function useKept<T>(data: T | undefined, kind: string): T | undefined {
  const kept = useRef<{ kind: string; data: T }>(undefined);
  if (data !== undefined) kept.current = { kind, data };
  return kept.current?.kind === kind ? kept.current.data : undefined;
}
