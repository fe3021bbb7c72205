// Past time as the detector saw it, run by run: what it said, and why.
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { useData } from "../data";
import { nameOf } from "../parts/name";
import { Notice } from "../parts/notice";
import { useTitle } from "../parts/title";
import { link } from "../place";
import { t } from "../words";
import type { Station } from "./network/shapes";
import { Explained } from "./playback/explained";
import { NetworkThen } from "./playback/network";
import { Player } from "./playback/player";
import { type Played, type Run, STEPS, type Wish, type Words, wished, worst, written } from "./playback/shapes";
import { Wishes } from "./playback/wishes";

export default function Playback() {
  const { query, route } = useLocation();
  useTitle(t("Playback"));
  const words: Words = query;
  const network = useData<{ stations: Station[] }>("network");
  const stations = network.data?.stations ?? NONE;
  const names = useMemo(() => new Map(stations.map((one) => [one.id, nameOf(one)])), [stations]);
  const named = useCallback((station: string) => names.get(station) || station, [names]);
  const change = (changed: Words) => {
    const all = Object.entries({ ...words, ...changed }).filter(([, value]) => value !== undefined && value !== "");
    route(link(["playback"], Object.fromEntries(all)), true);
  };
  const wish = wishOf(words);
  return (
    <div class="playback">
      <h1>{t("Playback")}</h1>
      <Wishes key={JSON.stringify(wish)} wish={wish} stations={stations} onWish={change} />
      {wish ? (
        <Shown wish={wish} words={words} stations={stations} named={named} onChange={change} />
      ) : (
        <p>
          {t(
            "Choose a time: the runs of the detector are made once more as they were made then, with what had been collected by then and the settings in force now. Nothing is kept.",
          )}
        </p>
      )}
    </div>
  );
}

/** What the address asks for; undefined where it names no time. */
function wishOf({ from, to, station, step, everything }: Words): Wish | undefined {
  const [first, last] = [from, to].map((word) => Date.parse(word ?? "") / 1000);
  if (first === undefined || last === undefined || !(first < last)) return undefined;
  const minutes = STEPS.includes(Number(step)) ? Number(step) : undefined;
  return {
    ...wished(first, last, minutes, Date.now() / 1000),
    station: station || undefined,
    everything: Boolean(everything),
  };
}

function Shown(props: {
  wish: Wish;
  words: Words;
  stations: Station[];
  named: (id: string) => string;
  onChange: (words: Words) => void;
}) {
  const { wish, words, stations, named, onChange } = props;
  const asked = {
    end: wish.end,
    hours: wish.hours,
    step: wish.step,
    everything: wish.everything,
    station: wish.station,
  };
  const [over, setOver] = useState("");
  const key = JSON.stringify(asked);
  const { data: played, error } = useData<Played>("playback", asked, over === key ? undefined : 1);
  useEffect(() => {
    if (played && !["waiting", "playing"].includes(played.state)) setOver(key);
  }, [played?.state, key]);
  const runs = played?.runs ?? [];
  const place = placeOf(runs, words, wish.station);
  const run = runs[place];
  return (
    <>
      {error && <Notice kind="error">{error.message}</Notice>}
      {played?.state === "failed" && (
        <Notice kind="error">{played.why || t("It could not be played back; the service's log says why.")}</Notice>
      )}
      {played?.state === "stopped" && (
        <Notice kind="stale">
          {t("It took too long and was stopped: {n} of {total} runs. Ask for less time or longer steps.", {
            n: runs.length,
            total: played.total,
          })}
        </Notice>
      )}
      {(!played || played.state === "waiting") && !error && <Notice kind="busy">{t("It is being prepared …")}</Notice>}
      {played && run && (
        <>
          <Player
            runs={runs}
            total={played.total}
            place={place}
            station={wish.station}
            onPlace={(to) => onChange({ at: written(runs[to]?.at ?? 0) })}
          />
          <p class="hint faint">
            {t("Each run looks at the {hours} h before it. Keys: arrows go from run to run, the space bar plays.", {
              hours: played.window_hours,
            })}
          </p>
          <Late run={run} wish={wish} onEverything={() => onChange({ everything: "yes" })} />
          {wish.station !== undefined && (
            <Explained
              run={run}
              asked={asked}
              station={wish.station}
              words={words}
              named={named}
              onChange={onChange}
              onLost={() => setOver("")}
            />
          )}
          <NetworkThen
            run={run}
            chosen={wish.station}
            stations={stations}
            named={named}
            onStation={(station) => onChange({ station, variable: undefined })}
          />
        </>
      )}
    </>
  );
}

/** The run that is shown: what the address says, else the first that found a fault, else the first. */
function placeOf(runs: Run[], { at, variable }: Words, station: string | undefined): number {
  if (at !== undefined) {
    const seconds = Date.parse(at) / 1000;
    const place = runs.findIndex((run) => run.at >= seconds);
    return place < 0 ? Math.max(runs.length - 1, 0) : place;
  }
  const fault = ({ report }: Run) => ![undefined, "weather_event"].includes(worst(report, station, variable));
  return Math.max(runs.findIndex(fault), 0);
}

function Late({ run, wish, onEverything }: { run: Run; wish: Wish; onEverything: () => void }) {
  if (!run.late || wish.everything) return null;
  return (
    <p class="notice stale">
      {t(
        "{late} of the {all} observations of these hours were collected, or corrected, after this run: it did not see them.",
        {
          late: run.late,
          all: run.observations,
        },
      )}{" "}
      <button type="button" class="plain" onClick={onEverything}>
        {t("Play back with all that is stored now")}
      </button>
    </p>
  );
}

const NONE: Station[] = [];
