// A station: its variables over time, and what is known of it.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useRoute } from "preact-iso/router";
import { useAbout } from "../about";
import { address, useData } from "../data";
import { figure } from "../parts/chart/reading";
import type { Span } from "../parts/chart/shapes";
import { Failed } from "../parts/failed";
import { Figure, Figures } from "../parts/figure";
import { nameOf } from "../parts/name";
import { Notice } from "../parts/notice";
import { WhenSeen } from "../parts/seen";
import { StateWord } from "../parts/state";
import { ago, Moment, useNow, zone } from "../parts/time";
import { useTitle } from "../parts/title";
import { link } from "../place";
import { t } from "../words";
import { Bands, playbackLink } from "./station/bands";
import { Calendar } from "./station/calendar";
import { Charts } from "./station/charts";
import { SpanControls, VariableControls } from "./station/controls";
import { Metadata, placeText } from "./station/metadata";
import { Rose } from "./station/rose";
import { SensorHealth } from "./station/sensors";
import type { Neighbours, Rain, Series, StationData } from "./station/shapes";
import { useKept, useRested, useShown, type Words } from "./station/span";
import { ValuesTable } from "./station/table";

const DAY = 86400;
// So long a span must rest before finer data are fetched.
const REST_MS = 120;
// New data are asked for as often as the picture would show them, but for these bounds.
const OFTEN_SECONDS = 60;
const SELDOM_SECONDS = 600;
// The service reads neighbours of at most so long.
const MOST_OF_NEIGHBOURS = 31 * DAY;

export default function Station() {
  const { station = "" } = useRoute().params;
  const loaded = useData<StationData>("station", { station }, OFTEN_SECONDS);
  const shown = useShown(station);
  const name = loaded.data ? nameOf({ ...loaded.data, name_en: loaded.data.name }) : station;
  useTitle(name);
  return (
    <div class="station">
      <h1>{name}</h1>
      <Failed of={loaded} />
      {!loaded.data && !loaded.error && <Notice kind="busy">{t("Loading…")}</Notice>}
      {loaded.data && <View key={station} station={loaded.data} shown={shown} />}
    </div>
  );
}

