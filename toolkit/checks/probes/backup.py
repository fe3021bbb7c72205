"""Checks of the backups: recent, undamaged, restored in a drill, and off-site where a copy is to be."""

from __future__ import annotations

import hashlib
import itertools
import os
import platform
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from toolkit import clock
from toolkit.backup.folder import PREFIX, Backup, Damaged, ahead, manifest_of
from toolkit.checks import Finding, Status, bad, check, good, unseen
from toolkit.checks.as_deployed import given
from toolkit.checks.causes import BACKUP_DISK, CLOCK, RELEASE, UNIT
from toolkit.checks.closed import closed
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON, CRON_RUN, JOBS_FILE
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.host.processes import foreign_holders
from toolkit.checks.remedies import (
    AsRoot,
    AsUser,
    OnMachine,
    Remedy,
    Sequence,
    Shell,
    Start,
    Tool,
    allow,
    make,
)
from toolkit.checks.unit_states import last_run
from toolkit.database import PostgreSQLDatabase
from toolkit.durations import age as aged
from toolkit.durations import humanize

# How old the newest backup may be: a day, a random delay, and a night on which the host was off until the morning.
RECENT_HOURS = 36
# How old the last drill may be: a week and a day.
DRILL_DAYS = 8
READ_SECONDS = 1.2
READ_CHUNK = 1 << 22
AGAIN = Start("backup")
_SOURCE = (
    "offsite-possible",
    "backup-client",
    "backup-unlocked",
    "settings-fit",
    "database-exists",
    "database-owner",
    "database-mode",
    "database-kind",
    "database-sound",
    "database-server",
)
JOB_RUNS = ("places-plain", "places-owned", *UNIT, *RELEASE, "settings-valid")


def _wanted(host: Host) -> bool:
    return "backup" in host.jobs or bool(host.backups[0])


@check(
    id="backup-folder", area="backup",
    invariant="There is a folder for backups, and the service may write to it.",
    problem="The folder for backups is missing, or the service cannot write to it.",
    severity=Status.CRITICAL, remedy=AsRoot("install -d -o weather -g weather -m 0700 /var/backups/weather"),
    caused_by=(
        "service-user", "places-open", "places-plain", "backup-lasting", "disk-backups-writable", "settings-valid",
        "files-alone",
    ),
)  # fmt: skip
def backup_folder(host: Host) -> Finding | None:
    if "backup" not in host.jobs:
        return None
    path = Path(host.settings.backups)
    if host.deployed and not host.contained and (above := closed(host, path, AGAIN)):
        return above
    found = host.look(path)
    if found is None:
        made = make(path, 0o700, above_is_ours=host.is_ours(path.parent))
        return bad(f"there is no folder {path}", Sequence(made, AGAIN))
    if host.contained:  # a volume's owner is whoever made it; what counts is the group
        if not os.access(path, os.W_OK | os.X_OK):
            return bad(
                f"the service cannot write to {path}: it is {owner_of(found)}'s, mode {mode_of(found)}",
                given(path, 0o700),
            )
    elif host.user and (found.st_uid != host.user.pw_uid or found.st_mode & 0o700 != 0o700):
        said = f"the service user cannot write to {path}: it is {owner_of(found)}'s, mode {mode_of(found)}"
        return bad(said, given(path, 0o700))
    return good(f"{path}")


@check(
    id="backup-lasting", area="backup",
    invariant="Backups are on a disk.",
    problem="Backups are in memory, and are lost when the host is started again.",
    severity=Status.WARNING, remedy=Tool("backup list"), caused_by=("disk-backups-space", "disk-backups-inodes"),
)  # fmt: skip
def backup_lasting(host: Host) -> Finding | None:
    path = Path(host.settings.backups)
    if not host.deployed or "backup" not in host.jobs:
        return None
    return in_memory(host, path) or good(f"{host.mount(path)} lasts")


def in_memory(host: Host, path: Path) -> Finding | None:
    """The finding that a folder for what is to last is on a file system in memory."""
    mount = host.mount(path)
    if host.kind(path) not in {"tmpfs", "ramfs"} or mount == Path("/"):
        return None
    hides = f": it hides what is in {path} beneath it" if mount == path else ""
    return bad(f"{mount} is a file system in memory{hides}", Sequence(OnMachine("umount {}", mount), AGAIN))


def _listed(host: Host) -> Finding | None:
    """Whether every file with the name of a backup looks like one: its manifest, and its size."""
    backups, damaged = host.backups
    if damaged:
        said = f"{damaged[0].name}: {_date_ahead(host, damaged[0])}{damaged[0].wrong}"
        return bad(said, Sequence(_set_aside(host, damaged), AGAIN))
    return good(f"{len(backups)} backups") if backups else None


