"""Stations that moved, and the past, which is judged with the place where they stood."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.conftest import Run
from toolkit.model import Document, Observation, Station
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import Store, open_for_reading, open_for_writing
from toolkit.times import iso_of

BEGIN = 1_763_740_800  # 2025-11-21 16:00:00 UTC
MOVED = BEGIN + 4 * 3600
END = BEGIN + 8 * 3600
STEP = 600
THERE = default_network()
(VOLOS,) = [one for one in THERE if one.station_id == "volos"]
# Fifty kilometres to the west, and a thousand metres up.
HIGHER = VOLOS._replace(longitude=(VOLOS.longitude or 0) - 0.58, elevation=(VOLOS.elevation or 0) + 1000)
AFTER = [HIGHER if one is VOLOS else one for one in THERE]


def weather(first: int, end: int) -> Iterator[Observation]:
    """What the network measures after `first`, volos from `MOVED` on at its new place."""
    before, after = SimulatedWeather(THERE, 1), SimulatedWeather(AFTER, 1)
    for time in range(first + STEP, end + 1, STEP):
        yield from (one for one in (after if time >= MOVED else before).at(time) if one)


def collected(db: str, *, told: bool = True) -> None:
    """A database with three days before the move and four hours after it, told by the feed or not."""
    with open_for_writing(db) as store:
        store.add(Document(THERE, list(weather(BEGIN - 60 * 3600, MOVED - STEP))), MOVED - STEP)
        for time in range(MOVED, END + 1, STEP):
            store.add(Document(AFTER if told else THERE, list(weather(time - STEP, time))), time + 30)


def alarms(run: Run, db: str, end: float, *words: str) -> list[tuple[str, str, str]]:
    done = run("detect", "--end", iso_of(end), "--json", *words, WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    return [
        (one["station_id"], one["variable"], one["test"])
        for one in json.loads(done.stdout)["anomalies"]
        if one["class"] != "weather_event"
    ]


def test_a_station_that_moved_is_no_fault(run: Run, db: str) -> None:
    collected(db)
    for end in (MOVED, MOVED + 3600, END):
        assert alarms(run, db, end) == []


def test_a_move_of_which_nobody_tells_is_one(run: Run, db: str) -> None:
    collected(db, told=False)
    assert {sensor[:2] for sensor in alarms(run, db, END)} >= {("volos", "temp_out")}


def test_the_first_observation_at_the_new_place_is_of_it(db: str) -> None:
    collected(db)
    with open_for_reading(db) as store:
        assert [one.since for one in store.records.history("volos")] == [MOVED, MOVED - STEP]
        assert [place.since for place in store.changes().places["volos"]] == [float("-inf"), MOVED]


def tell(store: Store, at: float, place: Station) -> None:
    store.add(Document([place], []), at)


@pytest.mark.parametrize(
    ("what", "sites"),
    [
        ({"latitude": 39.3668}, 1),  # as far as the next whole minute
        ({"elevation": 450.0}, 1),  # another height of the same place
        ({"latitude": 39.39, "elevation": 20.0}, 2),
        ({"latitude": 39.366, "elevation": 152.0}, 2),
        ({"latitude": None, "longitude": None}, 1),
    ],
)
def test_what_a_move_is(db: str, what: dict[str, float], sites: int) -> None:
    before = Station("volos", None, None, 39.36, 22.94, 20.0)
    with open_for_writing(db) as store:
        tell(store, BEGIN, before)
        tell(store, MOVED, before._replace(**what))  # type: ignore[arg-type]
        places = store.changes().places.get("volos", [()])
    assert len(places) == sites


def test_a_place_that_a_feed_tells_by_mistake_is_none(db: str) -> None:
    with open_for_writing(db) as store:
        for at, place in enumerate((VOLOS, HIGHER, VOLOS, HIGHER, VOLOS)):
            tell(store, BEGIN + at * STEP, place)
        assert store.changes().places == {}
        tell(store, BEGIN + 10 * STEP, HIGHER)
        assert [one.elevation for one in store.changes().places["volos"]] == [VOLOS.elevation, HIGHER.elevation]
