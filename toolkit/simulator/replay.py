"""Recorded weather: a CSV file or a weather_stream.db, as the feed would have offered it."""

from __future__ import annotations

import csv
import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.feed.document import Observation, Station
from toolkit.times import parse
from toolkit.variables import BY_NAME

DAY = 86400


class Recorded:
    """Observations that were made once.

    Args:
        stations: the network.
        observations: in any order.
        shift: added to every time, in seconds: whole days, so that the diurnal cycle stays where it was.
    """

    def __init__(self, stations: Iterable[Station], observations: Iterable[Observation], shift: int = 0) -> None:
        self.stations = list(stations)
        series: dict[str, list[Observation]] = defaultdict(list)
        for observation in observations:
            series[observation.station_id].append(observation._replace(time=observation.time + shift))
        for rows in series.values():
            rows.sort()
        self._series = [series[station.station_id] for station in self.stations]
        self._times = [[row.time for row in rows] for rows in self._series]

    @property
    def first(self) -> int:
        """The time of the first observation, in seconds since the epoch."""
        return min(times[0] for times in self._times if times)

    def at(self, time: int) -> list[Observation | None]:
        """The latest observation of each station at `time`; None before its first."""
        found = [bisect_right(times, time) for times in self._times]
        return [rows[place - 1] if place else None for rows, place in zip(self._series, found, strict=True)]


def read(path: Path, stations: list[Station] | None, start: float | None, begin: float | None) -> Recorded:
    """A recording, from a CSV file with the columns of `observations` or from an SQLite file with that table.

    Args:
        path: the file.
        stations: the network, for a CSV file; without it the stations have no place. A database has its own.
        start: where on the clock the recording is to begin, in seconds since the epoch; None: where it was recorded.
        begin: from which recorded time on, in seconds since the epoch; None: from its first.

    Raises:
        UsageError: the file cannot be read as a recording.
    """
    try:
        with path.open("rb") as file:
            is_database = file.read(16) == b"SQLite format 3\0"
        found, rows = _from_database(path) if is_database else (stations, _from_csv(path))
    except OSError as error:
        raise UsageError(f"cannot read the recording {path}: {(error.strerror or str(error)).lower()}") from error
    except (KeyError, ValueError, sqlite3.Error) as error:
        raise UsageError(f"{path} is no recording of observations: {error}") from error
    rows = [row for row in rows if begin is None or row.time >= begin]
    if not rows:
        raise UsageError(f"the recording {path} holds no observation" + ("" if begin is None else " from that time on"))
    present = {row.station_id for row in rows}
    known = {station.station_id: station for station in found or ()}
    network = [known.get(name, Station(name, name, None, None, None, None)) for name in sorted(present)]
    shift = 0 if start is None else int((start - min(row.time for row in rows)) // DAY * DAY)
    return Recorded(network, rows, shift)


def _from_csv(path: Path) -> list[Observation]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [_observation(row) for row in csv.DictReader(file)]


def _from_database(path: Path) -> tuple[list[Station], list[Observation]]:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.row_factory = sqlite3.Row
        columns = ", ".join(Station._fields)
        stations = [Station(*row) for row in connection.execute(f"SELECT {columns} FROM stations")]
        return stations, [_observation(dict(row)) for row in connection.execute("SELECT * FROM observations")]
    finally:
        connection.close()


def _observation(row: Mapping[str, object]) -> Observation:
    """A row as an observation; times without an offset are UTC, empty values are missing."""
    values: dict[str, object] = {}
    for name in Observation._fields[2:]:
        value = row.get(name)
        missing = value is None or value == ""
        values[name] = None if missing else float(str(value)) if name in BY_NAME else str(value)
    return Observation(int(parse(str(row["time"])).timestamp()), str(row["station_id"]), **values)  # type: ignore[arg-type]
