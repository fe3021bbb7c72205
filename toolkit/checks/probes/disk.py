"""Checks of the file systems: space, inodes, and whether they take writes."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from toolkit.checks import Check, Finding, Status, bad, check, good
from toolkit.checks.as_deployed import given
from toolkit.checks.closed import closed
from toolkit.checks.database import uncovered
from toolkit.checks.filled import crowded, filled
from toolkit.checks.host import Host
from toolkit.checks.host.files import fixed, mode_of, owner_of
from toolkit.checks.mounting import unmounted
from toolkit.checks.remedies import AsRoot, EditSettings, OnMachine, Restart, Sequence, Shell, make
from toolkit.errors import ToolkitError

Place = Callable[[Host], Path | None]
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108
RUN = Path("/run")
TEMPORARY_BYTES = 1 << 20
_AGAIN = Restart("collector")
# What is free, in bytes and as a part of all inodes: below the first it is critical, below the second a warning.
LEAST_BYTES, LOW_BYTES = 16 << 20, 128 << 20
LEAST_INODES, LOW_INODES = 0.005, 0.05


def _data(host: Host) -> Path | None:
    return None if host.on_server else host.db.parent


def _backups(host: Host) -> Path | None:
    return Path(host.settings.backups) if host.deployed or Path(host.settings.backups).exists() else None


def _logs(host: Host) -> Path | None:
    return Path(host.settings.reports) if host.deployed else None


def _writable(what: str, name: str, place: Place) -> Check:
    @check(
        id=f"disk-{name}-writable", area="disk",
        invariant=f"The file system of {what} is mounted, and takes writes.",
        problem=f"The file system of {what} is not mounted, or takes no writes.",
        severity=Status.CRITICAL, remedy=Shell("findmnt"),
    )  # fmt: skip
    def probe(host: Host) -> Finding | None:
        path = place(host)
        if path is None:
            return None
        if host.deployed and (lacking := host.not_mounted(path)):
            what, remedy = unmounted(lacking, Restart(*(host.services or ["collector"])))
            said = f"no file system is mounted on {lacking}, where fstab has one: what is written goes to another"
            return bad(f"{said}{what}", remedy)
        mount = host.mount(path)
        if host.read_only(path):
            return bad(f"the file system on {mount} is mounted read-only", OnMachine("mount -o remount,rw {}", mount))
        if flag := fixed(path):
            return bad(f"{path} is {flag}: not even its owner may write in it", Shell("chattr -i -a {}", path))
        return good(f"{mount} takes writes")

    return probe


def _space(what: str, name: str, place: Place) -> Check:
    @check(
        id=f"disk-{name}-space", area="disk",
        invariant=f"There is space for {what}.",
        problem=f"There is hardly any space left for {what}.",
        severity=Status.CRITICAL, remedy=Shell("df -h"), caused_by=(f"disk-{name}-writable",),
    )  # fmt: skip
    def probe(host: Host) -> Finding | None:
        path = place(host)
        if path is None:
            return None
        free, total = host.free(path)
        # A file system that is small as a whole is not called full for it.
        least, low = min(LEAST_BYTES, total // 20), min(LOW_BYTES, total // 10)
        mount = host.mount(path)
        seen = f"{free / 1e6:,.0f} MB of {total / 1e6:,.0f} MB are free on {mount}"
        if name == "backups" and free < (needed := _for_a_backup(host)):
            if total < needed and host.kind(path) == "tmpfs":
                return good(f"{mount} is no disk")  # which is what is wrong, and has a check of its own
            what, room = filled(host, path, int(needed - free))
            return bad(
                f"{free / 1e6:,.1f} of {total / 1e6:,.1f} MB are free on {mount}, and a backup needs "
                f"{needed / 1e6:,.1f} MB{what}", room,
            )  # fmt: skip
        if free > low:
            return good(seen)
        what, room = filled(host, path, low - free)
        return bad(f"{seen}{what}", room, Status.CRITICAL if free <= least else Status.WARNING)

    return probe


def _for_a_backup(host: Host) -> float:
    """The room that the next backup of an SQLite file needs; 0 where none is made, or it cannot be told."""
    from toolkit.backup.room import SPARE_BYTES, room_for

    try:
        size = host.db.stat().st_size if "backup" in host.jobs and not host.on_server else 0
        return room_for(size, host.backups[0]) + SPARE_BYTES if size else 0
    except (OSError, ToolkitError):  # other checks say so
        return 0


def _inodes(what: str, name: str, place: Place) -> Check:
    @check(
        id=f"disk-{name}-inodes", area="disk",
        invariant=f"There are inodes for {what}.",
        problem=f"There are hardly any inodes left for {what}.",
        severity=Status.CRITICAL, remedy=Shell("df -i"), caused_by=(f"disk-{name}-writable",),
    )  # fmt: skip
    def probe(host: Host) -> Finding | None:
        path = place(host)
        if path is None:
            return None
        free, total = host.inodes(path)
        if not total:
            return good("the file system has no fixed number of inodes")
        mount = host.mount(path)
        seen = f"{free:,} of {total:,} inodes are free on {mount}"
        if free >= LOW_INODES * total:
            return good(seen)
        what, room = crowded(host, path)
        return bad(
            f"{seen}: many small files{what}", room,
            Status.CRITICAL if free < LEAST_INODES * total else Status.WARNING,
        )  # fmt: skip

    return probe


_OF_DATA, _OF_BACKUPS, _OF_LOGS = (
    ("the database", "data", _data), ("backups", "backups", _backups), ("logs and reports", "logs", _logs),
)  # fmt: skip
data_writable, data_space, data_inodes = _writable(*_OF_DATA), _space(*_OF_DATA), _inodes(*_OF_DATA)
backups_writable, backups_space, backups_inodes = _writable(*_OF_BACKUPS), _space(*_OF_BACKUPS), _inodes(*_OF_BACKUPS)
logs_writable, logs_space, logs_inodes = _writable(*_OF_LOGS), _space(*_OF_LOGS), _inodes(*_OF_LOGS)


@check(
    id="data-folder", area="disk",
    invariant="The folder of the database is the service user's to write in.",
    problem="The service user cannot write in the folder of the database.",
    severity=Status.CRITICAL, remedy=AsRoot("install -d -o weather -g weather -m 0700 /var/lib/weather/data"),
    caused_by=(
        "service-user", "places-open", "places-plain", "disk-data-writable", "settings-valid", "files-alone",
        "database-named", "units-may-write",
    ),
)  # fmt: skip
def data_folder(host: Host) -> Finding | None:
    if host.on_server or not host.deployed:
        return None
    # First: what is below it cannot be seen.
    if above := closed(host, host.db.parent, _AGAIN):
        return above
    found = host.look(host.db.parent)
    if found is None:
        made = make(host.db.parent, 0o700, above_is_ours=host.is_ours(host.db.parent.parent))
        return bad(f"there is no folder {host.db.parent}", Sequence(made, _AGAIN))
    everybodys = found.st_mode & stat.S_ISVTX
    strange = host.user and found.st_uid != host.user.pw_uid
    if (everybodys or strange) and host.covered(host.db.parent) and (everybodys or _is_hidden(host)):
        return bad(f"another file system is mounted over {host.db.parent}, and hides what was there", uncovered(host))
    if everybodys:
        return bad(
            f"WEATHER_DB={host.settings.db} is in a folder of everybody's, and each unit sees one of its own there",
            Sequence(EditSettings("/^WEATHER_DB=/s/^/# /", host.settings_file), _AGAIN),
        )
    if strange or found.st_mode & 0o700 != 0o700:
        said = f"the service user may not use {host.db.parent}: {owner_of(found)}'s, mode {mode_of(found)}"
        return bad(said, given(host.db.parent, 0o700))
    return good(f"{host.db.parent} is the service user's")


def _is_hidden(host: Host) -> bool:
    """Whether no database can be seen where it is to be."""
    try:
        return host.look(host.db) is None
    except PermissionError:
        return True


@check(
    id="temporary-folders", area="disk",
    invariant="The service's commands can make temporary files.",
    problem="The service's commands cannot make temporary files.",
    severity=Status.WARNING, remedy=AsRoot("chmod 1777 /tmp /var/tmp"),
    caused_by=("disk-data-space", "disk-logs-space", "disk-backups-space"),
)  # fmt: skip
def temporary_folders(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    for folder in (*TEMPORARY, RUN):
        found = host.look(folder)
        if folder != RUN and (found is None or found.st_mode & 0o007 != 0o007):
            mode = f"mode {mode_of(found)}" if found else "not there"
            made = None if found else AsRoot("install -d -m 1777 {}", folder)
            return bad(f"the service user cannot write to {folder}: {mode}", made)
        free, _total = host.free(folder)
        if free < TEMPORARY_BYTES:
            what, room = filled(host, folder, TEMPORARY_BYTES)
            its = "what runs keeps its files" if folder == RUN else "temporary files are made"
            return bad(f"{folder}, where {its}, is full: {free >> 10} KiB are left{what}", room)
    return good("temporary files can be made")
