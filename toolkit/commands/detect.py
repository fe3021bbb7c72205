"""`weather-tool detect`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from toolkit import clock, times
from toolkit.cli.options import add_setting, add_window_end, window_end
from toolkit.cli.show import coloured, progress, table
from toolkit.detector.report import Anomaly, Report
from toolkit.errors import ToolkitError, UsageError
from toolkit.files import free_name, write_atomically
from toolkit.report_json import as_json
from toolkit.settings import Loaded, Settings
from toolkit.store import Selection, Span, Store, open_for_reading, open_for_writing
from toolkit.variables import BY_NAME

PAINT = {"device_failure": "bold red", "suspected": "yellow", "unverified": "dim", "weather_event": "blue"}

# How far back incidents are looked at again unless told otherwise, and at most.
DECISION_DAYS, MOST_DAYS = 90.0, 3660

EXAMPLES = (
    "weather-tool detect",
    "weather-tool detect --end NOW --window 6 --temporal-method arima --spatial-verify --json",
    "weather-tool detect --html page.html",
    "weather-tool detect --save --html",
    "weather-tool detect --against-decisions --days 30 --neighbour-km 60",
    "weather-tool detect --save /srv/reports/report_%Y%m%d_%H%M%S.json",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_window_end(parser)
    add_setting(parser, "--window", "window_hours", "HOURS")
    add_setting(parser, "--temporal-method", "detection_method", "METHOD")
    add_setting(parser, "--temporal-threshold", "temporal_threshold", "SIGMAS")
    add_setting(parser, "--variables", "detection_variables", "A,B")
    add_setting(parser, "--spatial-verify", "spatial_verify")
    add_setting(parser, "--correlation-threshold-high", "correlation_threshold_high", "R")
    add_setting(parser, "--correlation-threshold-low", "correlation_threshold_low", "R")
    add_setting(parser, "--minimum-data", "minimum_data", "SHARE")
    add_setting(parser, "--neighbour-km", "neighbour_km", "KM")
    add_setting(parser, "--neighbour-elevation-m", "neighbour_elevation_m", "METRES")
    add_setting(parser, "--exceptions", "exceptions", "JSON")
    add_setting(parser, "--dask", "dask", "ADDRESS")
    add_setting(parser, "--db", "db", "DATABASE")
    parser.add_argument("--station", metavar="ID", help="judge this station alone")
    parser.add_argument(
        "--save", nargs="?", const="", metavar="PATH",
        help="also write the report as JSON, into the folder of reports or to PATH; strftime codes in PATH are filled "
        "in, in UTC",
    )  # fmt: skip
    parser.add_argument(
        "--html", nargs="?", const="", metavar="PATH",
        help="also write it as a page, and an index of the pages beside it; where to, as above",
    )  # fmt: skip
    parser.add_argument(
        "--record",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep what was found in the store's tables of anomalies and incidents (default: yes)",
    )
    parser.add_argument(
        "--allow-short-history",
        action="store_true",
        help="no failure while the store is younger than the window: for a service that was just deployed",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--against-decisions",
        action="store_true",
        help="look again at the time of incidents of which people said what they were, with the settings given here: "
        "which would have been found or missed, and which that were dismissed would not have been; nothing is written",
    )
    parser.add_argument(
        "--days", type=float, metavar="N", help="with --against-decisions: how far back to look (default: 90)"
    )


def _judging_by(settings: Settings) -> AbstractContextManager[Callable[[int], dict[str, Any]]]:
    """By what pieces of a network are judged; nothing of a cluster is loaded where the settings name none."""
    if settings.dask is None:
        return nullcontext(lambda _stations: {})
    from toolkit.cluster.judging import judging_by

    return judging_by(settings.dask)


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Detect."""
    if loaded.settings.dask:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in workers; before numpy is loaded
    from toolkit.detector.run import detect

    if args.days is not None and not (args.against_decisions and 1 <= args.days <= MOST_DAYS):
        raise UsageError(f"--days={args.days:g}: give a number from 1 to {MOST_DAYS}, with --against-decisions")
    if args.against_decisions:
        return _against_decisions(args, loaded.settings)
    window_end(args.end, None)  # a wrong time is an error before the database is opened
    with open_for_reading(loaded.settings.db) as store, store.snapshot(), _judging_by(loaded.settings) as by:
        newest = store.newest()
        now, end = window_end("NOW", newest), window_end(args.end, newest)
        report = detect(store, loaded.settings, end, args.station, **by(len(store.numbers())))
        early = args.allow_short_history and not report.stations.with_data and _starts_within(store, report)
    moment = times.from_epoch(now)
    if args.save is not None:
        path = _path(args.save, loaded.settings, moment, "json")
        write_atomically(path, map(str.encode, as_json(report)))
        _date(path, now)
        print(f"report: {path}", file=sys.stderr)
    if args.record:
        record(loaded.settings, report, now, [args.station] if args.station else None)
    if args.html is not None:
        path = _path(args.html, loaded.settings, moment, "html")
        _add_page(loaded.settings, report, now, path)
        _date(path, now)
        print(f"page: {path}", file=sys.stderr)
    if args.json:
        sys.stdout.writelines(as_json(report))
    else:
        _show(report)
    if not report.stations.with_data and not early:
        gap = f"; the newest observation is of {newest} UTC" if newest else ""
        reasons = "; ".join(f"{one.station_id}: {one.reason}" for one in report.insufficient[:3])
        raise ToolkitError(
            f"none of {report.stations.total} stations has enough data in the {report.window.hours:g} hours "
            f"up to {report.window.end}{gap}" + (f": {reasons}" if reasons else "")
        )
    return 0


