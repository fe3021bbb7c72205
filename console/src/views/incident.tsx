// One incident: why there is one, what became of it, and what people say of it.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useRoute } from "preact-iso/router";
import { useAbout } from "../about";
import { Refused, useData } from "../data";
import { Notice } from "../parts/notice";
import { Scroll } from "../parts/scroll";
import { duration, Moment, useNow, zone } from "../parts/time";
import { useTitle } from "../parts/title";
import { link } from "../place";
import { t, tn } from "../words";
import { SignInToAct } from "./incidents";
import { DECISIONS, Deciding, type Decision, decisionName, possible } from "./incidents/deciding";
import { EvidenceOf } from "./incidents/evidence";
import { Planning, Works } from "./incidents/maintenance";
import { type AtLength, OVER } from "./incidents/shapes";
import { actionText, kindText, placeName, SeverityMark, stateText, useWhere } from "./incidents/words";

const EVERY_SECONDS = 15;

export default function View() {
  const { params } = useRoute();
  const { person } = useAbout();
  const {
    data: one,
    error,
    again,
  } = useData<AtLength>(`incidents/${encodeURIComponent(params.number ?? "")}`, {}, EVERY_SECONDS);
  const where = useWhere();
  const [deciding, setDeciding] = useState<Decision>();
  const [planning, setPlanning] = useState(false);
  const [said, setSaid] = useState("");
  useTitle(one ? `${where({ ...one, affected: 0 })} – ${t("Incident")} ${one.id}` : t("Incident"));
  const done = (sentence: string) => {
    setDeciding(undefined);
    setPlanning(false);
    setSaid(sentence);
    again();
  };

  if (!one) {
    return (
      <>
        <h1>{t("Incident")}</h1>
        {!error && <Notice kind="busy">{t("Loading…")}</Notice>}
        {error && (
          <Notice kind="error">{error instanceof Refused ? error.message : t("It could not be loaded.")}</Notice>
        )}
        <a href={link(["incidents"])}>{t("All incidents")}</a>
      </>
    );
  }
  return (
    <article class="incident">
      <p class="way">
        <a href={link(["incidents"])}>{t("All incidents")}</a>
      </p>
      <h1>
        <SeverityMark severity={one.severity} /> {where({ ...one, affected: 0 })}{" "}
        <span class="faint">{t("incident {number}", { number: one.id })}</span>
      </h1>
      {error && <Notice kind="stale">{t("What is shown may be old.")}</Notice>}
      <p class="hidden" aria-live="polite">
        {said}
      </p>
      {one.part_of !== null && (
        <p>
          {t("It is a part of one of the network:")}{" "}
          <a href={link(["incidents", String(one.part_of)])}>{t("incident {number}", { number: one.part_of })}</a>
        </p>
      )}
      {person?.role === "operator" && (
        <div class="buttons" role="toolbar" aria-label={t("What to do with it")}>
          {DECISIONS.map((what) => (
            <button
              key={what}
              type="button"
              disabled={!possible(what, [one]) || (one.part_of !== null && what !== "note")}
              onClick={() => setDeciding(what)}
            >
              {decisionName(what)}
            </button>
          ))}
          {one.station_id !== null && (
            <button type="button" onClick={() => setPlanning(true)}>
              {t("Maintenance")}
            </button>
          )}
        </div>
      )}
      {!person && <SignInToAct />}
      <Facts one={one} />
      <Stations one={one} />
      <EvidenceOf one={one} />
      <Section title={t("History")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Time")}</th>
              <th scope="col">{t("By")}</th>
              <th scope="col">{t("What")}</th>
              <th scope="col">{t("Note")}</th>
            </tr>
          </thead>
          <tbody>
            {[...one.history].reverse().map((line, place) => (
              <tr key={one.history.length - place}>
                <td>
                  <Moment at={line.time} />
                </td>
                <td>{line.by}</td>
                <td>{actionText(line.action)}</td>
                <td>{line.note}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      <Told one={one} />
      <Work one={one} onDone={done} />
      <Exceptions one={one} />
      {deciding && (
        <Deciding
          what={deciding}
          incidents={[one]}
          onDone={(_, sentence) => done(sentence)}
          onStale={again}
          onClose={() => setDeciding(undefined)}
        />
      )}
      {planning && (
        <Planning
          place={one}
          variable={one.variable}
          onDone={() => done(t("Planned"))}
          onStale={again}
          onClose={() => setPlanning(false)}
        />
      )}
    </article>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      <Scroll label={title}>{children}</Scroll>
    </section>
  );
}

function Facts({ one }: { one: AtLength }) {
  const now = useNow();
  const over = OVER.includes(one.state);
  const lasts = (over ? one.ended : Math.max(now, one.ended)) - one.started;
  const facts: [string, ComponentChildren][] = [
    [t("What"), kindText(one.kind)],
    [t("State"), stateText(one)],
    [t("Assigned to"), one.assignee ?? t("nobody")],
    [
      t("Since"),
      <>
        <Moment at={one.started} /> {t("for {duration}", { duration: duration(lasts) })}
      </>,
    ],
    [t("Last seen"), <Moment key="seen" at={one.ended} />],
  ];
  if (one.reopened) facts.push([t("Came back"), tn("{n} time", "{n} times", one.reopened)]);
  facts.push([t("Seen by"), one.symptoms.join(", ")]);
  if (one.confidence !== null) facts.push([t("Confidence"), `${Math.round(100 * one.confidence)} %`]);
  facts.push([t("Time zone"), zone]);
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const DELIVERIES = {
  waiting: () => t("is to be sent"),
  sending: () => t("is being sent"),
  sent: () => t("sent"),
  cancelled: () => t("not sent any more"),
};

function Told({ one }: { one: AtLength }) {
  return (
    <Section title={t("What people were told")}>
      {one.messages.length === 0 ? (
        <p>{t("Nothing.")}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Time")}</th>
              <th scope="col">{t("What")}</th>
              <th scope="col">{t("State")}</th>
              <th scope="col">{t("Error")}</th>
            </tr>
          </thead>
          <tbody>
            {one.messages.map((each, place) => (
              <tr key={place}>
                <td>
                  <Moment at={each.tried ?? each.due} />
                </td>
                <td>{actionText(each.event)}</td>
                <td>{DELIVERIES[each.state]()}</td>
                <td>{each.error}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function Stations({ one }: { one: AtLength }) {
  if (!one.stations.length) return null;
  return (
    <Section title={t("Stations")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("Station")}</th>
            <th scope="col">{t("Since")}</th>
            <th scope="col">{t("Last seen")}</th>
          </tr>
        </thead>
        <tbody>
          {one.stations.map((each) => (
            <tr key={each.station_id}>
              <th scope="row">
                <a href={link(["stations", each.station_id])}>{placeName(each)}</a>
              </th>
              <td>
                <Moment at={each.started} />
              </td>
              <td>
                <Moment at={each.ended} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Work({ one, onDone }: { one: AtLength; onDone: (said: string) => void }) {
  const { person } = useAbout();
  const now = useNow();
  if (!one.maintenance.length) return null;
  const works = one.maintenance.map((each) => ({ ...each, station_name: null, station_name_gr: null }));
  return (
    <section>
      <h2>{t("Maintenance")}</h2>
      <Works works={works} now={now} acts={person?.role === "operator"} onDone={onDone} />
    </section>
  );
}

function Exceptions({ one }: { one: AtLength }) {
  if (!one.exceptions.length) return null;
  return (
    <Section title={t("Exceptions")}>
      <ul>
        {one.exceptions.map((each) => (
          <li key={JSON.stringify(each)}>
            {Object.entries(each)
              .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(", ") : value}`)
              .join("; ")}
          </li>
        ))}
      </ul>
    </Section>
  );
}
