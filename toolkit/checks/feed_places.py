"""Whether a feed tells latitude and longitude of its stations in each other's place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from toolkit.checks.host import Host
from toolkit.model import Station
from toolkit.store.station_records import Description
from toolkit.times import stored

# So many stations of a feed are looked at: what turns them turns all.
MOST = 20
# Degrees: coordinates are told more exactly at one time than at another, and a place near latitude = longitude is none.
SAME, APART = 0.02, 0.1


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
