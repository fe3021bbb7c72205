// The health of a station's sensors, as the job `sensors` found it last.
import { useAbout } from "../../about";
import { useData } from "../../data";
import { figure } from "../../parts/chart/reading";
import { Failed } from "../../parts/failed";
import { Scroll } from "../../parts/scroll";
import { Moment } from "../../parts/time";
import { t } from "../../words";
import type { Sensor, Sensors } from "./shapes";

export function SensorHealth({ station }: { station: string }) {
  const loaded = useData<Sensors>("sensors", { station });
  return (
    <>
      <Failed of={loaded} />
      {loaded.data && <Table {...loaded.data} />}
    </>
  );
}

function Table({ at, days, sensors }: Sensors) {
  const { variables } = useAbout();
  if (at === null)
    return <p class="faint">{t("The job that examines the sensors has not run yet: it runs once a day.")}</p>;
  if (!sensors.length) return <p class="faint">{t("No sensor of this station was examined.")}</p>;
  const percent = (share: number) => `${figure(100 * share)} %`;
  const signed = (value: number, unit: string) => `${value > 0 ? "+" : ""}${figure(value)} ${unit}`;
  return (
    <>
      <p class="faint">
        {t("The {days} days up to", { days: figure(days ?? 0) })} <Moment at={at} />.
      </p>
      <Scroll label={t("Sensor health")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Sensor")}</th>
              <th scope="col">{t("State")}</th>
              <th scope="col" class="number">
                {t("Arrived")}
              </th>
              <th scope="col" class="number">
                {t("Without value")}
              </th>
              <th scope="col" class="number">
                {t("Stuck")}
              </th>
              <th scope="col" class="number">
                {t("Drift a day")}
              </th>
              <th scope="col" class="number">
                {t("Noise")}
              </th>
              <th scope="col" class="number">
                {t("Correlation")}
              </th>
              <th scope="col" class="number">
                {t("Above neighbours")}
              </th>
              <th scope="col">{t("Last good")}</th>
            </tr>
          </thead>
          <tbody>
            {sensors.map((one) => {
              const variable = variables.find(({ name }) => name === one.variable);
              const unit = variable?.unit ?? "";
              const cell = (value: number | null, text: (value: number) => string) => (
                <td class="number">{value === null ? "–" : text(value)}</td>
              );
              return (
                <tr key={one.variable}>
                  <th scope="row">{variable ? t(variable.label) : one.variable}</th>
                  <td>
                    <StateOf sensor={one} />
                  </td>
                  {cell(one.completeness, percent)}
                  {cell(one.missing, percent)}
                  {cell(one.stuck, percent)}
                  {cell(one.drift_per_day, (value) => `${value > 0 ? "+" : ""}${value.toFixed(2)} ${unit}`)}
                  {cell(one.noise, (value) => `${value.toFixed(2)} ${unit}`)}
                  {cell(one.correlation, (value) => value.toFixed(2))}
                  {cell(one.level, (value) => signed(value, unit))}
                  <td>{one.last_good === null ? t("never") : <Moment at={one.last_good} />}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}

function StateOf({ sensor }: { sensor: Sensor }) {
  const words = { healthy: t("healthy"), warning: t("warning"), critical: t("critical") };
  return (
    <>
      <span class={`state ${sensor.state === "healthy" ? "well" : sensor.state}`}>{words[sensor.state]}</span>
      {sensor.since !== null && sensor.state !== "healthy" && (
        <>
          {" "}
          {t("since")} <Moment at={sensor.since} />
        </>
      )}
      {sensor.reasons.length > 0 && (
        <ul class="reasons" lang="en">
          {sensor.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </>
  );
}
