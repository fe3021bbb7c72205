"""`weather-tool restore`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from toolkit.backup import collector
from toolkit.backup.folder import Folder
from toolkit.backup.restoring import Restored, restore, undo
from toolkit.collector.spool import Spool
from toolkit.errors import ToolkitError, UsageError
from toolkit.options import add_setting
from toolkit.settings import Loaded, Settings, is_postgresql, spool_folder


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", metavar="LATEST|NAME", help="a backup's name or path, or LATEST for the newest")
    parser.add_argument(
        "--discard-newer",
        action="store_true",
        help="do not take over what the replaced database has beyond the backup",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_setting(parser, "--folder", "backups", "PATH")
    add_setting(parser, "--db", "db", "DATABASE")
    parser.epilog = "As root it stops the collector meanwhile, and waits until it stores again."


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Restore."""
    settings = loaded.settings
    if is_postgresql(settings.db):
        raise UsageError(f"{settings.db} is a PostgreSQL database: this version restores SQLite; use pg_restore")
    db = Path(settings.db)
    if not db.parent.is_dir():
        raise ToolkitError(f"there is no folder {db.parent} to restore into")
    collector.become_the_service_user()
    with collector.stopped() as was_running:
        done = _restore(args, settings, db)
        started = time.time()
    if was_running and not collector.stores_again(db, started):
        _undo(db, done)
    _show(args, db, done, was_running)
    return 0


def _restore(args: argparse.Namespace, settings: Settings, db: Path) -> Restored:
    # Its lock is how a collector is told from none, whoever started it.
    try:
        spool = Spool(spool_folder(settings), settings.spool_mib << 20)
    except ToolkitError as error:
        raise ToolkitError(f"{error}: systemctl stop weather-collector.service") from None
    try:
        return restore(Folder(settings.backups), args.name, db, merge=not args.discard_newer)
    finally:
        spool.close()


def _undo(db: Path, done: Restored) -> None:
    with collector.stopped():
        if done.replaced:
            undo(db, done.replaced)
    back = "; the old database is back in its place" if done.replaced else ""
    raise ToolkitError(
        f"the collector stored nothing for {collector.HEALTHY_SECONDS} s after {done.backup.name} was restored{back}: "
        "journalctl -u weather-collector.service"
    )


def _show(args: argparse.Namespace, db: Path, done: Restored, was_running: bool) -> None:
    held = done.backup.manifest.content
    if args.json:
        told = {
            "backup": done.backup.name, "observations": held.observations, "merged": done.merged,
            "unreadable": done.unreadable, "replaced": str(done.replaced) if done.replaced else None,
            "collector": "stores again" if was_running else "was not running",
        }  # fmt: skip
        print(json.dumps(told, indent=1))
        return
    print(f"{db} is {done.backup.name} with {held.observations} observations, the newest of {held.last} UTC")
    if done.merged:
        print(f"{done.merged} observations were taken over from the database that it replaced")
    for stretch in done.unreadable:
        print(f"could not be read in the database that it replaced: {stretch}")
    if done.replaced:
        print(f"what it replaced is in {done.replaced}: remove it when you are content")
    print("the collector stores again" if was_running else "start the collector: systemctl start weather-collector")
