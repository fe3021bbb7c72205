// What the doctor found: causes with their remedies, and every check.
import { useState } from "preact/hooks";
import { Scroll } from "../../parts/scroll";
import { ago } from "../../parts/time";
import { t, tn } from "../../words";
import type { Cause, Check, OfDoctor, Status } from "./said";

const LOOKS: Record<Status, string> = { OK: "well", WARNING: "warning", CRITICAL: "critical", UNKNOWN: "maintenance" };

function wordOf(status: Status): string {
  const words = { OK: t("Well"), WARNING: t("Warning"), CRITICAL: t("Critical"), UNKNOWN: t("Not to be seen") };
  return words[status];
}

function Mark({ status }: { status: Status }) {
  return <span class={`state ${LOOKS[status]}`}>{wordOf(status)}</span>;
}

/** How the service is, in a word. */
export function Verdict({ findings }: { findings: OfDoctor }) {
  const well = findings.checks.filter((one) => one.status === "OK").length;
  const causes = findings.causes.length;
  return (
    <>
      <Mark status={findings.verdict} />{" "}
      {causes
        ? tn("{n} thing is to be mended.", "{n} things are to be mended.", causes)
        : t("{well} of {all} checks are well.", { well, all: findings.checks.length })}
    </>
  );
}

/** What is wrong, the worst first. */
export function Findings({ findings }: { findings: OfDoctor }) {
  if (!findings.causes.length) return null;
  return (
    <section>
      <h2>{t("To be mended")}</h2>
      {findings.causes.every((cause) => !cause.evidence) && (
        <p class="faint">{t("What was seen, and what mends it, is for those who have signed in.")}</p>
      )}
      <ul class="findings">
        {findings.causes.map((cause) => (
          <Finding key={cause.id} cause={cause} checks={findings.checks} />
        ))}
      </ul>
    </section>
  );
}

function Finding({ cause, checks }: { cause: Cause; checks: Check[] }) {
  const explained = checks.filter((one) => cause.explains.includes(one.id));
  return (
    <li class={LOOKS[cause.status]}>
      <h3>
        <Mark status={cause.status} /> {cause.problem ?? cause.id}
      </h3>
      <p>
        {cause.evidence} <span class="faint">({cause.id})</span>
      </p>
      {cause.remedy && <Remedy command={cause.remedy} />}
      {explained.length > 0 && (
        <details>
          <summary>{tn("It explains {n} other", "It explains {n} others", explained.length)}</summary>
          <ul>
            {explained.map((one) => (
              <li key={one.id}>
                {one.evidence} <span class="faint">({one.id})</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

/** A command to be typed on the host, which may be copied. */
function Remedy({ command }: { command: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(command);
    setCopied(true);
    setTimeout(() => setCopied(false), 3000);
  };
  return (
    <div class="remedy">
      <code>{command}</code>
      {/* Browsers let pages copy only over TLS and on the host itself. */}
      {navigator.clipboard && (
        <button type="button" onClick={() => void copy()}>
          {copied ? t("Copied") : t("Copy")}
        </button>
      )}
    </div>
  );
}

/** Every check by its area, with when it was made: what is read at length only when something is strange. */
export function Checks({ findings, now }: { findings: OfDoctor; now: number }) {
  const areas = [...new Set(findings.checks.map((one) => one.area))];
  const unseen = findings.checks.filter((one) => one.status === "UNKNOWN").length;
  const all = findings.checks.length;
  return (
    <details class="checks">
      <summary>
        {tn("{n} check", "All {n} checks", all)}
        {unseen > 0 && `; ${tn("{n} could not be made", "{n} could not be made", unseen)}`}
      </summary>
      <Scroll label={t("Checks")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Check")}</th>
              <th scope="col">{t("State")}</th>
              <th scope="col">{t("What was seen")}</th>
              <th scope="col">{t("When")}</th>
            </tr>
          </thead>
          {areas.map((area) => (
            <tbody key={area}>
              <tr>
                <th scope="rowgroup" colSpan={4}>
                  {area}
                </th>
              </tr>
              {findings.checks
                .filter((one) => one.area === area)
                .map((one) => (
                  <tr key={one.id}>
                    <th scope="row">{one.id}</th>
                    <td>
                      <Mark status={one.status} />
                    </td>
                    <td>{one.evidence}</td>
                    <td class="when">{ago(one.at, now)}</td>
                  </tr>
                ))}
            </tbody>
          ))}
        </table>
      </Scroll>
    </details>
  );
}
