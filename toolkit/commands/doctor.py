"""`weather-tool doctor`: every check; what is wrong, causes before their symptoms, with the command that mends it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from toolkit.backup.collector import become_the_service_user
from toolkit.checks import Status
from toolkit.checks.catalogue import AREAS, BY_ID, CHECKS
from toolkit.checks.diagnosis import Cause, Result, causes, examine, untold, verdict
from toolkit.checks.host import Host
from toolkit.checks.runbook import page
from toolkit.checks.targets import target_of
from toolkit.checks.told import as_json
from toolkit.errors import UsageError
from toolkit.settings import Loaded
from toolkit.text import nearest

# Wrong settings are among what it reports.
TAKES_WRONG_SETTINGS = True

# How many effects of a cause are shown, each with what was seen; one more is shown rather than counted.
MOST_EFFECTS = 3

EXAMPLES = (
    "weather-tool doctor",
    "weather-tool doctor --area backup --all",
    "weather-tool doctor --explain feed-current",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--all", action="store_true", help="also what is well, and what could not be seen")
    parser.add_argument("--area", metavar="AREA", help=f"only one of: {', '.join(AREAS)}")
    parser.add_argument("--explain", metavar="ID", help="the runbook of a check")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.epilog = "exit codes: 0 well, 1 warnings, 2 broken, 3 that could not be told in time"


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Examine this host."""
    if args.explain:
        print(page(BY_ID[_known(args.explain, list(BY_ID), "check")], target_of(Host(loaded))), end="")
        return 0
    checks = CHECKS
    if args.area:
        area = _known(args.area, list(AREAS), "area")
        checks = tuple(check for check in CHECKS if check.area == area)
    become_the_service_user()
    results = examine(Host(loaded), checks)
    found = causes(results)
    if args.json:
        print(json.dumps(as_json(results, found), indent=1, ensure_ascii=False))
    else:
        _show(results, found, everything=args.all)
    return int(verdict(results, found))


def _known(given: str, names: list[str], what: str) -> str:
    if given in names:
        return given
    # One word of a name is enough where no other name has it.
    having = [name for name in names if given in name.split()]
    if len(having) == 1:
        return having[0]
    near = nearest(given, names, cutoff=0.4)
    raise UsageError(f"there is no {what} {given!r}; " + (f"did you mean {near}?" if near else ", ".join(names)))


def _show(results: Sequence[Result], found: Sequence[Cause], *, everything: bool) -> None:
    from toolkit.cli.show import coloured

    paint = {Status.CRITICAL: "bold red", Status.WARNING: "yellow", Status.OK: "green", Status.UNKNOWN: "dim"}
    for cause in found:
        coloured(f"{cause.status.name}  {cause.result.check.id}", paint[cause.status])
        print(f"    {cause.result.finding.evidence}")
        print(f"    mend it: {cause.result.command}")
        few = len(cause.explains) <= MOST_EFFECTS + 1
        shown = cause.explains if everything or few else cause.explains[:MOST_EFFECTS]
        for one in shown:
            coloured(f"    therefore {one.check.id}: {one.finding.evidence}", "dim")
        if folded := [one.check.id for one in cause.explains[len(shown) :]]:
            coloured(f"    therefore also {', '.join(folded)}: --all shows these {len(folded)}", "dim")
    if everything:
        for one in results:
            if one.status in {Status.OK, Status.UNKNOWN}:
                coloured(f"{one.status.name}  {one.check.id}: {one.finding.evidence}", paint[one.status])
    if late := untold(results):
        coloured(f"UNKNOWN  whether anything is broken: too slow were {', '.join(late)}", paint[Status.WARNING])
        print("    ask again when the machine is less busy")
    unseen = [one for one in results if one.status == Status.UNKNOWN]
    well = sum(one.status == Status.OK for one in results)
    summary = f"{well} of {len(results)} checks are well"
    if unseen:
        summary += f", {len(unseen)} could not be seen" + ("" if everything else ": --all says why")
    print(summary)