def _against_decisions(args: argparse.Namespace, settings: Settings) -> int:
    """Look again at the time of incidents that people decided of."""
    from toolkit.incidents import forms, replaying

    for flag, given in (("--save", args.save), ("--html", args.html), ("--station", args.station)):
        if given is not None:
            raise UsageError(f"{flag} means nothing with --against-decisions, which writes nothing and looks at all")
    with open_for_reading(settings.db) as store, store.snapshot():
        end = window_end(args.end, store.newest())
        known = replaying.decided(store, end - (args.days or DECISION_DAYS) * 86400)
        windows = replaying.windows_of(known, settings, end)
        with progress("detecting", len({end for some in windows.values() for end in some})) as advance:
            found = replaying.replay(store, settings, known, windows, advance)
    if args.json:
        form = {
            "runs": found.runs,
            **{outcome.replace(" ", "_"): found.count(outcome) for outcome in replaying.OUTCOMES},
            "others": found.others,
            "incidents": [
                {**forms.of_incident(one.incident), "outcome": one.outcome, "told": one.reason}
                for one in found.incidents
            ],
        }
        print(json.dumps(form, indent=1, ensure_ascii=False))
        return 0
    if not found.incidents:
        raise ToolkitError(
            f"of no incident of the last {args.days or DECISION_DAYS:g} days has anybody said what it was: "
            "weather-tool incidents resolve and dismiss do"
        )
    counted = ", ".join(f"{found.count(outcome)} {outcome}" for outcome in replaying.OUTCOMES)
    print(f"{len(found.incidents)} incidents, {found.runs} windows: {counted}; {found.others} sensors besides")
    table(
        ("incident", "station", "variable", "since", "people say", "with these settings", "why"),
        [
            (
                one.incident.id,
                one.incident.station_id or "network",
                one.incident.variable,
                times.iso_of(one.incident.started),
                one.incident.verdict,
                one.outcome,
                one.reason or "-",
            )
            for one in found.incidents
        ],
    )
    return 0


def _date(path: Path, now: float) -> None:
    """Set the date of a file that was written while the host's clock was behind, because retention goes by it."""
    if now - time.time() > clock.AGREE_SECONDS:
        os.utime(path, (now, now))


def _path(given: str, settings: Settings, moment: datetime, kind: str) -> Path:
    """Where a report goes: the path that was given, or a file in the folder of reports.

    strftime codes are filled in, but not in the name of that folder.
    """
    if given:
        return free_name(Path(), given, moment)
    return free_name(Path(settings.reports), f"report_%Y%m%d_%H%M%S.{kind}", moment)


def _add_page(settings: Settings, report: Report, now: float, path: Path) -> None:
    """Write a report as a page, and write the index of the pages beside it anew."""
    from toolkit.page.writing import add

    with open_for_reading(settings.db) as store:
        add(store, settings, report, now, path)


def _starts_within(store: Store, report: Report) -> bool:
    """Whether the store is younger than the window: a service that was just deployed."""
    return store.newest() is not None and not store.count(Selection(end=times.epoch_of(report.window.start)))


