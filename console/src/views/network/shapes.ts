// What `data/network` tells.
import type { State } from "../../parts/state";
import { language } from "../../words";

export interface NetworkData {
  /** Names of variables, in the order of values. */
  variables: string[];
  /** Those of them that are neither computed of others nor their extremes. */
  main: string[];
  stations: Station[];
}

/** What a station is called; a name that is not known is empty or null. */
export interface Names {
  id: string;
  name_en: string | null;
  name_gr: string | null;
}

export interface Station extends Names {
  name_en: string;
  name_gr: string;
  latitude: number | null;
  longitude: number | null;
  elevation: number | null;
  state: State;
  /** How many active incidents it has. */
  incidents: number;
  /** When it was observed last; null for never. */
  newest: number | null;
  /** The values of then, and their QARTOD flags; empty where it was never observed. */
  values: (number | null)[];
  flags: number[];
}

/** A neighbour of a station. */
export interface Neighbour {
  id: string;
  km: number;
}

export const SUSPECT = 3;
export const FAIL = 4;

/** A station's name in the reader's language, or its id. */
export function nameOf(station: Names): string {
  const [first, second] = language === "el" ? [station.name_gr, station.name_en] : [station.name_en, station.name_gr];
  return first || second || station.id;
}
