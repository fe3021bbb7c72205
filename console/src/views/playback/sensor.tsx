// How a run judges one variable of a station: the readings, the neighbours, and each test with its figures.
import { useMemo } from "preact/hooks";
import type { Variable } from "../../about";
import { Chart } from "../../parts/chart/chart";
import { figure } from "../../parts/chart/reading";
import type { Band, Line } from "../../parts/chart/shapes";
import { Scroll } from "../../parts/scroll";
import { Moment, timeOfDay } from "../../parts/time";
import { link } from "../../place";
import { t } from "../../words";
import type { Anomaly, Criterion, Neighbour, Sensor, Verdict } from "./shapes";
import { amount, ClassWord } from "./words";

interface Judged {
  sensor: Sensor;
  variable: Variable | undefined;
  anomalies: Anomaly[];
  nameOf: (station: string) => string;
}

export function SensorView({ sensor, variable, anomalies, nameOf }: Judged) {
  const unit = variable?.unit ?? "";
  return (
    <>
      <Said anomalies={anomalies} sensor={sensor} />
      {sensor.values.length > 0 && (
        <Picture
          sensor={sensor}
          label={variable?.label ?? sensor.variable}
          unit={unit}
          anomalies={anomalies}
          nameOf={nameOf}
        />
      )}
      <Tests verdicts={sensor.verdicts} />
      {sensor.neighbours.length > 0 && <Neighbours of={sensor.neighbours} unit={unit} nameOf={nameOf} />}
    </>
  );
}

/** Why it is a fault, or weather, in the run's own sentence. */
function Said({ anomalies, sensor }: { anomalies: Anomaly[]; sensor: Sensor }) {
  if (!anomalies.length) {
    const flagged = sensor.verdicts.some((one) => one.flagged.length > 0);
    return (
      <p class="sentence">
        <ClassWord of={undefined} />
        {flagged && `: ${t("what is flagged goes with another sensor of the station, which is named instead.")}`}
      </p>
    );
  }
  return (
    <>
      {anomalies.map((one) => (
        <p class="sentence" key={`${one.start} ${one.test}`}>
          <ClassWord of={one.variable === "all" ? "silent" : one.class} />: {one.reason}.{" "}
          <span class="faint">
            <Moment at={Date.parse(one.start) / 1000} /> – {timeOfDay(Date.parse(one.end) / 1000)}, {one.test}
            {one.confidence !== null && ", "}
            {one.confidence !== null && t("confidence {share} %", { share: Math.round(100 * one.confidence) })}
          </span>
        </p>
      ))}
    </>
  );
}

function Picture(props: {
  sensor: Sensor;
  label: string;
  unit: string;
  anomalies: Anomaly[];
  nameOf: (station: string) => string;
}) {
  const { sensor, label, unit, anomalies, nameOf } = props;
  const { times } = sensor;
  const lines = useMemo(() => {
    const own: Line = { label: t("reading"), times, values: sensor.values };
    const found: Line[] = [own];
    if (sensor.expected.some((one) => one !== null))
      found.push({
        label: t("expected"),
        times,
        values: sensor.expected,
        low: sensor.low,
        high: sensor.high,
        step: (times[1] ?? 0) - (times[0] ?? 0),
        weight: "dashed",
        colour: "--well",
      });
    for (const one of sensor.neighbours)
      found.push({
        label: t("by {station}", { station: nameOf(one.now.station_id) }),
        times,
        values: one.values,
        weight: "thin",
        colour: "--shore",
      });
    return found;
  }, [sensor, nameOf]);
  const bands = useMemo(
    () =>
      anomalies.map(
        (one): Band => ({
          from: Date.parse(one.start) / 1000,
          to: Date.parse(one.end) / 1000,
          kind: one.class === "weather_event" ? "weather" : one.class === "device_failure" ? "critical" : "warning",
        }),
      ),
    [anomalies],
  );
  const first = times[0] ?? 0;
  const last = times[times.length - 1] ?? 0;
  return (
    <>
      <Chart
        label={label}
        unit={unit}
        lines={lines}
        bands={bands}
        scale={unit === "°" ? "compass" : unit === "mm" || unit === "W/m²" ? "zero" : "level"}
        span={{ from: first, to: Math.max(last, first + 1800) }}
        height={230}
        together="playback"
      />
      {lines.length > 1 && (
        <p class="hint faint">
          {t(
            "Shaded: what would be weather, three standard deviations around what neighbours imply. Thin: what each of them implies.",
          )}
        </p>
      )}
    </>
  );
}

