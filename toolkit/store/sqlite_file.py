"""The files of an SQLite database, and how they are opened for a look."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toolkit.errors import reason
from toolkit.store.base import StoreError


def parts_of(db: Path) -> list[Path]:
    """A database's file, and those that SQLite has beside it."""
    return [db, *(db.with_name(db.name + ending) for ending in ("-wal", "-shm", "-journal"))]


def require_files(db: Path) -> None:
    """Make sure that a database and the files beside it are regular files: SQLite would wait for ever for a pipe.

    Raises:
        StoreError: one is something else.
    """
    for part in parts_of(db):
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(part.stat().st_mode):
                raise StoreError(f"the database {db} cannot be used: {part} is no file")


def for_reading(db: Path) -> str:
    """The URI of a database that is only read; see `require_files`."""
    require_files(db)
    return f"{db.absolute().as_uri()}?mode=ro"


def only_looking(file: Path) -> str:
    """The URI of a database for a short look that creates no file beside it.

    A reader of a database in WAL mode creates the log's files if there are none. If there are none, nobody has the
    database open, and its file can be read alone (SQLite's `immutable`).
    """
    closed = not any(file.with_name(file.name + ending).exists() for ending in ("-wal", "-journal"))
    return for_reading(file) + ("&immutable=1" if closed else "")


@contextmanager
def translate_errors(file: Path) -> Iterator[None]:
    """Raise what SQLite and the system raise as a StoreError that names the database."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot open the database {file}: {reason(error)}") from error
    except sqlite3.Error as error:
        raise StoreError(f"the database {file} cannot be used: {error}") from error
