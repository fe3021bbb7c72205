// What is known of a station, and how the feed has described it.
import { figure } from "../../parts/chart/reading";
import { Scroll } from "../../parts/scroll";
import { Moment } from "../../parts/time";
import { t } from "../../words";
import type { Description, StationData } from "./shapes";

export function Metadata({ station }: { station: StationData }) {
  const { id, first_seen, last_seen, history } = station;
  return (
    <>
      <dl class="station-facts">
        <dt>{t("Id")}</dt>
        <dd>{id}</dd>
        <dt>{t("Name")}</dt>
        <dd>{station.name ?? "–"}</dd>
        <dt>{t("Name in Greek")}</dt>
        <dd lang="el">{station.name_gr ?? "–"}</dd>
        <dt>{t("Place")}</dt>
        <dd>{placeText(station)}</dd>
        {station.wigos_id && (
          <>
            <dt>{t("WIGOS identifier")}</dt>
            <dd>{station.wigos_id}</dd>
          </>
        )}
        {station.source && (
          <>
            <dt>{t("Source")}</dt>
            <dd>{station.source}</dd>
          </>
        )}
        <dt>{t("In the feed")}</dt>
        <dd>
          <Spell from={first_seen} to={last_seen} />
        </dd>
      </dl>
      {history.length > 0 && <History history={history} />}
    </>
  );
}

function History({ history }: { history: StationData["history"] }) {
  return (
    <>
      <h3>{t("How the feed has described it")}</h3>
      <Scroll label={t("How the feed has described it")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Since")}</th>
              <th scope="col">{t("What is new")}</th>
            </tr>
          </thead>
          <tbody>
            {history.map((one, place) => (
              <tr key={one.since}>
                <td>
                  <Moment at={one.since} />
                </td>
                <td>{changes(one, history[place + 1])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}

function Spell({ from, to }: { from: number | null; to: number | null }) {
  if (from === null || to === null) return <>–</>;
  return (
    <>
      <Moment at={from} /> – <Moment at={to} />
    </>
  );
}

/** Latitude, longitude and height. */
export function placeText({ latitude, longitude, elevation }: Description): string {
  const place =
    latitude === null || longitude === null
      ? t("no known place")
      : `${Math.abs(latitude).toFixed(4)}° ${latitude < 0 ? t("S") : t("N")}, ${Math.abs(longitude).toFixed(4)}° ${longitude < 0 ? t("W") : t("E")}`;
  return elevation === null ? place : `${place}, ${figure(elevation)} m`;
}

function changes(one: Description, before: Description | undefined): string {
  if (!before) return `${[one.name, one.name_gr].filter(Boolean).join(" / ")} · ${placeText(one)}`;
  const parts: string[] = [];
  if (one.name !== before.name)
    parts.push(t("name: {before} → {now}", { before: before.name ?? "–", now: one.name ?? "–" }));
  if (one.name_gr !== before.name_gr)
    parts.push(t("name in Greek: {before} → {now}", { before: before.name_gr ?? "–", now: one.name_gr ?? "–" }));
  if (placeText(one) !== placeText(before))
    parts.push(t("place: {before} → {now}", { before: placeText(before), now: placeText(one) }));
  return parts.join("; ") || "–";
}
