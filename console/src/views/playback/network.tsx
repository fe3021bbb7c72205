// What a run says of the whole network.
import { useCallback, useMemo, useState } from "preact/hooks";
import { StationMap } from "../../parts/map/map";
import type { Place } from "../../parts/map/marks";
import { Scroll } from "../../parts/scroll";
import type { State } from "../../parts/state";
import { Moment, timeOfDay } from "../../parts/time";
import { t, tn } from "../../words";
import type { Station } from "../network/shapes";
import { type Class, type Run, worst } from "./shapes";
import { ClassWord, useLabel } from "./words";

export function NetworkThen(props: {
  run: Run;
  /** The station that is explained. */
  chosen: string | undefined;
  stations: Station[];
  named: (id: string) => string;
  onStation: (id: string) => void;
}) {
  const { run, chosen, named, onStation } = props;
  const { anomalies, insufficient, stations } = run.report;
  const label = useLabel();
  return (
    <section>
      <h2>{t("The network in this run")}</h2>
      <p>
        {t("{judged} of {total} stations judged", { judged: stations.with_data, total: stations.total })};{" "}
        {tn("{n} station with an anomaly", "{n} stations with anomalies", stations.anomalous)}.
      </p>
      <MapThen {...props} />
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
                    {one.station_id === chosen ? (
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

const MARKS: Record<Class | "silent", State> = {
  silent: "silent",
  device_failure: "critical",
  suspected: "warning",
  unverified: "warning",
  weather_event: "weather",
};

/** The stations on a map, with the marks of what the run says of them; who was not judged is faint. */
function MapThen(props: {
  run: Run;
  chosen: string | undefined;
  stations: Station[];
  named: (id: string) => string;
  onStation: (id: string) => void;
}) {
  const { run, chosen, stations, named, onStation } = props;
  const [pointed, setPointed] = useState<string | null>(null);
  const places = useMemo(() => {
    const unjudged = new Set(
      run.report.insufficient.filter((one) => one.variable === "all").map((one) => one.station_id),
    );
    const said = new Set(run.report.anomalies.map((one) => one.station_id));
    return stations.flatMap(({ id, latitude, longitude }): Place[] => {
      if (latitude === null || longitude === null) return [];
      const says = said.has(id) ? worst(run.report, id) : undefined;
      return [
        {
          id,
          latitude,
          longitude,
          state: says ? MARKS[says] : "well",
          label: named(id),
          faint: !says && unjudged.has(id),
        },
      ];
    });
  }, [run, stations, named]);
  const shown = pointed ?? chosen ?? null;
  const card = useMemo(
    () =>
      shown !== null && (
        <>
          <strong>{named(shown)}</strong> <ClassWord of={worst(run.report, shown)} />
        </>
      ),
    [shown, run, named],
  );
  const stay = useCallback(() => {}, []);
  if (!places.length) return null;
  return (
    <StationMap
      places={places}
      chosen={shown}
      neighbours={NONE}
      card={card}
      onChoose={setPointed}
      onOpen={onStation}
      at=""
      onMove={stay}
    />
  );
}

const NONE: string[] = [];
