"""`weather-tool report`."""

from __future__ import annotations

import argparse
from pathlib import Path

from toolkit import times
from toolkit.commands.detect import page
from toolkit.options import add_setting, add_window_end, epoch
from toolkit.settings import Loaded
from toolkit.store import open_for_reading

EXAMPLES = (
    "weather-tool report --html network.html",
    "weather-tool report --html night.html --end 2026-01-31T06:00Z --window 12",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--html",
        required=True,
        metavar="PATH",
        help="the page's file; strftime codes are filled in, in UTC. An index of the pages beside it is written too",
    )
    add_window_end(parser)
    add_setting(parser, "--window", "window_hours", "HOURS")
    add_setting(parser, "--db", "db", "DATABASE")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Judge the window, without a record of it in the store, and write the page."""
    from toolkit.detector.run import detect

    end = epoch(args.end, "--end")
    with open_for_reading(loaded.settings.db) as store:
        report = detect(store, loaded.settings, end)
    page(loaded.settings, report, Path(times.now().strftime(args.html)))
    return 0
