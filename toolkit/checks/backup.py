"""Checks of the backups: recent, whole, rehearsed, and in another place where they are to be."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from toolkit import clock
from toolkit.address import shown
from toolkit.backup.folder import Backup, Damaged, ahead, manifest_of
from toolkit.checks import Check, Finding, Status, bad, good, unseen
from toolkit.checks.clock import aged
from toolkit.checks.host import JOBS_FILE, Host, long, mode_of, owner_of
from toolkit.checks.mending import AS_USER, given, made, quoted
from toolkit.checks.service import _job_succeeds

# A day, a random delay, and a night on which the host was off until the morning.
RECENT_HOURS = 36
# A week, and a day.
REHEARSED_DAYS = 8
READ_SECONDS = 1.2
READ_CHUNK = 1 << 22
_AGAIN = "systemctl start weather-backup.service"


def _wanted(host: Host) -> bool:
    return "backup" in host.jobs or bool(host.backups[0])


def _folder(host: Host) -> Finding | None:
    if "backup" not in host.jobs:
        return None
    path = Path(host.settings.backups)
    found = host.look(path)
    mend = given(path, 0o700)
    if found is None:
        return bad(f"there is no folder {path}", f"{made(host, path, 0o700)} && {_AGAIN}")
    if host.contained:  # a volume's owner is whoever made it; what counts is the group
        if not os.access(path, os.W_OK | os.X_OK):
            return bad(f"the service cannot write to {path}: it is {owner_of(found)}'s, mode {mode_of(found)}", mend)
    elif host.user and (found.st_uid != host.user.pw_uid or found.st_mode & 0o700 != 0o700):
        return bad(f"the service user cannot write to {path}: it is {owner_of(found)}'s", mend)
    return good(f"{path}")


def _recent(host: Host) -> Finding | None:
    if not _wanted(host):
        return None
    backups, _ = host.backups
    if not backups:
        deployed = host.look(JOBS_FILE)
        if deployed and host.now - deployed.st_mtime < RECENT_HOURS * 3600:
            return good("the first one is made in the night to come")
        return bad(f"there is no backup in {host.settings.backups}")
    age = host.now - backups[0].manifest.created
    figures = {"backup_age": f"{abs(age):.0f}s;{RECENT_HOURS * 3600}"}
    seen = f"the newest backup is {aged(age)}: {backups[0].name}"
    if ahead(backups[0], host.now) or age > RECENT_HOURS * 3600:
        return bad(seen, figures=figures)
    return good(f"the newest backup is {aged(max(age, 0))}: {backups[0].name}", figures)


def _not_ahead(host: Host) -> Finding | None:
    backups, _ = host.backups
    future = [one for one in backups if ahead(one, host.now)]
    if not future:
        return good("no backup is dated in the future") if backups else None
    return bad(
        f"{len(future)} of {len(backups)} backups are dated in the future: {future[0].name}, "
        f"{aged(host.now - future[0].manifest.created)}",
        # Where the host's clock is what is wrong, that is found first, and nothing is to be removed.
        f"timedatectl && weather-tool backup create && {_removed(future)}  # once the clock is right",
    )


def _removed(ones: Sequence[Backup | Damaged]) -> str:
    """What removes backups with their manifests; their names are anybody's."""
    return f"{AS_USER}rm -rf -- {quoted(*(path for one in ones for path in (one.path, manifest_of(one.path))))}"


def _set_aside(host: Host, ones: Sequence[Backup | Damaged]) -> str:
    """What moves backups out of the way: what this release cannot read a newer one, or a person, may."""
    folder = quoted(Path(host.settings.backups) / "damaged")
    parts = [path for one in ones for path in (one.path, manifest_of(one.path)) if os.path.lexists(path)]
    return f"{AS_USER}mkdir -p -m 0700 {folder} && {AS_USER}mv -f -t {folder} -- {quoted(*parts)}"