def _date_ahead(host: Host, one: Damaged) -> str:
    """That a backup's name has a date in the future, as the beginning of a sentence; empty where it has none."""
    with suppress(ValueError):
        dated = datetime.strptime(one.path.name[: len(PREFIX) + 15], f"{PREFIX}%Y%m%d_%H%M%S").replace(tzinfo=UTC)
        if clock.ahead(dated.timestamp(), host.now):
            return f"it is dated {dated:%Y-%m-%d}, in the future, and "
    return ""


@check(
    id="backup-whole", area="backup",
    invariant="Backups are as they were made.",
    problem="A backup is damaged.",
    severity=Status.CRITICAL, remedy=Tool("backup verify"),
    caused_by=("places-plain", "places-owned", "backup-folder", "files-alone"), costly=True, glance=_listed,
)  # fmt: skip
def backup_whole(host: Host) -> Finding | None:
    seen, (backups, _) = _listed(host), host.backups
    if seen is None or not seen.ok:
        return seen
    newest, end, digest = backups[0], time.monotonic() + READ_SECONDS, hashlib.sha256()
    with newest.path.open("rb") as file:
        while data := file.read(READ_CHUNK):
            digest.update(data)
            if time.monotonic() > end:
                return unseen("too large to be read now; weather-tool backup verify, and every drill, reads all of it")
    if digest.hexdigest() != newest.manifest.sha256:
        return bad(
            f"{newest.name} is not what was written: its SHA-256 differs",
            Sequence(_set_aside(host, [newest]), AGAIN),
        )
    return good(f"{newest.name} is as it was written")


backup_succeeds = check(
    id="backup-succeeds", area="backup",
    invariant="The last backup could be made.",
    problem="The last backup failed.",
    severity=Status.CRITICAL, remedy=AGAIN, caused_by=(
        *BACKUP_DISK, *_SOURCE, *JOB_RUNS, "cron-table", "backup-client", "backup-unlocked", "offsite-whole",
    ),
    is_of_last_run=True,
)(last_run("backup"))  # fmt: skip


@check(
    id="backup-recent", area="backup",
    invariant="The newest backup is of the last night.",
    problem="There is no backup of the last night.",
    severity=Status.CRITICAL, remedy=AGAIN,
    caused_by=(
        "backup-timer", "backup-succeeds", "backup-whole", *BACKUP_DISK, *_SOURCE, *JOB_RUNS, *CLOCK, "files-alone",
    ),
)  # fmt: skip
def backup_recent(host: Host) -> Finding | None:
    if not _wanted(host):
        return None
    backups, _ = host.backups
    if not backups:
        if host.drill and host.drill.backup:
            packed = sorted(Path(host.settings.backups).glob("weather_*.zst.*z*"))
            if packed:
                return bad(
                    f"{len(packed)} backups in {host.settings.backups} were packed, or renamed, by another program: "
                    f"{packed[0].name}",
                    AsUser("gunzip -- {}", packed) if packed[0].suffix == ".gz" else None,
                )
            return bad(f"{host.settings.backups} holds no backup any more: {host.drill.backup} was there")
        if was_made(host):
            return bad(f"{host.settings.backups} holds no backup any more: the last one was made well")
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


def was_made(host: Host) -> bool:
    """Whether a backup was made since the host was started, and ended well."""
    if host.scheduler == CRON:
        with suppress(OSError):
            return (CRON_RUN / "backup.code").read_text(encoding="ascii").strip() == "0"
        return False
    unit = host.unit("weather-backup.service")
    return bool(
        unit
        and unit["Result"] == "success"
        and unit["ExecMainStatus"] == "0"
        and unit["ExecMainExitTimestampMonotonic"] not in {"", "0"}
    )


@check(
    id="backup-not-ahead", area="backup",
    invariant="No backup is dated in the future.",
    problem="A backup is dated in the future.",
    severity=Status.WARNING, remedy=Tool("backup list"), caused_by=(*CLOCK, "observations-not-ahead"),
)  # fmt: skip
def backup_not_ahead(host: Host) -> Finding | None:
    backups, _ = host.backups
    future = [one for one in backups if ahead(one, host.now)]
    if not future:
        return good("no backup is dated in the future") if backups else None
    return bad(
        f"{len(future)} of {len(backups)} backups are dated in the future: {future[0].name}, "
        f"{aged(host.now - future[0].manifest.created)}, on {future[0].manifest.created_at}",
        # If it is the host's clock that is wrong, a check of the clock is named first, and nothing is to be removed.
        Sequence(OnMachine("timedatectl"), Tool("backup create"), _removed(future), note="once the clock is right"),
    )


def _removed(ones: Iterable[Backup | Damaged]) -> Remedy:
    """Remove backups with their manifests."""
    return AsUser("rm -rf -- {}", [path for one in ones for path in (one.path, manifest_of(one.path))])


