"""Encrypted copies of the folder of backups in a restic repository."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

from toolkit import clock, credentials, envfile, times
from toolkit.address import shown, without_secrets
from toolkit.backup import offsite_record
from toolkit.backup.folder import PACKED, PREFIX, SCRATCH, Folder, manifest_of
from toolkit.backup.offsite_record import Copied
from toolkit.backup.pruning import Keep, doubted_after, newest_known, places_kept
from toolkit.credentials import Credential
from toolkit.errors import InUseError, ToolkitError, UsageError, reason
from toolkit.locking import patiently
from toolkit.settings import Settings

_T = TypeVar("_T")

# In how many weekly checks all of the packed data is read.
WEEKS = 4
# The exit code of restic, since 0.17, where there is no repository.
NO_REPOSITORY = 10
# How restic says on its standard error that another one, perhaps of another host, is at work in the repository.
_LOCKED = "already locked"
# For how long that one's end is waited for: a third of the time that a job has.
_PATIENCE_SECONDS = 5 * 60


class _Snapshot(NamedTuple):
    """A copy of a folder of backups, and its date in seconds since the epoch."""

    id: str
    time: float


@dataclass(frozen=True, slots=True)
class Offsite:
    """A repository.

    Attributes:
        repository: as restic names it, for people.
        environment: restic's, with the repository and where its password is.
    """

    repository: str
    environment: dict[str, str] = field(repr=False)

    def copy(self, folder: Folder, keep: Keep) -> None:
        """Copy the present backups there, and forget copies that are too old.

        A repository is made where there is none, but not where the last copy went: its disk may not be mounted.

        Raises:
            ToolkitError: it did not work, or another repository is in the place of that of the last copy; what was
                there before is there still.
        """
        before = offsite_record.last(folder.path, self.repository)
        if (found := self._restic("cat", "config")).returncode:
            # restic has an exit code for it since 0.17; Debian 12 has 0.14.
            if (
                found.returncode != NO_REPOSITORY
                and "Is there a repository at the following location" not in found.stderr
            ):
                raise self._failed(found)
            if before:
                raise self._strange("there is no repository any more in", folder, before)
            self._do("init")
            found = self._do("cat", "config")
        its = self._read(found, lambda config: str(config["id"]))  # by which another one is told from it
        if before and before.id != its:
            raise self._strange("another repository is in", folder, before)
        self._do("unlock")  # what a copy left that was killed; locks of those that run stay
        now = time.time()
        backups, _ = folder.look(now)
        files = [path for one in backups for path in (one.path, manifest_of(one.path))]
        # The date of the newest backup in it: by a clock that is behind, the copy would be forgotten as an old one.
        dated = [
            f"--time={times.from_epoch(one.manifest.created).astimezone():%Y-%m-%d %H:%M:%S}" for one in backups[:1]
        ]
        self._do("backup", "--quiet", "--host", platform.node(), *dated, *map(str, files))
        offsite_record.keep(folder.path, Copied(self.repository, its, times.iso(times.now())))
        if clock.why_not_remove(now, newest_known(backups, now)):
            return
        # Not by restic's --keep-…: a snapshot that is dated in the future would count as the newest for years.
        past = [one for one in self._snapshots(platform.node()) if not clock.ahead(one.time, now)]
        kept = places_kept([one.time for one in past], keep, doubted_after(backups))
        if gone := [one.id for place, one in enumerate(past) if place not in kept]:
            self._do("forget", "--quiet", "--prune", *gone)

    def check(self) -> None:
        """Check that the copies are whole.

        Raises:
            ToolkitError: it is not, or cannot be reached.
        """
        part = times.now().isocalendar().week % WEEKS + 1
        self._do("check", "--quiet", f"--read-data-subset={part}/{WEEKS}")

    def fetch(self, folder: Folder, host: str) -> list[str]:
        """Copy a host's backups back into a folder, which is locked by the caller; those that are there stay.

        Returns:
            The names of those that came.

        Raises:
            ToolkitError: it did not work.
        """
        now = time.time()
        # The newest, and the newest of those dated in the future: together they tell which backup is LATEST.
        snapshots = sorted(self._snapshots(host), key=lambda one: clock.ahead(one.time, now))
        if not snapshots:
            raise ToolkitError(f"there is no copy of {host} in {self.repository}")
        wanted = {one.id for one in (snapshots[0], max(snapshots, key=lambda one: one.time))}
        with TemporaryDirectory(prefix=SCRATCH, dir=folder.path) as scratch:
            for one in wanted:
                self._do("restore", one, "--quiet", "--target", scratch)
            found = sorted(Path(scratch).rglob(f"{PREFIX}*{PACKED}"))
            came = [
                path for path in found if manifest_of(path).exists() and not os.path.lexists(folder.path / path.name)
            ]
            try:
                for path in came:
                    for part in (manifest_of(path), path):
                        shutil.move(part, folder.path / part.name)
            except OSError as error:
                raise ToolkitError(f"cannot write to {folder.path}: {reason(error)}") from error
        return [path.name for path in came]

    def _snapshots(self, host: str) -> list[_Snapshot]:
        """The snapshots of a host, the newest first."""
        done = self._do("snapshots", "--json", "--host", host)
        told = self._read(done, lambda ones: [_Snapshot(one["id"], times.epoch_of(one["time"])) for one in ones or ()])
        return sorted(told, key=lambda one: one.time, reverse=True)

    def _read(self, done: subprocess.CompletedProcess[str], read: Callable[[Any], _T]) -> _T:
        """What is to be read of the JSON that restic printed."""
        try:
            return read(json.loads(done.stdout))
        except (ValueError, KeyError, TypeError) as error:
            raise ToolkitError(f"off-site copy: what restic says of {self.repository} is not understood") from error

    def _strange(self, what: str, folder: Folder, before: Copied) -> ToolkitError:
        return ToolkitError(
            f"off-site copy: {what} {self.repository}, where the last copy went at {before.copied_at}: is its disk "
            f"mounted? To begin anew: rm {folder.path / offsite_record.FILE}"
        )

    def _do(self, *words: str) -> subprocess.CompletedProcess[str]:
        def attempt() -> subprocess.CompletedProcess[str]:
            done = self._restic(*words)
            if done.returncode:
                raise self._failed(done)
            return done

        # restic's own --retry-lock is there since 0.16.
        return patiently(attempt, _PATIENCE_SECONDS)

    def _restic(self, *words: str) -> subprocess.CompletedProcess[str]:
        # Without a cache, which would be of little use for a few large files.
        command = ["restic", "--no-cache", *words]
        try:
            return subprocess.run(  # noqa: S603
                command, env=self.environment, capture_output=True, text=True, errors="replace", check=False
            )
        except FileNotFoundError:
            raise ToolkitError("restic is not installed: apt-get install restic") from None

    def _failed(self, done: subprocess.CompletedProcess[str]) -> ToolkitError:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        said = lines[0] if lines else f"exit code {done.returncode}"
        message = f"off-site copy: restic {done.args[2]} of {self.repository}: {without_secrets(said)}"
        if _LOCKED in done.stderr:
            return InUseError(f"{message}: wait for its end; a lock that is half an hour old is taken away")
        return ToolkitError(message)


def configured(settings: Settings) -> Offsite | None:
    """The repository that the settings name; None without one.

    Raises:
        UsageError: its password is not there.
    """
    if not settings.restic_repository:
        return None
    password = credentials.path(Credential.RESTIC_PASSWORD) or credentials.FOLDER / Credential.RESTIC_PASSWORD
    place = shown(settings.restic_repository)
    if not os.access(password, os.R_OK):
        raise UsageError(f"there is an off-site repository, {place}, but no password for it in {password}")
    more = credentials.path(Credential.RESTIC_ENVIRONMENT)
    own = {name: one.value for name, one in envfile.read(more).items()} if more else {}
    environment = {"RESTIC_REPOSITORY": settings.restic_repository, "RESTIC_PASSWORD_FILE": str(password), **own}
    return Offsite(place, {**os.environ, **environment})
