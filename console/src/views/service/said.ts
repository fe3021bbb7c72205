// What `data/host` and `data/service` say. Times are seconds since the epoch.

export type Status = "OK" | "WARNING" | "CRITICAL" | "UNKNOWN";

export interface Check {
  id: string;
  area: string;
  status: Status;
  /** What was seen. */
  evidence: string;
  /** What is wrong, in a sentence; null where nothing is. */
  problem: string | null;
  /** The command that mends it. */
  remedy: string | null;
  /** The check whose failure explains this one's. */
  because: string | null;
  at: number;
}

export interface Cause extends Omit<Check, "because" | "at"> {
  /** The checks that fail for it. */
  explains: string[];
}

export interface OfDoctor {
  host: string;
  verdict: Status;
  causes: Cause[];
  checks: Check[];
}

export interface Job {
  name: string;
  description: string;
  service: boolean;
  state: "running" | "waiting" | "failed" | "stopped" | null;
  since: number | null;
  started: number | null;
  seconds: number | null;
  outcome: string | null;
  next: number | null;
}

export interface Backup {
  name: string;
  created: number;
  bytes: number;
  observations: number;
  version: string;
}

export interface Drill {
  ended: number;
  backup: string | null;
  restore_seconds: number | null;
  observations: number | null;
  offsite: boolean | null;
  wrong: string | null;
}

export interface Seen {
  at: number;
  booted: number;
  findings: OfDoctor;
  jobs: Job[] | null;
  disks: { mount: string; free: number; total: number; holds: ("data" | "reports" | "backups")[] }[];
  /** Documents that wait for the database. */
  spool: number;
  /** The same by source, where any wait. */
  spools: Record<string, number>;
  /** The newest ones, the newest first; null where the folder cannot be read. */
  backups: Backup[] | null;
  damaged_backups: number | null;
  drill: Drill | null;
}

/** What the exporter says, or why it says nothing. */
export type Host = Seen | { missing: string };

export interface Line {
  at: number;
  observations: number;
  message: string;
}

export interface Source {
  name: string;
  status: "failed" | "stale" | "empty" | "fresh";
  newest: number | null;
  succeeded: number | null;
  failures: number;
  /** What became of its last cycle; null where nothing is known, or for those who have not signed in. */
  message: string | null;
}

export interface OfStore {
  version: string;
  python: string;
  /** When the process began that serves the console. */
  started: number;
  database: { engine: string; bytes: number; oldest: number | null; newest: number | null; stations: number };
  sources: Source[];
  collection: {
    hours: { at: number; stored: number; failed: number; observations: number }[];
    /** Where the log that was read begins, if it is shorter than the hours; else null. */
    since: number | null;
    last: Line | null;
    failures: Line[];
    left_out: Record<string, number>;
  };
  detection: {
    last: number | null;
    days: { at: number; runs: number; anomalies: Record<string, number> }[];
  };
}
