// What the service says of a station (toolkit/console/series.py and station.py have the words).

import type { Flagged } from "../../parts/chart/shapes";
import type { Names } from "../../parts/name";
import type { State } from "../../parts/state";

type Values = (number | null)[];

export interface Series {
  station: string;
  from: number;
  to: number;
  step: number;
  oldest: number | null;
  newest: number | null;
  time: number[];
  variables: Record<string, { value: Values; low?: Values; high?: Values; flags: Flagged[] }>;
  bands: (IncidentBand | MaintenanceBand)[];
}

interface BandOfSensor {
  id: number;
  variable: string;
  started: number;
  ended: number | null;
}

export interface IncidentBand extends BandOfSensor {
  kind: "incident";
  trouble: "data_missing" | "data_wrong" | "siting";
  severity: "info" | "warning" | "critical";
  state: "open" | "acknowledged" | "maintenance" | "resolved" | "dismissed";
  verdict: "fault" | "weather" | "siting" | "maintenance" | null;
  of_network: boolean;
}

export interface MaintenanceBand extends BandOfSensor {
  kind: "maintenance";
  actor: string;
  note: string;
}

export interface Rain {
  step: "hour" | "day" | "month";
  time: number[];
  end: number[];
  sum: Values;
  complete: number[];
}

export interface Neighbours {
  step: number;
  time: number[];
  implied: Values;
  neighbours: (Names & { km: number; higher: number | null; value: Values })[];
}

export interface WindRose {
  number: number;
  calm: number;
  edges: number[];
  unit: string;
  share: number[][];
}

export interface Completeness {
  expected: number;
  day: number[];
  received: number[];
  failed: number[];
}

/** What the feed says of a station. */
export interface Description {
  name: string | null;
  name_gr: string | null;
  latitude: number | null;
  longitude: number | null;
  elevation: number | null;
}

export interface StationData extends Description {
  id: string;
  wigos_id: string | null;
  /** The source that it belongs to, where there are several. */
  source: string | null;
  state: State;
  /** When it was in the feed first and last. */
  first_seen: number | null;
  last_seen: number | null;
  /** The time of the oldest observation of the whole network, and of this station's newest. */
  oldest: number | null;
  newest: number | null;
  /** The variables of which there have been values of late. */
  measures: string[];
  /** The newest observation's values. */
  values: Record<string, number | null>;
  /** How the feed has described it, since when, the newest first. */
  history: (Description & { since: number })[];
}

export interface Sensors {
  /** When the job of sensor health ran last, and how many days it looked at; null before it has. */
  at: number | null;
  days: number | null;
  sensors: Sensor[];
}

export interface Sensor {
  variable: string;
  state: "healthy" | "warning" | "critical";
  since: number | null;
  reasons: string[];
  completeness: number;
  missing: number;
  stuck: number;
  stalled: number | null;
  drift_per_day: number | null;
  noise: number | null;
  correlation: number | null;
  level: number | null;
  last_good: number | null;
}
