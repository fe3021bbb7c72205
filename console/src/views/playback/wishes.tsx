// What is to be played back.
import { useState } from "preact/hooks";
import { MomentInput } from "../../parts/moment-input";
import { nameOf } from "../../parts/name";
import { Notice } from "../../parts/notice";
import { duration } from "../../parts/time";
import { t } from "../../words";
import type { Station } from "../network/shapes";
import { MOST, STEPS, type Wish, type Words, wished, written } from "./shapes";

const HOURS = [6, 12, 24, 48, 72, 168, 336];
const HOUR = 3600;

export function Wishes({
  wish,
  stations,
  onWish,
}: {
  wish: Wish | undefined;
  stations: Station[];
  onWish: (words: Words) => void;
}) {
  const [end, setEnd] = useState(wish?.end ?? wished(0, Date.now() / 1000, undefined, Date.now() / 1000).end);
  const [hours, setHours] = useState(wish?.hours ?? 12);
  const [step, setStep] = useState(wish?.step ?? 60);
  const [station, setStation] = useState(wish?.station ?? "");
  const [everything, setEverything] = useState(wish?.everything ?? false);
  const tooMany = (60 * hours) / step > MOST;
  const submit = (event: Event) => {
    event.preventDefault();
    if (Number.isNaN(end)) return;
    onWish({
      from: written(end - hours * HOUR),
      to: written(end),
      step: String(step),
      station,
      everything: everything ? "yes" : undefined,
      at: undefined,
    });
  };
  return (
    <form class="wishes" onSubmit={submit}>
      <label>
        {t("Station")}
        <input
          list="playback-stations"
          value={station}
          placeholder={t("all, none explained")}
          onInput={(event) => setStation(event.currentTarget.value)}
        />
        <datalist id="playback-stations">
          {stations.map((one) => (
            <option key={one.id} value={one.id}>
              {nameOf(one)}
            </option>
          ))}
        </datalist>
      </label>
      <MomentInput label={t("Up to")} value={end} onChange={setEnd} />
      <label>
        {t("From so long before")}
        <select value={hours} onChange={(event) => setHours(Number(event.currentTarget.value))}>
          {[...new Set([...HOURS, hours])]
            .sort((one, other) => one - other)
            .map((one) => (
              <option key={one} value={one}>
                {duration(HOUR * one)}
              </option>
            ))}
        </select>
      </label>
      <label>
        {t("A run every")}
        <select value={step} onChange={(event) => setStep(Number(event.currentTarget.value))}>
          {STEPS.map((one) => (
            <option key={one} value={one}>
              {duration(60 * one)}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input type="checkbox" checked={everything} onChange={(event) => setEverything(event.currentTarget.checked)} />
        {t("with what was collected later")}
      </label>
      <button type="submit" class="main" disabled={tooMany || Number.isNaN(end)}>
        {t("Play back")}
      </button>
      {tooMany && <Notice kind="error">{t("These are too many runs: choose less time or longer steps.")}</Notice>}
    </form>
  );
}
