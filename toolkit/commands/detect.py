"""`weather-tool detect`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from toolkit import times
from toolkit.detector.report import Anomaly, Report
from toolkit.detector.run import detect
from toolkit.errors import ToolkitError, UsageError
from toolkit.files import write_atomically
from toolkit.options import add_setting
from toolkit.settings import Loaded
from toolkit.show import table
from toolkit.store import open_for_reading
from toolkit.variables import BY_NAME


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--end",
        default="NOW",
        metavar="TIME",
        help="the window's end: NOW (default), or a time in ISO 8601; UTC without an offset",
    )
    add_setting(parser, "--window", "window_hours", "HOURS")
    add_setting(parser, "--temporal-method", "detection_method", "METHOD")
    add_setting(parser, "--variables", "detection_variables", "A,B")
    add_setting(parser, "--spatial-verify", "spatial_verify")
    add_setting(parser, "--db", "db", "DATABASE")
    parser.add_argument("--station", metavar="ID", help="judge this station alone")
    parser.add_argument(
        "--save", metavar="PATH", help="also write the report as JSON; strftime codes are filled in, in UTC"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.epilog = (
        "examples:\n"
        "  weather-tool detect\n"
        "  weather-tool detect --end NOW --window 6 --temporal-method arima --spatial-verify --json\n"
        "  weather-tool detect --save /var/log/weather/reports/report_%%Y%%m%%d_%%H%%M%%S.json"
    )


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Detect."""
    try:
        end = times.parse(args.end)
    except ValueError as error:
        raise UsageError(f"--end: {error}") from None
    with open_for_reading(loaded.settings.db) as store:
        report = detect(store, loaded.settings, end.timestamp(), args.station)
    if args.save:
        path = Path(times.now().strftime(args.save))
        write_atomically(path, report.as_json() + "\n")
        print(f"report: {path}", file=sys.stderr)
    if args.json:
        print(report.as_json())
    else:
        _show(report)
    if not report.stations.with_data:
        reasons = "; ".join(f"{one.station_id}: {one.reason}" for one in report.insufficient[:3])
        raise ToolkitError(
            f"none of {report.stations.total} stations has enough data in the {report.window.hours:g} hours "
            f"up to {report.window.end}" + (f": {reasons}" if reasons else "")
        )
    return 0


def _show(report: Report) -> None:
    """The report for a person."""
    print(f"{report.window.start} to {report.window.end}, {report.method}: {_counted(report)}")
    if report.anomalies:
        table(
            ("station", "variable", "from", "to", "value", "expected", "score", "class", "correlation (neighbours)"),
            [
                (
                    anomaly.station_id,
                    anomaly.variable,
                    anomaly.start,
                    anomaly.end,
                    f"{anomaly.value:g} {BY_NAME[anomaly.variable].unit}",
                    f"{anomaly.expected:g}",
                    f"{anomaly.score:g}",
                    anomaly.class_,
                    _asked(anomaly),
                )
                for anomaly in report.anomalies
            ],
        )
    for one in report.insufficient:
        print(f"not judged: {one.station_id}: {one.reason}")


def _asked(anomaly: Anomaly) -> str:
    if anomaly.correlation is None:
        return "-"
    return f"{anomaly.correlation:g} ({len(anomaly.neighbours)})"


def _counted(report: Report) -> str:
    stations = report.stations
    judged = f"{stations.with_data} of {stations.total} stations judged"
    return f"{judged}, {len(report.anomalies)} anomalies at {stations.anomalous}"
