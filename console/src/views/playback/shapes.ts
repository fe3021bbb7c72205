// What the service says of past runs of the detector. Moments are seconds since the epoch, but those of a report are
// texts of ISO 8601.

export type Class = "device_failure" | "weather_event" | "suspected" | "unverified";

export interface Anomaly {
  station_id: string;
  /** `all` for the station as a whole. */
  variable: string;
  start: string;
  end: string;
  value: number | null;
  expected: number | null;
  test: string;
  class: Class;
  reason: string;
  confidence: number | null;
}

export interface Report {
  stations: { total: number; with_data: number; anomalous: number };
  anomalies: Anomaly[];
  insufficient: { station_id: string; variable: string; reason: string }[];
  exceptions: { station_id: string; variable: string; effect: string; reason: string }[];
}

export interface Run {
  at: number;
  /** Of the observations of its window, how many were collected after it. */
  late: number;
  observations: number;
  report: Report;
}

export interface Played {
  state: "waiting" | "playing" | "done" | "stopped" | "failed";
  why: string;
  total: number;
  window_hours: number;
  method: string;
  runs: Run[];
}

export interface Compared {
  what: string;
  value: number | null;
  sign: string;
  limit: number | null;
  unit: string;
}

export interface Criterion {
  at: number | null;
  what: string;
  met: boolean;
  compared: Compared[];
}

export interface Verdict {
  test: string;
  finds: string;
  evidence: string;
  /** The first and the last slot of each run of flagged ones. */
  flagged: [number, number][];
  criteria: Criterion[];
}

type Values = (number | null)[];

export interface Neighbour {
  now: {
    station_id: string;
    distance_km: number;
    value: number | null;
    implies: number | null;
    correlation: number | null;
  };
  /** Left out, because it is thought wrong itself. */
  excluded: boolean;
  values: Values;
}

export interface Sensor {
  variable: string;
  times: number[];
  values: Values;
  expected: Values;
  low: Values;
  high: Values;
  neighbours: Neighbour[];
  verdicts: Verdict[];
}

/** What is played back, as the view's address has it. */
export interface Wish {
  station: string | undefined;
  end: number;
  hours: number;
  /** Minutes from run to run. */
  step: number;
  everything: boolean;
}

const HOUR = 3600;
const DAYS = 14;
/** The timer of the detector makes a run so many seconds after each hour. */
const PAST_HOUR = 300;
export const STEPS = [10, 30, 60, 120, 180, 360, 720];
// Unless a step is asked for, these are not many more runs than one looks at.
const MANY = 73;
export const MOST = 199;

/** What a span of time asks for: runs at the minutes at which the detector makes them, none of them yet to come. */
export function wished(
  from: number,
  to: number,
  step: number | undefined,
  now: number,
): Omit<Wish, "station" | "everything"> {
  const last = Math.floor((now - PAST_HOUR) / HOUR) * HOUR + PAST_HOUR;
  const end = Math.min(Math.ceil((to - PAST_HOUR) / HOUR) * HOUR + PAST_HOUR, last);
  const hours = Math.min(Math.max(Math.round((end - from) / HOUR), 1), 24 * DAYS);
  const few = STEPS.find((one) => one >= 60 && (60 * hours) / one < MANY) ?? 720;
  const asked = step && (60 * hours) / step <= MOST ? step : few;
  return { end, hours, step: asked };
}

/** The worst that a run says of a variable of a station; of all of them where none is named. */
export function worst(report: Report, station?: string, variable?: string): Class | "silent" | undefined {
  const found = report.anomalies.filter(
    (one) => [undefined, one.station_id].includes(station) && [undefined, one.variable].includes(variable),
  );
  if (found.some((one) => one.variable === "all")) return "silent";
  const order: Class[] = ["device_failure", "suspected", "unverified", "weather_event"];
  return order.find((name) => found.some((one) => one.class === name));
}

/** The words of the view's address. */
export type Words = Record<string, string | undefined>;

/** A moment as the address has it. */
export function written(seconds: number): string {
  return `${new Date(1000 * seconds).toISOString().slice(0, 16)}Z`;
}
