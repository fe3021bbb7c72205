"""A folder of backups: `weather_YYYYMMDD_HHMMSS.db.zst` of SQLite, `….dump.zst` of PostgreSQL.

Each has a manifest `….json` beside it: a backup is there when both files are. The manifest takes its name first, so
that a backup that was not finished never has the name of one; and a backup that is removed loses its name first. One
process at a time changes the folder.
"""

from __future__ import annotations

import math
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolkit import clock, locking
from toolkit.backup import manifest
from toolkit.backup.manifest import DamagedError, Manifest
from toolkit.errors import ToolkitError, reason
from toolkit.files import sync_folder, write_atomically
from toolkit.text import one_line

PREFIX = "weather_"
PACKED = ".zst"
MANIFEST = ".json"
# How the names of scratch files begin.
SCRATCH = ".weather_"


@dataclass(frozen=True, slots=True)
class _Named:
    """A file with the name of a backup."""

    path: Path

    @property
    def name(self) -> str:
        """As people name it."""
        return one_line(self.path.name)


@dataclass(frozen=True, slots=True)
class Backup(_Named):
    """A backup that looks whole: its manifest is sound, and its file has the size that the manifest says."""

    manifest: Manifest

    @property
    def name(self) -> str:
        """As people name it."""
        return self.manifest.file


@dataclass(frozen=True, slots=True)
class Damaged(_Named):
    """A file with the name of a backup that is none, and why."""

    wrong: str


class UnreadableFolderError(ToolkitError):
    """The folder cannot be read."""


class Folder:
    """The backups of one host."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._locked = False

    @contextmanager
    def locked(self, *, patience: float = 0) -> Iterator[None]:
        """Keep other processes from changing the folder, and remove what an interrupted one left. May be nested.

        Args:
            patience: for how many seconds the end of another process that has it locked is waited for.

        Raises:
            InUseError: another one is at work; which, and since when.
            ToolkitError: the folder cannot be written.
        """
        if self._locked:
            yield
            return
        busy = f"another backup or restore is at work in {self.path}"
        with locking.held(self.path / ".lock", busy, patience=patience):
            self._locked = True
            try:
                self._clean()
                yield
            finally:
                self._locked = False

    def scratch(self, name: str) -> Path:
        """An empty file that only the service user may read, and that does not outlive this run under this name."""
        path = self.path / f"{SCRATCH}{name}"
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return path

    def look(self, now: float | None = None) -> tuple[list[Backup], list[Damaged]]:
        """All that is there, the newest first; see `newest_first`. `now` is the host's clock, if it was asked before.

        Raises:
            UnreadableFolderError: the folder cannot be read.
        """
        try:
            paths = sorted(self.path.iterdir(), reverse=True)
        except FileNotFoundError:
            paths = []
        except OSError as error:
            raise UnreadableFolderError(f"cannot read {self.path}: {reason(error)}") from error
        seen = [_seen(path) for path in paths if path.name.startswith(PREFIX) and path.name.endswith(PACKED)]
        backups = newest_first([one for one in seen if isinstance(one, Backup)], time.time() if now is None else now)
        return backups, [one for one in seen if isinstance(one, Damaged)]

    def find(self, name: str) -> Backup:
        """The backup of a name or a path; of LATEST, the newest that looks whole.

        Raises:
            DamagedError: it is not whole.
            ToolkitError: there is none.
        """
        if name == "LATEST":
            backups, _ = self.look()
            if not backups:
                raise ToolkitError(f"there is no backup in {self.path}: weather-tool backup create")
            return backups[0]
        path = Path(name) if "/" in name else self.path / name
        if not os.path.lexists(path):
            raise ToolkitError(f"there is no backup {path}: weather-tool backup list")
        seen = _seen(path)
        if isinstance(seen, Damaged):
            raise DamagedError(f"{seen.name}: {seen.wrong}")
        return seen

    def put(self, made: Manifest, packed: Path) -> Backup:
        """Give a packed database its name, and its manifest."""
        path = self.path / made.file
        write_atomically(manifest_of(path), made.as_text())
        packed.rename(path)
        sync_folder(self.path)
        return Backup(path, made)

    def remove(self, backup: Backup) -> None:
        """Remove a backup and its manifest."""
        backup.path.unlink()
        manifest_of(backup.path).unlink(missing_ok=True)
        sync_folder(self.path)

    def _clean(self) -> None:
        """Remove what an interrupted run left: scratch, and manifests without a backup."""
        for left in self.path.glob(f"{SCRATCH}*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        for text in self.path.glob(f"{PREFIX}*{PACKED}{MANIFEST}"):
            if not text.with_suffix("").exists():
                text.unlink()


def manifest_of(path: Path) -> Path:
    """Where the manifest of a backup is."""
    return path.with_name(path.name + MANIFEST)


def ahead(backup: Backup, now: float) -> bool:
    """Whether a backup is dated in the future by the host's clock: then its clock or the present one is wrong."""
    return clock.ahead(backup.manifest.created, now)


def newest_first(backups: list[Backup], now: float) -> list[Backup]:
    """Backups in the order in which they were made, the last one first.

    A database only grows: what they hold tells the order, and where they hold the same, their dates. Where the host's
    clock can be right, one that is dated more than a week ahead of it comes after all others, what is observed so far
    ahead tells nothing, and of two that hold the same the one that is dated in the future is the older one.
    """
    latest = math.inf if clock.refuted(now, None) else now + clock.BELIEVED_SECONDS

    def key(one: Backup) -> tuple[bool, float, bool, str]:
        last, created = one.manifest.last or 0.0, one.manifest.created
        return created <= latest, last if last <= latest else created, not ahead(one, now), one.manifest.created_at

    return sorted(sorted(backups, key=lambda one: one.name, reverse=True), key=key, reverse=True)


def _seen(path: Path) -> Backup | Damaged:
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return Damaged(path, "it is no file")
        made = manifest.read(manifest_of(path))
    except DamagedError as error:
        return Damaged(path, str(error))
    except OSError as error:
        return Damaged(path, f"it cannot be read: {reason(error)}")
    if made.file != path.name:
        return Damaged(path, f"its manifest is that of {made.file}")
    if found.st_size != made.bytes:
        return Damaged(path, f"it has {found.st_size} bytes instead of {made.bytes}")
    return Backup(path, made)
