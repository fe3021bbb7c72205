// What `data/network` tells.
import type { Names } from "../../parts/name";
import type { State } from "../../parts/state";

export interface NetworkData {
  /** Names of variables, in the order of values. */
  variables: string[];
  /** Those of them that are neither computed of others nor their extremes. */
  main: string[];
  /** All stations, or those of a part of a large network. */
  stations: Station[];
  /** What there is to say of all stations of a large network. */
  all?: All;
}

/** All stations of a network of which a part is told. */
export interface All {
  number: number;
  /** How many are in the part that was asked for; fewer are told where they are too many. */
  found: number;
  states: Partial<Record<State, number>>;
  /** When one was observed last. */
  newest: number | null;
  /** How many have no place. */
  unplaced: number;
  /** West, south, east and north of them. */
  box: [number, number, number, number] | null;
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
  /** The age in seconds at which that is old, by its source. */
  fresh_seconds: number;
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
