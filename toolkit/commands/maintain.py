"""`weather-tool maintain`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from toolkit.cli.options import add_setting
from toolkit.locking import writing
from toolkit.settings import Loaded, spool_folder
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.retention import Retention, maintain

EXAMPLES = (
    "weather-tool maintain --dry-run",
    "weather-tool maintain --data-days 730",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_setting(parser, "--data-days", "data_days", "DAYS")
    add_setting(parser, "--log-days", "log_days", "DAYS")
    add_setting(parser, "--report-days", "report_days", "DAYS")
    add_setting(parser, "--db", "db", "DATABASE")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Remove what is too old, and keep the database in shape."""
    settings = loaded.settings
    keep = Retention(settings.data_days, settings.log_days, settings.report_days, settings.page_days)
    # Opened for reading first: this command must not make a database that is not there.
    with open_for_reading(settings.db) as looking:
        looking.newest()
    with writing(spool_folder(settings)), open_for_writing(settings.db, begin=False) as store:
        removed = maintain(store, Path(settings.reports), keep, time.time(), args.dry_run)
    if args.json:
        print(json.dumps(removed._asdict()))
    else:
        verb = "would remove" if args.dry_run else "removed"
        log_lines = "" if args.dry_run else f"{removed.log_lines} lines of the collector's log, "
        print(f"{verb} {removed.observations} observations, {log_lines}{removed.reports} reports")
    return 0
