"""SQLite's part: a snapshot of a database that is being written, and a look at whether it is whole."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from toolkit.backup.manifest import Content
from toolkit.database import SQLiteDatabase
from toolkit.errors import reason
from toolkit.store import StoreError
from toolkit.store import sqlite_schema as schema
from toolkit.store.sqlite_file import for_reading
from toolkit.text import one_line

ENDING = ".db.zst"
VERSION = schema.VERSION
PATIENCE_SECONDS = 30.0
# More than any database has: its pages are read through the page cache, without a system call for each.
MAPPED_BYTES = 1 << 40
PAGES_PER_STEP = 2048
# No text that is stored is longer.
LARGEST_VALUE = 16 << 20
# Instructions of SQLite's virtual machine between two looks at signals: some milliseconds.
STEPS_UNHEARD = 1_000_000

logger = logging.getLogger(__name__)


def size_bytes(db: SQLiteDatabase) -> int:
    """How much a snapshot will take: the file, and what its log may add.

    Raises:
        StoreError: there is no such file.
    """
    path = db.file
    try:
        log = path.with_name(path.name + "-wal")
        return path.stat().st_size + (log.stat().st_size if log.exists() else 0)
    except OSError as error:
        raise StoreError(f"cannot open the database {db}: {reason(error)}") from error


def snapshot(db: SQLiteDatabase, to: Path) -> Content:
    """Copy a database as it is at one moment, and tell what it held at that moment.

    The online backup API, in the same read transaction that counts: in WAL mode no writer waits for it. What is not of
    this program's schema, but views, triggers, indexes and tables that somebody added, is left out of the copy.

    Raises:
        StoreError: it cannot be read, or is no weather database.
    """
    path = db.file
    with _translate_errors(path):
        source = sqlite3.connect(for_reading(path), uri=True, timeout=PATIENCE_SECONDS, isolation_level=None)
        with closing(source), closing(sqlite3.connect(to, isolation_level=None)) as copy:
            source.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            source.execute("BEGIN")
            version = _version(source, path)
            require_tables(source, path, version)
            content = _content(source, version)
            # What a crash leaves of a scratch file is thrown away; nothing has to be synced or journalled.
            copy.execute("PRAGMA synchronous = OFF")
            copy.execute("PRAGMA journal_mode = OFF")
            # In steps, between which a signal is heard.
            source.backup(copy, pages=PAGES_PER_STEP, progress=lambda *_: None)
            _purge(copy, path, version)
        return content


def inspect(db: Path, *, every_page: bool = True) -> Content:
    """What a database that nobody writes holds, after a look at every page, or by the pages' own counts.

    Nothing of it is run before its schema was compared with the one that this program makes.

    Raises:
        StoreError: it is damaged, or no weather database, or has what this program did not make.
    """
    with _translate_errors(db):
        connection = sqlite3.connect(f"{db.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        with closing(connection):
            bound(connection)
            version = _version(connection, db)
            if version <= VERSION:
                wrong, more = schema.differences(connection, version)
                wrong += [f"{one} is not of this program" for one in more]
                if wrong:
                    raise StoreError(f"its {', its '.join(wrong[:5])}")
            connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            if every_page:
                (result,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
                if result != "ok":
                    raise StoreError(" ".join(str(result).split()))
            return _content(connection, version)


def bound(connection: sqlite3.Connection) -> None:
    """Bound what a database that anybody may have written can do: no function, no huge value, no ATTACH."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    heard(connection)


def heard(connection: sqlite3.Connection) -> None:
    """Let a signal end a long statement: Python runs the handlers of signals only between its own instructions."""
    connection.set_progress_handler(lambda: 0, STEPS_UNHEARD)


def require_tables(connection: sqlite3.Connection, db: Path, version: int, prefix: str = "table ") -> None:
    """Make sure that the names of this program's tables are tables: a view could be any query.

    Raises:
        StoreError: one is something else.
    """
    for wrong in schema.differences(connection, version)[0]:
        if wrong.startswith(prefix):
            raise StoreError(f"the database {db} is not as this program makes it: {wrong}")


def _purge(copy: sqlite3.Connection, db: Path, version: int) -> None:
    """Remove from a copy what this program did not make, and restore what it made and somebody changed or dropped."""
    wanted = schema.expected(version)
    found = schema.objects(copy)
    other = [one for one, sql in found.items() if " ".join(wanted.get(one, "").split()) != " ".join(sql.split())]
    # Those of a view or a table go with it.
    for kind, name in sorted(other, key=lambda one: ("trigger", "view", "index", "table").index(one[0])):
        logger.warning("%s: %s %s is not of this program: left out of the backup", db, kind, one_line(name, 80))
        quoted = name.replace('"', '""')
        copy.execute(f'DROP {kind.upper()} IF EXISTS "{quoted}"')
    there = schema.objects(copy)
    for one, sql in wanted.items():
        if one not in there:
            copy.execute(sql)


def _version(connection: sqlite3.Connection, db: Path) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != schema.APPLICATION_ID:
        raise StoreError(f"{db} is not a database of this service")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < 1:
        raise StoreError(f"{db} has no version of its schema")
    return version


def _content(connection: sqlite3.Connection, version: int) -> Content:
    (stations,) = connection.execute("SELECT COUNT(*) FROM stations").fetchone()
    # Apart, each is a walk over pages or two of them; together they would be one over all rows.
    (count,) = connection.execute("SELECT COUNT(*) FROM observation").fetchone()
    (first,) = connection.execute("SELECT MIN(time) FROM observation").fetchone()
    (last,) = connection.execute("SELECT MAX(time) FROM observation").fetchone()
    return Content(stations, count, first, last, version)


@contextmanager
def _translate_errors(db: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the database {db} cannot be read: {error}") from error
