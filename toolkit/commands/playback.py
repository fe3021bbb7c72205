"""`weather-tool playback`."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from toolkit import times
from toolkit.cli.options import add_setting, add_window_end, window_end
from toolkit.cli.show import table
from toolkit.errors import UsageError
from toolkit.settings import Loaded
from toolkit.store import open_for_reading
from toolkit.variables import BY_NAME, STATION

if TYPE_CHECKING:
    from toolkit.flagging.playback import Step
    from toolkit.quality.criteria import Compared

HOURS, MINUTES = 24.0, 60.0

EXAMPLES = (
    "weather-tool playback --station volos --end 2026-01-31T06:00Z --hours 12",
    "weather-tool playback --station volos --variable temp_out --end 2026-01-31T06:00Z --hours 0",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_window_end(parser)
    parser.add_argument(
        "--hours", type=float, default=HOURS, metavar="N", help=f"how long before it to begin (default: {HOURS:g})"
    )
    parser.add_argument(
        "--step", type=float, default=MINUTES, metavar="MINUTES", help=f"from run to run (default: {MINUTES:g})"
    )
    parser.add_argument("--station", metavar="ID", help="explain how this station is judged")
    parser.add_argument(
        "--variable", metavar="NAME", help="with --station: show what each test compared in the last of the runs"
    )
    parser.add_argument(
        "--everything", action="store_true", help="also with what had not been collected yet, or was corrected later"
    )
    add_setting(parser, "--db", "db", "DATABASE")
    parser.add_argument("--json", action="store_true", help="print each run as a line of JSON as soon as it is made")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Play past time back."""
    from toolkit.flagging.playback import as_json, moments, play

    if args.variable and (not args.station or args.variable not in {*BY_NAME, STATION}):
        raise UsageError(f"--variable={args.variable}: give the name of a variable, and --station besides")
    window_end(args.end, None)  # a wrong time is an error before the database is opened
    moments(0, args.hours, args.step)
    steps = []
    with open_for_reading(loaded.settings.db) as store:
        end = window_end(args.end, store.newest())
        at = moments(end, args.hours, args.step)
        for step in play(store, loaded.settings, at, args.station, everything=args.everything):
            if args.json:
                print(json.dumps(as_json(step), ensure_ascii=False, allow_nan=False), flush=True)
            else:
                steps.append(step)
    if not args.json:
        _show(steps, args.station, args.variable)
    return 0


def _show(steps: list[Step], station: str | None, variable: str | None) -> None:
    """The runs for a person."""
    rows = [
        (times.iso_of(step.at), one.station_id, one.variable, one.class_, one.test, one.reason)
        for step in steps
        for one in step.report.anomalies
        if station in {None, one.station_id} and variable in {None, one.variable}
    ]
    late = sum(step.late > 0 for step in steps)
    print(
        f"{len(steps)} runs from {times.iso_of(steps[0].at)} to {times.iso_of(steps[-1].at)}, "
        f"{sum(bool(step.report.anomalies) for step in steps)} with anomalies; "
        f"{late} without observations that were collected later"
    )
    if rows:
        table(("run", "station", "variable", "class", "test", "reason"), rows)
    for sensor in steps[-1].sensors:
        if sensor.variable == variable:
            table(
                ("test", "what would be wrong", "what is compared", "figure", "", "limit", "so"),
                [
                    (verdict.test, criterion.what or verdict.finds, one.what, *_figures(one), _so(criterion.met))
                    for verdict in sensor.verdicts
                    for criterion in verdict.criteria
                    for one in criterion.compared
                ],
            )


def _figures(one: Compared) -> tuple[str, str, str]:
    value, limit = ("-" if each is None else f"{each:.4g} {one.unit}".rstrip() for each in (one.value, one.limit))
    return value, one.sign, limit


def _so(met: bool) -> str:
    return "yes" if met else "no"
