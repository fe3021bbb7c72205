// The stations as a list: everything that the map shows, and each one's newest values.
import type { Variable } from "../../about";
import { nameOf } from "../../parts/name";
import { Scroll } from "../../parts/scroll";
import { STATES, StateWord } from "../../parts/state";
import { duration } from "../../parts/time";
import { link } from "../../place";
import { language, t, tn } from "../../words";
import type { Station } from "./shapes";
import type { Shown } from "./shown";
import { Value } from "./values";

const PAGE = 100;

export interface ListProps {
  /** Those that are looked for. */
  stations: Station[];
  /** The variables that have a column, with the place of their values. */
  columns: { variable: Variable; place: number }[];
  shown: Shown;
  change: (words: Record<string, string | undefined>) => void;
  chosen: string | null;
  onChoose: (id: string | null) => void;
  now: number;
}

export function StationList(props: ListProps) {
  const { columns, shown, change, chosen, onChoose, now } = props;
  const sorted = sortedBy(props);
  const pages = Math.max(1, Math.ceil(sorted.length / PAGE));
  const page = Math.min(shown.page, pages);
  const rows = sorted.slice((page - 1) * PAGE, page * PAGE);

  const head = (name: string, label: string, isNumber = false, unit = "") => {
    const active = shown.sort === name;
    const turn = active && !shown.down ? "down" : undefined;
    return (
      <th
        key={name}
        scope="col"
        class={isNumber ? "number" : undefined}
        aria-sort={active ? (shown.down ? "descending" : "ascending") : undefined}
      >
        <button
          type="button"
          onClick={() => change({ sort: name === "state" ? undefined : name, order: turn, page: undefined })}
        >
          {label}
          {active && <span aria-hidden="true">{shown.down ? " ▾" : " ▴"}</span>}
        </button>
        {unit && <span class="unit">{unit}</span>}
      </th>
    );
  };

  // What colours the map comes before what a narrow screen has no room for.
  const first = columns.filter(({ variable }) => variable.name === shown.by);
  const rest = columns.filter(({ variable }) => variable.name !== shown.by);
  const values = (one: Station, some: typeof columns) =>
    some.map(({ variable, place }) => (
      <td key={variable.name} class={isOld(one, props) ? "number faint" : "number"}>
        <Value value={one.values[place]} flag={one.flags[place]} of={variable} />
      </td>
    ));

  return (
    <div class="station-list">
      <Scroll label={t("Stations")} tall>
        <table>
          <caption class="hidden">{t("The newest observation of each station")}</caption>
          <thead>
            <tr>
              {head("name", t("Station"))}
              {head("state", t("State"))}
              {first.map(({ variable }) => head(variable.name, variable.label, true, variable.unit))}
              {head("newest", t("Age"))}
              {head("incidents", t("Incidents"), true)}
              {rest.map(({ variable }) => head(variable.name, variable.label, true, variable.unit))}
            </tr>
          </thead>
          <tbody onPointerLeave={() => onChoose(null)}>
            {rows.map((one) => (
              <tr
                key={one.id}
                class={one.id === chosen ? "chosen" : undefined}
                onPointerEnter={() => onChoose(one.id)}
                onFocusCapture={() => onChoose(one.id)}
              >
                <th scope="row">
                  <a href={link(["stations", one.id])}>{nameOf(one)}</a>
                </th>
                <td>
                  <StateWord state={one.state} />
                </td>
                {values(one, first)}
                <td class={isOld(one, props) ? "age silent-age" : "age"}>
                  {one.newest === null ? t("never") : duration(now - one.newest)}
                </td>
                <td class="number">
                  {one.incidents ? (
                    <a
                      href={link(["incidents"], { station: one.id })}
                      aria-label={tn("{n} incident of {name}", "{n} incidents of {name}", one.incidents, {
                        name: nameOf(one),
                      })}
                    >
                      {one.incidents}
                    </a>
                  ) : (
                    <span class="faint">0</span>
                  )}
                </td>
                {values(one, rest)}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {pages > 1 && (
        <nav class="pages" aria-label={t("Pages of the list")}>
          <button type="button" disabled={page === 1} onClick={() => change({ page: page > 2 ? `${page - 1}` : "" })}>
            {t("Previous")}
          </button>
          <span>
            {t("{first} to {last} of {all}", {
              first: (page - 1) * PAGE + 1,
              last: Math.min(page * PAGE, sorted.length),
              all: sorted.length,
            })}
          </span>
          <button type="button" disabled={page === pages} onClick={() => change({ page: `${page + 1}` })}>
            {t("Next")}
          </button>
        </nav>
      )}
    </div>
  );
}

function isOld(one: Station, { now }: ListProps): boolean {
  return one.newest === null || now - one.newest > one.fresh_seconds;
}

const names = new Intl.Collator(language, { numeric: true });

/** The stations in order; those without a value are last, whichever way. */
function sortedBy({ stations, columns, shown }: ListProps): Station[] {
  const place = columns.find(({ variable }) => variable.name === shown.sort)?.place;
  const value = (one: Station): number | null | undefined => {
    if (shown.sort === "newest") return one.newest === null ? null : -one.newest;
    if (shown.sort === "incidents") return one.incidents;
    return place === undefined ? STATES.indexOf(one.state) : one.values[place];
  };
  const way = shown.down ? -1 : 1;
  const keyed = stations.map((one) => ({ one, name: nameOf(one), value: shown.sort === "name" ? 0 : value(one) }));
  keyed.sort((a, b) => {
    if (shown.sort === "name") return way * names.compare(a.name, b.name);
    const [first, second] = [a.value ?? null, b.value ?? null];
    if (first === second) return names.compare(a.name, b.name);
    if (first === null) return 1;
    if (second === null) return -1;
    return way * (first - second);
  });
  return keyed.map(({ one }) => one);
}
