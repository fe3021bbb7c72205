"""Checks of the off-site copies: that they can be made, and that they are whole."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from toolkit import credentials
from toolkit.address import shown
from toolkit.backup import offsite_record
from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import BACKUP_DISK
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON, CRON_RUN
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.host.systemd import seconds_since
from toolkit.checks.mounting import unmounted
from toolkit.checks.probes.backup import AGAIN, JOB_RUNS, in_memory, was_made
from toolkit.checks.remedies import (
    AsRoot,
    AsUser,
    OnController,
    OnMachine,
    Remedy,
    Sequence,
    Shell,
    Start,
    Then,
    Tool,
    give_all,
)
from toolkit.checks.unit_states import last_run
from toolkit.credentials import Credential

# With less room restic cannot even note that it is at work.
LEAST_FREE = 1 << 20
# So many entries of a folder of the repository are looked at.
MOST_LOOKED_AT = 2000
# How restic says that what is stored is not what it has stored, and not that it cannot be reached.
_DAMAGED = re.compile(r"\b(pack|index|blob|tree)\b|does not match|ciphertext", re.IGNORECASE)


@check(
    id="offsite-possible", area="backup",
    invariant="What makes off-site copies is there.",
    problem="Off-site copies are to be made, and what makes them is missing.",
    severity=Status.CRITICAL, remedy=OnMachine("apt-get install restic"),
)  # fmt: skip
def offsite_possible(host: Host) -> Finding | None:
    if not host.settings.restic_repository or "backup" not in host.jobs:
        return None
    if not shutil.which("restic"):
        return bad(
            f"copies are to go to {shown(host.settings.restic_repository)}, and the program restic is not installed",
            Sequence(OnMachine("apt-get install --yes --reinstall restic"), AGAIN),
        )
    if os.environ.get(credentials.VARIABLE) and credentials.path(Credential.RESTIC_PASSWORD) is None:
        return bad(f"there is no credential {Credential.RESTIC_PASSWORD}", OnController())
    if credentials.read(Credential.RESTIC_PASSWORD) == "":
        return bad(f"the credential {Credential.RESTIC_PASSWORD} is empty: restic takes none such", OnController())
    return _folder_of_copies(host) or good("restic is installed")


def _has_failed(host: Host) -> bool:
    last = last_run("backup")(host)
    return last is not None and last.ok is False


def _made_with_these(host: Host) -> bool:
    """Whether a backup was made well since the settings were changed last, and so a copy."""
    settings = host.look(host.settings_file)
    if settings is None or not was_made(host):
        return False
    if host.scheduler == CRON:
        return (CRON_RUN / "backup.code").stat().st_mtime > settings.st_mtime
    unit = host.unit("weather-backup.service")
    return unit is not None and host.now - seconds_since("ExecMainStart", unit) > settings.st_mtime


def _folder_of_copies(host: Host) -> Finding | None:
    """The finding of what keeps copies from going to a folder of this host, once a backup was made."""
    repository = Path(host.settings.restic_repository or "")
    if not repository.is_absolute() or host.contained or not (_has_failed(host) or _made_with_these(host)):
        return None
    if lacking := host.not_mounted(repository):
        what, remedy = unmounted(lacking, AGAIN)
        return bad(
            f"no file system is mounted on {lacking}, where fstab has one, and the copies are to be{what}", remedy
        )
    if hidden := in_memory(host, repository):
        return hidden
    found = host.look(repository)
    anew = _anew(host, repository)
    if found is None:
        return bad(f"{repository}, where the copies are to be, is not there: is its disk mounted?", anew)
    if _is_empty(repository) and (copied := offsite_record.last(Path(host.settings.backups), shown(str(repository)))):
        return bad(
            f"{repository} is empty, where the last copy went at {copied.copied_at}: is its disk mounted?",
            Then(Shell("lsblk -f"), "mount its disk; if there is none any more: {}", anew),
        )
    if not os.access(repository, os.R_OK | os.W_OK | os.X_OK):
        said = f"the service user may not use the copies in {repository}: {owner_of(found)}'s, mode {mode_of(found)}"
        return bad(said, Sequence(give_all(repository, 0o700), AGAIN))
    if host.user and (strange := _of_another(repository, host.user.pw_uid)):
        said = f"{strange} is {owner_of(strange.lstat())}'s: the service user may not read every copy in {repository}"
        return bad(said, Sequence(give_all(repository, 0o700), AGAIN))
    if os.path.isdir(repository / "keys") and not os.path.lexists(repository / "config"):  # noqa: PTH112 - raises nothing
        said = f"{repository} is no repository of copies any more: its file config is gone"
        return bad(said, Sequence(_aside(repository), anew))
    if shutil.disk_usage(repository).free < LEAST_FREE:
        return bad(
            f"there is no room for copies in {repository}",
            Shell("du -xah {} | sort -h | tail", host.mount(repository), note="remove what is not needed"),
        )
    return None


def _is_empty(folder: Path) -> bool:
    with suppress(OSError):
        return not set(os.listdir(folder)) - {"lost+found"}  # noqa: PTH208 - names alone
    return False


def _anew(host: Host, repository: Path) -> Remedy:
    """Begin a repository in a folder: the record of the one that was there would keep the backup from it."""
    return Sequence(
        AsUser("rm -f -- {}", Path(host.settings.backups) / offsite_record.FILE),
        AsRoot("install -d -o weather -g weather -m 0700 {}", repository), AGAIN,
    )  # fmt: skip


def _aside(repository: Path) -> Remedy:
    return AsRoot("mv -T -- {} {}", repository, repository.with_name(f"{repository.name}.damaged"))


def _of_another(repository: Path, user: int) -> Path | None:
    """What of a repository, besides its packs, is another user's; None where nothing is."""
    for folder in (repository, *(repository / name for name in ("snapshots", "index", "keys", "locks"))):
        with suppress(OSError), os.scandir(folder) as entries:
            for _, entry in zip(range(MOST_LOOKED_AT), entries, strict=False):
                if entry.stat(follow_symlinks=False).st_uid != user and entry.name != "lost+found":
                    return Path(entry.path)
    return None


@check(
    id="offsite-whole", area="backup",
    invariant="The off-site copies are whole.",
    problem="The off-site copies are damaged, or cannot be reached.",
    severity=Status.CRITICAL, remedy=Tool("restore --drill"), caused_by=("offsite-possible", *BACKUP_DISK, *JOB_RUNS),
)  # fmt: skip
def offsite_whole(host: Host) -> Finding | None:
    if not host.settings.restic_repository:
        return None
    place = shown(host.settings.restic_repository)
    if host.drill is None or host.drill.offsite is not False:
        return good(f"copied to {place}")
    wrong = host.drill.wrong or ""
    if not _DAMAGED.search(wrong.partition(f" of {place}: ")[2]):
        return bad(f"the copies in {place} are not whole, or cannot be reached: {wrong}")
    repository = Path(host.settings.restic_repository)
    anew = Sequence(_aside(repository), _anew(host, repository), Start("restore-drill"))
    return bad(f"the copies in {place} are damaged: {wrong}", anew if repository.is_absolute() else None)
