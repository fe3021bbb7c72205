// The network now: a map and a list of its stations, which bring themselves up to date.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { useAbout, type Variable } from "../about";
import { type Loaded, type Query, useData } from "../data";
import type { Box } from "../parts/map/land";
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
  const [shown, change] = useShown();
  const [box, setBox] = useState<Box | null>(null);
  const loaded = usePart(shown, box);
  return (
    <>
      <h1>{t("Network")}</h1>
      <Unanswered loaded={loaded} />
      {loaded.data && <Stations data={loaded.data} shown={shown} change={change} onBox={setBox} />}
      {!loaded.data && !loaded.error && <Notice kind="busy">{t("The stations are being fetched …")}</Notice>}
    </>
  );
}

/** The stations; of a large network those that are looked for, in a box. What was told before stays until they come. */
function usePart({ text, states }: Shown, box: Box | null): Loaded<NetworkData> {
  const before = useRef<Loaded<NetworkData>>(undefined);
  const part: Query = { q: text || undefined, state: states.join() || undefined, ...box };
  const loaded = useData<NetworkData>("network", before.current?.data?.all ? part : {}, EVERY_SECONDS);
  if (loaded.data) before.current = loaded;
  const { data, at } = loaded.data ? loaded : (before.current ?? loaded);
  return { ...loaded, data, at };
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

interface StationsProps {
  data: NetworkData;
  shown: Shown;
  change: (words: Record<string, string | undefined>) => void;
  onBox: (box: Box | null) => void;
}

function Stations({ data, shown, change, onBox }: StationsProps) {
  const { variables } = useAbout();
  const { route } = useLocation();
  const now = useNow();
  const scheme = useScheme();
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
  const newest = data.all ? data.all.newest : newestOf(data.stations);
  const isStill = data.all
    ? newest !== null && data.stations[0] && now - newest > data.stations[0].fresh_seconds
    : data.stations.every((one) => age(one) > one.fresh_seconds);
  const open = useCallback((id: string) => route(link(["stations", id])), [route]);
  const move = useCallback((at: string) => change({ map: at }), [change]);
  const card = useMemo(
    () => station && <Card station={station} columns={columns} neighbours={near.data} known={known} now={now} />,
    [station, near.data, minute],
  );

  return (
    <>
      <p class="faint network-summary">
        {tn("{n} station", "{n} stations", data.all?.number ?? data.stations.length)}
        {newest !== null && (
          <>
            {", "}
            {t("newest observation")} <Moment at={newest} /> {zone}, {ago(newest, now)}
          </>
        )}
      </p>
      {newest !== null && isStill && (
        <Notice kind="stale">
          {t("No station has sent anything since then: the feed or the collector is at a stop.")}
        </Notice>
      )}
      <Fewer data={data} />
      {data.stations.length === 0 && !data.all && (
        <Notice kind="stale">{t("There are no stations yet: the collector has stored none.")}</Notice>
      )}
      <News stations={data.stations} isPart={Boolean(data.all)} />
      <Controls data={data} variables={measured} shown={shown} change={change} />
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
            all={boxOf(data)}
            onBox={onBox}
          />
          {by && <Legend variable={by} scale={scale} />}
          <Unplaced data={data} />
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
function Unplaced({ data: { stations, all } }: { data: NetworkData }) {
  const number = all ? all.unplaced : stations.filter((one) => one.latitude === null).length;
  if (!number) return null;
  return (
    <p class="faint">
      {tn("{n} station has no place; it is in the list.", "{n} stations have no place; they are in the list.", number)}
    </p>
  );
}

/** Says that a large network has more stations than are shown. */
function Fewer({ data: { stations, all } }: { data: NetworkData }) {
  if (!all || all.found <= stations.length) return null;
  return (
    <p class="faint network-summary">
      {t("{shown} of {found} stations are shown, the worst of each region. Zoom in, or find stations, to see all.", {
        shown: stations.length,
        found: all.found,
      })}
    </p>
  );
}

/** Where all stations of a large network are. */
function boxOf({ all }: NetworkData): Box | undefined {
  if (!all?.box) return undefined;
  const [west, south, east, north] = all.box;
  return { west, south, east, north };
}

/** When a station was observed last. */
function newestOf(stations: Station[]): number | null {
  return stations.reduce<number | null>(
    (one, { newest }) => (newest !== null && newest > (one ?? 0) ? newest : one),
    null,
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
