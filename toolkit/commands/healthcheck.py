"""`weather-tool healthcheck`: the monitoring-plugin convention, one line and an exit code from 0 to 3."""

from __future__ import annotations

import argparse

from toolkit.checks import Status, gate
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.diagnosis import Result, causes, examine
from toolkit.checks.host import Host
from toolkit.settings import Loaded

TAKES_WRONG_SETTINGS = True
UNTOLD = int(Status.UNKNOWN)

EXAMPLES = (
    "weather-tool healthcheck",
    "weather-tool healthcheck --wait 60",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--wait", type=float, metavar="SECONDS",
        help="wait until the service runs and the collector, as it runs now, has stored the feed: a rollout's gate, "
        "which does not ask how the weather's data are",
    )  # fmt: skip
    parser.epilog = "exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN"


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Check."""
    if args.wait is None:
        return _say(_examined(Host(loaded)))
    verdict = gate.wait(loaded, args.wait)
    print(verdict)
    if verdict.status > Status.WARNING:
        print(f"not so within {args.wait:g} s: the service runs, and the collector that runs now stored the feed")
    return int(verdict.status)


def _examined(host: Host) -> list[Result]:
    """What is found, with the causes of what is critical: these may be something that alone is not."""
    results = examine(host, tuple(check for check in CHECKS if check.in_healthcheck))
    if not any(one.status is Status.CRITICAL for one in results):
        return results
    more = examine(
        host, tuple(check for check in CHECKS if not (check.in_healthcheck or check.on_feed or check.costly))
    )
    critical = [cause for cause in causes([*results, *more]) if cause.status is Status.CRITICAL]
    named = {cause.result.check.id for cause in critical} | {
        one.check.id for cause in critical for one in cause.explains
    }
    return results + [one for one in more if one.check.id in named]


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
    fresh = told["observations-fresh"]
    if fresh.status == Status.UNKNOWN:
        return Status.UNKNOWN, fresh.finding.evidence, ""
    stations = told.get("stations-reporting")
    more = f", {stations.finding.evidence}" if stations else ""
    return Status.OK, fresh.finding.evidence + more, ""
