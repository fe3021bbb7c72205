"""What a backup needs of a database's engine: a snapshot in a file, and a look at that file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, cast

from toolkit.backup.manifest import Content
from toolkit.database import Database, database, part_of


class Snapshots(Protocol):
    """What a module `toolkit.backup.ENGINE.snapshot` offers.

    Attributes:
        ENDING: how the names of its backups end.
        VERSION: the newest schema that this program knows.
    """

    ENDING: str
    VERSION: int

    def size_bytes(self, db: Any) -> int:
        """How large a snapshot will be at most."""

    def snapshot(self, db: Any, to: Path) -> Content:
        """Write a database as it is at one moment into a file, and tell what it held at that moment."""

    def inspect(self, copy: Path, *, every_page: bool = True) -> Content:
        """What a snapshot holds, by looking at it."""


def snapshots_of(named: Database | str) -> Snapshots:
    """What makes snapshots of a database."""
    return cast(Snapshots, part_of("toolkit.backup.{}.snapshot", database(named)))
