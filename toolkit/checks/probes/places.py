"""Checks that the service's files and folders are no links, pipes or devices.

They come before all other checks of files: the remedies of those name paths, and are to touch nothing else.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.database import have_backup
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CURRENT
from toolkit.checks.host.files import access_refused, instead_of_a_file
from toolkit.checks.remedies import (
    AsRoot,
    AsUser,
    OnMachine,
    Remedy,
    Restart,
    Restore,
    Sequence,
    Shell,
    Start,
    Stop,
    Tool,
    owned,
)

# How many entries of a folder are looked at, and how many places one remedy mends.
MOST_ENTRIES = 2000
MOST_MENDED = 5
# What a file system has in its topmost folder, where it is mounted on one of the service's.
_OF_FILE_SYSTEM = {"lost+found", ".snapshot", ".snapshots", "aquota.user", "aquota.group"}


_SHOW = Shell("ls -laR /var/lib/weather /var/log/weather /var/backups/weather")


@check(
    id="places-plain", area="permissions",
    invariant="The service's files and folders are no links, pipes or devices.",
    problem="A link, pipe or device is in the place of a file or folder of the service.",
    severity=Status.CRITICAL, remedy=_SHOW,
)  # fmt: skip
def places_plain(host: Host) -> Finding | None:
    places = _places(host)
    wrong = [(path, is_folder, what) for path, is_folder in places if (what := _instead(host, path, is_folder))]
    if wrong:
        said = [f"{path} is {what}, not a {'folder' if is_folder else 'file'}" for path, is_folder, what in wrong]
        mends = [_mended(host, path, is_folder) for path, is_folder, _ in wrong[:MOST_MENDED]]
        return bad("; ".join(said[:3]), Sequence(*dict.fromkeys(mends)))
    if not host.on_server and (found := host.look(host.db)) and found.st_nlink > 1:
        return bad(
            f"{host.db} has another name as well: what is done to that is done to it",
            Shell("find {} -xdev -samefile {}", host.mount(host.db), host.db), Status.WARNING,
        )  # fmt: skip
    return good(f"{len(places)} files and folders are what they seem")


def _instead(host: Host, path: Path, is_folder: bool) -> str:
    """What is there instead of a file or folder; empty where it is one, or nothing is there."""
    what = instead_of_a_file(path)
    found = None if what else host.look(path)
    if found and stat.S_ISDIR(found.st_mode) != is_folder:
        return "a file" if is_folder else "a folder"
    return what


def _places(host: Host) -> list[tuple[Path, bool]]:
    """What the service writes to, the outermost first, and whether it is a folder."""
    backups, reports = Path(host.settings.backups), Path(host.settings.reports)
    folders = [backups, reports, host.spool] if host.on_server else [host.db.parent, backups, reports, host.spool]
    if host.deployed:
        folders = [reports.parent, *folders]
    files = [host.spool / "lock", host.spool / "database", backups / ".lock", backups / "drill.json"]
    if not host.on_server:
        files = [host.db.with_name(host.db.name + ending) for ending in ("", "-wal", "-shm", "-journal")] + files
    for folder, pattern in ((backups, "weather_"), (host.spool, "0"), (reports, "report_"), (reports, "index.")):
        files += _entries(folder, pattern)
    files += [path for path in _entries(reports.parent, "") if path.suffix == ".log"]
    return [(path, True) for path in folders] + [(path, False) for path in files if path not in folders]


def _entries(folder: Path, beginning: str) -> list[Path]:
    """Entries of a folder whose names begin so and that are no plain files."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(MOST_ENTRIES), entries, strict=False):
                if entry.name.startswith(beginning) and not entry.is_file(follow_symlinks=False):
                    found.append(Path(entry.path))
    except OSError:
        pass  # the checks of the folder itself say so
    return found


