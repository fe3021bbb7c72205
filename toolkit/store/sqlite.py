"""Opening an SQLite database: for the collector, which makes and migrates it, and for readers, which change nothing."""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from toolkit.database import SQLiteDatabase
from toolkit.store import sqlite_schema
from toolkit.store.base import NewerSchemaError, StoreError, StoreGoneError, StoreRefusedError
from toolkit.store.sqlite_file import for_reading, only_looking, require_files, translate_errors
from toolkit.store.sqlite_store import SQLiteStore

# How long the collector waits for another process's lock: it can spool a document, and must stop within 5 s.
BUSY_SECONDS = 2.0
# How long a look at the schema waits for another process.
SCHEMA_SECONDS = 5.0


def open_for_writing(db: SQLiteDatabase, *, begin: bool = True) -> SQLiteStore:
    """See `store.open_for_writing`."""
    file = db.file
    with translate_errors(file), ExitStack() as opening:
        if not begin and not (file.exists() and file.stat().st_size):
            raise StoreGoneError(f"the database {file} is {'empty' if file.exists() else 'gone'}")
        # Created before SQLite creates it, for its mode: only the service may read it. Not opened where it exists: to
        # close it would take SQLite's locks from this process's other connections (sqlite.org/howtocorrupt.html, 2.2).
        if not file.exists():
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        require_files(file)
        # The collector's threads share it; one uses it at a time.
        connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        opening.callback(connection.close)
        if not _refuse_other(connection, file) and not begin:
            raise StoreGoneError(f"the database {file} is empty")
        # Takes effect in an empty database: the space that retention frees can then be given back in steps.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit that returned survives a power cut; in WAL this is one fsync a cycle.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # KiB. What is written together lies together, and a collector fills SQLite's own 2 MB in two weeks.
        connection.execute("PRAGMA cache_size = -256")
        store = SQLiteStore(connection, file)
        with store._transaction():
            sqlite_schema.migrate(connection)
        opening.pop_all()
    return store


def schema(db: SQLiteDatabase) -> tuple[int | None, int]:
    """See `store.schema`."""
    file = db.file
    if not file.exists() or not file.stat().st_size:
        return None, sqlite_schema.VERSION
    try:
        with closing(sqlite3.connect(only_looking(file), uri=True, timeout=SCHEMA_SECONDS)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            made = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")]
    except sqlite3.Error as error:
        raise StoreError(f"the database {file} cannot be read: {error}") from error
    if version > sqlite_schema.VERSION:
        raise NewerSchemaError(
            f"the database {file} has schema {version}, this release knows up to {sqlite_schema.VERSION}"
        )
    if version < sqlite_schema.VERSION:
        try:
            sqlite_schema.try_steps(made, version)
        except sqlite3.Error as error:
            raise StoreError(f"the step from schema {version} to {sqlite_schema.VERSION} fails: {error}") from error
    return version, sqlite_schema.VERSION


def open_for_reading(db: SQLiteDatabase, patience: float, *, look: bool = False) -> SQLiteStore:
    """See `store.open_for_reading`."""
    return SQLiteStore(connect_for_reading(db, patience, look=look), db.file)


def connect_for_reading(db: SQLiteDatabase, patience: float, *, look: bool = False) -> sqlite3.Connection:
    """A connection that cannot write, to a database of this program's schema; see `store.open_for_reading`."""
    file = db.file
    with translate_errors(file), ExitStack() as opening:
        if not file.exists():
            raise StoreError(f"there is no database at {file}: has the collector stored anything yet?")
        uri = only_looking(file) if look else for_reading(file)
        connection = sqlite3.connect(uri, uri=True, timeout=patience)
        opening.callback(connection.close)
        version = _refuse_other(connection, file)
        if version < sqlite_schema.VERSION:
            what = f"has schema {version}, older than this program's {sqlite_schema.VERSION}" if version else "is empty"
            raise StoreError(f"the database {file} {what}: the collector puts it right when it starts")
        opening.pop_all()
    return connection


def _refuse_other(connection: sqlite3.Connection, file: Path) -> int:
    """The schema's version, 0 for an empty database; raises for another program's database and a newer schema."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0]
    if tables and application != sqlite_schema.APPLICATION_ID:
        raise StoreRefusedError(f"the database {file} was made by another program: name another file in WEATHER_DB")
    if tables and version < 1:
        raise StoreRefusedError(
            f"the database {file} has tables, and no version of their schema: weather-tool restore LATEST"
        )
    if version > sqlite_schema.VERSION:
        raise NewerSchemaError(
            f"the database {file} has schema {version}, this program knows up to {sqlite_schema.VERSION}: "
            "run the newer release"
        )
    return version
