// How a run judges a station, variable by variable.
import { useEffect, useMemo, useState } from "preact/hooks";
import { useAbout } from "../../about";
import { Refused, useData } from "../../data";
import { Notice } from "../../parts/notice";
import { link } from "../../place";
import { t } from "../../words";
import { SensorView } from "./sensor";
import { type Run, type Sensor, type Words, worst, written } from "./shapes";
import { useLabel } from "./words";

export function Explained(props: {
  run: Run;
  asked: Record<string, string | number | boolean | undefined>;
  station: string;
  words: Words;
  named: (id: string) => string;
  onChange: (words: Words) => void;
  onLost: () => void;
}) {
  const { run, asked, station, words, named, onChange, onLost } = props;
  const { variables } = useAbout();
  // The service forgets what it has played back when it is started anew, or has much else: then it is made once more.
  const [lost, setLost] = useState(false);
  const loaded = useData<Sensor[]>("playback/sensors", { ...asked, at: run.at }, lost ? 1 : undefined);
  useEffect(() => {
    const missing = loaded.error instanceof Refused && loaded.error.status === 404;
    setLost(missing);
    if (missing) onLost();
  }, [loaded.error]);
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
  const label = useLabel();
  const left = run.report.insufficient.filter((one) => one.station_id === station);
  return (
    <section class="explained" aria-busy={!loaded.data}>
      <h2>
        <a href={link(["stations", station])}>{named(station)}</a>
      </h2>
      {loaded.error && !lost && <Notice kind="error">{loaded.error.message}</Notice>}
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
