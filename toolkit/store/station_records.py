"""What is kept of stations besides their observations: how the feed has described them, and their sensors' health.

Times are seconds since the epoch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

from toolkit.model import Document, Observation, Station
from toolkit.store.dialect import Dialect
from toolkit.store.station_places import Changes, DeclaredPlace, Place, ReplacedSensor, changes_of

MOST_DESCRIPTIONS = 100
"""So many descriptions of a station are kept, the newest: two feeds may contradict each other in every cycle."""


EARLIER = 86_400.0
"""A document describes a station since its newest observation, if that is less than so old, in seconds."""
SEEN_AGAIN = 3600.0
"""That a station is told of is written down again after so many seconds, and not in every cycle."""
DESCRIBED = Station._fields[1:6]
"""What a description consists of: a WIGOS identifier never changes."""
LAST = 1 + len(DESCRIBED)


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


class PlaceFact(NamedTuple):
    """A place of `Facts`; see `station_places.DeclaredPlace`."""

    since: float
    until: float | None
    station_name_en: str | None
    latitude: float
    longitude: float
    elevation: float | None


class SensorFact(NamedTuple):
    """A replaced sensor of `Facts`; see `station_places.ReplacedSensor`."""

    variable: str
    since: float
    sensor: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What an operator says of a station: each part is all that is declared of it; None leaves it as it was.

    Attributes:
        wigos_id: its WIGOS identifier; empty for none.
        places: where it was, in order of time.
        sensors: which sensors were replaced, in order of time.
    """

    wigos_id: str | None = None
    places: Sequence[PlaceFact] | None = None
    sensors: Sequence[SensorFact] | None = None


