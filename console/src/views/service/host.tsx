// What only the host knows: jobs, backups and drills, space, versions.
import { count, inSeconds, share, size } from "../../parts/amounts";
import { Figure, Figures } from "../../parts/figure";
import { Scroll } from "../../parts/scroll";
import { ago, duration, Moment } from "../../parts/time";
import { t, tn } from "../../words";
import type { Job, OfStore, Seen } from "./said";

export function Jobs({ jobs, now }: { jobs: Job[]; now: number }) {
  if (!jobs.length) return null;
  return (
    <section>
      <h2>{t("Jobs")}</h2>
      <Scroll label={t("Jobs")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Job")}</th>
              <th scope="col">{t("State")}</th>
              <th scope="col">{t("Last run")}</th>
              <th scope="col">{t("Took")}</th>
              <th scope="col">{t("Next run")}</th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <tr key={job.name}>
                <th scope="row">
                  {job.name}
                  <span class="faint about">{job.description}</span>
                </th>
                <td>
                  <State job={job} now={now} />
                </td>
                <td>{job.started === null ? <None /> : ago(job.started, now)}</td>
                <td>{job.seconds === null ? <None /> : inSeconds(job.seconds)}</td>
                <td>{job.next === null ? <None /> : <Moment at={job.next} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function None() {
  return <span class="faint">–</span>;
}

function State({ job, now }: { job: Job; now: number }) {
  if (job.state === null) return <span class="faint">{t("not seen from here")}</span>;
  const words = { running: t("runs"), waiting: t("waits"), failed: t("failed"), stopped: t("stopped") };
  const looks = { running: "well", waiting: "well", failed: "critical", stopped: "silent" };
  return (
    <>
      <span class={`state ${looks[job.state]}`}>{words[job.state]}</span>
      {job.since !== null && <span class="faint"> {t("for {duration}", { duration: duration(now - job.since) })}</span>}
      {job.outcome && <span class="about">{job.outcome}</span>}
    </>
  );
}

export function Backups({ host, now }: { host: Seen; now: number }) {
  const { backups, damaged_backups: damaged, drill } = host;
  const newest = backups?.[0];
  return (
    <section>
      <h2>{t("Backups")}</h2>
      <Figures>
        <Figure name={t("Newest backup")} note={newest ? size(newest.bytes) : ""}>
          {backups === null ? t("cannot be read") : newest ? ago(newest.created, now) : t("none")}
        </Figure>
        {!!damaged && <Figure name={t("Damaged")}>{count(damaged)}</Figure>}
        <Figure name={t("Last drill")} note={drill?.backup ?? ""}>
          {drill ? (
            <>
              <span class={`state ${drill.wrong ? "critical" : "well"}`}>{drill.wrong ? t("failed") : t("well")}</span>{" "}
              {ago(drill.ended, now)}
            </>
          ) : (
            t("none")
          )}
        </Figure>
        {drill?.restore_seconds != null && (
          <Figure name={t("A restore took")}>{inSeconds(drill.restore_seconds)}</Figure>
        )}
        {drill?.offsite != null && (
          <Figure name={t("Off-site copies")}>{drill.offsite ? t("whole") : t("not whole")}</Figure>
        )}
      </Figures>
      {drill?.wrong && <p>{drill.wrong}</p>}
      {backups && backups.length > 0 && (
        <details>
          <summary>{tn("The newest backup", "The newest {n} backups", backups.length)}</summary>
          <Scroll label={t("Backups")}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("Backup")}</th>
                  <th scope="col">{t("Made")}</th>
                  <th scope="col" class="number">
                    {t("Size")}
                  </th>
                  <th scope="col" class="number">
                    {t("Observations")}
                  </th>
                  <th scope="col">{t("Version")}</th>
                </tr>
              </thead>
              <tbody>
                {backups.map((one) => (
                  <tr key={one.name}>
                    <th scope="row">{one.name}</th>
                    <td>
                      <Moment at={one.created} />
                    </td>
                    <td class="number">{size(one.bytes)}</td>
                    <td class="number">{count(one.observations)}</td>
                    <td>{one.version}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </details>
      )}
    </section>
  );
}

export function Space({ host, store, now }: { host: Seen | undefined; store: OfStore | undefined; now: number }) {
  const holds = { data: t("data"), reports: t("reports"), backups: t("backups") };
  return (
    <section>
      <h2>{t("Space and versions")}</h2>
      {host && (
        <ul class="disks">
          {host.disks.map((disk) => {
            const used = disk.total - disk.free;
            const name = `${disk.mount} (${disk.holds.map((one) => holds[one]).join(", ")})`;
            return (
              <li key={disk.mount}>
                <span>{name}</span>
                <meter
                  aria-label={t("used of {disk}", { disk: disk.mount })}
                  min={0}
                  max={disk.total}
                  low={0.8 * disk.total}
                  high={0.95 * disk.total}
                  optimum={0}
                  value={used}
                />
                <span class="faint">
                  {t("{free} of {all} are free ({share})", {
                    free: size(disk.free),
                    all: size(disk.total),
                    share: share(disk.free, disk.total),
                  })}
                </span>
              </li>
            );
          })}
        </ul>
      )}
      <Figures>
        {store && (
          <>
            <Figure name={t("Database")} note={store.database.engine}>
              {size(store.database.bytes)}
            </Figure>
            <Figure name={t("Stations")}>{count(store.database.stations)}</Figure>
            {store.database.oldest !== null && (
              <Figure name={t("Oldest observation")}>
                <Moment at={store.database.oldest} />
              </Figure>
            )}
            <Figure name={t("Version")} note={`Python ${store.python}`}>
              {store.version}
            </Figure>
            <Figure name={t("The console runs for")}>{duration(now - store.started)}</Figure>
          </>
        )}
        {host && <Figure name={t("The host runs for")}>{duration(now - host.booted)}</Figure>}
      </Figures>
    </section>
  );
}
