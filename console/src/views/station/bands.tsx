// What the shaded spans of the charts are: incidents and maintenance.
import type { Span } from "../../parts/chart/shapes";
import { Scroll } from "../../parts/scroll";
import { Moment } from "../../parts/time";
import { link } from "../../place";
import { t } from "../../words";
import { kindText, stateText } from "../incidents/words";
import { kindOf } from "./charts";
import type { IncidentBand, MaintenanceBand, Series } from "./shapes";
import { spanWords } from "./span";

export function Bands({ bands, span, labels }: { bands: Series["bands"]; span: Span; labels: Map<string, string> }) {
  const within = bands.filter((one) => one.started <= span.to && (one.ended ?? span.to) >= span.from);
  if (!within.length) return <p class="faint">{t("None in this span.")}</p>;
  return (
    <Scroll label={t("Incidents and maintenance")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("What")}</th>
            <th scope="col">{t("Sensor")}</th>
            <th scope="col">{t("From")}</th>
            <th scope="col">{t("To")}</th>
            <th scope="col">{t("What became of it")}</th>
          </tr>
        </thead>
        <tbody>
          {within.map((one) => (
            <tr key={`${one.kind} ${one.id}`}>
              <td>
                <span class={`state ${kindOf(one)}`}>
                  {one.kind === "incident" ? (
                    <a href={link(["incidents", String(one.id)])}>
                      {t("{trouble}, incident {number}", { trouble: troubleWords(one), number: one.id })}
                    </a>
                  ) : (
                    t("Maintenance")
                  )}
                </span>
              </td>
              <td>{labels.get(one.variable) ?? t("the station as a whole")}</td>
              <td>
                <Moment at={one.started} />
              </td>
              <td>{one.ended === null ? t("goes on") : <Moment at={one.ended} />}</td>
              <td>{outcome(one)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function troubleWords(one: IncidentBand): string {
  const trouble = kindText(one.trouble);
  return one.of_network ? t("{trouble} in the network", { trouble }) : trouble;
}

function outcome(one: IncidentBand | MaintenanceBand) {
  if (one.kind === "maintenance") return one.note ? `${one.actor}: ${one.note}` : one.actor;
  return stateText(one);
}

/** The way to how the detector saw a span. */
export function playbackLink(station: string, span: Span, variable?: string): string {
  return link(["playback"], { station, ...spanWords(span), variable });
}
