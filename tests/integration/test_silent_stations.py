"""Which stations fell silent, where all stations are, and what nobody has looked at: counted by the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import change
from tests.notifying import INCIDENT, NOW
from toolkit.database import database
from toolkit.model import Document, Observation, Station
from toolkit.store import Store, open_for_reading, open_for_writing
from toolkit.store.silence import Silent

HOUR = 3600
LATE, LATELY = NOW - HOUR, NOW - 7 * 24 * HOUR
AGES = {"now": 0, "b": 2 * HOUR, "a": 2 * HOUR, "c": 5 * HOUR, "retired": 30 * 24 * HOUR}


def station(name: str, latitude: float | None = None, longitude: float | None = None) -> Station:
    return Station(name, None, None, latitude, longitude, None)


@pytest.fixture
def store(db: str) -> Iterator[Store]:
    with open_for_writing(db) as writer:
        for source, names in (("often", ("now", "a", "retired")), ("rarely", ("b", "c")), (None, ("never",))):
            seen = [
                Observation(NOW - age, name)
                for name, back in AGES.items()
                if name in names
                for age in (back, back + 60)
            ]
            writer.add(Document([station(name) for name in names], seen, source=source), NOW)
    with open_for_reading(db) as reader:
        yield reader


def test_silent_stations_are_counted_and_the_latest_are_named(store: Store) -> None:
    both = [("a", NOW - 2 * HOUR), ("b", NOW - 2 * HOUR)]
    assert store.silent(LATELY, LATE, {}, 2) == Silent(4, 3, both)
    assert store.silent(LATELY, NOW - 10 * HOUR, {}, 2) == Silent(4, 0, [])
    assert store.silent(NOW + 1, NOW + 2, {}, 2) == Silent(0, 0, [])


def test_each_source_has_its_own_patience(store: Store) -> None:
    assert store.silent(LATELY, LATE, {"often": LATE, "rarely": NOW - 4 * HOUR}, 5) == Silent(
        4, 2, [("a", NOW - 2 * HOUR), ("c", NOW - 5 * HOUR)]
    )
    assert store.silent(LATELY, LATE, {"often": NOW - 9 * HOUR, "rarely": NOW - 9 * HOUR}, 5) == Silent(4, 0, [])


def test_a_row_that_was_removed_by_hand_makes_no_station_silent_or_late(store: Store, db: str) -> None:
    """The newest of `now` is gone, so the one a minute before it counts."""
    table = "observation" if database(db).file else "observations"
    change(db, f"DELETE FROM {table} WHERE time = (SELECT MAX(time) FROM {table})")
    assert store.silent(LATELY, LATE, {"rarely": NOW - 4 * HOUR}, 1) == Silent(4, 2, [("a", NOW - 2 * HOUR)])
    assert store.silent(LATELY, NOW - 30, {"rarely": NOW - 4 * HOUR}, 1) == Silent(4, 3, [("now", NOW - 60)])


def test_a_station_whose_newest_row_is_gone_is_searched_for(store: Store, db: str) -> None:
    change(db, "DELETE FROM newest")
    assert store.silent(LATELY, LATE, {}, 1) == Silent(4, 3, [("a", NOW - 2 * HOUR)])


@pytest.mark.parametrize(
    ("places", "crowd", "place"),
    [
        ([(38.0, 23.0)] * 3 + [(35.0, 25.0), (41.0, 21.0)], 3, (38.0, 23.0)),
        ([(38.0, 23.0)] * 3 + [(35.0, 25.0)] * 2 + [(None, None)] * 4, 3, (38.0, 23.0)),
        ([(41.0, 23.0)] * 3 + [(41.0, 22.0)] * 2, 3, (41.0, 23.0)),
    ],
)
def test_where_most_stations_are(
    db: str, places: list[tuple[float | None, float | None]], crowd: int, place: tuple[float, float]
) -> None:
    with open_for_writing(db) as writer:
        writer.add(Document([station(f"s{at}", *one) for at, one in enumerate(places)], []), NOW)
        found = writer.statistics.located()
    assert (found.stations, found.nowhere, found.first) == (len(places), 0, None)
    assert (found.located, found.crowd, found.place) == (5, crowd, place)


@pytest.mark.parametrize(("at_one", "crowd"), [(6_001, 6_001), (0, 1)])
def test_where_most_of_many_stations_are(db: str, at_one: int, crowd: int) -> None:
    """Every other station is at one place, and those that came last: a sample of every so manieth sees it."""
    number = 12_000
    chosen = {*range(0, number, 2), *range(number - 1, number)} if at_one else set()
    places = [(38.0, 23.0) if at in chosen else (at / 1000, -at / 1000) for at in range(number)]
    with open_for_writing(db) as writer:
        writer.add(Document([station(f"s{at:05d}", *one) for at, one in enumerate(places)], []), NOW)
        found = writer.statistics.located()
    assert (found.stations, found.located, found.crowd) == (number, number, crowd)
    assert not at_one or found.place == (38.0, 23.0)


def test_the_placeholder_for_no_place_is_counted(db: str) -> None:
    with open_for_writing(db) as writer:
        assert writer.statistics.located() == (0, 0, None, 0, 0, None)
        writer.add(Document([station("b", 0.0, 0.0), station("a", 0.0, 0.0), station("c", 0.0, 23.0)], []), NOW)
        found = writer.statistics.located()
    assert (found.stations, found.nowhere, found.first) == (3, 2, "a")


def test_incidents_that_nobody_has_looked_at(db: str) -> None:
    with open_for_writing(db) as writer, writer.transaction():
        for one in (
            INCIDENT._replace(opened=NOW - 9), INCIDENT._replace(opened=NOW - 50), INCIDENT._replace(opened=NOW - 70),
            INCIDENT._replace(opened=NOW - 60), INCIDENT._replace(opened=NOW - 90, state="acknowledged"),
            INCIDENT._replace(opened=NOW - 90, severity="info"), INCIDENT._replace(opened=NOW - 90, part_of=1),
        ):  # fmt: skip
            writer.incidents.add(one)
        number, waiting, oldest = writer.incidents.unseen(NOW - 10, ["warning", "critical"], 2)
        assert writer.incidents.unseen(NOW - 100, ["warning"], 2) == (4, 0, [])
    assert (number, waiting, [one.id for one in oldest]) == (4, 3, [3, 4])
