// Incidents as a table: chosen with the mouse or by keys, and what can be done with those that are chosen.

import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { duration, Moment } from "../../parts/time";
import { link } from "../../place";
import { t, tn } from "../../words";
import { DECISIONS, type Decision, decisionKey, decisionName, decisionOf, possible } from "./deciding";
import { type Incident, OVER } from "./shapes";
import { kindText, placeName, SeverityMark, stateText, useSensorName } from "./words";

interface Props {
  incidents: Incident[];
  busy: boolean;
  /** What there is news of since then is new, in seconds. */
  looked: number;
  now: number;
  /** Whether the reader may act. */
  acts: boolean;
  chosen: ReadonlySet<number>;
  selected: Incident[];
  onChoose: (ids: ReadonlySet<number>) => void;
  onDecide: (what: Decision, about: Incident[]) => void;
  empty: string;
}

export function Incidents(props: Props) {
  const { incidents, busy, looked, now, acts, chosen, selected, onChoose, onDecide, empty } = props;
  const { route } = useLocation();
  const table = useRef<HTMLTableElement>(null);
  const last = useRef({ id: 0, place: -1 });
  // The incident that had the focus keeps it where it is now; where it is gone, the one in its place has it.
  useEffect(() => {
    if (last.current.place < 0 || document.activeElement !== document.body) return;
    const now = incidents.findIndex((one) => one.id === last.current.id);
    focus(now < 0 ? last.current.place : now);
  }, [incidents]);

  const links = () => [...(table.current?.querySelectorAll<HTMLAnchorElement>("tbody th a") ?? [])];
  const focus = (to: number) => {
    const all = links();
    all[Math.min(Math.max(to, 0), all.length - 1)]?.focus();
  };
  const toggle = (id: number) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChoose(next);
  };

  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const here = links().findIndex((one) => one.closest("tr")?.contains(event.target as Node));
    const one = incidents[here];
    if (!one) return;
    const what = decisionOf(event.key);
    const keys: Record<string, () => void> = {
      ArrowDown: () => focus(here + 1),
      j: () => focus(here + 1),
      ArrowUp: () => focus(here - 1),
      k: () => focus(here - 1),
      Home: () => focus(0),
      End: () => focus(incidents.length - 1),
      o: () => route(link(["incidents", String(one.id)])),
      ...(acts && { x: () => toggle(one.id) }),
    };
    if (acts && what) {
      const about = selected.length ? selected : [one];
      if (possible(what, about)) onDecide(what, about);
    } else if (keys[event.key]) keys[event.key]?.();
    else return;
    event.preventDefault();
  };

  if (!incidents.length) return <p aria-busy={busy}>{empty}</p>;
  const all = incidents.every((one) => chosen.has(one.id));
  return (
    <>
      <table
        class={acts ? "incidents acts" : "incidents"}
        ref={table}
        aria-busy={busy}
        onKeyDown={press}
        onFocusCapture={(event) => {
          const place = links().findIndex((one) => one.closest("tr")?.contains(event.target as Node));
          last.current = { id: incidents[place]?.id ?? 0, place };
        }}
      >
        <caption class="hidden">{t("Incidents")}</caption>
        <thead>
          <tr>
            {acts && (
              <td>
                <input
                  type="checkbox"
                  aria-label={t("Select all")}
                  checked={all}
                  ref={(box) => {
                    if (box) box.indeterminate = !all && selected.length > 0;
                  }}
                  onChange={() => onChoose(all ? new Set() : new Set(incidents.map((one) => one.id)))}
                />
              </td>
            )}
            <th scope="col">{t("Severity")}</th>
            <th scope="col">{t("Where")}</th>
            <th scope="col">{t("What")}</th>
            <th scope="col">{t("Since")}</th>
            <th scope="col">{t("State")}</th>
          </tr>
        </thead>
        <tbody>
          {incidents.map((one) => (
            <Row
              key={one.id}
              one={one}
              now={now}
              acts={acts}
              isNew={one.news > looked && !OVER.includes(one.state)}
              chosen={chosen.has(one.id)}
              onToggle={() => toggle(one.id)}
            />
          ))}
        </tbody>
      </table>
      {acts && <Bar selected={selected} onChoose={onChoose} onDecide={onDecide} />}
      <Keys acts={acts} />
    </>
  );
}

function Row(props: {
  one: Incident;
  now: number;
  acts: boolean;
  isNew: boolean;
  chosen: boolean;
  onToggle: () => void;
}) {
  const { one, now, acts, isNew, chosen, onToggle } = props;
  const sensor = useSensorName();
  const name = placeName(one);
  const lasts = (OVER.includes(one.state) ? one.ended : Math.max(now, one.ended)) - one.started;
  return (
    <tr class={chosen ? "chosen" : undefined}>
      {acts && (
        <td class="box">
          <input
            type="checkbox"
            checked={chosen}
            onChange={onToggle}
            aria-label={t("Select incident {number}, {station}", { number: one.id, station: name })}
          />
        </td>
      )}
      <td class="severity">
        <SeverityMark severity={one.severity} />
        {isNew && <span class="new">{t("new")}</span>}
      </td>
      <th scope="row">
        <a href={link(["incidents", String(one.id)])}>{name}</a>
        <span class="sensor">{sensor(one.variable)}</span>
        {one.station_id === null && one.affected > 0 && (
          <span class="faint">{tn("{n} station", "{n} stations", one.affected)}</span>
        )}
      </th>
      <td class="what">
        {kindText(one.kind)}
        {one.reason && <span class="faint">{one.reason}</span>}
      </td>
      <td class="since">
        <Moment at={one.started} /> <span class="faint">{t("for {duration}", { duration: duration(lasts) })}</span>
      </td>
      <td class="who">
        {stateText(one)} {one.assignee && <span class="faint">{t("assigned to {name}", { name: one.assignee })}</span>}
      </td>
    </tr>
  );
}

/** What can be done with those that are chosen. */
function Bar({ selected, onChoose, onDecide }: Pick<Props, "selected" | "onChoose" | "onDecide">) {
  if (!selected.length) return null;
  return (
    <div class="bar" role="toolbar" aria-label={t("What to do with those that are selected")}>
      <span>{tn("{n} selected", "{n} selected", selected.length)}</span>
      {DECISIONS.map((what) => (
        <button key={what} type="button" disabled={!possible(what, selected)} onClick={() => onDecide(what, selected)}>
          {decisionName(what)}
        </button>
      ))}
      <button type="button" onClick={() => onChoose(new Set())}>
        {t("Select none")}
      </button>
    </div>
  );
}

function Keys({ acts }: { acts: boolean }) {
  return (
    <details class="keys">
      <summary>{t("Keys")}</summary>
      <p>{t("While the focus is in the list:")}</p>
      <dl>
        <Key keys={["↓", "j"]}>{t("the next incident")}</Key>
        <Key keys={["↑", "k"]}>{t("the one before")}</Key>
        <Key keys={["Enter", "o"]}>{t("open it")}</Key>
        {acts && (
          <>
            <Key keys={["x"]}>{t("select it")}</Key>
            {DECISIONS.map((what) => (
              <Key key={what} keys={[decisionKey(what)]}>
                {decisionName(what)}
              </Key>
            ))}
          </>
        )}
      </dl>
    </details>
  );
}

function Key({ keys, children }: { keys: string[]; children: string }) {
  return (
    <div>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}
