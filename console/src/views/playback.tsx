// Past time as the detector saw it, run by run: what it said, and why.
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { useAbout } from "../about";
import { useData } from "../data";
import { MomentInput } from "../parts/moment-input";
import { Notice } from "../parts/notice";
import { Scroll } from "../parts/scroll";
import { duration, Moment, timeOfDay } from "../parts/time";
import { useTitle } from "../parts/title";
import { link } from "../place";
import { language, t, tn } from "../words";
import { Player } from "./playback/player";
import { SensorView } from "./playback/sensor";
import { MOST, type Played, type Run, type Sensor, STEPS, type Wish, wished, worst } from "./playback/shapes";
import { ClassWord } from "./playback/words";

const HOURS = [6, 12, 24, 48, 72, 168, 336];
const HOUR = 3600;

interface Station {
  id: string;
  name_en: string;
  name_gr: string;
}

type Words = Record<string, string | undefined>;

export default function Playback() {
  const { query, route } = useLocation();
  useTitle(t("Playback"));
  const words: Words = query;
  const network = useData<{ stations: Station[] }>("network");
  const stations = network.data?.stations ?? [];
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
        <Shown wish={wish} words={words} named={named} onChange={change} />
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

function nameOf({ id, name_en, name_gr }: Station): string {
  return (language === "el" ? name_gr || name_en : name_en || name_gr) || id;
}

function Wishes({
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

function written(seconds: number): string {
  return `${new Date(1000 * seconds).toISOString().slice(0, 16)}Z`;
}

function Shown(props: { wish: Wish; words: Words; named: (id: string) => string; onChange: (words: Words) => void }) {
  const { wish, words, named, onChange } = props;
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
            <Explained run={run} asked={asked} station={wish.station} words={words} named={named} onChange={onChange} />
          )}
          <Network
            run={run}
            wish={wish}
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

function Explained(props: {
  run: Run;
  asked: Record<string, string | number | boolean | undefined>;
  station: string;
  words: Words;
  named: (id: string) => string;
  onChange: (words: Words) => void;
}) {
  const { run, asked, station, words, named, onChange } = props;
  const { variables } = useAbout();
  const loaded = useData<Sensor[]>("playback/sensors", { ...asked, at: run.at });
  const [kept, setKept] = useState<{ station: string; at: number; sensors: Sensor[] }>();
  useEffect(() => {
    if (loaded.data) setKept({ station, at: run.at, sensors: loaded.data });
  }, [loaded.data]);
  const anomalies = useMemo(() => run.report.anomalies.filter((one) => one.station_id === station), [run, station]);
  // The figures of the run before stay until those of this one are there.
  const sensors = loaded.data ?? (kept?.station === station ? kept.sensors : undefined);
  const found = anomalies.find((one) => one.class === "device_failure") ?? anomalies[0];
  const wanted = words.variable ?? found?.variable;
  const sensor =
    sensors?.find((one) => one.variable === wanted) ?? sensors?.find((one) => one.variable !== "all") ?? sensors?.[0];
  const of = useMemo(() => anomalies.filter((one) => one.variable === sensor?.variable), [anomalies, sensor?.variable]);
  const label = (name: string) =>
    name === "all" ? t("the station as a whole") : (variables.find((one) => one.name === name)?.label ?? name);
  const left = run.report.insufficient.filter((one) => one.station_id === station);
  return (
    <section class="explained" aria-busy={!loaded.data}>
      <h2>
        <a href={link(["stations", station])}>{named(station)}</a>
      </h2>
      {loaded.error && <Notice kind="error">{loaded.error.message}</Notice>}
      {left.map((one) => (
        <p key={one.variable}>{t("Not judged: {reason}", { reason: one.reason })}</p>
      ))}
      {run.report.exceptions
        .filter((one) => one.station_id === station)
        .map((one) => (
          <p key={one.variable}>
            {t("By an exception, {variable}: {effect} ({reason})", { ...one, variable: label(one.variable) })}
          </p>
        ))}
      {sensors && sensor && (
        <>
          <fieldset class="row sensors">
            <legend class="hidden">{t("Variable")}</legend>
            {sensors.map(({ variable }) => {
              const says = worst(run.report, station, variable);
              return (
                <button
                  type="button"
                  key={variable}
                  class={says && `said ${says}`}
                  aria-pressed={variable === sensor.variable}
                  onClick={() => onChange({ variable, at: written(run.at) })}
                >
                  {label(variable)}
                </button>
              );
            })}
          </fieldset>
          {!sensor.values.length && <h3>{label(sensor.variable)}</h3>}
          <SensorView
            sensor={sensor}
            variable={variables.find((one) => one.name === sensor.variable)}
            anomalies={of}
            nameOf={named}
          />
        </>
      )}
    </section>
  );
}

function Network(props: { run: Run; wish: Wish; named: (id: string) => string; onStation: (id: string) => void }) {
  const { run, wish, named, onStation } = props;
  const { variables } = useAbout();
  const { anomalies, insufficient, stations } = run.report;
  const label = (name: string) =>
    name === "all" ? t("the station as a whole") : (variables.find((one) => one.name === name)?.label ?? name);
  return (
    <section>
      <h2>{t("The network in this run")}</h2>
      <p>
        {t("{judged} of {total} stations judged", { judged: stations.with_data, total: stations.total })};{" "}
        {tn("{n} station with an anomaly", "{n} stations with anomalies", stations.anomalous)}.
      </p>
      {anomalies.length > 0 && (
        <Scroll label={t("What the run found")} tall>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("Station")}</th>
                <th scope="col">{t("Variable")}</th>
                <th scope="col">{t("What")}</th>
                <th scope="col">{t("Since")}</th>
                <th scope="col">{t("Why")}</th>
              </tr>
            </thead>
            <tbody>
              {anomalies.map((one) => (
                <tr key={`${one.station_id} ${one.variable} ${one.start}`}>
                  <th scope="row">
                    {one.station_id === wish.station ? (
                      named(one.station_id)
                    ) : (
                      <button type="button" class="plain" onClick={() => onStation(one.station_id)}>
                        {named(one.station_id)}
                      </button>
                    )}
                  </th>
                  <td>{label(one.variable)}</td>
                  <td>
                    <ClassWord of={one.variable === "all" ? "silent" : one.class} />
                  </td>
                  <td>
                    <Moment at={Date.parse(one.start) / 1000} />
                  </td>
                  <td class="why">{one.reason}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {insufficient.length > 0 && (
        <details>
          <summary>{tn("{n} sensor was not judged", "{n} sensors were not judged", insufficient.length)}</summary>
          <ul>
            {insufficient.slice(0, 200).map((one) => (
              <li key={`${one.station_id} ${one.variable}`}>
                {named(one.station_id)}: {one.reason}
              </li>
            ))}
          </ul>
        </details>
      )}
      <p class="hidden" aria-live="polite">
        {t("{time}: {n} anomalies", { time: timeOfDay(run.at), n: anomalies.length })}
      </p>
    </section>
  );
}
