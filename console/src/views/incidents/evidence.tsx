// Why there is an incident: what each job saw, with the neighbours' readings beside the sensor's.
import { useMemo } from "preact/hooks";
import { useAbout, type Variable } from "../../about";
import type { Span } from "../../parts/chart/shapes";
import { Scroll } from "../../parts/scroll";
import { Moment } from "../../parts/time";
import { link } from "../../place";
import { language, t } from "../../words";
import { playbackLink } from "../station/bands";
import { spanWords } from "../station/span";
import { Picture } from "./picture";
import type { AtLength, Evidence } from "./shapes";
import { placeName, variableOf } from "./words";

const JOBS: Record<string, () => string> = {
  detector: () => t("The detector"),
  sensors: () => t("The daily look at the health of sensors"),
};
const figures = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

// Of an incident of the network, the pictures of so many stations are shown.
const PICTURES = 4;

export function EvidenceOf({ one }: { one: AtLength }) {
  const { variables } = useAbout();
  const unit = variableOf(variables, one.variable)?.unit ?? "";
  const variable = pictured(one.variable, variables);
  const span = useMemo(() => around(one), [one.id, one.started]);
  return (
    <section>
      <h2>{t("Why")}</h2>
      {one.evidence.map((seen) => (
        <Seen key={seen.job} one={one} seen={seen} unit={unit} span={span} />
      ))}
      {one.station_id !== null && (
        <p class="line">
          <a
            href={link(["stations", one.station_id], { ...spanWords(span), variables: variable, neighbours: variable })}
          >
            {t("See the station at that time")}
          </a>
          <a href={playbackLink(one.station_id, span, one.variable)}>{t("Play back how the detector saw it")}</a>
          <a href={link(["incidents"], { show: "over", station: one.station_id })}>
            {t("Earlier incidents of the station")}
          </a>
        </p>
      )}
      {variable && one.station_id !== null && (
        <Picture station={one.station_id} variable={variable} around={span} beside />
      )}
      {variable &&
        one.stations.slice(0, PICTURES).map((each) => (
          <div key={each.station_id}>
            <h3>{placeName(each)}</h3>
            <Picture station={each.station_id} variable={variable} around={span} beside={false} />
          </div>
        ))}
    </section>
  );
}

/** The variable that is shown: of the station as a whole, one that stations have. */
function pictured(variable: string, variables: Variable[]): string | undefined {
  if (variable === "all") return variables.find((one) => one.detected)?.name;
  return variableOf(variables, variable)?.name;
}

/** A span with some time before and after the trouble. */
function around({ started, ended }: AtLength): Span {
  const margin = Math.min(Math.max(6 * 3600, (ended - started) / 2), 7 * 86400);
  return { from: started - margin, to: Math.min(ended + margin, Math.floor(Date.now() / 1000)) };
}

function Seen({ one, seen, unit, span }: { one: AtLength; seen: Evidence; unit: string; span: Span }) {
  const shown = (value: number | null) => (value === null ? "–" : `${figures.format(value)} ${unit}`);
  return (
    <>
      <h3>{JOBS[seen.job]?.() ?? seen.job}</h3>
      <p>
        {seen.reason || seen.symptom}
        {seen.started !== null && seen.ended !== null && (
          <span class="faint">
            {" "}
            <Moment at={seen.started} /> – <Moment at={seen.ended} />
            {seen.clear && `, ${t("well since")}`}
          </span>
        )}
      </p>
      {(seen.value !== null || seen.neighbours.length > 0) && (
        <Scroll label={t("Neighbours")}>
          <table class="evidence">
            <thead>
              <tr>
                <th scope="col">{t("Station")}</th>
                <th scope="col" class="number">
                  {t("Distance")}
                </th>
                <th scope="col" class="number">
                  {t("Value")}
                </th>
                <th scope="col" class="number">
                  {t("Implies")}
                </th>
                <th scope="col" class="number">
                  {t("Correlation")}
                </th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">{placeName(one)}</th>
                <td class="number">–</td>
                <td class="number">{shown(seen.value)}</td>
                <td class="number">
                  {seen.expected === null ? "–" : t("expected {value}", { value: shown(seen.expected) })}
                </td>
                <td class="number">–</td>
              </tr>
              {seen.neighbours.map((near) => (
                <tr key={near.station_id}>
                  <th scope="row">
                    <a href={link(["stations", near.station_id ?? ""], spanWords(span))}>{placeName(near)}</a>
                  </th>
                  <td class="number">{near.distance_km === null ? "–" : `${figures.format(near.distance_km)} km`}</td>
                  <td class="number">{shown(near.value)}</td>
                  <td class="number">{shown(near.implies)}</td>
                  <td class="number">{near.correlation === null ? "–" : near.correlation.toFixed(2)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}
