"""What a backup needs of a database's engine: a snapshot in a file, and a look at that file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, cast

from toolkit.backup.manifest import Content
from toolkit.database import Database, database, part_of


class Engine(Protocol):
    """What a module `toolkit.backup.ENGINE` offers.

    Attributes:
        NAME: of the engine, for people.
        ENDING: how the names of its backups end.
        VERSION: the newest schema that this program knows.
    """

    NAME: str
    ENDING: str
    VERSION: int

    def size_bytes(self, db: Any) -> int:
        """How large a snapshot will be at most."""

    def snapshot(self, db: Any, to: Path) -> Content:
        """Write a database as it is at one moment into a file, and tell what it held at that moment."""

    def inspect(self, copy: Path, *, every_page: bool = True) -> Content:
        """What a snapshot holds, by looking at it."""


def of(named: Database | str) -> Engine:
    """The engine of a database."""
    return cast(Engine, part_of("toolkit.backup.", database(named)))
