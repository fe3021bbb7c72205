"""What a backup needs of an engine: a snapshot as a file, a look at that file, and a way back into a database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from toolkit.backup.folder import Backup, Folder
from toolkit.backup.manifest import Content
from toolkit.kinds import is_postgresql

# Feeds correct rows and bring late ones for so long; what is older came by an import.
LATE_SECONDS = 3 * 86400


class Engine(Protocol):
    """Of `sqlite` and of `postgresql`, the modules of this package."""

    NAME: str
    ENDING: str
    """How the names of its backups end."""
    VERSION: int
    """Of the schema that this program knows."""

    def size_bytes(self, db: str) -> int:
        """How large a snapshot will be at most."""

    def snapshot(self, db: str, to: Path) -> Content:
        """Write a database as it is at one moment into a file, and tell what it held at that moment."""

    def inspect(self, copy: Path, *, every_page: bool = True) -> Content:
        """What a snapshot holds, by looking at it."""


@dataclass(slots=True)
class Restored:
    """What a restore did.

    Attributes:
        backup: what was put in place.
        merged: observations that the replaced database had beyond the backup, and that were kept.
        unreadable: stretches of time of the replaced database, as text, that could not be read.
        replaced: the folder in which the replaced database is; None if there was none.
    """

    backup: Backup
    merged: int = 0
    unreadable: list[str] = field(default_factory=list)
    replaced: Path | None = None


class Into(Protocol):
    """Of `into_sqlite` and `into_postgresql`: the way of a backup into a database."""

    def put(self, folder: Folder, backup: Backup, db: str, *, merge: bool) -> Restored:
        """Put it in the place of a database; see `restoring.restore`."""

    def undo(self, folder: Folder, db: str, replaced: Path) -> None:
        """Put back what it replaced; nobody may write there meanwhile."""

    def rehearsed(self, folder: Folder, backup: Backup, db: str) -> AbstractContextManager[str]:
        """A scratch database that holds a backup, for as long as the context lasts; what `WEATHER_DB` would be."""


def of(db: str) -> Engine:
    """Of a database."""
    if is_postgresql(db):
        from toolkit.backup import postgresql

        return cast(Engine, postgresql)
    from toolkit.backup import sqlite

    return cast(Engine, sqlite)


def into(db: str) -> Into:
    """The way into a database."""
    if is_postgresql(db):
        from toolkit.backup import into_postgresql

        return into_postgresql
    from toolkit.backup import into_sqlite

    return into_sqlite
