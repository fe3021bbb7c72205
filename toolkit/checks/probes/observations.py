"""Checks that observations arrive, from every station, and that detection runs look at them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import clock
from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import CLOCK, COLLECTOR, OBSERVATIONS, RELEASE, SETTINGS, UNIT
from toolkit.checks.database import changed
from toolkit.checks.each_source import joined
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import JOBS_FILE
from toolkit.checks.remedies import Logs, OnMachine, Remedy, ServiceStatus, Start, Tool
from toolkit.durations import age as aged
from toolkit.durations import humanize
from toolkit.settings import Settings
from toolkit.sources import fresh_seconds
from toolkit.times import from_stored, stored

if TYPE_CHECKING:
    from toolkit.store.base import Logged
    from toolkit.store.silence import Silent

# A station that has reported within these days and is silent now has failed; one silent for longer was taken down.
LATELY_DAYS = 7
# A station may miss two observations in a row.
SILENT_CADENCES = 3
HALF = 0.5
# So many of the silent stations are named.
NAMED = 5
# A failed attempt is repeated within seconds, and a server may be restarted: so many in a row are a fault.
FAILED_ATTEMPTS = 3
# How old the newest report may be where detection runs are made every hour.
DETECTION_HOURS = 3


@check(
    id="observations-fresh", area="data quality",
    invariant="Observations of the feed's last refresh are in the database.",
    problem="The newest observation in the database is old.",
    severity=Status.CRITICAL, remedy=ServiceStatus("collector"),
    caused_by=(*OBSERVATIONS, "observations-not-ahead"),
)  # fmt: skip
def observations_fresh(host: Host) -> Finding:
    newest = host.newest
    if newest is None:
        return bad(f"the database {host.settings.db} holds no observation")
    # Of several sources the one that has to tell most often.
    limit = min(map(fresh_seconds, host.sources), default=host.settings.fresh_minutes * 60)
    age = host.now - from_stored(newest).timestamp()
    # The distance from the present: what is in the future is not fresh either.
    figures = {"age": f"{abs(age):.0f}s;{limit};{limit};0"}
    if clock.ahead(host.now - age, host.now):
        return bad(
            f"how fresh it is cannot be told: the newest observation ({newest} UTC) is {aged(age)}", figures=figures
        )
    seen = f"the newest observation ({newest} UTC) is {humanize(max(age, 0))} old"
    if age > limit:
        return bad(f"{seen}, more than {limit / 60:g} minutes", figures=figures)
    with host.store() as store:
        if not store.tells_since(host.now - limit):
            return bad(f"{seen}, and no observation of the last {limit / 60:g} minutes has a value", figures=figures)
    return good(seen, figures)


@check(
    id="observations-not-ahead", area="data quality",
    invariant="No observation is of the future.",
    problem="The newest observation is of the future.",
    severity=Status.CRITICAL, remedy=OnMachine("timedatectl"), caused_by=CLOCK,
)  # fmt: skip
def observations_not_ahead(host: Host) -> Finding | None:
    newest = host.newest
    if newest is None:
        return None
    ahead = from_stored(newest).timestamp() - host.now
    if not clock.ahead(host.now + ahead, host.now):
        return good("no observation is of the future")
    said = f"the newest observation ({newest} UTC) is {humanize(ahead)} in the future"
    wrong = sorted(name for name, time in host.latest.items() if clock.ahead(time, host.now))
    others = len(host.latest) - len(wrong)
    if not wrong or others <= len(wrong):  # then it may be the host whose clock is wrong
        return bad(said)
    names = ", ".join(wrong[:NAMED]) + (", …" if len(wrong) > NAMED else "")
    return bad(f"{said}; so are those of {names} alone, and not of {others} other stations", _without_the_future(host))


def _without_the_future(host: Host) -> Remedy:
    """Remove what is of the future from the store."""
    present = stored(host.now + clock.AHEAD_SECONDS + clock.TOLERANCE_SECONDS)
    if host.on_server:
        return changed(host, f"DELETE FROM observations WHERE time > '{present}+00'")
    return changed(
        host, f"DELETE FROM observation WHERE time > '{present}'",
        "UPDATE newest SET time = coalesce((SELECT max(time) FROM observation WHERE station = newest.station), '') "
        f"WHERE time > '{present}'",
    )  # fmt: skip


@check(
    id="stations-reporting", area="data quality",
    invariant="Every station that reported lately still does.",
    problem="A station that reported lately is silent.",
    severity=Status.WARNING, remedy=Tool("data latest"),
    caused_by=(*OBSERVATIONS, "observations-not-ahead", "observations-fresh", "feed-complete"), quick=True,
)  # fmt: skip
def stations_reporting(host: Host) -> Finding | None:
    lately, number, some = silent(host)
    if not lately:
        return None
    figures = {"stations": f"{lately - number};;;0;{lately}"}
    if not number:
        return good(f"{lately} stations", figures)
    shown = ", ".join(f"{name} ({humanize(host.now - time)})" for name, time in some)
    shown += ", …" if number > NAMED else ""
    severity = Status.CRITICAL if number >= HALF * lately else Status.WARNING
    return bad(f"{number} of {lately} stations are silent: {shown}", severity=severity, figures=figures)


def silent(host: Host) -> Silent:
    """How many stations reported lately, and those of them that are silent."""
    return host.once("silent stations", lambda: _silent(host))


def _silent(host: Host) -> Silent:
    too_old = {one.name: host.now - _silent_seconds(one.settings) for one in host.sources}
    with host.store() as store:
        since, until = host.now - LATELY_DAYS * 86400, host.now - _silent_seconds(host.settings)
        return store.silent(since, until, too_old, NAMED)


def _silent_seconds(settings: Settings) -> float:
    return max(SILENT_CADENCES * settings.cadence_seconds, settings.fresh_minutes * 60)


@check(
    id="collection-succeeds", area="data quality",
    invariant="The last cycles fetched and stored the feed.",
    problem="The last cycles could not fetch or store the feed.",
    severity=Status.CRITICAL, remedy=Logs("collector"), caused_by=OBSERVATIONS,
)  # fmt: skip
def collection_succeeds(host: Host) -> Finding | None:
    if len(host.sources) <= 1:
        return _succeeds(host.log)
    logs = {one.name: [line for line in host.log if line.source == one.name] for one in host.sources}
    found = [(name, finding) for name, log in logs.items() if (finding := _succeeds(log))]
    return joined(found, len(host.sources))


def _succeeds(log: Sequence[Logged]) -> Finding | None:
    """The finding of a log, the newest line first."""
    if not log or log[0].status not in {"success", "failed"}:
        return None
    if log[0].status == "failed":
        number = next((place for place, line in enumerate(log) if line.status != "failed"), len(log))
        if number < FAILED_ATTEMPTS:
            return good(f"the last attempt failed, the next one is made in a moment: {log[0].message}")
        return bad(f"the last {number} attempts to collect failed: {log[0].message}")
    return good(f"the last cycle ended well: {log[0].message}")


@check(
    id="detection-recent", area="data quality",
    invariant="Detection runs are made.",
    problem="No detection report was written lately.",
    severity=Status.WARNING, remedy=Start("detector"),
    caused_by=(
        "detector-timer", "detector-succeeds", "reports-folder", "disk-logs-space", "disk-logs-writable",
        *RELEASE, *UNIT, "places-plain", *COLLECTOR, *SETTINGS, *CLOCK,
    ),
)  # fmt: skip
def detection_recent(host: Host) -> Finding | None:
    detector = host.jobs.get("detector")
    if detector is None or detector.schedule is None or {"hour", "day", "weekday"} & {*detector.schedule}:
        return None
    written = [
        report.lstat().st_mtime
        for report in Path(host.settings.reports).glob("report_*.json")
        if not report.is_symlink()
    ]
    future = [moment for moment in written if clock.ahead(moment, host.now)]
    newest = max((moment for moment in written if moment not in future), default=JOBS_FILE.stat().st_mtime)
    if clock.ahead(newest, host.now):
        return bad(
            f"how old the reports are cannot be told: the clock is {humanize(newest - host.now)} before the deployment"
        )
    said = f", and {len(future)} are dated in the future" if future else ""
    if host.now - newest > DETECTION_HOURS * 3600:
        return bad(f"no detection report was written for {humanize(host.now - newest)}{said}")
    return good(f"{len(written)} reports, the newest {humanize(max(host.now - newest, 0))} old{said}")
