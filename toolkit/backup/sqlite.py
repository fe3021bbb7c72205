"""SQLite's part: a snapshot of a database that is being written, and a look at whether it is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from toolkit.backup.manifest import Content
from toolkit.errors import reason
from toolkit.store import StoreError
from toolkit.store import sqlite_schema as schema

NAME = "SQLite"
ENDING = ".db.zst"
VERSION = schema.VERSION
PATIENCE_SECONDS = 30.0
# More than any database has: its pages are read through the page cache, without a system call for each.
MAPPED_BYTES = 1 << 40


def size_bytes(db: str) -> int:
    """How much a snapshot will take: the file, and what its log may add.

    Raises:
        StoreError: there is no such file.
    """
    path = Path(db)
    try:
        log = path.with_name(path.name + "-wal")
        return path.stat().st_size + (log.stat().st_size if log.exists() else 0)
    except OSError as error:
        raise StoreError(f"cannot open the database {db}: {reason(error)}") from error


def snapshot(db: str, to: Path) -> Content:
    """Copy a database as it is at one moment, and tell what it held at that moment.

    The online backup API, in the same read transaction that counts: in WAL mode no writer waits for it.

    Raises:
        StoreError: it cannot be read, or is no weather database.
    """
    path = Path(db)
    with _said(path):
        source = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE_SECONDS, isolation_level=None
        )
        with closing(source), closing(sqlite3.connect(to, isolation_level=None)) as copy:
            source.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            source.execute("BEGIN")
            content = _content(source, path)
            # What a crash leaves of a scratch file is thrown away; nothing has to be synced or journalled.
            copy.execute("PRAGMA synchronous = OFF")
            copy.execute("PRAGMA journal_mode = OFF")
            source.backup(copy)
        return content


def inspect(db: Path, *, every_page: bool = True) -> Content:
    """What a database that nobody writes holds, after a look at every page, or by the pages' own counts.

    Raises:
        StoreError: it is damaged, or no weather database.
    """
    with _said(db):
        connection = sqlite3.connect(f"{db.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        with closing(connection):
            connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            if every_page:
                (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
                if verdict != "ok":
                    raise StoreError(" ".join(verdict.split()))
            return _content(connection, db)


def _content(connection: sqlite3.Connection, db: Path) -> Content:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != schema.APPLICATION_ID:
        raise StoreError(f"{db} is not a database of this service")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (stations,) = connection.execute("SELECT COUNT(*) FROM stations").fetchone()
    # Apart, each is a walk over pages or two of them; together they would be one over all rows.
    (count,) = connection.execute("SELECT COUNT(*) FROM observation").fetchone()
    (first,) = connection.execute("SELECT MIN(time) FROM observation").fetchone()
    (last,) = connection.execute("SELECT MAX(time) FROM observation").fetchone()
    return Content(stations, count, first, last, version)


@contextmanager
def _said(db: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the database {db} cannot be read: {error}") from error