function View({ station, shown }: { station: StationData; shown: ReturnType<typeof useShown> }) {
  const { variables } = useAbout();
  const now = useNow(30);
  const { span, words } = shown;
  const [measured, width] = useWidth();
  const bounds = {
    from: Math.min(station.oldest ?? now, now - DAY),
    to: Math.max(station.newest ?? 0, Math.ceil(now / 60) * 60),
  };
  const chosen = useMemo(() => {
    const asked = words.variables?.split(",").filter((one) => variables.some(({ name }) => name === one)) ?? [];
    if (asked.length) return asked;
    const seldom = new Set(variables.filter((one) => one.seldom).map((one) => one.name));
    return station.measures.filter((one) => !seldom.has(one));
  }, [words.variables, station.measures.join(), variables]);
  const compared = words.neighbours && chosen.includes(words.neighbours) ? words.neighbours : undefined;
  const id = station.id;

  // Half a span more on each side is fetched, so that moving the picture finds something there.
  const rested = useRested(span, `${span.from} ${span.to}`, shown.range ? 0 : REST_MS);
  const length = rested.to - rested.from;
  const wanted = around(rested, length / 2, bounds);
  const pixels = Math.min(4000, Math.max(50, Math.round(((width || 900) * (wanted.to - wanted.from)) / length)));
  const of = { station: id, ...wanted };
  const ready = width > 0 && chosen.length > 0;
  const asked = chosen.join();
  const every = Math.min(SELDOM_SECONDS, Math.max(OFTEN_SECONDS, Math.round(length / 1440)));

  const series = useData<Series>(ready ? "series" : null, { ...of, variables: asked, width: pixels }, every);
  const step = length <= 8 * DAY ? "hour" : length <= 400 * DAY ? "day" : "month";
  const rain = useData<Rain>(ready && chosen.includes("rain") ? "rain" : null, { ...of, step }, every);
  const near = around(rested, Math.min(length / 2, Math.max(0, (MOST_OF_NEIGHBOURS - length) / 2)), bounds);
  const tooLong = length > MOST_OF_NEIGHBOURS;
  const neighbours = useData<Neighbours>(
    ready && compared && !tooLong ? "neighbours" : null,
    { station: id, ...near, variable: compared, width: pixels },
    every,
  );
  const kept = useKept(series.data, `${id} ${asked}`);
  const keptRain = useKept(rain.data, id);
  const keptNeighbours = useKept(neighbours.data, `${id} ${compared}`);
  const labels = useMemo(() => new Map(variables.map((one) => [one.name, t(one.label)])), [variables]);
  const drawn = variables.filter(({ name }) => chosen.includes(name));
  const [table, setTable] = useState(false);

  return (
    <>
      <p class="station-line">
        <StateWord state={station.state} /> <span>{placeText(station)}</span>{" "}
        {station.newest !== null && (
          <span>
            {t("newest observation")} <Moment at={station.newest} /> ({ago(station.newest, now)})
          </span>
        )}
      </p>
      <Newest values={station.values} />
      <SpanControls shown={shown} bounds={bounds} />
      <div class="row">
        <VariableControls shown={shown} chosen={chosen} />
        <a
          href={address("download", {
            station: id,
            variables: asked,
            from: Math.round(span.from),
            to: Math.round(span.to),
          })}
          download
        >
          {t("Download as CSV")}
        </a>
        <a href={playbackLink(id, span)}>{t("As the detector saw it")}</a>
      </div>
      <h2>
        <Moment at={span.from} /> – <Moment at={span.to} /> <span class="faint">{zone}</span>
      </h2>
      <Failed of={series} />
      <Failed of={rain} />
      {compared && tooLong && <Notice kind="stale">{t("Zoom in to at most 31 days to see the neighbours.")}</Notice>}
      <Failed of={neighbours} />
      {compared && !tooLong && keptNeighbours && (
        <NeighbourLinks neighbours={keptNeighbours.neighbours} words={shown.words} />
      )}
      {kept?.time.length === 0 && (
        <p>
          {t("There are no observations in this span.")}{" "}
          {station.newest !== null && station.newest <= span.from && (
            <button type="button" onClick={() => shown.showSpan(endingWith(station.newest as number, span))}>
              {t("Show the newest")}
            </button>
          )}
        </p>
      )}
      <div class="charts" ref={measured} aria-busy={!series.data && !series.error}>
        {kept ? (
          <Charts
            chosen={chosen}
            series={kept}
            rain={keptRain}
            compared={compared}
            neighbours={tooLong ? undefined : keptNeighbours}
            span={span}
            bounds={bounds}
            onSpan={shown.showSpan}
          />
        ) : chosen.length ? (
          !series.error && <Notice kind="busy">{t("Loading…")}</Notice>
        ) : (
          <p class="faint">{t("This station has no observations yet.")}</p>
        )}
      </div>
      <p class="faint hint">
        {t(
          "Drag to zoom in, double-click to zoom out; Shift and drag to move. On a touchscreen, one finger moves and two zoom. A strip above a plot marks readings that tests found: a triangle is suspect, a cross fails.",
        )}
      </p>

      {/* Not before the charts, so that they are below them and are not asked for at once. */}
      {kept && (
        <>
          <h2>{t("Incidents and maintenance")}</h2>
          <Bands bands={kept.bands} span={span} labels={labels} />

          <h2>{t("Values")}</h2>
          <details open={table} onToggle={(event) => setTable(event.currentTarget.open)}>
            <summary>{t("As a table")}</summary>
            {table && <ValuesTable series={kept} variables={drawn} span={span} />}
          </details>

          <h2>{t("Wind")}</h2>
          <WhenSeen>
            <Rose station={id} span={rested} />
          </WhenSeen>

          <h2>{t("Completeness")}</h2>
          <WhenSeen>
            <Calendar station={id} span={rested} oldest={bounds.from} onSpan={shown.showSpan} />
          </WhenSeen>

          <h2>{t("Sensor health")}</h2>
          <WhenSeen>
            <SensorHealth station={id} />
          </WhenSeen>
        </>
      )}

      <h2>{t("The station")}</h2>
      <Metadata station={station} />
    </>
  );
}

/** The ways to the neighbours, of which the same is shown. */
function NeighbourLinks({ neighbours, words }: { neighbours: Neighbours["neighbours"]; words: Words }) {
  return (
    <ul class="row neighbours" aria-label={t("Neighbours")}>
      {neighbours.map(({ km, higher, ...names }) => (
        <li key={names.id}>
          <a href={link(["stations", names.id], words)}>{nameOf(names)}</a>{" "}
          <span class="faint">
            {figure(km)} km{higher !== null && `, ${higher > 0 ? "+" : ""}${figure(higher)} m`}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** The values of the newest observation. */
function Newest({ values }: { values: StationData["values"] }) {
  const { variables } = useAbout();
  return (
    <Figures>
      {variables
        .filter(({ name, seldom }) => typeof values[name] === "number" && !seldom)
        .map(({ name, label, unit }) => (
          <Figure key={name} name={t(label)}>
            {figure(values[name] as number)} <span class="faint">{unit}</span>
          </Figure>
        ))}
    </Figures>
  );
}

/** As long a span, at whose end a moment is. */
function endingWith(moment: number, { from, to }: Span): Span {
  return { from: moment - (to - from), to: moment };
}

/** A span with some seconds more on each side, within bounds. */
function around(span: Span, seconds: number, bounds: Span): Span {
  return {
    from: Math.round(Math.max(span.from - seconds, Math.min(bounds.from - 1, span.from))),
    to: Math.round(Math.min(span.to + seconds, Math.max(bounds.to, span.to))),
  };
}

/** The width of an element in CSS pixels, in steps, so that the same data are asked for on similar screens. */
function useWidth() {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const found = element.current;
    if (!found) return;
    const look = () => setWidth(Math.ceil(found.clientWidth / 100) * 100); // 0 until it is laid out
    look();
    const watched = new ResizeObserver(look);
    watched.observe(found);
    return () => watched.disconnect();
  }, []);
  return [element, width] as const;
}
