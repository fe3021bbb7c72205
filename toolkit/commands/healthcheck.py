"""`weather-tool healthcheck`: the monitoring-plugin convention, one line and an exit code from 0 to 3."""

from __future__ import annotations

import argparse
import time

from toolkit.checks import Status
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.host import COLLECTOR, Host
from toolkit.diagnosis import Cause, Result, causes, examine
from toolkit.settings import Loaded

TAKES_WRONG_SETTINGS = True
POLL_SECONDS = 1.0
# What an older release stored stays fresh for minutes: a new one is told by its own cycles.
COLLECTING = "collection-succeeds"
# A release is not judged by the backups of the last nights.
_NOT_OF_RELEASE = {"backup", "metrics"}

EXAMPLES = (
    "weather-tool healthcheck",
    "weather-tool healthcheck --wait 60",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--wait", type=float, metavar="SECONDS",
        help="wait until nothing is critical and the collector, as it runs now, "
        "has stored the feed: a rollout's gate",
    )  # fmt: skip
    parser.epilog = "exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN"


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Check."""
    if args.wait is None:
        host = Host(loaded)
        results = examine(host, tuple(check for check in CHECKS if check.in_healthcheck))
        if any(cause.status is Status.CRITICAL for cause in causes(results)):
            # What is wrong is named by its cause, as the doctor does; that may be something that is not critical.
            more = tuple(check for check in CHECKS if not (check.in_healthcheck or check.on_feed or check.costly))
            results += [one for one in examine(host, more) if one.status is not Status.UNKNOWN]
            return _say([one for one in results if _belongs(one, causes(results))])
        return _say(results)
    end = time.monotonic() + args.wait
    checks = tuple(
        check
        for check in CHECKS
        if check.area == "service" or (check.in_healthcheck and check.area not in _NOT_OF_RELEASE)
    )
    while True:
        host = Host(loaded)
        results = examine(host, checks)
        if _steady(host) and max((one.status for one in causes(results)), default=Status.OK) <= Status.WARNING:
            return _say(results)
        if time.monotonic() > end:
            _say(results)
            print(f"not so within {args.wait:g} s: nothing critical, the feed stored by the collector that runs now")
            return int(Status.CRITICAL)
        time.sleep(POLL_SECONDS)


def _belongs(one: Result, found: list[Cause]) -> bool:
    """Whether it is part of what is critical, or well."""
    failed = {cause.result.check.id for cause in found if cause.status is not Status.CRITICAL}
    failed |= {other.check.id for cause in found if cause.status is not Status.CRITICAL for other in cause.explains}
    return one.check.id not in failed or one.check.in_healthcheck


def _steady(host: Host) -> bool:
    """Whether the last cycle stored the feed, and was of the collector that runs now; true where none is to run."""
    from toolkit.store.base import StoreError

    started = _collecting_since(host)
    if started is None:
        return "collector" not in host.jobs if host.scheduler == "cron" else host.unit(COLLECTOR) is None
    try:
        return any(one.time >= int(started) and one.status != "failed" for one in host.log[:1])
    except StoreError:
        return False


def _collecting_since(host: Host) -> float | None:
    """When the collector that runs was started, in seconds since the epoch; None where none runs."""
    if host.scheduler == "cron":
        return host.kept_by_cron("collector")
    unit = host.unit(COLLECTOR)
    if unit is None or unit["ActiveState"] != "active":
        return None
    return host.now - (time.monotonic() - int(unit["ActiveEnterTimestampMonotonic"] or 0) / 1e6)


def _say(results: list[Result]) -> int:
    found = causes(results)
    figures = " ".join(f"{label}={value}" for one in results for label, value in one.finding.figures.items())
    if found:
        status = found[0].status
        told = "; ".join(cause.result.finding.evidence for cause in found)
        advice = f" (try: {found[0].result.remedy})"
    else:
        status, told, advice = _nothing_wrong(results)
    # What stands behind a bar is performance data.
    said = f"{status.name} - {told}{advice}".replace("|", "/")
    print(f"WEATHER {said}" + (f" | {figures}" if figures else ""))
    return int(status)


def _nothing_wrong(results: list[Result]) -> tuple[Status, str, str]:
    """What is said when no check failed: that all is well, if observations could be looked at."""
    told = {one.check.id: one for one in results}
    fresh = told.get("observations-fresh") or told[COLLECTING]
    if fresh.status == Status.UNKNOWN:
        return Status.UNKNOWN, fresh.finding.evidence, ""
    stations = told.get("stations-reporting")
    more = f", {stations.finding.evidence}" if stations else ""
    return Status.OK, fresh.finding.evidence + more, ""
