"""Checks of the file systems: room, inodes, and whether they take writes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from toolkit.checks import Check, Finding, Status, bad, good
from toolkit.checks.host import COLLECTOR, Host, mode_of, owner_of
from toolkit.checks.mending import given, made, quoted, up_again

Place = Callable[[Host], Path | None]
_AGAIN = up_again(COLLECTOR)
# Below the first it is critical, below the second it is said; bytes, and parts of the inodes.
LEAST_BYTES, LOW_BYTES = 16 << 20, 128 << 20
LEAST_INODES, LOW_INODES = 0.005, 0.05


def _data(host: Host) -> Path | None:
    return None if host.is_postgresql else host.db.parent


def _backups(host: Host) -> Path | None:
    return Path(host.settings.backups) if host.deployed or Path(host.settings.backups).exists() else None


def _logs(host: Host) -> Path | None:
    return Path(host.settings.reports) if host.deployed else None


def _space(place: Place, host: Host) -> Finding | None:
    path = place(host)
    if path is None:
        return None
    free, total = host.free(path)
    # A file system that is small as a whole is not called full for it.
    least, low = min(LEAST_BYTES, total // 20), min(LOW_BYTES, total // 10)
    said = f"{free / 1e6:,.0f} MB of {total / 1e6:,.0f} MB are free on {host.mount(path)}"
    if free <= low:
        largest = _largest(path)
        evidence = f"{said}; the largest file in {path} is {largest}" if largest else said
        return bad(evidence, _show(host, path), Status.CRITICAL if free <= least else Status.WARNING)
    return good(said)


def _show(host: Host, path: Path) -> str:
    return f"du -xah {quoted(host.mount(path))} | sort -h | tail -n 20"


def _largest(folder: Path) -> str:
    try:
        files = [(one.stat().st_size, one.name) for one in folder.iterdir() if one.is_file()]
    except OSError:
        return ""
    size, name = max(files, default=(0, ""))
    return f"{name} with {size / 1e6:,.0f} MB" if size else ""


def _inodes(place: Place, host: Host) -> Finding | None:
    path = place(host)
    if path is None:
        return None
    free, total = host.inodes(path)
    if not total:
        return good("the file system has no fixed number of inodes")
    said = f"{free:,} of {total:,} inodes are free on {host.mount(path)}"
    if free < LOW_INODES * total:
        mount = host.mount(path)
        severity = Status.CRITICAL if free < LEAST_INODES * total else Status.WARNING
        return bad(f"{said}: many small files", f"du -x --inodes {quoted(mount)} | sort -n | tail -n 20", severity)
    return good(said)


def _writable(place: Place, host: Host) -> Finding | None:
    path = place(host)
    if path is None:
        return None
    if host.read_only(path):
        mount = host.mount(path)
        return bad(f"the file system on {mount} is mounted read-only", f"mount -o remount,rw {quoted(mount)}")
    return good(f"{host.mount(path)} takes writes")


def _attributes(host: Host) -> Finding | None:
    if host.is_postgresql or not host.deployed:
        return None
    # First: of what is behind it nothing can be seen.
    above = _closed_above(host, host.db.parent)
    if above:
        mode = mode_of(above.stat())
        return bad(
            f"the service user may not pass {above}: {owner_of(above.stat())}'s, mode {mode}",
            f"chmod a+x {quoted(above)}{_AGAIN}",
        )
    found = host.look(host.db.parent)
    if found is None:
        return bad(f"there is no folder {host.db.parent}", made(host, host.db.parent, 0o700) + _AGAIN)
    if host.user and found.st_uid != host.user.pw_uid:
        return bad(f"the service user does not own {host.db.parent}", given(host.db.parent, 0o700))
    if found.st_mode & 0o700 != 0o700:
        return bad(
            f"the service user may not use {host.db.parent}: mode {mode_of(found)}", given(host.db.parent, 0o700)
        )
    return good(f"{host.db.parent} is the service user's")


def _closed_above(host: Host, path: Path) -> Path | None:
    """A folder above one through which its owner may not go; None where there is none."""
    for above in reversed(path.parents):
        found = host.look(above)
        if found is None or host.user is None:
            return None
        ours = found.st_uid == host.user.pw_uid, found.st_gid == host.user.pw_gid
        if not found.st_mode & (0o100 if ours[0] else 0o010 if ours[1] else 0o001):
            return above
    return None


def _checks(name: str, what: str, place: Place) -> tuple[Check, ...]:
    return (
        Check(
            f"disk-{name}-writable", "disk", f"The file system of {what} takes writes.", Status.CRITICAL,
            partial(_writable, place), "findmnt",
        ),
        Check(
            f"disk-{name}-space", "disk", f"There is room for {what}.", Status.CRITICAL, partial(_space, place),
            "df -h", (f"disk-{name}-writable",),
        ),
        Check(
            f"disk-{name}-inodes", "disk", f"There are inodes for {what}.", Status.CRITICAL, partial(_inodes, place),
            "df -i", (f"disk-{name}-writable",),
        ),
    )  # fmt: skip


CHECKS = (
    *_checks("data", "the database", _data),
    *_checks("backups", "backups", _backups),
    *_checks("logs", "logs and reports", _logs),
    Check(
        "data-folder", "disk", "The folder of the database is the service user's to write in.", Status.CRITICAL,
        _attributes, "install -d -o weather -g weather -m 0700 /var/lib/weather/data",
        ("places-plain", "disk-data-writable"),
    ),
)  # fmt: skip
