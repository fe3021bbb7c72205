"""`weather-tool healthcheck`: the monitoring-plugin convention, one line and an exit code from 0 to 3."""

from __future__ import annotations

import argparse

from toolkit.checks import Status, gate
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.diagnosis import Result, causes, examine, untold, verdict
from toolkit.checks.host import Host
from toolkit.checks.remedies import Logs, Tool
from toolkit.cli.options import positive
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
        "--wait", type=positive, metavar="SECONDS",
        help="wait until the service runs and the collector, as it runs now, has stored the feed: a rollout's gate, "
        "which does not ask how the weather's data are",
    )  # fmt: skip
    parser.epilog = "exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, also of a wrong option"


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Check."""
    if args.wait is None:
        return _report(_examined(Host(loaded)))
    result = gate.wait(loaded, args.wait)
    print(result)
    if result.status > Status.WARNING:
        print(f"not so within {args.wait} s: the service runs, and the collector that runs now stored the feed")
    return int(result.status)


def _examined(host: Host) -> list[Result]:
    """The results of the quick checks and, if one is critical, of those that explain it: these may be mere warnings."""
    results = examine(host, tuple(its for check in CHECKS if (its := check.in_healthcheck)))
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


def _report(results: list[Result]) -> int:
    found = causes(results)
    figures = " ".join(f"{label}={value}" for one in results for label, value in one.finding.figures.items())
    if found:
        status = verdict(results, found)
        message = "; ".join(cause.result.finding.evidence for cause in found)
        message += f" (try: {_advice(found[0].result)})"
    else:
        status, message = _nothing_wrong(results)
    if status is Status.UNKNOWN and (late := untold(results)):
        message = f"this took too long to tell: {', '.join(late)}; {message}"
    # A bar begins the performance data.
    line = f"{status.name} - {message}".replace("|", "/")
    print(f"WEATHER {line}" + (f" | {figures}" if figures else ""))
    return int(status)


def _advice(result: Result) -> str:
    """What to try, which may have no bar; where logs are to be read, the doctor asks the feed as well."""
    if "|" in result.command or isinstance(result.remedy, Logs):
        return Tool("doctor").render(result.target)
    return result.command


def _nothing_wrong(results: list[Result]) -> tuple[Status, str]:
    """The status and the message when no check failed: OK, if observations could be looked at."""
    by_id = {one.check.id: one for one in results}
    fresh = by_id["observations-fresh"]
    if fresh.status == Status.UNKNOWN:
        return Status.UNKNOWN, fresh.finding.evidence
    stations = by_id.get("stations-reporting")
    return verdict(results, ()), fresh.finding.evidence + (f", {stations.finding.evidence}" if stations else "")
