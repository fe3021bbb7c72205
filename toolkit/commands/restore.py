"""`weather-tool restore`."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from dataclasses import asdict

from toolkit.backup import collector
from toolkit.backup.drill_record import Drill
from toolkit.backup.drilling import drill
from toolkit.backup.folder import Folder
from toolkit.backup.restorer import Restored, restorer_of
from toolkit.backup.restoring import restore
from toolkit.checks.host import Host
from toolkit.checks.remedies import Logs, Remedy, Restore, Start, Stop
from toolkit.checks.targets import target_of
from toolkit.cli.options import add_setting, add_wait
from toolkit.cli.show import working
from toolkit.collector.spool import held
from toolkit.database import Database
from toolkit.errors import InUseError, ToolkitError, UsageError
from toolkit.locking import writing
from toolkit.settings import Loaded, Settings, spool_folder

EXAMPLES = (
    "weather-tool restore LATEST --drill",
    "sudo weather-tool restore LATEST",
    "sudo weather-tool restore weather_20260131_040012.db.zst --discard-newer",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "name",
        nargs="?",
        metavar="LATEST|NAME",
        help="a backup's name or path, or LATEST for the newest; also a weather_….db.gz of the guide's script",
    )
    parser.add_argument(
        "--drill",
        action="store_true",
        help="only a drill: restore LATEST, or NAME, into a scratch place, look at all of it, run a detection on it",
    )
    parser.add_argument(
        "--discard-newer",
        action="store_true",
        help="do not take over what the replaced database has beyond the backup",
    )
    parser.add_argument(
        "--timezone",
        metavar="ZONE",
        help="whose local time a weather_….db.gz has, such as Europe/Athens; default: this host's",
    )
    add_wait(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_setting(parser, "--folder", "backups", "PATH")
    add_setting(parser, "--db", "db", "DATABASE")
    parser.epilog = "As root it stops the collector meanwhile, and waits until it stores again."


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Restore."""
    settings, folder = loaded.settings, Folder(loaded.settings.backups)
    collector.become_the_service_user()
    if args.drill:
        with folder.locked(patience=args.wait), working("drilling a restore"):
            done = drill(folder, args.name or "LATEST", settings)
        _show_drill(args, done)
        return 0
    if not args.name:
        raise UsageError("which backup? give LATEST, or a name that weather-tool backup list shows")
    host = Host(loaded)
    # The locks come first: if another command holds them, nothing must be stopped or started.
    with folder.locked(patience=args.wait), writing(spool_folder(settings), alone=True):
        with collector.stopped() as was_running:
            restored = _restore(args, settings, folder, host)
            before = collector.cycles(settings.db) if was_running else 0
        if was_running and not collector.stores_again(settings.db, before):
            _undo(settings.db, folder, restored, host)
    _show(args, settings.db, restored, "" if was_running else Start("collector").render(target_of(host)))
    return 0


def _restore(args: argparse.Namespace, settings: Settings, folder: Folder, host: Host) -> Restored:
    # Whoever started it, a collector that runs holds the lock of the spool.
    with ExitStack() as alone:
        try:
            alone.enter_context(held(spool_folder(settings)))
        except InUseError as error:
            remedy: Remedy = Restore(args.name) if host.contained else Stop("collector")
            raise ToolkitError(f"{error}: {remedy.render(target_of(host))}") from None
        with working(f"restoring {args.name}"):
            return restore(folder, args.name, settings.db, merge=not args.discard_newer, zone=args.timezone)


def _undo(db: Database, folder: Folder, done: Restored, host: Host) -> None:
    with collector.stopped():
        if done.replaced:
            restorer_of(db).undo(folder, db, done.replaced)
    back = "; the old database is back in its place" if done.replaced else ""
    raise ToolkitError(
        f"the collector stored nothing for {collector.HEALTHY_SECONDS} s after {done.backup.name} was restored{back}: "
        + Logs("collector", lines=None).render(target_of(host))
    )


def _show(args: argparse.Namespace, db: Database, done: Restored, then: str) -> None:
    """Report what was done; `then` is the command that starts the collector, empty if it stores again."""
    held = done.backup.manifest.content
    if args.json:
        report = {
            "backup": done.backup.name, "observations": held.observations, "merged": done.merged,
            "unreadable": done.unreadable, "replaced": str(done.replaced) if done.replaced else None,
            "collector": "was not running" if then else "stores again",
        }  # fmt: skip
        print(json.dumps(report, indent=1))
        return
    print(f"{db} is {done.backup.name} with {held.observations} observations, the newest of {held.last} UTC")
    if done.merged:
        print(f"{done.merged} observations were taken over from the database that it replaced")
    for part in done.unreadable:
        print(f"could not be read in the database that it replaced: {part}")
    if done.replaced:
        print(f"what it replaced is in {done.replaced}: remove it when you are content")
    print(f"start the collector: {then}" if then else "the collector stores again")


def _show_drill(args: argparse.Namespace, done: Drill) -> None:
    if args.json:
        print(json.dumps(asdict(done), indent=1))
        return
    found = "" if done.anomalies is None else f", a detection on them found {done.anomalies} anomalies"
    print(f"{done.backup} can be restored: {done.observations} observations in {done.restore_seconds:.1f} s{found}")
    if done.offsite:
        print("the off-site copies are whole")
