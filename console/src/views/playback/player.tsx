// Going from run to run: by the timeline, by buttons, by keys, or by itself.
import { useEffect, useRef, useState } from "preact/hooks";
import { moment, timeOfDay, zone } from "../../parts/time";
import { t } from "../../words";
import { type Run, worst } from "./shapes";

const PACE_MS = 900;

export function Player(props: {
  runs: Run[];
  total: number;
  /** The run that is shown. */
  place: number;
  station: string | undefined;
  onPlace: (place: number) => void;
}) {
  const { runs, total, place, station, onPlace } = props;
  const [plays, setPlays] = useState(false);
  const now = useRef(props);
  now.current = props;
  const last = runs.length - 1;

  useEffect(() => {
    if (!plays) return;
    const timer = setInterval(() => {
      const { place, runs, total, onPlace } = now.current;
      if (place < runs.length - 1) onPlace(place + 1);
      else if (runs.length >= total) setPlays(false);
    }, PACE_MS);
    return () => clearInterval(timer);
  }, [plays]);

  const go = (to: number) => {
    setPlays(false);
    onPlace(Math.min(Math.max(to, 0), last));
  };
  const play = () => {
    if (!plays && place >= last && last > 0) onPlace(0);
    setPlays(!plays);
  };
  const press = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " " && target.tagName !== "BUTTON") play();
    else if (event.key === "PageUp") go(place - 6);
    else if (event.key === "PageDown") go(place + 6);
    else return;
    event.preventDefault();
  };
  const at = runs[place]?.at ?? 0;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the slider and the buttons within it
    <div class="player" onKeyDown={press}>
      <div class="timeline" aria-hidden="true">
        {Array.from({ length: total }, (_, one) => {
          const run = runs[one];
          const said = run ? (worst(run.report, station) ?? "nothing") : "to-come";
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the slider is for keys
            // biome-ignore lint/a11y/noStaticElementInteractions: the slider is for keys
            <span
              key={run?.at ?? `${one}`}
              class={`${said}${one === place ? " here" : ""}`}
              title={run && moment(run.at)}
              onClick={() => run && go(one)}
            />
          );
        })}
      </div>
      <input
        type="range"
        min={0}
        max={Math.max(total - 1, 0)}
        step={1}
        value={place}
        aria-label={t("Run of the detector")}
        aria-valuetext={moment(at)}
        onInput={(event) => go(Number(event.currentTarget.value))}
      />
      <div class="row">
        <button type="button" onClick={() => go(0)} disabled={place <= 0} aria-label={t("First run")}>
          «
        </button>
        <button type="button" onClick={() => go(place - 1)} disabled={place <= 0} aria-label={t("Run before")}>
          ◀
        </button>
        <button type="button" class="main" onClick={play} disabled={last < 1}>
          {plays ? t("Pause") : t("Play")}
        </button>
        <button type="button" onClick={() => go(place + 1)} disabled={place >= last} aria-label={t("Next run")}>
          ▶
        </button>
        <button type="button" onClick={() => go(last)} disabled={place >= last} aria-label={t("Last run")}>
          »
        </button>
        <output class="at">
          {moment(at).slice(0, 10)} <strong>{timeOfDay(at)}</strong> <span class="faint">{zone}</span>
        </output>
        <span class="faint">{t("run {n} of {total}", { n: place + 1, total })}</span>
      </div>
    </div>
  );
}
