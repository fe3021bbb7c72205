// What is said of the station that is pointed at on the map.
import type { Variable } from "../../about";
import { nameOf } from "../../parts/name";
import { StateWord } from "../../parts/state";
import { ago } from "../../parts/time";
import { t, tn } from "../../words";
import type { Neighbour, Station } from "./shapes";
import { Value } from "./values";

const NAMED = 3;
// So many values have room on a phone.
const VALUES = 6;

export interface CardProps {
  station: Station;
  columns: { variable: Variable; place: number }[];
  neighbours: Neighbour[] | undefined;
  /** All stations, by id. */
  known: Map<string, Station>;
  now: number;
}

export function Card({ station, columns, neighbours, known, now }: CardProps) {
  return (
    <>
      <p>
        <strong>{nameOf(station)}</strong>
        {typeof station.elevation === "number" && <span class="faint"> {Math.round(station.elevation)} m</span>}
      </p>
      <p>
        <StateWord state={station.state} />
        {station.incidents > 0 && `, ${tn("{n} incident", "{n} incidents", station.incidents)}`}
      </p>
      <p class="faint">{station.newest === null ? t("never observed") : ago(station.newest, now)}</p>
      <dl>
        {columns
          .filter(({ place }) => typeof station.values[place] === "number")
          .slice(0, VALUES)
          .map(({ variable, place }) => (
            <div key={variable.name}>
              <dt>{variable.label}</dt>
              <dd>
                <Value value={station.values[place]} flag={station.flags[place]} of={variable} unit />
              </dd>
            </div>
          ))}
      </dl>
      {neighbours && (
        <p class="faint">
          {neighbours.length === 0
            ? t("It has no neighbours.")
            : tn("{n} neighbour: {names}", "{n} neighbours: {names}", neighbours.length, {
                names:
                  neighbours
                    .slice(0, NAMED)
                    .map(
                      ({ id, km }) =>
                        `${nameOf(known.get(id) ?? { ...station, id, name_en: "", name_gr: "" })} (${km} km)`,
                    )
                    .join(", ") + (neighbours.length > NAMED ? ", …" : ""),
              })}
        </p>
      )}
    </>
  );
}
