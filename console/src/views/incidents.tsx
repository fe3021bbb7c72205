// The incidents that a shift works from, and the maintenance that is planned.

import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { useAbout } from "../about";
import { useData } from "../data";
import { Notice } from "../parts/notice";
import { SignInLink } from "../parts/person";
import { ago, useNow, zone } from "../parts/time";
import { useTitle } from "../parts/title";
import { link } from "../place";
import { t, tn } from "../words";
import { Deciding, type Decision } from "./incidents/deciding";
import { Filters } from "./incidents/filters";
import { Incidents } from "./incidents/list";
import { useLooked } from "./incidents/looked";
import { Maintenance } from "./incidents/maintenance";
import type { Incident, List, Show } from "./incidents/shapes";

const EVERY_SECONDS = 15;
const PAGE = 100;
type Tab = Show | "maintenance";
const TABS: Record<Tab, () => string> = {
  active: () => t("Active"),
  mine: () => t("Mine"),
  unassigned: () => t("Unassigned"),
  new: () => t("New since I looked"),
  over: () => t("Over"),
  maintenance: () => t("Maintenance"),
};

export default function View() {
  const { query } = useLocation();
  const tab = (query.show && query.show in TABS ? query.show : "active") as Tab;
  return tab === "maintenance" ? <MaintenanceTab /> : <ListTab show={tab} />;
}

function MaintenanceTab() {
  useTitle(t("Maintenance"));
  return (
    <>
      <h1>{t("Incidents")}</h1>
      <Tabs chosen="maintenance" />
      <Maintenance />
    </>
  );
}

function ListTab({ show }: { show: Show }) {
  const { query, route } = useLocation();
  const { person } = useAbout();
  const [looked, look] = useLooked(person);
  const page = Math.max(0, Number.parseInt(query.page ?? "", 10) || 0);
  const { severity, variable, station, text } = query;
  const asked = { show, looked, severity, variable, station, text, limit: PAGE, offset: page * PAGE };
  const { data, error, at, again } = useData<List>("incidents", asked, EVERY_SECONDS);
  const kept = useRef(data); // what was shown stays while a filter's answer is on its way
  if (data) kept.current = data;
  const list = data ?? kept.current;
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [deciding, setDeciding] = useState<{ what: Decision; about: Incident[] }>();
  const [said, setSaid] = useState("");
  const now = useNow();
  const count = list?.counts.new ?? 0;
  useTitle(count ? `(${count}) ${t("Incidents")}` : t("Incidents"));
  const before = useRef(count);
  useEffect(() => {
    if (count > before.current) setSaid(tn("{n} new incident", "{n} new incidents", count - before.current));
    before.current = count;
  }, [count]);

  const write = (words: Record<string, string | undefined>) =>
    route(link(["incidents"], { ...query, page: undefined, ...words }), true);
  const there = list?.incidents ?? [];
  const selected = there.filter((one) => chosen.has(one.id));
  // As they are now; one that is listed no more stays in the dialog, which says why.
  const decided = deciding?.about.map((was) => there.find((one) => one.id === was.id) ?? was);

  return (
    <>
      <h1>{t("Incidents")}</h1>
      <Tabs chosen={show} counts={list?.counts} />
      <Filters query={query} write={write} />
      {error && (
        <Notice kind="stale">
          {error.message && "status" in error ? error.message : ""}{" "}
          {at ? t("The list is from {time}.", { time: ago(at / 1000, now) }) : t("The list could not be loaded.")}
        </Notice>
      )}
      <p class="hidden" aria-live="polite">
        {said}
      </p>
      <p class="line">
        <span class="faint">{t("Times: {zone}", { zone })}</span>
        {count > 0 && list && show !== "over" && (
          <button type="button" onClick={() => look(list.newest)}>
            {t("I have seen the new ones")}
          </button>
        )}
      </p>
      {!list && !error && <Notice kind="busy">{t("Loading…")}</Notice>}
      {list && (
        <Incidents
          incidents={there}
          busy={!data}
          looked={looked}
          now={now}
          acts={person?.role === "operator"}
          chosen={chosen}
          onChoose={setChosen}
          onDecide={(what, about) => setDeciding({ what, about })}
          selected={selected}
          empty={EMPTY[show]()}
        />
      )}
      {(page > 0 || list?.more) && (
        <nav class="buttons" aria-label={t("Pages")}>
          {page > 0 && (
            <a href={link(["incidents"], { ...query, page: page - 1 || undefined })}>{t("Previous page")}</a>
          )}
          {list?.more && <a href={link(["incidents"], { ...query, page: page + 1 })}>{t("Next page")}</a>}
        </nav>
      )}
      {!person && <SignInToAct />}
      {deciding && decided && (
        <Deciding
          what={deciding.what}
          incidents={decided}
          onDone={(_, sentence) => {
            setDeciding(undefined);
            setChosen(new Set());
            setSaid(sentence);
            again();
          }}
          onStale={again}
          onClose={() => setDeciding(undefined)}
        />
      )}
    </>
  );
}

const EMPTY: Record<Show, () => string> = {
  active: () => t("Nothing is open."),
  mine: () => t("Nothing is assigned to you."),
  unassigned: () => t("Everything is assigned to somebody."),
  new: () => t("Nothing new since you looked."),
  over: () => t("Nothing is over yet."),
};

function Tabs({ chosen, counts }: { chosen: Tab; counts?: List["counts"] | undefined }) {
  const { person } = useAbout();
  return (
    <nav class="tabs" aria-label={t("Which incidents")}>
      <ul>
        {(Object.keys(TABS) as Tab[])
          .filter((one) => one !== "mine" || person)
          .map((one) => (
            <li key={one}>
              <a
                href={link(["incidents"], { show: one === "active" ? undefined : one })}
                aria-current={one === chosen ? "page" : undefined}
              >
                {TABS[one]()}
                {counts && one in counts && <span class="count">{counts[one as keyof List["counts"]]}</span>}
              </a>
            </li>
          ))}
      </ul>
    </nav>
  );
}

/** Who may act must sign in. */
export function SignInToAct() {
  const { sign_in } = useAbout();
  if (!sign_in) return null;
  return (
    <p class="faint">
      <SignInLink /> {t("to acknowledge, assign, resolve and dismiss incidents.")}
    </p>
  );
}
