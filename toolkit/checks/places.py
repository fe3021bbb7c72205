"""Checks that what the service writes to is what it seems: no link, pipe or device in the place of a file or folder.

They come before all others of files, for every remedy there names a path.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from toolkit.checks import Check, Finding, Status, bad, good
from toolkit.checks.host import COLLECTOR, Host
from toolkit.checks.mending import lies_at, quoted
from toolkit.collector import known_database

# Of a folder that has many entries.
MOST = 2000
MOST_MENDED = 5
# What a file system has in its topmost folder, where that is one of the service's.
_OF_FILE_SYSTEM = {"lost+found", ".snapshot", ".snapshots", "aquota.user", "aquota.group"}


def _plain(host: Host) -> Finding | None:
    places = _places(host)
    wrong = [(path, is_folder, what) for path, is_folder in places if (what := _instead(host, path, is_folder))]
    if wrong:
        said = [f"{path} is {what}, not a {'folder' if is_folder else 'file'}" for path, is_folder, what in wrong]
        mends = [_mended(host, path, is_folder) for path, is_folder, _ in wrong[:MOST_MENDED]]
        return bad("; ".join(said[:3]), " && ".join(dict.fromkeys(mends)))
    if not host.is_postgresql and (found := host.look(host.db)) and found.st_nlink > 1:
        return bad(
            f"{host.db} has another name as well: what is done to that is done to it",
            f"find {quoted(host.mount(host.db))} -xdev -samefile {quoted(host.db)}", Status.WARNING,
        )  # fmt: skip
    return good(f"{len(places)} files and folders are what they seem")


def _instead(host: Host, path: Path, is_folder: bool) -> str:
    """What is there instead of a file or folder; empty where it is one, or nothing is there."""
    what = lies_at(path)
    found = None if what else host.look(path)
    if found and stat.S_ISDIR(found.st_mode) != is_folder:
        return "a file" if is_folder else "a folder"
    return what


def _places(host: Host) -> list[tuple[Path, bool]]:
    """What the service writes to, the outermost first, and whether it is a folder."""
    backups, reports = Path(host.settings.backups), Path(host.settings.reports)
    folders = [backups, reports, host.spool] if host.is_postgresql else [host.db.parent, backups, reports, host.spool]
    if host.deployed:
        folders = [reports.parent, *folders]
    files = [host.spool / "lock", host.spool / "database", backups / ".lock", backups / "drill.json"]
    if not host.is_postgresql:
        files = [host.db.with_name(host.db.name + ending) for ending in ("", "-wal", "-shm", "-journal")] + files
    for folder, pattern in ((backups, "weather_"), (host.spool, "0"), (reports, "report_"), (reports, "index.")):
        files += _entries(folder, pattern)
    return [(path, True) for path in folders] + [(path, False) for path in files]


def _entries(folder: Path, beginning: str) -> list[Path]:
    """Entries of a folder that are no plain files, of those whose names begin so."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(MOST), entries, strict=False):
                if entry.name.startswith(beginning) and not entry.is_file(follow_symlinks=False):
                    found.append(Path(entry.path))
    except OSError:
        pass  # the checks of the folder itself say so
    return found


def _mended(host: Host, path: Path, is_folder: bool) -> str:
    stop, start = "", ""
    if host.spool in {path, path.parent} or (not host.is_postgresql and host.db.parent in {path, path.parent}):
        stop, start = f"systemctl stop {COLLECTOR} && ", f" && systemctl start {COLLECTOR}"
    away = f"rm -- {quoted(path)}"
    if not path.is_symlink() and os.path.isdir(path):  # noqa: PTH112 - it raises nothing
        away = f"mv -T -- {quoted(path)} {quoted(f'{path}.wrong')}"
    target, its = path, None
    if path.is_symlink():
        with suppress(OSError, RuntimeError):  # it leads in a circle, or to where this user may not look
            target = path.resolve()
            its = host.look(target)
    if its and host.user and its.st_uid == host.user.pw_uid and stat.S_ISDIR(its.st_mode) == is_folder:
        # Its own, moved elsewhere: it comes back.
        return f"{stop}{away} && mv -T -- {quoted(target)} {quoted(path)}{start}"
    if is_folder:
        mode = "0700" if path in {host.db.parent, Path(host.settings.backups), host.spool} else "0750"
        return f"{stop}{away} && mkdir -m {mode} {quoted(path)} && chown -h weather:weather {quoted(path)}{start}"
    if path == host.db and not host.is_postgresql:
        return f"{away} && {known_database.RESTORE}"
    return f"{stop}{away}{start}"


def _owned(host: Host) -> Finding | None:
    """Whether what is in the service's folders is its own: it could not replace or remove what is not."""
    if not host.deployed or host.user is None:
        return None
    folders = [host.spool, Path(host.settings.backups), Path(host.settings.reports)]
    if not host.is_postgresql:
        folders.append(host.db.parent)
    foreign: list[Path] = []
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            foreign += [
                Path(entry.path)
                for _, entry in zip(range(MOST), entries, strict=False)
                if entry.name not in _OF_FILE_SYSTEM and entry.stat(follow_symlinks=False).st_uid != host.user.pw_uid
            ]
    if foreign:
        shown = ", ".join(map(str, foreign[:3])) + (", …" if len(foreign) > 3 else "")
        return bad(f"not the service user's: {shown}", f"chown -h weather:weather {quoted(*foreign[:50])}")
    return good("all in the service's folders is its own")


CHECKS = (
    Check(
        "places-plain", "permissions", "What the service writes to is no link, pipe or device in the place of a file "
        "or folder.", Status.CRITICAL, _plain, "ls -laR /var/lib/weather /var/log/weather /var/backups/weather",
    ),
    Check(
        "places-owned", "permissions", "What is in the service's folders is the service user's.", Status.WARNING,
        _owned, "ls -laR /var/lib/weather /var/log/weather /var/backups/weather",
        ("places-plain", "data-folder", "backup-folder", "reports-folder", "database-owner", "spool-usable",
         "disk-data-space", "disk-data-inodes", "disk-backups-space", "disk-logs-space"),
    ),
)  # fmt: skip
