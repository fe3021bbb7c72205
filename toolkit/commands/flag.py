"""`weather-tool flag`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from toolkit import times
from toolkit.cli.options import add_setting, add_window_end, epoch, window_end
from toolkit.cli.show import progress, table
from toolkit.errors import ToolkitError, UsageError
from toolkit.locking import writing
from toolkit.settings import Loaded, Settings, spool_folder
from toolkit.store import Span, open_for_reading
from toolkit.store.flag_views import MEANINGS

if TYPE_CHECKING:
    from toolkit.store.flags import Decisive

COLUMNS = ("station_id", "variable", "flag", "test", "intervals", "hours")

EXAMPLES = (
    "weather-tool flag --start 2025-01-01",
    "weather-tool flag --start 2025-01-01 --end 2026-01-01 --json",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--start", required=True, metavar="TIME", help="judge what was observed after this time, in ISO 8601"
    )
    add_window_end(parser)
    add_setting(parser, "--db", "db", "DATABASE")
    parser.add_argument("--json", action="store_true", help="print as JSON what the values are flagged")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Judge past time anew."""
    from toolkit.detector.run import judged_variables
    from toolkit.flagging import judging_past, unfinished

    settings = loaded.settings
    start = epoch(args.start, "--start")
    _require_order(start, window_end(args.end, None), judging_past.SHORTEST)
    with open_for_reading(settings.db) as store, store.snapshot():
        end = window_end(args.end, store.newest())
        stations = len(store.numbers())
        span = judging_past.known(store, Span(start, end))
        if span is None:
            raise ToolkitError(
                f"there is no observation from {times.iso_of(start)} to {times.iso_of(end)}: "
                "weather-tool data summary says of which time there are"
            )
        judged = store.flags.judged(span)
    folder = spool_folder(settings)
    with writing(folder), unfinished.alone(folder):
        asked = {"start": start, "end": args.end.upper(), "db": str(settings.db), **judging_past.how(settings)}
        reached = span.start
        if (since := unfinished.begun(folder, asked)) is None:
            unfinished.begin(folder, asked)
        else:
            reached = unfinished.reached(judged, span.start, since, judged_variables(settings))
            print(f"going on from {times.iso_of(reached)}, where the same command ended", file=sys.stderr)
        windows = judging_past.windows(span, settings, stations)
        due = [one for one in windows if one.end > reached]
        with progress("judging", len(windows)) as advance:
            advance(len(windows) - len(due))
            _judge(settings, due, advance)
        unfinished.finish(folder)
    _show(settings, span, len(due), as_json=args.json)
    return 0


def _require_order(start: float, end: float, shortest: float) -> None:
    """Refuse a time that ends before it starts, or too soon after."""
    if end - start < shortest:
        raise UsageError(
            f"--start {times.iso_of(start)} --end {times.iso_of(end)}: give an end that is an hour or more later"
        )


def _judge(settings: Settings, due: list[Span], advance: Callable[[int], None]) -> None:
    """Judge the windows that are due; where that ends early, say what goes on with the rest."""
    from toolkit.flagging.judging_past import judge

    until: list[float] = []

    def judged(window: Span) -> None:
        until.append(window.end)
        advance(1)

    try:
        judge(settings, due, judged)
    except (KeyboardInterrupt, ToolkitError):
        if until:
            print(f"judged up to {times.iso_of(until[-1])}; the same command goes on from there", file=sys.stderr)
        raise


def _show(settings: Settings, span: Span, runs: int, *, as_json: bool) -> None:
    """What the values are flagged now."""
    with open_for_reading(settings.db) as store:
        found = store.flags.decisive(span)
    of_sensor: dict[tuple[str, str, int, str], list[Decisive]] = defaultdict(list)
    for one in found:
        of_sensor[one.station_id, one.variable, one.flag, one.test].append(one)
    rows = [
        (station, variable, MEANINGS[flag], test, len(some), round(sum(_hours(one, span) for one in some), 1))
        for (station, variable, flag, test), some in sorted(of_sensor.items())
    ]
    start, end = times.iso_of(span.start), times.iso_of(span.end)
    if as_json:
        flags = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        print(json.dumps({"start": start, "end": end, "windows": runs, "flags": flags}, indent=1, ensure_ascii=False))
        return
    print(f"{start} to {end}: {runs} windows judged")
    table(COLUMNS, [[cell if cell != "" else "-" for cell in row] for row in rows])


def _hours(one: Decisive, span: Span) -> float:
    """For how much of a span of time an interval lasts."""
    return (min(one.ended, span.end) - max(one.started, span.start)) / 3600