def _mended(host: Host, path: Path, is_folder: bool) -> Remedy:
    """Take away what is in the place, and put back what was moved elsewhere or make it anew."""
    away = Shell("rm -- {}", path)
    if not path.is_symlink() and os.path.isdir(path):  # noqa: PTH112 - it raises nothing
        away = Shell("mv -T -- {} {}", path, path.with_name(f"wrong-{path.name}.moved"))  # no name of ours
    target, found = path, None
    if path.is_symlink():
        with suppress(OSError, RuntimeError):  # it leads in a circle, or to where this user may not look
            target = path.resolve()
            found = host.look(target)
    if found and host.user and found.st_uid == host.user.pw_uid and stat.S_ISDIR(found.st_mode) == is_folder:
        # The service's own, moved elsewhere: it comes back.
        return _without_collector(host, path, away, Shell("mv -T -- {} {}", target, path))
    if is_folder:
        mode = "0700" if path in {host.db.parent, Path(host.settings.backups), host.spool} else "0750"
        made = Shell("mkdir -m {} {}", mode, path), AsRoot("chown -h weather:weather {}", path)
        inside = [other for other, folder in _places(host) if folder and path in other.parents]
        return _without_collector(host, path, away, *made, *(AsUser("mkdir -m 0750 {}", other) for other in inside))
    if path == host.db and not host.on_server:
        return Sequence(away, Restore() if have_backup(host) else Tool("data new", note="if no copy is left anywhere"))
    return _without_collector(host, path, away)


def _without_collector(host: Host, path: Path, *remedies: Remedy) -> Remedy:
    """Remedies; the collector is stopped meanwhile if it writes to the place."""
    its = {host.spool} if host.on_server else {host.spool, host.db.parent}
    if its & {path, path.parent}:
        return Sequence(Stop("collector"), *remedies, Start("collector"))
    return Sequence(*remedies)


@check(
    id="places-open", area="permissions",
    invariant="No access list takes from the service user what owners and modes give it.",
    problem="An access list keeps the service user from one of its files or folders, whose mode looks right.",
    severity=Status.CRITICAL, remedy=_SHOW, caused_by=("service-user",),
)  # fmt: skip
def places_open(host: Host) -> Finding | None:
    if not host.deployed or host.user is None:
        return None
    settings = host.settings
    places = [host.settings_file, CURRENT, Path(settings.reports), Path(settings.backups)]
    if not host.on_server:
        places.append(host.db)
    for path in dict.fromkeys(one for place in places for one in (*reversed(place.parents), place)):
        if refused := access_refused(path, host.user):
            return bad(
                f"the access list (ACL) of {path} keeps the service user from it: {refused}",
                Sequence(OnMachine("setfacl --remove-all {}", path), Restart("collector", "exporter")),
            )
    return good("no access list keeps the service user from its files")


@check(
    id="places-owned", area="permissions",
    invariant="What is in the service's folders is the service user's.",
    problem="Something in the service's folders is not the service user's.",
    severity=Status.WARNING, remedy=_SHOW,
    caused_by=(
        "places-plain", "data-folder", "backup-folder", "reports-folder", "database-owner", "spool-usable",
        "disk-data-space", "disk-data-inodes", "disk-backups-space", "disk-logs-space", "files-alone",
    ),
)  # fmt: skip
def places_owned(host: Host) -> Finding | None:
    """Look for what the service could neither replace nor remove."""
    if not host.deployed or host.user is None:
        return None
    folders = [host.spool, Path(host.settings.backups), Path(host.settings.reports)]
    if not host.on_server:
        folders.append(host.db.parent)
    foreign: list[Path] = []
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            foreign += [
                Path(entry.path)
                for _, entry in zip(range(MOST_ENTRIES), entries, strict=False)
                if entry.name not in _OF_FILE_SYSTEM and entry.stat(follow_symlinks=False).st_uid != host.user.pw_uid
            ]
    if foreign:
        shown = ", ".join(map(str, foreign[:3])) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        several = [*dict.fromkeys(path.parent for path in foreign)]
        given = owned(several) if len(foreign) > MOST_MENDED else AsRoot("chown -h weather:weather {}", foreign)
        return bad(f"not the service user's: {shown}", given)
    return good("all in the service's folders is its own")
