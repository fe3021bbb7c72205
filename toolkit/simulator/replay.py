"""Recorded weather, from a CSV file or a weather_stream.db, as the feed would have had it."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from toolkit.archive import reading
from toolkit.errors import UsageError, reason
from toolkit.feed.entries import Entries
from toolkit.model import Observation, Station
from toolkit.text import one_line

DAY = 86400


class Recorded:
    """Recorded observations as a source.

    Args:
        stations: the network.
        observations: in any order.
        shift: added to every time, in seconds: whole days, so that the time of day is unchanged.
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
        start: the simulated time at which the recording begins, seconds since the epoch; None: as it was recorded.
        begin: the recorded time from which on it is used, seconds since the epoch; None: all of it.

    Raises:
        UsageError: the file cannot be read as a recording.
    """
    entries = Entries()
    try:
        for _ in reading.take(path, entries):
            pass
    except OSError as error:
        raise UsageError(f"cannot read the recording {path}: {reason(error)}") from error
    except (ValueError, sqlite3.Error) as error:
        raise UsageError(f"{path} is no recording of observations: {one_line(str(error))}") from error
    rows = [row for row in entries.observations.values() if begin is None or row.time >= begin]
    if not rows:
        raise UsageError(f"the recording {path} holds no observation" + ("" if begin is None else " from that time on"))
    known = entries.stations | {station.station_id: station for station in stations or ()}
    network = [known[name] for name in sorted({row.station_id for row in rows})]
    network = [one._replace(station_name_en=one.station_name_en or one.station_id) for one in network]
    shift = 0 if start is None else int((start - min(row.time for row in rows)) // DAY * DAY)
    return Recorded(network, rows, shift)
