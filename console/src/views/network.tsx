// The network now: a map and a list of its stations, which bring themselves up to date.

import { useCallback, useMemo, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { useAbout, type Variable } from "../about";
import { type Loaded, useData } from "../data";
import { StationMap } from "../parts/map/map";
import type { Place } from "../parts/map/marks";
import { nameOf } from "../parts/name";
import { Notice } from "../parts/notice";
import { useScheme } from "../parts/scheme";
import { ago, Moment, useNow, zone } from "../parts/time";
import { useTitle } from "../parts/title";
import { link } from "../place";
import { t, tn } from "../words";
import { Card } from "./network/card";
import { Controls } from "./network/controls";
import { Legend } from "./network/legend";
import { StationList } from "./network/list";
import { News } from "./network/news";
import { colourOf, type Scale, scaleOf } from "./network/scale";
import { FAIL, type Neighbour, type NetworkData, type Station } from "./network/shapes";
import { type Shown, useShown } from "./network/shown";
import { figure } from "./network/values";

const EVERY_SECONDS = 10;

export default function Network() {
  useTitle(t("Network"));
  const loaded = useData<NetworkData>("network", {}, EVERY_SECONDS);
  return (
    <>
      <h1>{t("Network")}</h1>
      <Unanswered loaded={loaded} />
      {loaded.data && <Stations data={loaded.data} />}
      {!loaded.data && !loaded.error && <Notice kind="busy">{t("The stations are being fetched …")}</Notice>}
    </>
  );
}

/** Says that what is shown is not of now, because the service does not tell. */
function Unanswered({ loaded: { data, error, at } }: { loaded: Loaded<NetworkData> }) {
  const now = useNow();
  if (!error) return null;
  const why = "status" in error ? error.message : "";
  if (!data)
    return <Notice kind="error">{why || t("The stations cannot be shown: the service does not tell them.")}</Notice>;
  return (
    <Notice kind="offline">
      {why}{" "}
      {t("The stations are shown as they were {ago}; they come up to date by themselves.", {
        ago: ago(at / 1000, now),
      })}
    </Notice>
  );
}

function Stations({ data }: { data: NetworkData }) {
  const { variables } = useAbout();
  const { route } = useLocation();
  const now = useNow();
  const scheme = useScheme();
  const [shown, change] = useShown();
  const [chosen, setChosen] = useState<string | null>(null);

  const known = useMemo(() => new Map(data.stations.map((one) => [one.id, one])), [data]);
  const measured = useMemo(() => variables.filter((one) => data.variables.includes(one.name)), [data, variables]);
  const by = measured.find((one) => one.name === shown.by);
  const columns = columnsOf(measured, by, data);
  const place = by ? data.variables.indexOf(by.name) : -1;
  const age = (one: Station) => (one.newest === null ? Number.POSITIVE_INFINITY : now - one.newest);
  const good = (one: Station) =>
    age(one) <= one.fresh_seconds && one.flags[place] !== FAIL && typeof one.values[place] === "number";
  const minute = Math.floor(now / 60); // as often as a value can become old

  const scale = useMemo(
    () =>
      by &&
      scaleOf(
        data.stations.filter(good).map((one) => one.values[place] as number),
        by.unit,
      ),
    [data, by, scheme, minute],
  );
  const wanted = useMemo(() => wantedOf(data.stations, shown), [data, shown.text, shown.states.join()]);
  const places = useMemo(() => {
    const found = new Set(wanted);
    const vane = by && variables.find((one) => one.speed && (one.name === by.name || one.speed === by.name));
    const wind = vane ? data.variables.indexOf(vane.name) : -1;
    return data.stations.flatMap((one): Place[] => {
      if (one.latitude === null || one.longitude === null) return [];
      return [
        {
          id: one.id,
          latitude: one.latitude,
          longitude: one.longitude,
          state: one.state,
          faint: !found.has(one),
          ...(by && good(one)
            ? markOf(one, by, place, scale, wind < 0 ? null : one.values[wind])
            : { label: by ? "" : nameOf(one), fill: by ? null : undefined }),
        },
      ];
    });
  }, [data, wanted, by, scale]);

  const near = useData<Neighbour[]>(chosen === null ? null : "network/neighbours", { station: chosen ?? "" });
  const neighbours = useMemo(() => near.data?.map((one) => one.id) ?? [], [near.data]);
  const station = chosen === null ? undefined : known.get(chosen);
  const newest = data.stations.reduce<number | null>(
    (one, { newest }) => (newest !== null && newest > (one ?? 0) ? newest : one),
    null,
  );
  const open = useCallback((id: string) => route(link(["stations", id])), [route]);
  const move = useCallback((at: string) => change({ map: at }), [change]);
  const card = useMemo(
    () => station && <Card station={station} columns={columns} neighbours={near.data} known={known} now={now} />,
    [station, near.data, minute],
  );

  return (
    <>
      <p class="faint network-summary">
        {tn("{n} station", "{n} stations", data.stations.length)}
        {newest !== null && (
          <>
            {", "}
            {t("newest observation")} <Moment at={newest} /> {zone}, {ago(newest, now)}
          </>
        )}
      </p>
      {newest !== null && data.stations.every((one) => age(one) > one.fresh_seconds) && (
        <Notice kind="stale">
          {t("No station has sent anything since then: the feed or the collector is at a stop.")}
        </Notice>
      )}
      {data.stations.length === 0 && (
        <Notice kind="stale">{t("There are no stations yet: the collector has stored none.")}</Notice>
      )}
      <News stations={data.stations} />
      <Controls stations={data.stations} variables={measured} shown={shown} change={change} />
      <div class="network">
        <div class="network-map">
          <StationMap
            places={places}
            chosen={chosen}
            neighbours={neighbours}
            card={card}
            onChoose={setChosen}
            onOpen={open}
            at={shown.at}
            onMove={move}
          />
          {by && <Legend variable={by} scale={scale} />}
          <Unplaced stations={data.stations} />
        </div>
        <StationList
          stations={wanted}
          columns={columns}
          shown={shown}
          change={change}
          chosen={chosen}
          onChoose={setChosen}
          now={now}
        />
      </div>
    </>
  );
}

/** How many stations the map cannot show. */
function Unplaced({ stations }: { stations: Station[] }) {
  const number = stations.filter((one) => one.latitude === null).length;
  if (!number) return null;
  return (
    <p class="faint">
      {tn("{n} station has no place; it is in the list.", "{n} stations have no place; they are in the list.", number)}
    </p>
  );
}

/** The variables with a column: the one that colours the map, and those that are of no other. */
function columnsOf(measured: Variable[], by: Variable | undefined, data: NetworkData) {
  const first = by ? [by] : [];
  const all = [...first, ...measured.filter((one) => data.main.includes(one.name) && one !== by)];
  return all.map((variable) => ({ variable, place: data.variables.indexOf(variable.name) }));
}

/** The mark and the label of a station with a value. */
function markOf(one: Station, by: Variable, place: number, scale: Scale | undefined, from: number | null | undefined) {
  const value = one.values[place] as number;
  return { label: figure(value, by), fill: scale ? colourOf(value, scale) : null, from };
}

/** The stations that are looked for. */
function wantedOf(stations: Station[], { states, text }: Shown): Station[] {
  const word = plain(text);
  return stations.filter(
    (one) =>
      (!states.length || states.includes(one.state)) &&
      (!word || [one.id, one.name_en, one.name_gr].some((name) => plain(name).includes(word))),
  );
}

/** Text without case and accents, as people type it. */
function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
}