function Tests({ verdicts }: { verdicts: Verdict[] }) {
  return (
    <section>
      <h3>{t("What each test compared")}</h3>
      <Scroll label={t("What each test compared")}>
        <table class="tests">
          <thead>
            <tr>
              <th scope="col">{t("Test")}</th>
              <th scope="col">{t("Verdict")}</th>
              <th scope="col">{t("Figures")}</th>
            </tr>
          </thead>
          <tbody>
            {verdicts.map((one) => (
              <tr key={one.test} class={one.flagged.length ? "flagged" : undefined}>
                <th scope="row">
                  {one.test}
                  <span class="finds">{one.finds}</span>
                </th>
                <td>
                  {one.flagged.length ? (
                    <>
                      <strong class="mark">{t("flagged")}</strong>
                      {one.flagged.map(([from, to]) => (
                        <span class="when" key={from}>
                          {timeOfDay(from)}
                          {to !== from && `–${timeOfDay(to)}`}
                        </span>
                      ))}
                    </>
                  ) : (
                    t("passed")
                  )}
                </td>
                <td>
                  {one.criteria.length ? (
                    <ul class="criteria">
                      {one.criteria.map((each, place) => (
                        <Figures key={place} of={each} />
                      ))}
                    </ul>
                  ) : (
                    <span class="faint">{t("nothing to compare")}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Figures({ of }: { of: Criterion }) {
  return (
    <li class={of.met ? "met" : undefined}>
      {of.what && <span class="means">{of.what}: </span>}
      {of.compared.map((one, place) => (
        <span class="compared" key={one.what}>
          {place > 0 && `${t("and")} `}
          {one.what} <span class="amount">{amount(one.value, one.unit)}</span>{" "}
          <span class="limit">
            ({t("limit")}: {one.sign} {amount(one.limit, one.unit)})
          </span>
        </span>
      ))}
      <span class="so">
        {of.met ? t("yes") : t("no")}
        {of.at !== null && ` (${timeOfDay(of.at)})`}
      </span>
    </li>
  );
}

function Neighbours({ of, unit, nameOf }: { of: Neighbour[]; unit: string; nameOf: (station: string) => string }) {
  return (
    <section>
      <h3>{t("What its neighbours had just then")}</h3>
      <Scroll label={t("What its neighbours had just then")}>
        <table class="narrow">
          <thead>
            <tr>
              <th scope="col">{t("Neighbour")}</th>
              <th scope="col" class="number">
                {t("Distance")}
              </th>
              <th scope="col" class="number">
                {t("Reading")}
              </th>
              <th scope="col" class="number">
                {t("Implies here")}
              </th>
              <th scope="col" class="number">
                {t("Correlation")}
              </th>
            </tr>
          </thead>
          <tbody>
            {of.map(({ now, excluded }) => (
              <tr key={now.station_id}>
                <th scope="row">
                  <a href={link(["stations", now.station_id])}>{nameOf(now.station_id)}</a>
                  {excluded && <span class="faint"> {t("left out: it is thought wrong itself")}</span>}
                </th>
                <td class="number">{figure(now.distance_km)} km</td>
                <td class="number">{amount(now.value, unit)}</td>
                <td class="number">{amount(now.implies, unit)}</td>
                <td class="number">{amount(now.correlation, "")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
