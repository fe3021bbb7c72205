"""Reading observations from a CSV file with the columns of `observations`, or from an SQLite file with that table."""

from __future__ import annotations

import sqlite3
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from toolkit.archive.spreadsheet import unguarded
from toolkit.feed import table
from toolkit.feed.entries import Entries
from toolkit.model import Observation, Station
from toolkit.store.encoding import read_sql
from toolkit.store.sqlite_file import for_reading
from toolkit.store.sqlite_schema import APPLICATION_ID
from toolkit.text import WESTERN, decoded, encoding_of
from toolkit.variables import COLUMNS

Row = Mapping[str, Any]

# Bounds for a database from outside. A value that is longer than VALUE_LENGTH, in characters or bytes, is left out;
# SQLite refuses one of more than VALUE_BYTES; the search for the next row ends after ROW_SECONDS.
VALUE_LENGTH = 1 << 20
VALUE_BYTES = 1 << 28
ROW_SECONDS = 60.0
# Instructions of SQLite's virtual machine between two looks at the clock.
STEPS = 100_000


def is_file(path: Path) -> bool:
    """Whether it is a regular file: a pipe cannot be read twice, and a device has no end.

    Raises:
        OSError: there is nothing, or it may not be looked at.
    """
    return stat.S_ISREG(path.stat().st_mode)


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def is_ours(path: Path) -> bool:
    """Whether an SQLite database was made by this program, so that its times are UTC."""
    with closing(_connect(path)) as connection:
        return _is_ours(connection)


def take(path: Path, entries: Entries) -> Iterator[None]:
    """Take the stations and observations of a file into `entries`; yields after each row.

    Raises:
        OSError, ValueError, sqlite3.Error: it cannot be read.
    """
    for station in _stations(path):
        entries.describe(station)
    for number, row in _rows(path):
        if row is None:
            entries.leave_out("not a row", number)
        else:
            entries.take(row, number)
        yield


def _stations(path: Path) -> Iterator[Row]:
    """The stations of a database as they are written. A CSV file has none."""
    if is_database(path):
        with closing(_connect(path)) as connection:
            if columns := _columns(connection, "stations"):
                yield from _found(
                    connection, f"SELECT {_listed(columns, ('station_id',), Station._fields)} FROM stations"
                )


def _rows(path: Path) -> Iterator[tuple[int, Row | None]]:
    """Rows as they are written, with their numbers: lines of a CSV file, rows of a database in the order of insertion.

    None stands for a row that cannot be read.
    """
    if not is_database(path):
        with path.open("rb") as head:
            encoding = encoding_of(head.read(2))
        with path.open(encoding=encoding, errors=WESTERN) as file:
            try:
                found = table.rows(table.lines_in(file), ["time"], ["station_id"])
            except ValueError:
                raise ValueError("there is no column station_id or time in its first lines") from None
            for number, row in found:
                yield number, row and unguarded(row)
        return
    with closing(_connect(path)) as connection:
        yield from enumerate(_found(connection, _selected(connection)), start=1)


def _selected(connection: sqlite3.Connection) -> str:
    """The query for all observations. It reads tables only: a view would run what the maker of the file wrote."""
    if _is_ours(connection):
        there = _columns(connection, "observation")
        _columns(connection, "stations")
        values = [read_sql(name) for name in COLUMNS if name in there]
        names = ", ".join(["time", _bounded("station_id"), *values])
        return f"SELECT {names} FROM observation JOIN stations ON number = station"
    columns = _columns(connection, "observations")
    return f"SELECT {_listed(columns, ('time', 'station_id'), Observation._fields)} FROM observations"


def _found(connection: sqlite3.Connection, query: str) -> Iterator[Row]:
    deadline = time.monotonic() + ROW_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    for row in connection.execute(query):
        yield dict(row)
        deadline = time.monotonic() + ROW_SECONDS


def _columns(connection: sqlite3.Connection, name: str) -> set[str]:
    """The columns of a table; none where there is no table, ValueError where it is something else."""
    found = connection.execute("SELECT type, sql FROM sqlite_schema WHERE name = ? COLLATE NOCASE", (name,)).fetchone()
    if found is None:
        return set()
    if found["type"] != "table" or str(found["sql"]).upper().startswith("CREATE VIRTUAL"):
        raise ValueError(f"its {name} is no table, but a {found['type']}, which is not run")
    return {row["name"] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))}


def _listed(columns: set[str], needed: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    missing = sorted(set(needed) - columns)
    if missing:
        raise ValueError(f"there is no column {' or '.join(missing)} in its table")
    return ", ".join(_bounded(name) for name in wanted if name in columns)


def _bounded(name: str) -> str:
    """SQL for a column, with an empty blob in place of a value that is too long, which is then counted as left out."""
    too_long = f"typeof({name}) IN ('text', 'blob') AND length({name}) > {VALUE_LENGTH}"
    return f"CASE WHEN {too_long} THEN x'' ELSE {name} END AS {name}"


def _is_ours(connection: sqlite3.Connection) -> bool:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(application == APPLICATION_ID)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(for_reading(path), uri=True)
    connection.row_factory = sqlite3.Row
    connection.text_factory = decoded
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection
