"""What a restore needs of a database's engine: the way of a backup into a database, and back."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from toolkit.backup.folder import Backup, Folder
from toolkit.database import Database, part_of

# Feeds correct rows and bring late ones for so long; older rows come by an import.
LATE_SECONDS = 3 * 86400


@dataclass(slots=True)
class Restored:
    """What a restore did.

    Attributes:
        backup: the backup that was restored.
        merged: how many observations were taken over from the database that was replaced.
        unreadable: periods of the replaced database, as text, that could not be read.
        replaced: the folder that holds what was replaced; None if there was nothing.
    """

    backup: Backup
    merged: int = 0
    unreadable: list[str] = field(default_factory=list)
    replaced: Path | None = None


class Restorer(Protocol):
    """What a module `toolkit.backup.ENGINE.restore` offers."""

    def put(self, folder: Folder, backup: Backup, db: Any, *, merge: bool) -> Restored:
        """Put a backup in the place of a database; see `restoring.restore`."""

    def undo(self, folder: Folder, db: Any, replaced: Path) -> None:
        """Put back what a restore replaced; nobody may write there meanwhile."""

    def scratch(self, folder: Folder, backup: Backup, db: Any) -> AbstractContextManager[Database]:
        """A scratch database that holds a backup for as long as the context lasts."""


def restorer_of(db: Database) -> Restorer:
    """What puts backups in the place of a database."""
    return cast(Restorer, part_of("toolkit.backup.{}.restore", db))
