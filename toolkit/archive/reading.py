"""Reading observations from a CSV file with the columns of `observations`, or from an SQLite file with that table."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from toolkit.archive.spreadsheet import unguarded
from toolkit.feed.document import Observation, Station
from toolkit.store.sqlite_schema import APPLICATION_ID
from toolkit.times import parse
from toolkit.variables import BY_NAME

Row = Mapping[str, object]
ToEpoch = Callable[[str, str], int]
"""A station's id and a time as it is written, to seconds since the epoch; raises ValueError."""


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def is_ours(path: Path) -> bool:
    """Whether an SQLite database was made by this program, so that its times are UTC."""
    with closing(_connect(path)) as connection:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        return bool(application == APPLICATION_ID)


def stations(path: Path) -> list[Station]:
    """The stations of a database; what it does not know of them is None. A CSV file has none."""
    if not is_database(path):
        return []
    with closing(_connect(path)) as connection:
        rows = [dict(row) for row in connection.execute("SELECT * FROM stations")]
    return [Station._make(row.get(name) for name in Station._fields) for row in rows]


def rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Rows as they are written, with their numbers: lines of a CSV file, rows of a database in the order of insertion.

    Raises:
        OSError, ValueError, sqlite3.Error: it cannot be read.
    """
    if not is_database(path):
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="")
            missing = {"time", "station_id"} - set(reader.fieldnames or ())
            if missing:
                raise ValueError(f"there is no column {' or '.join(sorted(missing))} in its first line")
            for row in reader:
                yield reader.line_num, unguarded(row)
        return
    with closing(_connect(path)) as connection:
        yield from enumerate(map(dict, connection.execute("SELECT * FROM observations")), start=1)


def utc(_station_id: str, text: str) -> int:
    """A time as people write it; without an offset it is UTC."""
    return int(parse(text).timestamp())


def observation(row: Row, to_epoch: ToEpoch = utc) -> Observation:
    """A row as an observation; what is empty or not there is missing.

    Raises:
        ValueError: a value is none; the message is a reason that can be counted.
    """
    station_id = str(row.get("station_id") or "").strip()
    if not station_id:
        raise ValueError("no station id")
    values: dict[str, object] = {}
    for name in Observation._fields[2:]:
        value = row.get(name)
        if value is None or value == "":
            values[name] = None
        elif name in BY_NAME:
            values[name] = _number(name, value)
        else:
            values[name] = str(value)
    return Observation(to_epoch(station_id, str(row.get("time") or "")), station_id, **values)  # type: ignore[arg-type]


def _number(name: str, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = float("nan")
    if number - number != 0:  # neither NaN nor infinite
        raise ValueError(f"{name} is no number")
    return number


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    return connection
