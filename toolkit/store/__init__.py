"""Where observations are kept: one interface (`base.Store`), on SQLite or on PostgreSQL."""

from __future__ import annotations

from toolkit.kinds import is_postgresql
from toolkit.store.base import (
    Count,
    DocumentRefusedError,
    Extent,
    Finding,
    Logged,
    Selection,
    Span,
    Store,
    Stored,
    StoreError,
    StoreGoneError,
    StoreRefusedError,
    Verdict,
)

__all__ = [
    "Count", "DocumentRefusedError", "Extent", "Finding", "Logged", "Selection", "Span", "Store", "StoreError",
    "StoreGoneError", "StoreRefusedError", "Stored", "Verdict", "open_for_reading", "open_for_writing",
]  # fmt: skip

# How long a reader waits for another process's lock.
PATIENCE_SECONDS = 5.0


def open_for_writing(db: str, *, begin: bool = True) -> Store:
    """The store that `db` names, migrated if need be; where there is none it is made, if it may `begin`.

    Raises:
        StoreError: it cannot be made or written just now.
        StoreGoneError: there is none, and none is to begin.
        StoreRefusedError: it belongs to a newer or to another program.
    """
    if is_postgresql(db):
        from toolkit.store import postgresql

        return postgresql.open_for_writing(db, begin=begin)
    from toolkit.store import sqlite

    return sqlite.open_for_writing(db, begin=begin)


def open_for_reading(db: str, patience: float = PATIENCE_SECONDS, *, look: bool = False) -> Store:
    """The store that `db` names; reading never makes or changes it, and waits `patience` seconds for a lock.

    With `look` it is for a moment, and no file appears beside the database either.

    Raises:
        StoreError: it is missing, empty, locked or damaged, or its schema is another.
    """
    if is_postgresql(db):
        from toolkit.store import postgresql

        return postgresql.open_for_reading(db, patience)
    from toolkit.store import sqlite

    return sqlite.open_for_reading(db, patience, look=look)
