"""`weather-tool sensors`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import times
from toolkit.cli.options import add_setting, window_end
from toolkit.cli.show import table, working
from toolkit.errors import ToolkitError, UsageError
from toolkit.files import free_name, write_atomically
from toolkit.report_json import as_json
from toolkit.settings import Loaded, Settings
from toolkit.store import Selection, open_for_reading, open_for_writing
from toolkit.store.station_records import SensorHealth
from toolkit.variables import BY_NAME, MONITORED

if TYPE_CHECKING:
    from toolkit.detector.sensors import Health, Sensor

MOST_DAYS = 366
DAY = 86_400.0

EXAMPLES = (
    "weather-tool sensors --days 30",
    "weather-tool sensors --days 30 --record",
    "weather-tool sensors --days 7 --station volos --json",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--days", type=float, default=7.0, metavar="N", help="how far back to look (default: 7)")
    parser.add_argument("--end", default="NOW", metavar="TIME", help="up to when: NOW (default), or a time in ISO 8601")
    parser.add_argument("--station", metavar="ID", help="this station alone")
    parser.add_argument("--save", metavar="PATH", help="also write it as JSON; strftime codes are filled in, in UTC")
    parser.add_argument(
        "--record", action="store_true", help="keep their health in the store, and what is wrong as incidents"
    )
    add_setting(parser, "--exceptions", "exceptions", "JSON")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_setting(parser, "--db", "db", "DATABASE")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Examine the sensors."""
    from toolkit.detector.sensors import examine

    if not 1 <= args.days <= MOST_DAYS:
        raise UsageError(f"--days={args.days:g}: give a number from 1 to {MOST_DAYS}")
    window_end(args.end, None)  # a wrong time is an error before the database is opened
    with open_for_reading(loaded.settings.db) as store, store.snapshot(), working("examining the sensors"):
        newest = store.newest()
        now, end = window_end("NOW", newest), window_end(args.end, newest)
        health = examine(store, loaded.settings, end, args.days, args.station)
        first = next(store.observations(Selection()), None)
    if not health.sensors:
        raise ToolkitError(f"there is no observation in the {args.days:g} days up to {health.end}")
    if args.record:
        known = (end - first.time) / DAY if first else 0.0
        record(loaded.settings, health, now, min(args.days, known), whole=args.station is None)
    if args.save:
        path = free_name(Path(), args.save, times.now())
        write_atomically(path, map(str.encode, as_json(health)))
        print(f"report: {path}", file=sys.stderr)
    if args.json:
        sys.stdout.writelines(as_json(health))
    else:
        _show(health)
    return 0


def record(settings: Settings, health: Health, at: float, days: float, *, whole: bool) -> None:
    """Keep the health of the sensors in the store, and what is wrong with them as incidents.

    Args:
        settings: the database, and how incidents are kept.
        health: what was found.
        at: the present, seconds since the epoch.
        days: of how many days there are observations.
        whole: whether all stations were looked at.

    Raises:
        StoreError: it could not be kept.
    """
    from toolkit.incidents import trouble
    from toolkit.incidents.bookkeeping import keep
    from toolkit.incidents.planning import Run

    start, end = (times.epoch_of(text) for text in (health.start, health.end))
    judged = trouble.JudgedSensors({one.station_id for one in health.sensors}, frozenset(MONITORED))
    run = Run("sensors", start, end, judged, at, exact=DAY, whole=whole)
    with open_for_writing(settings.db, begin=False) as store, store.transaction():
        keep(store, settings, run, trouble.of_health(health, days))
        store.records.keep_health(
            [
                SensorHealth(one.station_id, one.variable, start, end, json.dumps(asdict(one), ensure_ascii=False))
                for one in health.sensors
            ],
            whole=whole,
        )


def _show(health: Health) -> None:
    """Print the sensors for a person, the worst first."""
    counts = Counter(one.state for one in health.sensors)
    states = ", ".join(f"{counts[state]} {state}" for state in ("critical", "warning", "healthy"))
    print(f"{health.start} to {health.end}: {len(health.sensors)} sensors, {states}")
    header = (
        "station",
        "variable",
        "state",
        "complete",
        "missing",
        "stuck",
        "stalled",
        "drift a day",
        "noise",
        "correlation",
        "level",
        "last good",
        "since",
        "why",
    )
    table(header, [_row(one) for one in health.sensors])
    for exception in health.exceptions:
        print(f"exception: {exception}")


def _row(one: Sensor) -> tuple[str, ...]:
    unit = BY_NAME[one.variable].unit
    return (
        one.station_id,
        one.variable,
        one.state,
        f"{one.completeness:.0%}",
        f"{one.missing:.0%}",
        f"{one.stuck:.0%}",
        "-" if one.stalled is None else f"{one.stalled:.0%}",
        "-" if one.drift_per_day is None else f"{one.drift_per_day:+.2f} {unit}",
        "-" if one.noise is None else f"{one.noise:.2f} {unit}",
        "-" if one.correlation is None else f"{one.correlation:.2f}",
        "-" if one.level is None else f"{one.level:+.1f} {unit}",
        one.last_good or "never",
        one.since or "-",
        "; ".join(fault.reason for fault in one.faults) or "-",
    )
