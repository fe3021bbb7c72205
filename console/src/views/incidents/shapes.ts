// What the service says of incidents and maintenance: toolkit/console/incidents.py and maintenance.py.

export type Severity = "info" | "warning" | "critical";
export type State = "open" | "acknowledged" | "maintenance" | "resolved" | "dismissed";
export type Verdict = "fault" | "weather" | "siting" | "maintenance";
export type Kind = "data_missing" | "data_wrong" | "siting";
export type Show = "active" | "mine" | "unassigned" | "new" | "over";

interface Names {
  station_name: string | null;
  station_name_gr: string | null;
}

/** What can be named: a station, or the network where there is none. */
export interface Place extends Names {
  station_id: string | null;
}

export interface Incident extends Place {
  id: number;
  /** A variable's name, or `all` for the station as a whole. */
  variable: string;
  kind: Kind;
  symptoms: string[];
  severity: Severity;
  state: State;
  started: number;
  ended: number;
  opened: number;
  acknowledged: number | null;
  /** When it was resolved or dismissed. */
  resolved: number | null;
  assignee: string | null;
  verdict: Verdict | null;
  /** The incident of the network that it is a part of. */
  part_of: number | null;
  reopened: number;
  confidence: number | null;
  reason: string;
  /** How many stations an incident of the network has. */
  affected: number;
  /** When it opened, came back or got worse. */
  news: number;
  /** Another one once somebody has decided of it. */
  version: string;
}

export interface List {
  counts: Record<Exclude<Show, "over">, number>;
  /** The newest of all news. */
  newest: number;
  incidents: Incident[];
  more: boolean;
}

export interface Neighbour extends Place {
  distance_km: number | null;
  value: number | null;
  implies: number | null;
  correlation: number | null;
}

export interface Evidence {
  /** Which job saw it: `detector` or `sensors`. */
  job: string;
  symptom: string;
  class: string;
  reason: string;
  value: number | null;
  expected: number | null;
  score: number | null;
  started: number | null;
  ended: number | null;
  /** Whether the job found the sensor well since. */
  clear: boolean;
  neighbours: Neighbour[];
}

export interface AtLength extends Incident {
  evidence: Evidence[];
  stations: (Place & { station_id: string; started: number; ended: number })[];
  history: { time: number; by: string; action: string; note: string }[];
  maintenance: Work[];
  exceptions: Record<string, unknown>[];
  messages: {
    event: string;
    state: "waiting" | "sending" | "sent" | "cancelled";
    due: number;
    tried: number | null;
    error: string;
  }[];
}

/** Maintenance: a time in which people work at a sensor. */
export interface Work extends Place {
  station_id: string;
  id: number;
  variable: string;
  from: number;
  to: number;
  by: string;
  note: string;
}

export const OVER: State[] = ["resolved", "dismissed"];
