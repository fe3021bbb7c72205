// When people work at sensors: what is under way, ahead and over, and what operators plan and end.
import { useId, useMemo, useState } from "preact/hooks";
import { useAbout } from "../../about";
import { post, useData } from "../../data";
import { MomentInput } from "../../parts/moment-input";
import { Notice } from "../../parts/notice";
import { Scroll } from "../../parts/scroll";
import { duration, Moment, useNow, zone } from "../../parts/time";
import { link } from "../../place";
import { t } from "../../words";
import { Buttons, Dialog, useActing } from "./deciding";
import type { Place, Work } from "./shapes";
import { placeName, useSensorName } from "./words";

const EVERY_SECONDS = 30;
const SHOWN_DAYS = 30;
const DAY = 86400;

export function Maintenance() {
  const { person } = useAbout();
  const now = useNow();
  const since = Math.floor(now / DAY) * DAY - SHOWN_DAYS * DAY;
  const { data, error, again } = useData<{ maintenance: Work[] }>("maintenance", { since }, EVERY_SECONDS);
  const [planning, setPlanning] = useState(false);
  const [said, setSaid] = useState("");
  const acts = person?.role === "operator";
  const groups: [string, Work[]][] = [
    [t("Under way"), data?.maintenance.filter((one) => one.from <= now && now <= one.to) ?? []],
    [t("Ahead"), data?.maintenance.filter((one) => now < one.from) ?? []],
    [t("Over"), data?.maintenance.filter((one) => one.to < now).reverse() ?? []],
  ];
  const done = (sentence: string) => {
    setPlanning(false);
    setSaid(sentence);
    again();
  };

  return (
    <>
      <p>{t("Nobody is told of trouble at these sensors in that time.")}</p>
      {error && <Notice kind="stale">{t("The list could not be loaded: {reason}", { reason: error.message })}</Notice>}
      <p class="hidden" aria-live="polite">
        {said}
      </p>
      <p class="line">
        {acts && (
          <button type="button" class="main" onClick={() => setPlanning(true)}>
            {t("Plan maintenance")}
          </button>
        )}
        <span class="faint">{t("Times: {zone}", { zone })}</span>
      </p>
      {!data && !error && <Notice kind="busy">{t("Loading…")}</Notice>}
      {data &&
        groups.map(
          ([name, works]) =>
            works.length > 0 && (
              <section key={name}>
                <h2>{name}</h2>
                <Works works={works} now={now} acts={acts} onDone={done} />
              </section>
            ),
        )}
      {data && !data.maintenance.length && <p>{t("None is planned, and there was none in the last 30 days.")}</p>}
      {planning && <Planning onDone={() => done(t("Planned"))} onClose={() => setPlanning(false)} onStale={again} />}
    </>
  );
}

