"""`weather-tool report`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from toolkit import times
from toolkit.cli.options import add_setting, add_window_end, window_end
from toolkit.cli.show import working
from toolkit.files import free_name, write_atomically
from toolkit.settings import Loaded
from toolkit.store import open_for_reading

EXAMPLES = (
    "weather-tool report --html - > network.html",
    "weather-tool report --html night.html --end 2026-01-31T06:00Z --window 12",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--html",
        required=True,
        metavar="PATH",
        help="the page's file, or - for standard output; strftime codes are filled in, in UTC",
    )
    add_window_end(parser)
    add_setting(parser, "--window", "window_hours", "HOURS")
    add_setting(parser, "--db", "db", "DATABASE")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Look for anomalies in the window, without a record in the store, and write the page."""
    from toolkit.detector.run import detect
    from toolkit.page.writing import page

    window_end(args.end, None)  # a wrong time is an error before the database is opened
    with open_for_reading(loaded.settings.db) as store, store.snapshot(), working("drawing the page"):
        newest = store.newest()
        report = detect(store, loaded.settings, window_end(args.end, newest))
        html = page(store, loaded.settings, report, window_end("NOW", newest))
    if args.html == "-":
        print(html)
        return 0
    path = free_name(Path(), args.html, times.now())
    write_atomically(path, html)
    print(f"page: {path}", file=sys.stderr)
    return 0
