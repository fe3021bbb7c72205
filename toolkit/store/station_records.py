"""What is kept of stations besides their observations: how the feed has described them, and their sensors' health.

Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from toolkit.model import Station
from toolkit.store.incidents import Engine

# So many stations of a document are looked up one by one.
FEW = 500
MOST_DESCRIPTIONS = 100
"""So many descriptions of a station are kept, the newest: two feeds may contradict each other in every cycle."""


class Description(NamedTuple):
    """How the feed has described a station since a time."""

    station_id: str
    since: float
    station_name_en: str | None
    station_name_gr: str | None
    latitude: float | None
    longitude: float | None
    elevation: float | None


class SensorHealth(NamedTuple):
    """What the job of sensor health found last.

    Attributes:
        station_id, variable: of which sensor.
        started, ended: the time that was looked at.
        health: JSON, a sensor of the report (`detector.sensors.Sensor`).
    """

    station_id: str
    variable: str
    started: float
    ended: float
    health: str


class StationRecords:
    """The records of a store's stations. What writes is called within the store's `transaction`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def history(self, station_id: str) -> list[Description]:
        """How the feed has described a station, the newest first."""
        columns = ", ".join(Station._fields[1:])
        rows = self._engine.query(
            f"SELECT station_id, {self._engine.seconds('since')}, {columns} FROM station_history "
            "WHERE station_id = ? ORDER BY since DESC",
            (station_id,),
        )
        found = [Description(*row) for row in rows if row[1] is not None]
        # A database that began anew and was restored into has the same description twice.
        return [one for one, before in zip_longest(found, found[1:]) if before is None or one[2:] != before[2:]]

    def note(self, told: Sequence[Station], at: float) -> None:
        """Note which stations a document describes in another way than before; what it does not say stays.

        Args:
            told: the stations of the document, which are not stored yet.
            at: when it was collected.
        """
        before = self._before(told)
        time = self._engine.time(at)
        rows = []
        for one in told:
            was = before.get(one.station_id)
            if one == was:
                continue
            now = one if was is None else Station._make(b if a is None else a for a, b in zip(one, was, strict=True))
            if now != was:
                rows.append((one.station_id, time, *now[1:]))
        if not rows:
            return
        names = Station._fields[1:]
        self._engine.many(
            f"INSERT INTO station_history (station_id, since, {', '.join(names)}) VALUES (?, ?, ?, ?, ?, ?, ?) "
            f"ON CONFLICT (station_id, since) DO UPDATE SET {', '.join(f'{it} = excluded.{it}' for it in names)}",
            rows,
        )
        self._engine.many(
            "DELETE FROM station_history WHERE station_id = ? AND since NOT IN "
            f"(SELECT since FROM station_history WHERE station_id = ? ORDER BY since DESC LIMIT {MOST_DESCRIPTIONS})",
            [(row[0], row[0]) for row in rows if row[0] in before],
        )

    def _before(self, told: Sequence[Station]) -> dict[str, Station]:
        """The stations of a document as they are in the store, by id; of many all that there are are read."""
        columns, ids = ", ".join(Station._fields), [one.station_id for one in told]
        if len(ids) > FEW:
            where, ids = "", []
        else:
            where = f"WHERE station_id IN ({', '.join('?' * len(ids)) or 'NULL'})"
        rows = self._engine.query(f"SELECT {columns} FROM stations {where}", ids)
        return {row[0]: Station(*row) for row in rows}

    def health(self, station_id: str) -> list[SensorHealth]:
        """What was found of a station's sensors."""
        started, ended = map(self._engine.seconds, ("started", "ended"))
        rows = self._engine.query(
            f"SELECT station_id, variable, {started}, {ended}, health FROM sensor_health WHERE station_id = ?",
            (station_id,),
        )
        return [SensorHealth(*row) for row in rows if None not in row]

    def keep_health(self, found: Sequence[SensorHealth], *, whole: bool) -> None:
        """Keep what was found of sensors.

        Args:
            found: what was found.
            whole: whether all stations were looked at: what is kept of sensors that are not among them is removed.
        """
        if whole:
            self._engine.query("DELETE FROM sensor_health")
        time = self._engine.time
        self._engine.many(
            "INSERT INTO sensor_health (station_id, variable, started, ended, health) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (station_id, variable) DO UPDATE SET started = excluded.started, ended = excluded.ended, "
            "health = excluded.health",
            [(*one[:2], time(one.started), time(one.ended), one.health) for one in found],
        )