/** Maintenance as a table. */
export function Works(props: { works: Work[]; now: number; acts: boolean; onDone: (said: string) => void }) {
  const { works, now, acts, onDone } = props;
  const sensor = useSensorName();
  const [ending, setEnding] = useState<Work>();
  return (
    <Scroll label={t("Maintenance")}>
      <table class="works">
        <thead>
          <tr>
            <th scope="col">{t("Where")}</th>
            <th scope="col">{t("From")}</th>
            <th scope="col">{t("To")}</th>
            <th scope="col">{t("By")}</th>
            <th scope="col">{t("Note")}</th>
            {acts && <th scope="col">{t("Action")}</th>}
          </tr>
        </thead>
        <tbody>
          {works.map((one) => (
            <tr key={one.id}>
              <th scope="row">
                <a href={link(["stations", one.station_id])}>{placeName(one)}</a>
                <span class="sensor">{sensor(one.variable)}</span>
              </th>
              <td>
                <Moment at={one.from} />
              </td>
              <td>
                <Moment at={one.to} /> <span class="faint">{duration(one.to - one.from)}</span>
              </td>
              <td>{one.by}</td>
              <td>{one.note}</td>
              {acts && (
                <td>
                  {now <= one.to && (
                    <button type="button" onClick={() => setEnding(one)}>
                      {one.from <= now ? t("End now") : t("Cancel it")}
                    </button>
                  )}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {ending && (
        <Ending
          work={ending}
          ahead={now < ending.from}
          onDone={(said) => {
            setEnding(undefined);
            onDone(said);
          }}
          onClose={() => setEnding(undefined)}
        />
      )}
    </Scroll>
  );
}

function Ending(props: { work: Work; ahead: boolean; onDone: (said: string) => void; onClose: () => void }) {
  const { work, ahead, onDone, onClose } = props;
  const sensor = useSensorName();
  const [note, setNote] = useState("");
  const { error, busy, act } = useActing(() => undefined);
  const submit = () =>
    act(async () => {
      await post(`maintenance/${work.id}/end`, { note });
      onDone(ahead ? t("Cancelled") : t("Ended"));
    });
  return (
    <Dialog title={ahead ? t("Cancel maintenance") : t("End maintenance now")} onClose={onClose} onSubmit={submit}>
      <p>
        {placeName(work)}: {sensor(work.variable)}
      </p>
      <label>
        {t("Note")}
        <textarea rows={2} maxLength={1000} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      <Buttons error={error} busy={busy} name={ahead ? t("Cancel it") : t("End now")} onClose={onClose} />
    </Dialog>
  );
}

interface PlanningProps {
  /** Where, if that is known. */
  place?: Place;
  variable?: string;
  onDone: () => void;
  onStale: () => void;
  onClose: () => void;
}

/** Plan maintenance, in a dialog. */
export function Planning({ place, variable, onDone, onStale, onClose }: PlanningProps) {
  const { variables } = useAbout();
  const [station, setStation] = useState(place?.station_id ?? "");
  const [names, setNames] = useState<string[]>(variable && variable !== "all" ? [variable] : []);
  const begin = useMemo(() => Math.ceil(Date.now() / 3_600_000) * 3600, []);
  const [from, setFrom] = useState(place ? begin - 3600 : begin);
  const [to, setTo] = useState(begin + 4 * 3600);
  const [note, setNote] = useState("");
  const { error, busy, act } = useActing(onStale);
  const { data } = useData<{ stations: (Place & { station_id: string })[] }>(place ? null : "maintenance/stations");
  const list = useId();
  const submit = () =>
    act(async () => {
      await post("maintenance", { station, variables: names, started: from, ended: to, note });
      onDone();
    });
  return (
    <Dialog title={t("Plan maintenance")} onClose={onClose} onSubmit={submit}>
      <label>
        {t("Station")}
        <input
          required
          value={station}
          maxLength={600}
          list={list}
          autocomplete="off"
          onInput={(event) => setStation(event.currentTarget.value)}
        />
        <datalist id={list}>
          {data?.stations.map((one) => (
            <option key={one.station_id} value={one.station_id}>
              {placeName(one)}
            </option>
          ))}
        </datalist>
      </label>
      <div class="pair">
        <MomentInput label={t("From")} value={from} onChange={setFrom} />
        <MomentInput label={t("To")} value={to} onChange={setTo} />
      </div>
      <p class="faint">{t("Times: {zone}. It may be ahead, or said afterwards.", { zone })}</p>
      <fieldset>
        <legend>{t("Sensors: none for the station as a whole")}</legend>
        <div class="choices">
          {variables.map((one) => (
            <label key={one.name} class="choice">
              <input
                type="checkbox"
                checked={names.includes(one.name)}
                onChange={() =>
                  setNames(names.includes(one.name) ? names.filter((name) => name !== one.name) : [...names, one.name])
                }
              />
              {one.label}
            </label>
          ))}
        </div>
      </fieldset>
      <label>
        {t("Note")}
        <textarea rows={2} maxLength={1000} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      <Buttons error={error} busy={busy} name={t("Plan maintenance")} onClose={onClose} />
    </Dialog>
  );
}
