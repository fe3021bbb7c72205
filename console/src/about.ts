// What every view needs to know of the service and of who looks: `data/about`.
import { createContext } from "preact";
import { useContext } from "preact/hooks";

export interface Variable {
  name: string;
  /** In plain words, in the interface's language where the catalogue has it. */
  label: string;
  unit: string;
  /** How it varies, and how it is drawn: as toolkit/variables.py declares it. */
  nature: "level" | "gusty" | "circular" | "rare";
  plot: "line" | "steps" | "points";
  /** Of a direction: the variable that tells whether there is wind; else empty. */
  speed: string;
  /** Whether it is judged by the detector. */
  detected: boolean;
  /** Whether stations are compared by it. */
  compared: boolean;
  /** Whether it is left out unless it is asked for, for another variable shows the same. */
  seldom: boolean;
}

export interface Person {
  name: string;
  role: "viewer" | "operator";
}

export interface About {
  version: string;
  /** The host's name. */
  host: string;
  /** IANA's name of the network's time zone. */
  time_zone: string;
  variables: Variable[];
  /** Who has signed in; null for nobody. */
  person: Person | null;
  /** Whether one can sign in with a password. */
  sign_in: boolean;
  /** Whether the person who has signed in can sign out: not where a proxy says who it is. */
  sign_out: boolean;
  /** Whether one must sign in to look. */
  closed: boolean;
  /** Whether other hosts are shown as well. */
  hosts: boolean;
  csrf: string;
}

export const AboutContext = createContext<About | undefined>(undefined);

export function useAbout(): About {
  const about = useContext(AboutContext);
  if (!about) throw new Error("a view is shown before data/about is there");
  return about;
}
