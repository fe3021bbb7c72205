// How each source does, where there are several, or one with a problem.
import { count } from "../../parts/amounts";
import { Scroll } from "../../parts/scroll";
import { ago } from "../../parts/time";
import { t } from "../../words";
import type { Source } from "./said";

interface Props {
  sources: Source[];
  spools: Record<string, number> | undefined;
  now: number;
}

export function Sources({ sources, spools, now }: Props) {
  if (sources.length < 2 && sources.every((one) => one.status === "fresh")) return null;
  const told = sources.some((one) => one.message !== null);
  return (
    <section>
      <h2>{t("Sources")}</h2>
      <Scroll label={t("Sources")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Source")}</th>
              <th scope="col">{t("State")}</th>
              <th scope="col">{t("Newest observation")}</th>
              <th scope="col">{t("Last success")}</th>
              <th scope="col" class="number">
                {t("Failures")}
              </th>
              {spools && (
                <th scope="col" class="number">
                  {t("Waiting for the database")}
                </th>
              )}
              {told && <th scope="col">{t("Last message")}</th>}
            </tr>
          </thead>
          <tbody>
            {sources.map((one) => (
              <tr key={one.name}>
                <th scope="row">{one.name}</th>
                <td>
                  <State status={one.status} />
                </td>
                <td class="when">{one.newest === null ? t("none") : ago(one.newest, now)}</td>
                <td class="when">{one.succeeded === null ? t("none") : ago(one.succeeded, now)}</td>
                <td class="number">{count(one.failures)}</td>
                {spools && <td class="number">{count(spools[one.name] ?? 0)}</td>}
                {told && <td class="message">{one.message}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function State({ status }: { status: Source["status"] }) {
  const words = { failed: t("failed"), stale: t("nothing new"), empty: t("nothing yet"), fresh: t("well") };
  const looks = { failed: "critical", stale: "warning", empty: "silent", fresh: "well" };
  return <span class={`state ${looks[status]}`}>{words[status]}</span>;
}
