"""`weather-tool healthcheck`: the monitoring-plugin convention, one line and an exit code from 0 to 3."""

from __future__ import annotations

import argparse
import time

from toolkit.checks import Status
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.host import COLLECTOR, Host
from toolkit.diagnosis import Result, causes, examine
from toolkit.settings import Loaded

TAKES_WRONG_SETTINGS = True
POLL_SECONDS = 1.0
# What an older release stored stays fresh for minutes: a new one is told by its own cycles.
COLLECTING = "collection-succeeds"

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
        return _say(examine(Host(loaded), tuple(check for check in CHECKS if check.quick)))
    end = time.monotonic() + args.wait
    checks = tuple(check for check in CHECKS if check.quick or check.area == "service" or check.id == COLLECTING)
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
    print(f"WEATHER {status.name} - {told}{advice}" + (f" | {figures}" if figures else ""))
    return int(status)


def _nothing_wrong(results: list[Result]) -> tuple[Status, str, str]:
    """What is said when no check failed: that all is well, if observations could be looked at."""
    told = {one.check.id: one for one in results}
    fresh = told["observations-fresh"]
    if fresh.status == Status.UNKNOWN:
        return Status.UNKNOWN, fresh.finding.evidence, ""
    stations = told.get("stations-reporting")
    more = f", {stations.finding.evidence}" if stations else ""
    return Status.OK, fresh.finding.evidence + more, ""