def _whole(host: Host) -> Finding | None:
    backups, damaged = host.backups
    if damaged:
        return bad(f"{damaged[0].name}: {damaged[0].wrong}", f"{_set_aside(host, damaged)} && {_AGAIN}")
    if not backups:
        return None
    newest, end, digest = backups[0], time.monotonic() + READ_SECONDS, hashlib.sha256()
    with newest.path.open("rb") as file:
        while data := file.read(READ_CHUNK):
            digest.update(data)
            if time.monotonic() > end:
                return unseen("too large to be read now; weather-tool backup verify, and every drill, reads all of it")
    if digest.hexdigest() != newest.manifest.sha256:
        return bad(
            f"{newest.name} is not what was written: its SHA-256 differs",
            f"{_set_aside(host, [newest])} && {_AGAIN}",
        )
    return good(f"{newest.name} is as it was written")


def _rehearsed(host: Host) -> Finding | None:
    if "restore-drill" not in host.jobs:
        return None
    last = host.drill
    if last is None:
        oldest = host.backups[0][-1:]
        if not oldest or host.now - oldest[0].manifest.created < REHEARSED_DAYS * 86400:
            return good("the first drill is made on the next Sunday")
        return bad("a restore was never rehearsed")
    age = host.now - last.ended
    if clock.ahead(last.ended, host.now):
        return bad(f"the last drill is dated {aged(age)}")
    if age > REHEARSED_DAYS * 86400:
        return bad(f"the last drill was {long(age)} ago")
    return good(f"the last drill was {long(max(age, 0))} ago")


def _drill_well(host: Host) -> Finding | None:
    last = host.drill
    if last is None:
        return None
    if last.wrong:
        return bad(f"the last drill failed: {last.wrong}")
    seconds = last.restore_seconds or 0
    return good(f"{last.backup} was restored in {seconds:.1f} s", {"restore": f"{seconds}s"})


def _offsite(host: Host) -> Finding | None:
    if not host.settings.restic_repository:
        return None
    last = host.drill
    if last is not None and last.offsite is False:
        return bad(
            f"the copies in {shown(host.settings.restic_repository)} are not whole, or cannot be reached: {last.wrong}"
        )
    return good(f"copied to {shown(host.settings.restic_repository)}")


_DISK = ("disk-backups-writable", "disk-backups-space", "disk-backups-inodes", "backup-folder")
_SOURCE = ("database-exists", "database-owner", "database-mode", "database-kind", "database-sound", "database-server")
_UNITS = (
    "places-plain", "places-owned",
    "units-present", "units-genuine", "units-as-deployed", "units-start", "release-current",
    "python-runs", "packages-complete", "settings-valid",
)  # fmt: skip
_CLOCK = ("clock-right", "clock-after-release")

CHECKS = (
    Check(
        "backup-folder", "backup", "There is a folder for backups, and the service may write to it.", Status.CRITICAL,
        _folder, "install -d -o weather -g weather -m 0700 /var/backups/weather", ("disk-backups-writable",),
    ),
    Check(
        "backup-whole", "backup", "Backups are what they were when they were made.", Status.CRITICAL, _whole,
        "weather-tool backup verify", ("places-plain",), costly=True,
    ),
    Check(
        "backup-succeeds", "backup", "The last backup could be made.", Status.CRITICAL,
        partial(_job_succeeds, "backup"), _AGAIN, (*_DISK, *_SOURCE, *_UNITS), is_of_last_run=True,
    ),
    Check(
        "backup-recent", "backup", "The newest backup is of the last night.", Status.CRITICAL, _recent,
        _AGAIN,
        ("backup-timer", "backup-succeeds", "backup-whole", *_DISK, *_SOURCE, *_UNITS, *_CLOCK),
    ),
    Check(
        "backup-not-ahead", "backup", "No backup is dated in the future.", Status.WARNING, _not_ahead,
        "weather-tool backup list", ("clock-right", "clock-after-release", "observations-not-ahead"),
    ),
    Check(
        "drill-well", "backup", "The newest backup could be restored when that was last rehearsed.", Status.CRITICAL,
        _drill_well, "weather-tool restore --drill", ("backup-whole", *_DISK, *_UNITS),
    ),
    Check(
        "drill-recent", "backup", "A restore was rehearsed in the last week.", Status.WARNING, _rehearsed,
        "systemctl start weather-restore-drill.service",
        ("restore-drill-timer", "drill-well", "backup-recent", "backup-whole", *_DISK, *_UNITS, *_CLOCK),
    ),
    Check(
        "offsite-whole", "backup", "The off-site copies are whole.", Status.CRITICAL, _offsite,
        "weather-tool restore --drill", ("drill-well",),
    ),
)  # fmt: skip
