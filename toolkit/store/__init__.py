"""Where observations are kept: one interface (`base.Store`), on SQLite or on PostgreSQL."""

from __future__ import annotations

from typing import Any, Protocol, cast

from toolkit.database import Database, database, part_of
from toolkit.store.base import (
    Count,
    DocumentRefusedError,
    Extent,
    Logged,
    NewerSchemaError,
    Store,
    Stored,
    StoredAnomaly,
    StoreError,
    StoreGoneError,
    StoreRefusedError,
)
from toolkit.store.selection import Selection, Span

__all__ = [
    "Count", "DocumentRefusedError", "Extent", "Logged", "NewerSchemaError", "Selection", "Span", "Store",
    "StoreError", "StoreGoneError", "StoreRefusedError", "Stored", "StoredAnomaly", "open_for_reading",
    "open_for_writing", "schema",
]  # fmt: skip

# How long a reader waits for another process's lock.
PATIENCE_SECONDS = 5.0


class Engine(Protocol):
    """What a module `toolkit.store.ENGINE` offers."""

    def open_for_writing(self, db: Any, *, begin: bool) -> Store:
        """See `open_for_writing`."""

    def open_for_reading(self, db: Any, patience: float, *, look: bool) -> Store:
        """See `open_for_reading`."""

    def schema(self, db: Any) -> tuple[int | None, int]:
        """See `schema`."""


def _engine(db: Database) -> Engine:
    return cast(Engine, part_of("toolkit.store.{}", db))


def open_for_writing(named: Database | str, *, begin: bool = True) -> Store:
    """The store of a database, migrated if need be; where there is none it is made, if it may `begin`.

    Raises:
        StoreError: it cannot be made or written just now.
        StoreGoneError: there is none, and none is to begin.
        StoreRefusedError: it belongs to a newer or to another program.
    """
    db = database(named)
    return _engine(db).open_for_writing(db, begin=begin)


def open_for_reading(named: Database | str, patience: float = PATIENCE_SECONDS, *, look: bool = False) -> Store:
    """The store of a database; reading never makes or changes it, and waits `patience` seconds for a lock.

    With `look` it is for a moment, and no file appears beside the database either.

    Raises:
        StoreError: it is missing, empty, locked or damaged, or its schema is another.
    """
    db = database(named)
    return _engine(db).open_for_reading(db, patience, look=look)


def schema(db: Database) -> tuple[int | None, int]:
    """The schema of a database (None: there is none yet), and the one to which this program would bring it.

    Steps that are due are tried on an empty copy where the engine can do that; the database stays as it is.

    Raises:
        NewerSchemaError: it is newer than this program.
        StoreError: it cannot be read, or a step fails.
    """
    return _engine(db).schema(db)
