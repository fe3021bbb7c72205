"""Whether a feed tells its stations' places as it told them before: not without them, nor elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from toolkit.checks.host import Host
from toolkit.model import Station
from toolkit.store.station_records import Description
from toolkit.times import stored

# So many stations of a feed are looked at: what turns them turns all.
MOST = 20
# Fewer stations may be moved by hand.
FEW = 3
# Degrees: coordinates are told more exactly at one time than at another, and a place near latitude = longitude is none.
SAME, APART = 0.02, 0.1
# Degrees: no station is moved so far, and not all of them at once.
ELSEWHERE = 1.0


def lost(host: Host, stations: Sequence[Station]) -> str:
    """What is to be said where most stations are told without a place, or far from where they were.

    Args:
        host: whose store knows how the feed described its stations.
        stations: as the feed describes them now.

    Returns:
        A line that names one of them; empty where they are where they were.
    """
    some = list(islice(stations, MOST))
    with host.store() as store:
        declared = store.records.declared([one.station_id for one in some]) if some else {}
        asked = [one for one in some if one.station_id not in declared]
        known = [(one, was) for one in asked if (was := _placed(store.records.history(one.station_id), host.now))]
    gone = [(one, was) for one, was in known if one.latitude is None or one.longitude is None]
    far = [(one, was) for one, was in known if _is_far(one, was)]
    for found, words in ((gone, "have no coordinates any more, or 0, 0"), (far, "are elsewhere than they were")):
        if len(found) >= FEW and len(found) >= len(asked) / 2:
            one, was = found[0]
            now = "" if one.latitude is None else f", and is told at {one.latitude:g}, {one.longitude:g}"
            return (
                f"{len(found)} of {len(asked)} stations looked at {words} in the feed: {one.station_id} was at "
                f"{was.latitude:g}, {was.longitude:g}{now}"
            )
    return ""


def renamed_stations(host: Host, gone: Sequence[str], stations: Sequence[Station]) -> tuple[dict[str, str], set[str]]:
    """What the stations that are gone from a feed are called in it now, by their places.

    Args:
        host: whose store knows how the feed described its stations.
        gone: those that reported lately.
        stations: as the feed describes them now.

    Returns:
        The new id by the old one; and those that are gone because the feed has the ids again that it had before them.
    """
    here = {place: one.station_id for one in stations if (place := _place(one))}
    new: dict[str, str] = {}
    passing: set[str] = set()
    with host.store() as store:
        were = {one.station_id: here[place] for one in store.stations() if (place := _place(one)) in here}
        for name in (name for name in gone if name in were):
            since, before = (min((one.since for one in store.records.history(each)), default=host.now)
                             for each in (name, were[name]))  # fmt: skip
            if before < since:
                passing.add(name)
            else:
                new[name] = were[name]
    return new, passing


def _place(one: Station) -> tuple[float, float] | None:
    return None if one.latitude is None or one.longitude is None else (round(one.latitude, 4), round(one.longitude, 4))


def _placed(history: Sequence[Description], until: float) -> Description | None:
    """The place at which a station was for the longest time, of those that are known."""
    lasted: dict[tuple[float, float], float] = {}
    for one in history:  # the newest first
        if one.latitude is not None and one.longitude is not None:
            place = one.latitude, one.longitude
            lasted[place] = lasted.get(place, 0.0) + until - one.since
        until = one.since
    longest = max(lasted, key=lambda place: lasted[place], default=None)
    return next((one for one in reversed(history) if (one.latitude, one.longitude) == longest), None)


def _is_far(one: Station, was: Description) -> bool:
    if one.latitude is None or one.longitude is None or was.latitude is None or was.longitude is None:
        return False
    if _is_turned(one, was):
        return False
    return abs(one.latitude - was.latitude) > ELSEWHERE or abs(one.longitude - was.longitude) > ELSEWHERE


def turned(host: Host, stations: Sequence[Station]) -> str:
    """What is to be said where most stations are told with latitude and longitude in each other's place.

    They are compared with where the feed said for most of the time that they are.

    Args:
        host: whose store knows how the feed described its stations.
        stations: as the feed describes them now.

    Returns:
        A line that names one of them; empty where they are where they were.
    """
    placed = (one for one in stations if one.latitude is not None and one.longitude is not None)
    some = list(islice(placed, MOST))
    with host.store() as store:
        declared = store.records.declared([one.station_id for one in some]) if some else {}
        asked = [one for one in some if one.station_id not in declared]
        found = [(one, was) for one in asked if (was := _before(one, store.records.history(one.station_id), host.now))]
    if not found or len(found) < len(asked) / 2:
        return ""
    one, was = found[0]
    return (
        f"{len(found)} of {len(asked)} stations looked at have latitude and longitude in each other's place since the "
        f"feed described them last: {one.station_id} was at {was.latitude:g}, {was.longitude:g} "
        f"({stored(was.since)} UTC), and is told at {one.latitude:g}, {one.longitude:g}"
    )


def _before(told: Station, history: Sequence[Description], now: float) -> Description | None:
    """Where a station was before its coordinates changed places, if it was there for longer than where it is told."""
    until, here, there = now, 0.0, 0.0
    last: Description | None = None
    for one in history:  # the newest first
        lasted, until = until - one.since, one.since
        if _is_turned(told, one):
            last, there = last or one, there + lasted
        else:
            here += lasted
    return last if there > here else None


def _is_turned(one: Station, other: Description) -> bool:
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return False
    return (
        abs(one.latitude - other.longitude) < SAME
        and abs(one.longitude - other.latitude) < SAME
        and abs(one.latitude - one.longitude) > APART
    )
