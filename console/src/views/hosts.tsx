// The hosts of a fleet, those in trouble first; hosts that share a database are one entry.
import { useEffect, useState } from "preact/hooks";
import { useData } from "../data";
import { count } from "../parts/amounts";
import { Failed } from "../parts/failed";
import { Notice } from "../parts/notice";
import { Scroll } from "../parts/scroll";
import { STATES, stateWord } from "../parts/state";
import { ago, useNow } from "../parts/time";
import { useTitle } from "../parts/title";
import { link } from "../place";
import { t, tn } from "../words";

interface Said {
  host: string;
  version: string;
  /** Whether its database can be read. */
  readable: boolean;
  newest: number | null;
  /** How many stations are in each state. */
  stations: Record<string, number>;
  /** How many incidents are not over, by severity. */
  incidents: Record<string, number>;
  verdict: string | null;
  causes: number | null;
}

interface Host {
  name: string;
  /** The address of its API; null of the host that shows this. */
  url: string | null;
  /** When it was asked last; null before. */
  asked: number | null;
  /** What it said when it answered last. */
  said: Said | null;
  error: string | null;
}

// How often the service is asked, in seconds: until it has heard of every host, and then.
const SOON = 3;
const LATER = 15;

export default function Hosts() {
  useTitle(t("Hosts"));
  const [every, setEvery] = useState(SOON);
  const loaded = useData<{ networks: Host[][] }>("hosts", {}, every);
  const { data, error } = loaded;
  const now = useNow();
  const networks = data && [...data.networks].sort((one, other) => trouble(other) - trouble(one));
  const hosts = networks?.flat() ?? [];
  const waiting = !data || hosts.some((host) => host.asked === null);
  useEffect(() => setEvery(waiting ? SOON : LATER), [waiting]);
  const well = hosts.filter((host) => host.said && !host.error).length;
  return (
    <div class="service">
      <h1>{t("Hosts")}</h1>
      {!data && !error && <Notice kind="busy">{t("Asking the hosts …")}</Notice>}
      {!data && <Failed of={loaded} />}
      {networks && (
        <>
          <p>{t("{well} of {all} hosts answer.", { well: count(well), all: count(hosts.length) })}</p>
          <Scroll label={t("Hosts")}>
            <table class="hosts">
              <thead>
                <tr>
                  <th scope="col">{t("Host")}</th>
                  <th scope="col">{t("Service")}</th>
                  <th scope="col">{t("Version")}</th>
                  <th scope="col">{t("Newest data")}</th>
                  <th scope="col">{t("Stations")}</th>
                  <th scope="col">{t("Incidents")}</th>
                </tr>
              </thead>
              {networks.map((network) => (
                <Network key={network.map((host) => host.name).join()} hosts={network} now={now} />
              ))}
            </table>
          </Scroll>
        </>
      )}
    </div>
  );
}

/** How bad it is: what does not answer comes first, then what is to be mended, then incidents. */
function trouble(hosts: Host[]): number {
  const verdicts: Record<string, number> = { CRITICAL: 100, WARNING: 10 };
  const of = (host: Host) =>
    host.error || !host.said?.readable
      ? 1000
      : (verdicts[host.said?.verdict ?? ""] ?? 0) + (host.said?.incidents.critical ? 1 : 0);
  return Math.max(...hosts.map(of));
}

/** The hosts of one database, which has its stations and incidents once. */
function Network({ hosts, now }: { hosts: Host[]; now: number }) {
  const said = hosts.find((host) => host.said && !host.error)?.said ?? hosts.find((host) => host.said)?.said;
  return (
    <tbody>
      {hosts.map((host, place) => (
        <tr key={host.name}>
          <th scope="row">
            <a href={host.url === null ? link([]) : `${host.url}/console/`}>{host.name}</a>
            {host.url === null && <span class="faint"> {t("(this host)")}</span>}
            {host.error && <span class="about">{host.error}</span>}
            {host.said && !host.said.readable && <span class="about">{t("Its database cannot be read.")}</span>}
          </th>
          <td>
            <Service host={host} />
          </td>
          <td>{host.said?.version ?? "–"}</td>
          {place === 0 && (
            <>
              <td rowSpan={hosts.length}>{said?.newest ? ago(said.newest, now) : "–"}</td>
              <td rowSpan={hosts.length}>{said ? <Stations numbers={said.stations} /> : "–"}</td>
              <td rowSpan={hosts.length}>{said ? <Incidents numbers={said.incidents} /> : "–"}</td>
            </>
          )}
        </tr>
      ))}
    </tbody>
  );
}

function Service({ host }: { host: Host }) {
  if (host.error) return <span class="state silent">{t("does not answer")}</span>;
  if (!host.said) return <span class="faint">{t("is being asked")}</span>;
  const { verdict, causes } = host.said;
  const words: Record<string, [string, string]> = {
    OK: ["well", t("well")],
    WARNING: ["warning", t("warning")],
    CRITICAL: ["critical", t("critical")],
  };
  const [look, word] = words[verdict ?? ""] ?? ["maintenance", t("not to be seen")];
  return (
    <>
      <span class={`state ${look}`}>{word}</span>
      {!!causes && <span class="about">{tn("{n} thing to mend", "{n} things to mend", causes)}</span>}
    </>
  );
}

function Stations({ numbers }: { numbers: Record<string, number> }) {
  return <Numbers words={Object.fromEntries(STATES.map((state) => [state, stateWord(state)]))} numbers={numbers} />;
}

function Incidents({ numbers }: { numbers: Record<string, number> }) {
  const words = { critical: t("critical"), warning: t("warning"), info: t("info") };
  return <Numbers words={words} numbers={numbers} />;
}

/** How many there are of each kind, without those of which there are none. */
function Numbers({ words, numbers }: { words: Record<string, string>; numbers: Record<string, number> }) {
  const some = Object.entries(words).filter(([name]) => numbers[name]);
  if (!some.length) return <span class="faint">{t("none")}</span>;
  return (
    <ul class="numbers">
      {some.map(([name, word]) => (
        <li key={name}>
          <span class={`state ${name}`}>{count(numbers[name] ?? 0)}</span> {word}
        </li>
      ))}
    </ul>
  );
}
