"""Checks of the observations."""

from __future__ import annotations

from pathlib import Path

from toolkit import clock
from toolkit.checks import Check, Finding, Status, bad, good
from toolkit.checks.clock import aged
from toolkit.checks.host import JOBS_FILE, Host, long
from toolkit.times import from_stored

# A station that reported this lately and no longer does has died; one that is gone for longer was taken down.
LATELY_DAYS = 7
# A station may miss two observations.
SILENT_CADENCES = 3
HALF = 0.5
# One that fails is made again within seconds; a server that is restarted is no fault.
FAILED_ATTEMPTS = 3
# Between two detection runs, where they are made every hour.
DETECTION_HOURS = 3


def _fresh(host: Host) -> Finding:
    newest = host.newest
    if newest is None:
        return bad(f"the database {host.settings.db} holds no observation")
    limit = host.settings.fresh_minutes * 60
    age = host.now - from_stored(newest).timestamp()
    # How far from the present: what is in the future is not fresh either.
    figures = {"age": f"{abs(age):.0f}s;{limit};{limit};0"}
    if clock.ahead(host.now - age, host.now):
        return bad(
            f"how fresh it is cannot be told: the newest observation ({newest} UTC) is {aged(age)}", figures=figures
        )
    seen = f"the newest observation ({newest} UTC) is {long(max(age, 0))} old"
    if age > limit:
        return bad(f"{seen}, more than {host.settings.fresh_minutes} minutes", figures=figures)
    return good(seen, figures)


def _ahead(host: Host) -> Finding | None:
    newest = host.newest
    if newest is None:
        return None
    ahead = from_stored(newest).timestamp() - host.now
    if clock.ahead(host.now + ahead, host.now):
        return bad(f"the newest observation ({newest} UTC) is {long(ahead)} in the future")
    return good("no observation is of the future")


def _stations(host: Host) -> Finding | None:
    latest = {name: host.now - time for name, time in host.latest.items()}
    lately = {name: age for name, age in latest.items() if age < LATELY_DAYS * 86400}
    if not lately:
        return None
    limit = max(SILENT_CADENCES * host.settings.cadence_seconds, host.settings.fresh_minutes * 60)
    silent = sorted((name for name, age in lately.items() if age > limit), key=lately.__getitem__)
    figures = {"stations": f"{len(lately) - len(silent)};;;0;{len(lately)}"}
    if not silent:
        return good(f"{len(lately)} stations", figures)
    shown = ", ".join(f"{name} ({long(lately[name])})" for name in silent[:5])
    shown += ", …" if len(silent) > 5 else ""
    severity = Status.CRITICAL if len(silent) >= HALF * len(lately) else Status.WARNING
    return bad(f"{len(silent)} of {len(lately)} stations are silent: {shown}", severity=severity, figures=figures)


def _collected(host: Host) -> Finding | None:
    lines = [line for line in host.log[:1] if line.status in {"success", "failed"}]
    if not lines:
        return None
    if lines[0].status == "failed":
        number = next((place for place, line in enumerate(host.log) if line.status != "failed"), len(host.log))
        if number < FAILED_ATTEMPTS:
            return good(f"the last attempt failed, the next one is made in a moment: {lines[0].message}")
        return bad(f"the last {number} attempts to collect failed: {lines[0].message}")
    return good(f"the last cycle ended well: {lines[0].message}")


def _detected(host: Host) -> Finding | None:
    detector = host.jobs.get("detector")
    if detector is None or detector.schedule is None or "hour" in detector.schedule or "weekday" in detector.schedule:
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
            f"how old the reports are cannot be told: the clock is {long(newest - host.now)} before the deployment"
        )
    said = f", and {len(future)} are dated in the future" if future else ""
    if host.now - newest > DETECTION_HOURS * 3600:
        return bad(f"no detection report was written for {long(host.now - newest)}{said}")
    return good(f"{len(written)} reports, the newest {long(max(host.now - newest, 0))} old{said}")


_STORE = (
    "database-exists", "database-owner", "database-mode", "database-kind", "database-schema", "database-shape",
    "database-sound",
    "database-unlocked", "database-server", "database-readable", "spool-empty",
)  # fmt: skip
_DISK = ("disk-data-writable", "disk-data-space", "disk-data-inodes", "data-folder")
_UNIT = (
    "release-current", "python-runs", "packages-complete", "units-present", "units-genuine", "units-as-deployed",
    "units-start", "units-hardened", "places-plain", "collector-alone", "cron-table", "cron-runs", "collector-enabled",
    "collector-running", "collector-responds", "settings-readable", "settings-valid",
)  # fmt: skip
_FEED = (
    "feed-name", "feed-connects", "feed-trusted", "feed-in-time", "feed-answers", "feed-readable", "feed-current",
)  # fmt: skip
# What may be wrong with any observation.
SOURCES = (*_DISK, *_STORE, *_UNIT, *_FEED, "clock-right", "clock-after-release")

CHECKS = (
    Check(
        "observations-fresh", "data quality", "Observations of the feed's last refresh are in the database.",
        Status.CRITICAL, _fresh, "systemctl status weather-collector.service",
        (*SOURCES, "observations-not-ahead"),
    ),
    Check(
        "observations-not-ahead", "data quality", "No observation is of the future.", Status.CRITICAL, _ahead,
        "timedatectl", ("clock-right", "clock-after-release"),
    ),
    Check(
        "stations-reporting", "data quality", "Every station that reported lately still does.", Status.WARNING,
        _stations, "weather-tool data latest",
        (*SOURCES, "observations-not-ahead", "observations-fresh", "feed-complete"), quick=True,
    ),
    Check(
        "collection-succeeds", "data quality", "The last cycles fetched and stored the feed.", Status.CRITICAL,
        _collected, "journalctl -u weather-collector.service -n 20 --no-pager",
        SOURCES,
    ),
    Check(
        "detection-recent", "data quality", "Detection runs are made.", Status.WARNING, _detected,
        "systemctl start weather-detector.service",
        (
            "detector-timer", "detector-succeeds", "reports-folder", "disk-logs-space", "disk-logs-writable", *_UNIT,
            "clock-right", "clock-after-release",
        ),
    ),
)  # fmt: skip
