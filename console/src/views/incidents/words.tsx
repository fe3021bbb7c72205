// Incidents in plain words.
import { useAbout, type Variable } from "../../about";
import { nameOf } from "../../parts/name";
import { t, tn } from "../../words";
import type { Incident, Kind, Place, Severity, State, Verdict } from "./shapes";

/** A station's name in the reader's language. */
export function placeName({ station_id, station_name, station_name_gr }: Place): string {
  if (station_id === null) return t("The network");
  return nameOf({ id: station_id, name_en: station_name, name_gr: station_name_gr });
}

/** A sensor's name: its variable, or the station as a whole. */
export function useSensorName(): (variable: string) => string {
  const { variables } = useAbout();
  return (name) => (name === "all" ? t("the station as a whole") : (variableOf(variables, name)?.label ?? name));
}

export function variableOf(variables: Variable[], name: string): Variable | undefined {
  return variables.find((one) => one.name === name);
}

const KINDS: Record<Kind, () => string> = {
  data_missing: () => t("Data are missing"),
  data_wrong: () => t("Readings are wrong"),
  siting: () => t("The sensor seems not to stand where it should"),
};
const SEVERITIES: Record<Severity, () => string> = {
  critical: () => t("critical"),
  warning: () => t("warning"),
  info: () => t("info"),
};
const STATES: Record<State, () => string> = {
  open: () => t("open"),
  acknowledged: () => t("acknowledged"),
  maintenance: () => t("in maintenance"),
  resolved: () => t("resolved"),
  dismissed: () => t("dismissed"),
};
const VERDICTS: Record<Verdict, () => string> = {
  fault: () => t("it was a fault"),
  weather: () => t("it was weather"),
  siting: () => t("it was where the sensor stands"),
  maintenance: () => t("it was maintenance"),
};
const ACTIONS: Record<string, () => string> = {
  opened: () => t("opened"),
  reopened: () => t("came back"),
  open: () => t("open again: maintenance is over"),
  worsened: () => t("got worse"),
  symptom: () => t("seen by another test"),
  joined: () => t("became part of an incident of the network"),
  acknowledged: () => t("acknowledged"),
  noted: () => t("noted"),
  assigned: () => t("assigned"),
  maintenance: () => t("in maintenance"),
  resolved: () => t("resolved"),
  dismissed: () => t("dismissed"),
  escalated: () => t("nobody has acknowledged it"),
};

export const kindText = (kind: Kind) => KINDS[kind]();
export const severityText = (severity: Severity) => SEVERITIES[severity]();
export const actionText = (action: string) => ACTIONS[action]?.() ?? action;

/** Its state, and what people say that it was. */
export function stateText({ state, verdict }: Pick<Incident, "state" | "verdict">): string {
  return verdict ? `${STATES[state]()}, ${VERDICTS[verdict]()}` : STATES[state]();
}

/** Its severity with mark and colour. */
export function SeverityMark({ severity }: { severity: Severity }) {
  return <span class={`state ${severity}`}>{severityText(severity)}</span>;
}

/** Where it is, in a line: the station and the sensor, or the network and how many stations it has. */
export function useWhere(): (one: Incident) => string {
  const sensor = useSensorName();
  return (one) => {
    const where = `${placeName(one)}: ${sensor(one.variable)}`;
    return one.station_id === null && one.affected
      ? `${where} (${tn("{n} station", "{n} stations", one.affected)})`
      : where;
  };
}