def record(settings: Settings, report: Report, at: float, only: list[str] | None) -> None:
    """Keep a report in the store: its anomalies, those of a fault that lasts as one row; incidents; flags of values.

    Args:
        settings: the database, and how incidents are kept.
        report: what was found.
        at: the present, seconds since the epoch.
        only: the stations that were judged; None for all.

    Raises:
        StoreError: they could not be kept.
    """
    from toolkit.detector.run import judged_variables
    from toolkit.flagging import reported
    from toolkit.incidents import trouble
    from toolkit.incidents.bookkeeping import keep
    from toolkit.incidents.planning import Run
    from toolkit.incidents.tracing import traced

    window = Span(times.epoch_of(report.window.start), times.epoch_of(report.window.end))
    with open_for_reading(settings.db) as store, store.snapshot():
        troubles = traced(store, settings, window, trouble.of_report(report))
    began = {
        (one.sensor.station_id, one.sensor.variable): one.started
        for one in troubles
        if one.kind != "data_missing" and one.started <= window.start
    }
    with open_for_writing(settings.db, begin=False) as store, store.transaction():
        stations = only or [station.station_id for station in store.stations()]
        store.record(window, stations, [one.stored() for one in report.anomalies])
        variables = judged_variables(settings)
        judged = trouble.judged_by(report, stations, variables)
        run = Run("detector", *window, judged, at, whole=only is None)
        keep(store, settings, run, troubles)
        reported.keep(store, report, at, variables, only=only, began=began)


def _show(report: Report) -> None:
    """The report for a person."""
    print(f"{report.window.start} to {report.window.end}, {report.method}: {_counted(report)}")
    if sys.stdout.isatty():
        for anomaly in report.anomalies:
            _at_length(anomaly)
    elif report.anomalies:
        table(
            ("station", "variable", "from", "to", "value", "expected", "score", "class", "confidence", "reason"),
            [
                (
                    anomaly.station_id,
                    anomaly.variable,
                    anomaly.start,
                    anomaly.end,
                    _number(anomaly.value, anomaly.variable),
                    _number(anomaly.expected, anomaly.variable),
                    "-" if anomaly.score is None else f"{anomaly.score:g}",
                    anomaly.class_,
                    "-" if anomaly.confidence is None else f"{anomaly.confidence:.2f}",
                    anomaly.reason,
                )
                for anomaly in report.anomalies
            ],
        )
    for anomaly in report.anomalies:
        if anomaly.class_ == "device_failure" and anomaly.neighbours:
            _side_by_side(anomaly)
    for one in report.insufficient:
        print(f"not judged: {one.station_id}: {one.reason}")
    for exception in report.exceptions:
        print(f"exception: {exception}")


def _at_length(one: Anomaly) -> None:
    """An anomaly for a terminal of any width, laid out as the doctor's findings."""
    coloured(f"{one.class_}  {one.station_id}, {one.variable}, {_when(one)}", PAINT[one.class_])
    told = {
        "": None if one.value is None else _number(one.value, one.variable),
        "expected ": None if one.expected is None else _number(one.expected, one.variable),
        "score ": None if one.score is None else f"{one.score:g}",
        "confidence ": None if one.confidence is None else f"{one.confidence:.2f}",
    }
    if any(told.values()):
        print("    " + ", ".join(f"{what}{value}" for what, value in told.items() if value is not None))
    print(f"    {one.reason}")


def _when(one: Anomaly) -> str:
    """`2026-11-24 21:50 to 22:10`: the day only once where both are of one day, one time where both are one."""
    start, end = (text.replace("T", " ")[:16] for text in (one.start, one.end))
    return start if start == end else f"{start} to {end if start[:10] != end[:10] else end[11:]}"


def _side_by_side(anomaly: Anomaly) -> None:
    """What a failing device and its neighbours measured when it was farthest off."""
    print(f"\n{anomaly.station_id} and its neighbours, {anomaly.variable}:")
    rows = [(anomaly.station_id, "-", _number(anomaly.value, anomaly.variable), "-", "-")]
    rows += [
        (
            one.station_id,
            f"{one.distance_km:g} km",
            _number(one.value, anomaly.variable),
            _number(one.implies, anomaly.variable),
            "-" if one.correlation is None else f"{one.correlation:g}",
        )
        for one in anomaly.neighbours
    ]
    table(("station", "distance", "value", f"implies for {anomaly.station_id}", "correlation"), rows)


def _number(value: float | None, variable: str) -> str:
    return "-" if value is None else f"{value:g} {BY_NAME[variable].unit}"


def _counted(report: Report) -> str:
    stations = report.stations
    judged = f"{stations.with_data} of {stations.total} stations judged"
    return f"{judged}, {len(report.anomalies)} anomalies at {stations.anomalous}"