class StationRecords:
    """The records of a store's stations. What writes is called within the store's `transaction`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def history(self, station_id: str) -> list[Description]:
        """How the feed has described a station, the newest first."""
        found = self._history("WHERE station_id = ? ORDER BY since DESC", (station_id,))
        # A database that began anew and was restored into has the same description twice.
        return [one for one, before in zip_longest(found, found[1:]) if before is None or one[2:] != before[2:]]

    def _history(self, which: str, values: Sequence[object] = ()) -> list[Description]:
        columns = ", ".join(DESCRIBED)
        rows = self._dialect.query(
            f"SELECT station_id, {self._dialect.seconds('since')}, {columns} FROM station_history {which}", values
        )
        return [Description(*row) for row in rows if row[1] is not None]

    def note(self, document: Document, at: float) -> list[Station]:
        """Note which stations a document describes in another way than before; what it does not say stays.

        A station is described so from its newest observation in the document on, where that is at most `EARLIER` old.

        Args:
            document: its stations are not stored yet.
            at: when it was collected.

        Returns:
            The stations as they are to be stored: where an operator declared one's place, at that. Of one that is as it
            was nothing but its id is said, and nothing at all where that was said less than `SEEN_AGAIN` ago.
        """
        ids = [one.station_id for one in document.stations]
        declared = self.declared(ids) if self._dialect.query("SELECT 1 FROM station_places LIMIT 1") else {}
        current = self._current(ids, document.source, at)
        told = [one for one in document.stations if one not in current or one.station_id in declared]
        if not told:
            return []
        before = self._before([one.station_id for one in told])
        if declared:
            before |= self._told_last(declared.keys() & before.keys(), before)
        changed, unchanged = [], set[str]()
        for one in told:
            was = before.get(one.station_id)
            if one == was:
                if one.station_id not in declared:
                    unchanged.add(one.station_id)
                continue
            now = one if was is None else Station._make(b if a is None else a for a, b in zip(one, was, strict=True))
            if was is None or now[:LAST] != was[:LAST]:
                changed.append(now)
        if changed:
            self._add(changed, document.observations, at, before)
        settled = self._settled(told, declared, at) if declared else told
        return [
            Station(one.station_id, *[None] * len(DESCRIBED)) if one.station_id in unchanged else one for one in settled
        ]

    def _add(
        self, changed: Sequence[Station], observed: Sequence[Observation], at: float, before: Container[str]
    ) -> None:
        """Add descriptions to the history."""
        newest: dict[str, float] = {}
        ids = {one.station_id for one in changed}
        for observation in observed:
            if observation.station_id in ids and at - EARLIER < observation.time <= at:
                newest[observation.station_id] = max(newest.get(observation.station_id, 0), observation.time)
        known = [name for name in ids if name in before]
        last = self._last_described(known)
        rows = [
            (name, self._dialect.time(max(newest.get(name, at), last.get(name, 0))), *one[1:LAST])
            for name, one in ((one.station_id, one) for one in changed)
        ]
        self._dialect.many(
            f"INSERT INTO station_history (station_id, since, {', '.join(DESCRIBED)}) VALUES (?, ?, ?, ?, ?, ?, ?) "
            f"ON CONFLICT (station_id, since) DO UPDATE SET {', '.join(f'{it} = excluded.{it}' for it in DESCRIBED)}",
            rows,
        )
        self._dialect.many(
            "DELETE FROM station_history WHERE station_id = ? AND since NOT IN "
            f"(SELECT since FROM station_history WHERE station_id = ? ORDER BY since DESC LIMIT {MOST_DESCRIPTIONS})",
            [(name, name) for name in known],
        )

    def _last_described(self, ids: Sequence[str]) -> dict[str, float]:
        """Since when each of some stations is described as it is, seconds since the epoch."""
        if not ids:
            return {}
        where, values = self._of(ids)
        latest = self._dialect.seconds("MAX(since)")
        rows = self._dialect.query(
            f"SELECT station_id, {latest} FROM station_history {where} GROUP BY station_id", values
        )
        return {name: since for name, since in rows if since is not None}

    def _told_last(self, ids: Collection[str], before: Mapping[str, tuple[Any, ...]]) -> dict[str, Station]:
        """How the feed described some stations last: the table `stations` has what operators declared of them."""
        found = {}
        where, values = self._of(ids)
        for one in self._history(f"{where} ORDER BY since", values):
            found[one.station_id] = Station(one.station_id, *one[2:], wigos_id=before[one.station_id][LAST])
        return found

    def _settled(
        self, told: Sequence[Station], declared: Mapping[str, Sequence[DeclaredPlace]], at: float
    ) -> list[Station]:
        """Stations with the places and names that operators declared of them, where these hold at a time."""
        some = [one for one in told if one.station_id in declared]
        if not some:
            return list(told)
        places = self.changes([one.station_id for one in some]).places
        return [_at_place(one, places[one.station_id], at) if one.station_id in places else one for one in told]

    def _before(self, ids: Collection[str]) -> dict[str, tuple[Any, ...]]:
        """Some stations as they are in the store, by id: the fields of `Station`."""
        where, values = self._of(ids)
        rows = self._dialect.query(f"SELECT {', '.join(Station._fields)} FROM stations {where}", values)
        return {row[0]: row for row in rows}

    def _current(self, ids: Sequence[str], source: str | None, at: float) -> set[tuple[Any, ...]]:
        """Those of some stations of a source that were told of less than `SEEN_AGAIN` ago, as they are stored."""
        where, values = self._of(ids)
        since, now = self._dialect.time(at - SEEN_AGAIN), self._dialect.time(at)
        rows = self._dialect.query(
            f"SELECT {', '.join(Station._fields)} FROM stations {where} AND last_seen > ? AND last_seen <= ?"
            f"{' AND source = ?' if source else ''}",
            [*values, since, now, *([source] if source else [])],
        )
        return set(rows)

    def declared(self, only: Collection[str] | None = None) -> dict[str, list[DeclaredPlace]]:
        """Where operators say that stations were, by station, each in order of time.

        Args:
            only: ids of those that are asked for; None for all.
        """
        found: dict[str, list[DeclaredPlace]] = defaultdict(list)
        seconds = self._dialect.seconds
        where, values = self._of(only)
        rows = self._dialect.query(
            f"SELECT station_id, {seconds('since')}, {seconds('until')}, station_name_en, latitude, longitude, "
            f"elevation, {seconds('declared')}, origin FROM station_places {where} ORDER BY station_id, since",
            values,
        )
        for row in rows:
            if row[1] is not None and row[7] is not None:
                found[row[0]].append(DeclaredPlace(*row))
        return dict(found)

    def replaced_sensors(self, only: Collection[str] | None = None) -> list[ReplacedSensor]:
        """The sensors that operators say were replaced, in order of time.

        Args:
            only: ids of the stations that are asked for; None for all.
        """
        seconds = self._dialect.seconds
        where, values = self._of(only)
        rows = self._dialect.query(
            f"SELECT station_id, variable, {seconds('since')}, sensor, {seconds('declared')}, origin "
            f"FROM station_sensors {where} ORDER BY since, station_id, variable",
            values,
        )
        return [ReplacedSensor(*row) for row in rows if row[2] is not None and row[4] is not None]

    def changes(self, only: Collection[str] | None = None) -> Changes:
        """What of the stations was another at another time.

        Args:
            only: ids of those that are asked for; None for all.
        """
        declared = self.declared(only)
        where, values = self._of(only)
        # Most stations have been described once.
        where = where or (
            "WHERE station_id IN (SELECT station_id FROM station_history GROUP BY station_id HAVING COUNT(*) > 1 "
            "UNION SELECT station_id FROM station_places)"
        )
        several = self._history(f"{where} ORDER BY since", values)
        told = ((one.station_id, one.since, one) for one in several)
        return changes_of(told, (one for some in declared.values() for one in some), self.replaced_sensors(only))

    def declare(self, stations: Mapping[str, Facts], at: float, origin: str) -> None:
        """Keep what an operator says of stations, in the place of what was declared of them before.

        Args:
            stations: what is said, by id; the stations are in the store.
            at: when it is said.
            origin: by whom, or in which file.
        """
        time = self._dialect.time
        placed = {name: facts.places for name, facts in stations.items() if facts.places is not None}
        replaced = {name: facts.sensors for name, facts in stations.items() if facts.sensors is not None}
        self._dialect.many("DELETE FROM station_places WHERE station_id = ?", [(name,) for name in placed])
        self._dialect.many("DELETE FROM station_sensors WHERE station_id = ?", [(name,) for name in replaced])
        self._dialect.many(
            "INSERT INTO station_places (station_id, since, until, station_name_en, latitude, longitude, elevation, "
            "declared, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (name, time(one.since), None if one.until is None else time(one.until), *one[2:], time(at), origin)
                for name, places in placed.items()
                for one in places
            ],
        )
        self._dialect.many(
            "INSERT INTO station_sensors (station_id, variable, since, sensor, declared, origin) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                (name, one.variable, time(one.since), one.sensor, time(at), origin)
                for name, sensors in replaced.items()
                for one in sensors
            ],
        )
        self._dialect.many(
            "UPDATE stations SET wigos_id = ? WHERE station_id = ?",
            [(facts.wigos_id or None, name) for name, facts in stations.items() if facts.wigos_id is not None],
        )
        if not placed:
            return
        told = self._told_last(placed.keys(), self._before(placed.keys()))
        changes = self.changes([*placed]).places
        now = [_at_place(told[name], changes.get(name, ()), at) for name in placed if name in told]
        self._dialect.many(
            "UPDATE stations SET station_name_en = ?, latitude = ?, longitude = ?, elevation = ? WHERE station_id = ?",
            [(one.station_name_en, one.latitude, one.longitude, one.elevation, one.station_id) for one in now],
        )

    def _of(self, ids: Collection[str] | None) -> tuple[str, Sequence[object]]:
        """SQL that selects the rows of some stations, and its values; None selects all."""
        if ids is None:
            return "", ()
        where, value = self._dialect.among("station_id", ids)
        return f"WHERE {where}", (value,)

    def health(self, station_id: str) -> list[SensorHealth]:
        """What was found of a station's sensors."""
        started, ended = map(self._dialect.seconds, ("started", "ended"))
        rows = self._dialect.query(
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
            self._dialect.query("DELETE FROM sensor_health")
        time = self._dialect.time
        self._dialect.many(
            "INSERT INTO sensor_health (station_id, variable, started, ended, health) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (station_id, variable) DO UPDATE SET started = excluded.started, ended = excluded.ended, "
            "health = excluded.health",
            [(*one[:2], time(one.started), time(one.ended), one.health) for one in found],
        )


def _at_place(station: Station, places: Sequence[Place], at: float) -> Station:
    """A station as the feed describes it, at the place that an operator declared for a time."""
    place = next((one for one in reversed(places) if one.since <= at), None)
    if place is None or not place.declared:
        return station
    return station._replace(
        station_name_en=place.name or station.station_name_en,
        latitude=place.latitude,
        longitude=place.longitude,
        elevation=place.elevation,
    )
