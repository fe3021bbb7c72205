// The states of a station now: what each is called. Its colour and its mark are those of the CSS classes of these names.
import { t } from "../words";

export type State = "critical" | "warning" | "silent" | "maintenance" | "weather" | "well";

/** The worst first. */
export const STATES: readonly State[] = ["critical", "warning", "silent", "maintenance", "weather", "well"];

/** A state in words. */
export function stateWord(state: State): string {
  const words: Record<State, string> = {
    critical: t("critical"),
    warning: t("warning"),
    silent: t("silent"),
    maintenance: t("maintenance"),
    weather: t("weather"),
    well: t("well"),
  };
  return words[state];
}

/** A state, with its mark. */
export function StateWord({ state }: { state: State }) {
  return <span class={`state ${state}`}>{stateWord(state)}</span>;
}
