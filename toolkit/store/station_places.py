"""Where stations have been, and when sensors were replaced: from what the feed said and what operators declare.

The rule, for what a feed says: a station that it describes at another place has **moved** from then on if the places
are more than `location.MOVED_KM` apart, or less far but more than `location.MOVED_METRES` higher or lower. Any smaller
difference is a **correction**, which applies to the past too: more digits, a better survey, another height of the same
place. A place that a feed tells for less than `LASTING`, between two descriptions of the same other place, is a mistake
of the feed.

What an operator declares counts more. Where it has no end it holds until the feed tells of a move that came after it.

Times are seconds since the epoch.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from toolkit.location import Placed, has_moved

ALWAYS = 0.0
"""The beginning of what has always been so: no observation is older."""

LASTING = 86_400.0


class Place(NamedTuple):
    """A place at which a station has been since a time.

    Attributes:
        since: from when on; of the first one minus infinity.
        latitude, longitude: degrees.
        elevation: metres; None where it is not known.
        name: the station's at that time; None where only the feed tells it.
        declared: whether an operator says so, and not the feed.
    """

    since: float
    latitude: float
    longitude: float
    elevation: float | None
    name: str | None = None
    declared: bool = False


class DeclaredPlace(NamedTuple):
    """Where an operator says that a station was.

    Attributes:
        station_id: which station.
        since: from when on; `ALWAYS` for the beginning.
        until: up to when; None: until the next, or until the feed tells of a move.
        station_name_en: what it was called; None: as the feed says.
        latitude, longitude: degrees.
        elevation: metres; None where it is not known.
        declared: when that was said.
        origin: by whom, or in which file.
    """

    station_id: str
    since: float
    until: float | None
    station_name_en: str | None
    latitude: float
    longitude: float
    elevation: float | None
    declared: float
    origin: str


class ReplacedSensor(NamedTuple):
    """A sensor that an operator says was replaced.

    Attributes:
        station_id, variable: which; `all` for every sensor of the station.
        since: from when on the new one measured.
        sensor: which it is, in words.
        declared: when that was said.
        origin: by whom, or in which file.
    """

    station_id: str
    variable: str
    since: float
    sensor: str
    declared: float
    origin: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What of stations was another at another time.

    Attributes:
        places: of each station that moved, or whose place an operator declared, its places in order of time, one for
            each site: between them the station begins a new history.
        sensors: of each station whose sensors were replaced, the variable and the time.
    """

    places: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    sensors: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)

    @property
    def stations(self) -> set[str]:
        """The stations of which something changed."""
        return {*self.places, *self.sensors}


def places_of(told: Iterable[tuple[float, Placed]], declared: Sequence[DeclaredPlace]) -> list[Place]:
    """The places of one station in order of time.

    Args:
        told: since when the feed has described it at each place, in order of time.
        declared: what operators say of it, in order of time.
    """
    feeds = _told(told)
    bounds = sorted({-math.inf, *(one.since for one in feeds), *_bounds(feeds, declared)})
    found: list[Place] = []
    for since in bounds:
        place = _at(since, feeds, declared)
        if place is None:
            continue
        place = place._replace(since=since if found else -math.inf)
        before = found[-1] if found else None
        if before is not None and _is_same_site(before, place):
            found[-1] = place._replace(since=before.since)
        else:
            found.append(place)
    return found


def _is_same_site(before: Place, after: Place) -> bool:
    if before.declared and after.declared:  # an operator has a reason to tell one from the other
        return before[1:4] == after[1:4]
    return not has_moved(before, after)


def _told(told: Iterable[tuple[float, Placed]]) -> list[Place]:
    """The places that a feed tells, one for each site."""
    found: list[Place] = []
    for since, one in told:
        if one.latitude is None or one.longitude is None:
            continue
        place = Place(since if found else -math.inf, one.latitude, one.longitude, one.elevation)
        if not found:
            found.append(place)
        elif not has_moved(found[-1], place):
            found[-1] = place._replace(since=found[-1].since)
        elif len(found) > 1 and since - found[-1].since < LASTING and not has_moved(found[-2], place):
            found.pop()
            found[-1] = place._replace(since=found[-1].since)
        else:
            found.append(place)
    return found


def _bounds(feeds: Sequence[Place], declared: Sequence[DeclaredPlace]) -> Iterable[float]:
    for number in range(len(declared)):
        yield from (one for one in _span(number, feeds, declared) if one < math.inf)


def _span(number: int, feeds: Sequence[Place], declared: Sequence[DeclaredPlace]) -> tuple[float, float]:
    """From when on and up to when one of the declared places holds."""
    one = declared[number]
    following = declared[number + 1].since if number + 1 < len(declared) else math.inf
    until = one.until
    if until is None:
        until = min((feed.since for feed in feeds if feed.since > max(one.declared, one.since)), default=math.inf)
    return one.since if one.since > ALWAYS else -math.inf, min(until, following)


def _at(time: float, feeds: Sequence[Place], declared: Sequence[DeclaredPlace]) -> Place | None:
    told = next((one for one in reversed(feeds) if one.since <= time), None)
    for number, one in enumerate(declared):
        since, until = _span(number, feeds, declared)
        if since <= time < until:
            place = Place(time, one.latitude, one.longitude, one.elevation, one.station_name_en, declared=True)
            if place.elevation is None and told is not None and not has_moved(told, place):
                place = place._replace(elevation=told.elevation)
            return place
    return told


def changes_of(
    told: Iterable[tuple[str, float, Placed]], declared: Iterable[DeclaredPlace], sensors: Iterable[ReplacedSensor]
) -> Changes:
    """What of the stations of a network was another at another time.

    Args:
        told: how the feed has described stations since when, in order of time.
        declared: where operators say that stations were, in order of time.
        sensors: which sensors were replaced, in order of time.
    """
    of_feed: dict[str, list[tuple[float, Placed]]] = defaultdict(list)
    of_operators: dict[str, list[DeclaredPlace]] = defaultdict(list)
    replaced: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for station_id, since, place in told:
        of_feed[station_id].append((since, place))
    for one in declared:
        of_operators[one.station_id].append(one)
    for sensor in sensors:
        replaced[sensor.station_id].append((sensor.variable, sensor.since))
    places = {name: places_of(of_feed.get(name, ()), of_operators.get(name, ())) for name in {*of_feed, *of_operators}}
    return Changes({name: some for name, some in places.items() if len(some) > 1 or name in of_operators}, replaced)
