// Which stations are shown, and what colours them.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Variable } from "../../about";
import { STATES, type State, stateWord } from "../../parts/state";
import { t } from "../../words";
import type { NetworkData } from "./shapes";
import type { Shown } from "./shown";

// The address follows what is typed once it rests.
const REST_MS = 250;

export interface ControlsProps {
  data: NetworkData;
  variables: Variable[];
  shown: Shown;
  change: (words: Record<string, string | undefined>) => void;
}

export function Controls({ data: { stations, all }, variables, shown, change }: ControlsProps) {
  const counts = new Map(Object.entries(all?.states ?? {}) as [State, number][]);
  if (!all) for (const one of stations) counts.set(one.state, (counts.get(one.state) ?? 0) + 1);
  const turn = (state: State) => {
    const states = shown.states.includes(state)
      ? shown.states.filter((one) => one !== state)
      : [...shown.states, state];
    change({ state: states.join(","), page: undefined });
  };
  return (
    <div class="network-controls">
      <fieldset>
        <legend class="hidden">{t("Only stations in these states")}</legend>
        {STATES.filter((state) => counts.has(state) || shown.states.includes(state)).map((state) => (
          <button key={state} type="button" aria-pressed={shown.states.includes(state)} onClick={() => turn(state)}>
            <span class={`state ${state}`}>{counts.get(state) ?? 0}</span> {stateWord(state)}
          </button>
        ))}
      </fieldset>
      <Search text={shown.text} onText={(text) => change({ q: text, page: undefined })} />
      <label>
        {t("Colour by")}{" "}
        <select value={shown.by} onChange={(event) => change({ by: leaveOut(event.currentTarget.value) })}>
          <option value="state">{t("state")}</option>
          {variables.map((one) => (
            <option key={one.name} value={one.name}>
              {one.label}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function leaveOut(by: string): string | undefined {
  return by === "state" ? undefined : by;
}

function Search({ text, onText }: { text: string; onText: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const told = useRef(text);
  useEffect(() => {
    if (text !== told.current) setTyped(text); // another link, or the browser's way back
    told.current = text;
  }, [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <label>
      <span class="hidden">{t("Find stations")}</span>
      <input
        type="search"
        placeholder={t("Find stations")}
        value={typed}
        onInput={(event) => {
          const value = event.currentTarget.value;
          setTyped(value);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => {
            told.current = value;
            onText(value);
          }, REST_MS);
        }}
      />
    </label>
  );
}
