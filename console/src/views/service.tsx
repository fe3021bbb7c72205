// How the service itself does: what is wrong and what mends it, jobs, collection, detection, backups, space.
import { useData } from "../data";
import { Failed } from "../parts/failed";
import { Notice } from "../parts/notice";
import { ago, Moment, useNow, zone } from "../parts/time";
import { useTitle } from "../parts/title";
import { t } from "../words";
import { Collection, Detection } from "./service/data";
import { Checks, Findings, Verdict } from "./service/findings";
import { Backups, Jobs, Space } from "./service/host";
import type { Host, OfStore, Seen } from "./service/said";
import { Sources } from "./service/sources";

export default function Service() {
  useTitle(t("Service"));
  const host = useData<Host>("host", {}, 20);
  const store = useData<OfStore>("service", {}, 30);
  const now = useNow();
  const seen = host.data && "findings" in host.data ? host.data : undefined;
  return (
    <div class="service">
      <h1>{t("Service")}</h1>
      {!host.data && !host.error && <Notice kind="busy">{t("Asking how the service does …")}</Notice>}
      {host.data && "missing" in host.data && (
        <Notice kind="stale">
          {t("Findings, jobs, backups and space are told by the exporter, which does not answer.")} {host.data.missing}.{" "}
          {t("On the host, `weather-tool doctor` says what is wrong.")}
        </Notice>
      )}
      {seen && (
        <>
          <p class="verdict">
            <Verdict findings={seen.findings} />{" "}
            <span class="faint">
              {t("{host}, looked at {ago}", { host: seen.findings.host, ago: ago(seen.at, now) })}
            </span>
          </p>
          {now - seen.at > 300 && (
            <Notice kind="stale">{t("These findings are old: the exporter makes no checks any more.")}</Notice>
          )}
          <Findings findings={seen.findings} />
          <Checks findings={seen.findings} now={now} />
          {seen.jobs && <Jobs jobs={seen.jobs} now={now} />}
        </>
      )}
      {!store.data && <Failed of={store} />}
      {store.data && (
        <>
          <Sources sources={store.data.sources} spools={seen?.spools} now={now} />
          <Collection said={store.data} spool={seen?.spool} now={now} />
          <Detection said={store.data} took={took(seen)} now={now} />
        </>
      )}
      {seen && <Backups host={seen} now={now} />}
      {(seen || store.data) && <Space host={seen} store={store.data} now={now} />}
      <p class="faint">
        {t("Times are in {zone}.", { zone })} {store.data && <Present at={store.at / 1000} />}
      </p>
    </div>
  );
}

/** How long the detector's last run took; undefined where that cannot be seen. */
function took(host: Seen | undefined): number | undefined {
  return host?.jobs?.find((job) => job.name === "detector")?.seconds ?? undefined;
}

function Present({ at }: { at: number }) {
  return (
    <>
      {t("As of")} <Moment at={at} />.
    </>
  );
}
