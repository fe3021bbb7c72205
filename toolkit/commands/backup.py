"""`weather-tool backup`."""

from __future__ import annotations

import argparse
import json
import logging
import platform
from collections.abc import Sequence

from toolkit import clock
from toolkit.backup import offsite
from toolkit.backup.creating import create, verify
from toolkit.backup.folder import Backup, Folder
from toolkit.backup.manifest import DamagedError
from toolkit.backup.pruning import Keep, prune
from toolkit.cli.options import add_setting, add_wait
from toolkit.cli.show import progress, table, working
from toolkit.errors import ToolkitError, UsageError
from toolkit.settings import Loaded, Settings

log = logging.getLogger(__name__)

EXAMPLES = (
    "weather-tool backup list",
    "weather-tool backup create --prune",
    "weather-tool backup verify LATEST",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser(
        "create", help="make one", description="Make a verified backup, also of a database in use."
    )
    make.add_argument("--prune", action="store_true", help="and remove, if it could be made, those that are too old")
    add_wait(make)
    show = actions.add_parser("list", help="what there is", description="Show the backups, the newest first.")
    check = actions.add_parser("verify", help="read them back", description="Read backups back, all of each.")
    check.add_argument("name", nargs="?", metavar="NAME", help="a backup's name or path, or LATEST; default: all")
    remove = actions.add_parser(
        "prune",
        help="remove old ones",
        description="Remove backups that are not to be kept. The newest that is whole and the last made always stay.",
    )
    remove.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    bring = actions.add_parser(
        "fetch", help="bring them back", description="Bring the off-site copies of backups back into the folder."
    )
    bring.add_argument("--host", default=platform.node(), metavar="NAME", help="whose; default: this host's")
    for one in (make, remove):
        add_setting(one, "--keep-daily", "backup_keep_daily", "N")
        add_setting(one, "--keep-weekly", "backup_keep_weekly", "N")
        add_setting(one, "--keep-monthly", "backup_keep_monthly", "N")
    add_setting(make, "--db", "db", "DATABASE")
    for one in (make, show, check, remove, bring):
        add_setting(one, "--folder", "backups", "PATH")
        one.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Run the action."""
    actions = {"create": _create, "list": _list, "verify": _verify, "prune": _prune, "fetch": _fetch}
    return actions[args.action](args, loaded.settings, Folder(loaded.settings.backups))


def _create(args: argparse.Namespace, settings: Settings, folder: Folder) -> int:
    removed: list[Backup] = []
    with folder.locked(patience=args.wait):
        with working("making a backup"):
            made = create(folder, settings.db)
        if args.prune:
            try:
                removed = prune(folder, _keep(settings), made=made).removed
            except clock.DisagreementError as error:
                log.warning("%s", error)  # the new backup is there all the same
        if copies := offsite.configured(settings):
            copies.copy(folder, _keep(settings))
    if args.json:
        print(
            json.dumps(
                {**made.manifest.as_dict(), "pruned": [one.name for one in removed]}, indent=1, ensure_ascii=False
            )
        )
    else:
        print(_line(made))
        _removed(removed, "removed")
        if copies:
            print(f"copied to {copies.repository}")
    return 0


def _list(args: argparse.Namespace, _settings: Settings, folder: Folder) -> int:
    backups, damaged = folder.look()
    if args.json:
        listed = [
            *(one.manifest.as_dict() for one in backups),
            *({"file": one.name, "damaged": one.wrong} for one in damaged),
        ]
        print(json.dumps(listed, indent=1, ensure_ascii=False))
    elif backups or damaged:
        header = ("backup", "taken", "MB", "observations", "first", "last", "damaged")
        table(header, [*map(_row, backups), *((one.name, "-", "-", "-", "-", "-", one.wrong) for one in damaged)])
    else:
        print(f"there is no backup in {folder.path}: weather-tool backup create")
    return 0


def _verify(args: argparse.Namespace, _settings: Settings, folder: Folder) -> int:
    wrong: dict[str, str] = {}
    unread: set[str] = set()  # for lack of space, say: such a backup may be whole
    with folder.locked():
        backups, damaged = folder.look()
        if args.name:
            backups, damaged = [folder.find(args.name)], []
        if not backups and not damaged:
            raise ToolkitError(f"there is no backup in {folder.path}: weather-tool backup create")
        for one in damaged:
            wrong[one.name] = f"{one.name}: {one.wrong}"
        with progress("verifying", len(backups)) as advance:
            for each in backups:
                try:
                    verify(folder, each)
                except DamagedError as error:
                    wrong[each.name] = str(error)
                except ToolkitError as error:
                    wrong[each.name] = f"{each.name} cannot be read back: {error}"
                    unread.add(each.name)
                advance(1)
    if args.json:
        names = [each.name for each in backups] + [one.name for one in damaged]
        print(json.dumps([{"file": name, "damaged": wrong.get(name)} for name in names], indent=1, ensure_ascii=False))
    else:
        for each in backups:
            if each.name not in wrong:
                print(f"whole: {_line(each)}")
        for name, reason in wrong.items():
            print(f"{'unknown' if name in unread else 'damaged'}: {reason}")
    if wrong:
        raise ToolkitError(f"{len(wrong)} of {len(backups) + len(damaged)} backups cannot be restored")
    return 0


def _prune(args: argparse.Namespace, settings: Settings, folder: Folder) -> int:
    with folder.locked():
        pruned = prune(folder, _keep(settings), dry_run=args.dry_run)
    if args.json:
        report = {
            what: [one.name for one in ones] for what, ones in pruned._asdict().items() if ones or what != "ahead"
        }
        print(json.dumps(report, indent=1))
    else:
        _removed(pruned.removed, "would remove" if args.dry_run else "removed")
        print(f"kept {len(pruned.kept)}")
        for one in pruned.damaged:
            print(f"damaged, left for you to look at: {one.name}")
        for one in pruned.ahead:
            print(f"dated in the future, left for you to look at: {one.name}")
    return 0


def _fetch(args: argparse.Namespace, settings: Settings, folder: Folder) -> int:
    copies = offsite.configured(settings)
    if not copies:
        raise UsageError("there is no off-site repository: set WEATHER_RESTIC_REPOSITORY")
    with folder.locked():
        fetched = copies.fetch(folder, args.host)
    if args.json:
        print(json.dumps(fetched, indent=1))
    else:
        for name in fetched:
            print(f"fetched {name}")
        print(f"{len(fetched)} backups came from {copies.repository}: weather-tool backup verify")
    return 0


def _keep(settings: Settings) -> Keep:
    return Keep(settings.backup_keep_daily, settings.backup_keep_weekly, settings.backup_keep_monthly)


def _removed(backups: Sequence[Backup], verb: str) -> None:
    for one in backups:
        print(f"{verb} {one.name}")


def _line(one: Backup) -> str:
    held = one.manifest.content
    return (
        f"{one.name}, {one.manifest.bytes / 1e6:.1f} MB, {held.observations} observations of {held.stations} stations"
        + (f" from {held.first} to {held.last} UTC" if held.last else "")
    )


def _row(one: Backup) -> tuple[object, ...]:
    made, held = one.manifest, one.manifest.content
    size = f"{made.bytes / 1e6:.1f}"
    return (one.name, made.created_at, size, held.observations, held.first or "-", held.last or "-", "-")
