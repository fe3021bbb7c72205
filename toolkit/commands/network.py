"""`weather-tool network`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from toolkit.cli.options import add_setting, window_end
from toolkit.cli.show import working
from toolkit.files import free_name, write_atomically
from toolkit.performance.month import FOLDER, month
from toolkit.report_json import as_json
from toolkit.settings import Loaded, Settings
from toolkit.store import Selection, open_for_reading
from toolkit.times import from_epoch

EXAMPLES = (
    "weather-tool network",
    "weather-tool network --month 2026-10 --html october.html",
    "weather-tool network --month 2026-10 --station volos --json",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--month", default="LAST", metavar="MONTH", help="YYYY-MM in UTC, or LAST: the newest that is over (default)"
    )
    parser.add_argument("--station", metavar="ID", help="this station alone")
    parser.add_argument(
        "--save", nargs="?", const="", metavar="PATH",
        help=f"also write it as JSON, into the folder {FOLDER} of the folder of reports or to PATH; strftime codes in "
        "PATH are filled in, of the month's beginning",
    )  # fmt: skip
    parser.add_argument(
        "--html", nargs="?", const="", metavar="PATH",
        help="also write it as a page; where to, as above, and into the folder with an index of all months",
    )  # fmt: skip
    parser.add_argument(
        "--allow-short-history",
        action="store_true",
        help="no failure while the store is younger than the month: for a service that was just deployed",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON and not as Markdown")
    add_setting(parser, "--db", "db", "DATABASE")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Compute how the network performed."""
    from toolkit.page.network import add, page
    from toolkit.performance.markdown import markdown
    from toolkit.performance.run import NoObservationsError, performance

    with open_for_reading(loaded.settings.db) as store, store.snapshot(), working("computing the month"):
        chosen = month(args.month, window_end("NOW", store.newest()))
        try:
            report = performance(store, loaded.settings, chosen, args.station)
        except NoObservationsError as none:
            if args.allow_short_history and store.newest() and not store.count(Selection(end=chosen.end)):
                print(f"no report: {none}", file=sys.stderr)
                return 0
            raise
    moment = from_epoch(chosen.start)
    if args.save is not None:
        path = free_name(*_place(args.save, loaded.settings, "json"), moment)
        write_atomically(path, map(str.encode, as_json(report)))
        print(f"report: {path}", file=sys.stderr)
    if args.html is not None:
        path = free_name(*_place(args.html, loaded.settings, "html"), moment)
        if args.html:
            write_atomically(path, page(report))
        else:
            add(report, path)
        print(f"page: {path}", file=sys.stderr)
    sys.stdout.writelines(as_json(report) if args.json else [markdown(report)])
    return 0


def _place(given: str, settings: Settings, kind: str) -> tuple[Path, str]:
    """The folder and the name of a file: those that were given, or the month in the folder of reports."""
    return (Path(), given) if given else (Path(settings.reports) / FOLDER, f"network_%Y-%m.{kind}")
