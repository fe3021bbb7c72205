"""Observations in one SQLite file: WAL, one transaction a cycle, readers never wait for the writer."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from toolkit.errors import ToolkitError
from toolkit.feed.document import Document, Station
from toolkit.store import schema
from toolkit.store.encoding import COLUMNS, VALUES_SQL, pack
from toolkit.times import stored

# How long a statement waits for another process's lock.
BUSY_SECONDS = 5.0


class StoreError(ToolkitError):
    """The store cannot be opened, read or written: the reason in words."""


class Stored(NamedTuple):
    """What one cycle changed.

    Attributes:
        new: rows that were not there.
        corrected: rows in which a value replaced another, or filled a gap.
    """

    new: int
    corrected: int


_INSERT = f"INSERT OR IGNORE INTO observation VALUES ({', '.join('?' * (len(COLUMNS) + 3))})"

# A feed that no longer offers a value does not take back the one it offered before.
_PLACES = {name: f"?{place}" for place, name in enumerate(COLUMNS, start=3)}
_CORRECT = f"""
UPDATE observation
SET {", ".join(f"{name} = coalesce({place}, {name})" for name, place in _PLACES.items())}, delay = ?{len(COLUMNS) + 3}
WHERE time = ?1 AND station = ?2
AND ({" OR ".join(f"{place} IS NOT NULL AND {place} IS NOT {name}" for name, place in _PLACES.items())})
"""

_STATION = """
INSERT INTO stations
    (station_id, station_name_en, station_name_gr, latitude, longitude, elevation, first_seen, last_seen)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
ON CONFLICT (station_id) DO UPDATE SET
    station_name_en = coalesce(excluded.station_name_en, station_name_en),
    station_name_gr = coalesce(excluded.station_name_gr, station_name_gr),
    latitude = coalesce(excluded.latitude, latitude),
    longitude = coalesce(excluded.longitude, longitude),
    elevation = coalesce(excluded.elevation, elevation),
    last_seen = excluded.last_seen
"""


class Store:
    """An open database. Made by `open_for_writing` and `open_for_reading`; closed by leaving a `with`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def add(self, document: Document, collected: float) -> Stored:
        """Store a document and its line in the log, whole or not at all.

        Args:
            document: what the feed offered.
            collected: when it was fetched, seconds since the epoch.

        Raises:
            StoreError: nothing was stored.
        """
        at = stored(collected)
        with self._transaction() as connection:
            connection.executemany(_STATION, [(*station, at) for station in document.stations])
            numbers = dict(connection.execute("SELECT station_id, number FROM stations"))
            rows = [
                pack(observation, numbers[observation.station_id], int(collected))
                for observation in document.observations
            ]
            new = connection.executemany(_INSERT, rows).rowcount if rows else 0
            corrected = connection.executemany(_CORRECT, rows).rowcount if new < len(rows) else 0
            left_out = ", ".join(f"{count} {reason}" for reason, count in sorted(document.left_out.items()))
            message = f"{new} new, {corrected} corrected" + (f"; left out: {left_out}" if left_out else "")
            _log(connection, at, "success", len(document.stations), new + corrected, message)
        return Stored(new, corrected)

    def log_failure(self, message: str, at: float) -> None:
        """Note in the log that a cycle brought nothing, and why."""
        with self._transaction() as connection:
            _log(connection, stored(at), "failed", 0, 0, message)

    def stations(self) -> list[Station]:
        """Every station ever seen, by id."""
        return [
            Station(*row)
            for row in self._query(f"SELECT {', '.join(Station._fields)} FROM stations ORDER BY station_id")
        ]

    def newest(self) -> str | None:
        """The time of the newest observation, as stored; None where there is none."""
        newest: str | None = self._query("SELECT MAX(time) FROM observation")[0][0]
        return newest

    def window(self, start: float, end: float, variables: Sequence[str]) -> list[tuple[Any, ...]]:
        """Observations after `start` up to and including `end`, in order of time.

        Args:
            start: seconds since the epoch.
            end: seconds since the epoch.
            variables: which values.

        Returns:
            Rows of (station_id, time in seconds since the epoch, value of each variable or None).
        """
        values = ", ".join(VALUES_SQL[name] for name in variables)
        return self._query(
            f"SELECT station_id, CAST(unixepoch(time) AS INTEGER), {values} FROM observation "
            "JOIN stations ON number = station WHERE time > ? AND time <= ? ORDER BY time",
            (stored(start), stored(end)),
        )

    def _query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with _said(self._path):
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _said(self._path):
            # IMMEDIATE: the lock is taken before anything is read, so that a second writer waits and does not fail.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _log(connection: sqlite3.Connection, at: str, status: str, stations: int, observations: int, message: str) -> None:
    connection.execute(
        "INSERT INTO collection_log VALUES (?, ?, ?, ?, ?)", (at, status, stations, observations, message)
    )


def open_for_writing(path: str) -> Store:
    """The store at `path`, made or migrated if need be.

    Raises:
        StoreError: it cannot be made or written, is damaged, or belongs to a newer program.
    """
    file = Path(path)
    with _said(file), ExitStack() as opening:
        # Made by us before SQLite does it, for the mode: nobody but the service reads observations from the disk.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
        opening.callback(connection.close)
        _refuse_other(connection, file)
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit that returned survives a power cut; in WAL this is one fsync a cycle.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        store = Store(connection, file)
        with store._transaction():
            schema.migrate(connection)
        opening.pop_all()
    return store


def open_for_reading(path: str, patience: float = BUSY_SECONDS) -> Store:
    """The store at `path`; looking never makes or changes it, and waits `patience` seconds for a lock.

    Raises:
        StoreError: it is missing, empty, locked or damaged, or its schema is another.
    """
    file = Path(path)
    if not file.exists():
        raise StoreError(f"there is no database at {file}: has the collector stored anything yet?")
    with _said(file), ExitStack() as opening:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=patience)
        opening.callback(connection.close)
        version = _refuse_other(connection, file)
        if version < schema.VERSION:
            what = f"has schema {version}, older than this program's {schema.VERSION}" if version else "is empty"
            raise StoreError(f"the database {file} {what}: the collector puts it right when it starts")
        opening.pop_all()
    return Store(connection, file)


def _refuse_other(connection: sqlite3.Connection, file: Path) -> int:
    """The schema's version: 0 for an empty database, and never one that this program cannot read."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0]
    if tables and application != schema.APPLICATION_ID:
        raise StoreError(f"the database {file} was made by another program: name another file in WEATHER_DB")
    if version > schema.VERSION:
        raise StoreError(
            f"the database {file} has schema {version}, this program knows up to {schema.VERSION}: "
            "run the newer release"
        )
    return version


@contextmanager
def _said(file: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into one line that names the database."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot open the database {file}: {(error.strerror or str(error)).lower()}") from error
    except sqlite3.Error as error:
        raise StoreError(f"the database {file} cannot be used: {error}") from error