def _set_aside(host: Host, ones: Iterable[Backup | Damaged]) -> Remedy:
    """Move backups out of the way. They are kept: a newer release, or a person, may be able to read them."""
    folder = Path(host.settings.backups) / "damaged"
    parts = [path for one in ones for path in (one.path, manifest_of(one.path)) if os.path.lexists(path)]
    return Sequence(AsUser("mkdir -p -m 0700 {}", folder), AsUser("mv -f -t {} -- {}", folder, parts))


@check(
    id="backup-own", area="backup",
    invariant="The newest backup is of this host.",
    problem="The newest backup is another host's: LATEST would restore its data.",
    severity=Status.WARNING, remedy=Tool("backup list"), caused_by=("places-plain", "backup-folder"),
)  # fmt: skip
def backup_own(host: Host) -> Finding | None:
    """A host that has taken over another's backups makes its own from then on."""
    backups, name = host.backups[0], platform.node()
    if not any(one.manifest.host == name for one in backups):
        return None
    newer = list(itertools.takewhile(lambda one: one.manifest.host != name, backups))
    if newer:
        return bad(f"{newer[0].name} is of the host {newer[0].manifest.host}, not of {name}", _set_aside(host, newer))
    return good(f"the newest backup is of {name}")


@check(
    id="backup-unlocked", area="backup",
    invariant="No process keeps backups from being made.",
    problem="A process that is none of ours holds the lock of the backups.",
    severity=Status.CRITICAL, remedy=Shell("lslocks --output COMMAND,PID,TYPE,MODE,PATH"),
)  # fmt: skip
def backup_unlocked(host: Host) -> Finding | None:
    lock = Path(host.settings.backups) / ".lock"
    if host.contained or host.look(lock) is None:
        return None
    for pid, command, children in foreign_holders(one.pid for one in host.locks(lock)):
        said = f"process {pid} ({command[:60]}) holds the lock of the backups: none can be made"
        return bad(said, Sequence(Shell("kill {}", map(str, [pid, *children])), AGAIN))
    return good("nothing but our own holds it")


@check(
    id="backup-client", area="backup",
    invariant="pg_dump is there, and no older than the PostgreSQL server.",
    problem="pg_dump is missing, or older than the PostgreSQL server: no backup can be made.",
    severity=Status.CRITICAL, remedy=OnMachine("apt-get install --yes postgresql-client"),
    caused_by=("database-password", "database-server", "packages-complete"),
)  # fmt: skip
def backup_client(host: Host) -> Finding | None:
    """An old pg_dump says so itself, but only in the night, when the backup fails."""
    db = host.settings.db
    if not isinstance(db, PostgreSQLDatabase) or (host.jobs and "backup" not in host.jobs):
        return None
    from toolkit.backup.postgresql.programs import OldClientError, ProgramError
    from toolkit.backup.postgresql.snapshot import by_what

    try:
        return good(f"backups are made by {by_what(db)}")
    except OldClientError as error:
        own = "where Debian has none: /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh"
        return bad(str(error), OnMachine("apt-get install --yes {}", error.package, note=own))
    except ProgramError as error:
        return bad(str(error), Sequence(allow("a+rx", Path(error.program)), AGAIN))


@check(
    id="drill-well", area="backup",
    invariant="The last restore drill succeeded.",
    problem="The last restore drill failed: the backups may not be restorable.",
    severity=Status.CRITICAL, remedy=Tool("restore --drill"),
    caused_by=("backup-whole", "offsite-whole", *BACKUP_DISK, *JOB_RUNS),
)  # fmt: skip
def drill_well(host: Host) -> Finding | None:
    last = host.drill
    if last is None:
        return None
    if last.wrong:
        return bad(f"the last drill failed: {last.wrong}")
    seconds = last.restore_seconds or 0
    return good(f"{last.backup} was restored in {seconds:.1f} s", {"restore": f"{seconds}s"})


@check(
    id="drill-recent", area="backup",
    invariant="A restore drill was made in the last week.",
    problem="No restore drill was made in the last week.",
    severity=Status.WARNING, remedy=Start("restore-drill"),
    caused_by=(
        "restore-drill-timer", "drill-well", "backup-recent", "backup-whole", *BACKUP_DISK, *JOB_RUNS, *CLOCK,
    ),
)  # fmt: skip
def drill_recent(host: Host) -> Finding | None:
    if "restore-drill" not in host.jobs:
        return None
    last = host.drill
    if last is None:
        oldest = host.backups[0][-1:]
        if not oldest or host.now - oldest[0].manifest.created < DRILL_DAYS * 86400:
            return good("the first drill is made on the next Sunday")
        return bad("no restore drill was ever made")
    age = host.now - last.ended
    if clock.ahead(last.ended, host.now):
        return bad(f"the last drill is dated {aged(age)}")
    if age > DRILL_DAYS * 86400:
        return bad(f"the last drill was {humanize(age)} ago")
    return good(f"the last drill was {humanize(max(age, 0))} ago")
