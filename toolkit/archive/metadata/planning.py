"""What a file of metadata declares of stations: all of its rows are looked at before anything is kept."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from toolkit.archive.metadata.rows import Form, Row
from toolkit.feed.values import is_no_value, is_placeholder, number
from toolkit.location import HIGHEST, LOWEST, height, place
from toolkit.model import Bounds, Station
from toolkit.store.station_places import ALWAYS, Place
from toolkit.store.station_records import Facts, PlaceFact, SensorFact
from toolkit.text import clean, one_line
from toolkit.times import iso_of
from toolkit.variables import BY_NAME, STATION
from toolkit.wigos import is_wigos_id, local_identifier


@dataclass(slots=True)
class Plan:
    """What is to be declared.

    Attributes:
        facts: of each station.
        wrong: a line for each row that cannot be used.
        unknown: how many rows are of stations that the store does not have.
    """

    facts: dict[str, Facts] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    unknown: int = 0


class _RowError(Exception):
    """A row cannot be used; the message says why."""


def plan(form: Form, stations: Sequence[Station], places: Mapping[str, Sequence[Place]], bounds: Bounds) -> Plan:
    """What a file declares.

    Args:
        form: the file.
        stations: those of the store.
        places: of those that moved, where they were; see `station_places.Changes`.
        bounds: how long names may be.
    """
    done = Plan()
    known = _Known(stations)
    of_station: dict[str, list[Row]] = defaultdict(list)
    for row in form.rows:
        try:
            found = known.find(row, foreign=form.foreign)
        except _RowError as error:
            done.wrong.append(f"row {row.number}: {error}")
            continue
        if found is not None:
            of_station[found].append(row)
        elif form.foreign:
            done.unknown += 1
        else:
            done.wrong.append(f"row {row.number}: there is no station {_named(row)!r} (see weather-tool data stations)")
    for name, rows in of_station.items():
        since = ALWAYS
        if not form.history:  # where it is now, since it has been there
            since = max(ALWAYS, places[name][-1].since) if name in places else ALWAYS
        done.facts[name] = _facts(form, rows, since, bounds, done.wrong)
    done.wrong += known.twice(done.facts)
    return done


def _named(row: Row) -> str:
    return one_line(row.station_id or ", ".join(row.wigos_ids or row.others) or row.name, 60)


class _Known:
    """The stations of a store, by all that they are called."""

    def __init__(self, stations: Sequence[Station]) -> None:
        self._stations = {one.station_id: one for one in stations}
        self._wigos = {one.wigos_id: one.station_id for one in stations if one.wigos_id}

    def find(self, row: Row, *, foreign: bool) -> str | None:
        """The station that a row is of; None for one that is not known."""
        if row.broken:
            raise _RowError(f"it cannot be read: {row.broken}")
        for one in row.wigos_ids or ():
            if not is_wigos_id(one):
                raise _RowError(f"{one_line(one, 60)!r} is no WIGOS identifier: give one such as 0-20000-0-16716")
        if row.station_id:
            return row.station_id if row.station_id in self._stations else None
        if not row.wigos_ids and not row.others and not foreign:
            raise _RowError("it has neither station_id nor wigos_id")
        for one in row.wigos_ids or ():
            if one in self._wigos:
                return self._wigos[one]
        for one in (*map(local_identifier, row.wigos_ids or ()), *row.others):
            if one in self._stations:
                return one
        return None

    def twice(self, facts: Mapping[str, Facts]) -> Iterator[str]:
        """A line for each identifier that two stations would have."""
        had = {name: one.wigos_id for name, one in self._stations.items()}
        had |= {name: one.wigos_id for name, one in facts.items() if one.wigos_id is not None}
        owner: dict[str, str] = {}
        for name, one in had.items():
            if one and owner.setdefault(one, name) != name:
                yield f"the WIGOS identifier {one} would be of two stations, {owner[one]} and {name}"


def _facts(form: Form, rows: Sequence[Row], since: float, bounds: Bounds, wrong: list[str]) -> Facts:
    """What some rows say of one station."""
    places: list[tuple[int, PlaceFact]] = []
    sensors: list[SensorFact] = []
    ids: dict[str, int] = {}
    for row in rows:
        try:
            if row.wigos_ids:
                ids.setdefault(row.wigos_ids[0], row.number)
            if row.sensor or row.variable:
                sensors.append(_sensor(row))
            elif not (is_no_value(row.latitude) and is_no_value(row.longitude)):
                places.append((row.number, _place(row, since, bounds)))
        except _RowError as error:
            wrong.append(f"row {row.number}: {error}")
    if len(ids) > 1:
        (first, *_), (second, *_) = [*ids.items()][:2]
        wrong.append(f"row {ids[second]}: the station has the WIGOS identifier {first} in row {ids[first]}")
    twice = Counter((one.variable, one.since) for one in sensors)
    wrong += [
        f"{rows[0].station_id}: the sensor of {name} is replaced twice at {iso_of(at)}"
        for (name, at), number_of in twice.items()
        if number_of > 1
    ]
    places.sort(key=lambda one: one[1].since)
    wrong += _overlaps(places)
    return Facts(
        next(iter(ids), "") if any(row.wigos_ids is not None for row in rows) else None,
        [one for _, one in places],
        sorted(sensors, key=lambda one: one.since) if form.sensors else None,
    )


def _overlaps(places: Sequence[tuple[int, PlaceFact]]) -> Iterator[str]:
    for (number_of, one), (following, other) in pairwise(places):
        if one.since == other.since:
            yield f"row {following}: the station is in two places at the same time, see row {number_of}"
        elif one.until is not None and one.until > other.since:
            yield f"row {following}: it begins before the end of row {number_of}"


def _place(row: Row, since: float, bounds: Bounds) -> PlaceFact:
    where = place(number(row.latitude), number(row.longitude))
    if where is None:
        latitude, longitude = (one_line(text, 40) for text in (row.latitude, row.longitude))
        raise _RowError(f"latitude {latitude!r} and longitude {longitude!r} are no place in degrees")
    written = None if is_no_value(row.elevation) else number(row.elevation)
    metres = height(written)
    if metres is None and not is_no_value(row.elevation) and not (written is not None and is_placeholder(written)):
        raise _RowError(f"elevation {one_line(row.elevation, 40)!r} is no height from {LOWEST} to {HIGHEST} m")
    begin, end = _time(row.valid_from, "valid_from"), _time(row.valid_to, "valid_to")
    begin = since if begin is None else begin
    if end is not None and end <= begin:
        raise _RowError(f"valid_to {row.valid_to!r} is not after valid_from {row.valid_from!r}")
    name = clean(row.name)[: bounds.name_length].rstrip()
    return PlaceFact(begin, end, None if is_no_value(name) else name, *where, metres)


def _sensor(row: Row) -> SensorFact:
    since = _time(row.valid_from, "valid_from")
    if since is None:
        raise _RowError("valid_from is empty: give the time since when the new sensor has measured")
    variable = row.variable or STATION
    if variable != STATION and variable not in BY_NAME:
        raise _RowError(f"variable {one_line(variable, 40)!r}: give {STATION} or one of {', '.join(BY_NAME)}")
    return SensorFact(variable, since, clean(row.sensor)[:200])


def _time(text: str, column: str) -> float | None:
    """A time of a row, in seconds since the epoch; None where it is empty. `ALWAYS` is the earliest."""
    if is_no_value(text):
        return None
    try:
        # A date of XML may have the zone after it.
        moment = datetime.fromisoformat(text.removesuffix("Z") if len(text) == len("2026-01-31Z") else text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return max(ALWAYS, math.floor(moment.timestamp()))
    except (ValueError, OverflowError):
        raise _RowError(f"{column} {one_line(text, 40)!r} is no time: give e.g. 2026-01-31T12:00Z") from None
