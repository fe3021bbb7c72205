// How collection and detection go.
import { count, inSeconds } from "../../parts/amounts";
import { Bars } from "../../parts/bars";
import { Figure, Figures } from "../../parts/figure";
import { ago, day, Moment, moment } from "../../parts/time";
import { t } from "../../words";
import type { OfStore } from "./said";

const LAST_DAY = 24;

export function Collection({ said, spool, now }: { said: OfStore; spool: number | undefined; now: number }) {
  const { hours, last, failures, left_out, since } = said.collection;
  const lately = hours.slice(-LAST_DAY);
  const sum = (of: (hour: (typeof hours)[number]) => number) => lately.reduce((all, hour) => all + of(hour), 0);
  const reasons = Object.entries(left_out);
  const newest = said.database.newest;
  return (
    <section>
      <h2>{t("Collection")}</h2>
      <Figures>
        <Figure name={t("Newest observation")}>{newest === null ? t("none") : ago(newest, now)}</Figure>
        <Figure name={t("Last document")} note={last?.message ?? ""}>
          {last ? ago(last.at, now) : t("none")}
        </Figure>
        <Figure name={t("Documents in 24 hours")} note={t("{n} failed cycles", { n: count(sum((one) => one.failed)) })}>
          {count(sum((one) => one.stored))}
        </Figure>
        <Figure name={t("Observations in 24 hours")}>{count(sum((one) => one.observations))}</Figure>
        {spool !== undefined && <Figure name={t("Waiting for the database")}>{count(spool)}</Figure>}
      </Figures>
      <Bars
        title={t("Cycles of the collector, hour by hour")}
        kinds={[
          { name: t("stored"), look: "fill-well" },
          { name: t("failed"), look: "fill-critical" },
        ]}
        bars={hours.map((one) => ({ name: moment(one.at), numbers: [one.stored, one.failed] }))}
      />
      {since !== null && <p class="faint">{t("The log was read back to {time}.", { time: moment(since) })}</p>}
      {failures.length > 0 && (
        <>
          <h3>{t("Last failures")}</h3>
          <ul class="lines">
            {failures.map((one) => (
              <li key={one.at}>
                <Moment at={one.at} /> {one.message}
              </li>
            ))}
          </ul>
        </>
      )}
      {reasons.length > 0 && (
        <details>
          <summary>{t("Left out since the database was made")}</summary>
          <ul>
            {reasons.map(([reason, number]) => (
              <li key={reason}>
                {reason}: {count(number)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

export function Detection({ said, took, now }: { said: OfStore; took: number | undefined; now: number }) {
  const { days, last } = said.detection;
  const today = days.at(-1);
  return (
    <section>
      <h2>{t("Detection")}</h2>
      <Figures>
        <Figure name={t("Last run")}>{last === null ? t("none") : ago(last, now)}</Figure>
        {took !== undefined && <Figure name={t("It took")}>{inSeconds(took)}</Figure>}
        <Figure name={t("Runs today")}>{count(today?.runs ?? 0)}</Figure>
        <Figure name={t("Anomalies today")}>
          {count(Object.values(today?.anomalies ?? {}).reduce((all, one) => all + one, 0))}
        </Figure>
      </Figures>
      <Bars
        title={t("Runs of the detector, day by day")}
        kinds={[{ name: t("runs"), look: "fill-well" }]}
        bars={days.map((one) => ({ name: day(one.at), numbers: [one.runs] }))}
      />
      <Bars
        title={t("Anomalies by the day on which they began")}
        kinds={[
          { name: t("device failure"), look: "fill-critical" },
          { name: t("suspected"), look: "fill-warning" },
          { name: t("unverified"), look: "fill-silent" },
          { name: t("weather"), look: "fill-weather" },
        ]}
        bars={days.map((one) => ({
          name: day(one.at),
          numbers: ["device_failure", "suspected", "unverified", "weather_event"].map(
            (class_) => one.anomalies[class_] ?? 0,
          ),
        }))}
      />
    </section>
  );
}
