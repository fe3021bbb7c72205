"""How many stations a feed brings, on each engine."""

from __future__ import annotations

import time

import pytest

from tests.conftest import Feed, Run, collection, feature
from tests.databases import change, query
from toolkit.feed.entries import Entries
from toolkit.model import Bounds
from toolkit.store import Span, open_for_writing
from toolkit.times import stored

BOUNDS = {"WEATHER_FEED_MAX_STATIONS": "4", "WEATHER_FEED_NEW_STATIONS_PER_DAY": "2", "WEATHER_STATION_ID_LENGTH": "5"}
DAY = 86400
TIME = 1_763_827_200


@pytest.fixture
def of(db: str, environment: dict[str, str]) -> str:
    environment |= {"WEATHER_DB": db, **BOUNDS}
    return db


def collected(run: Run, feed: Feed, db: str, *names: str) -> str:
    """The stations that the store has after a document with these, in one word."""
    feed.body = collection(*(feature(name, ts=int(time.time())) for name in names))
    done = run("collect", "--once")
    assert done.returncode == 0, done.stderr
    return "".join(sorted(name for (name,) in query(db, "SELECT station_id FROM stations")))


def test_new_stations_are_bounded_in_a_document_and_in_a_day(of: str, run: Run, feed: Feed) -> None:
    assert collected(run, feed, of, *"abcde", "x" * 9000) == "abcd"
    founded = stored(time.time() - 9 * DAY)
    change(of, f"UPDATE stations SET first_seen = '{founded}'")
    assert collected(run, feed, of, *"eafbg") == "abcdef"
    assert collected(run, feed, of, *"gha") == "abcdef"
    assert dict(query(of, "SELECT label, count FROM counters WHERE name = 'left_out'")) == {
        "station beyond those of a document": 2, "station id too long": 1, "new station beyond those of a day": 2,
    }  # fmt: skip
    assert query(of, "SELECT COUNT(*) FROM observations WHERE station_id = 'a'")[0][0] >= 1
    # What a clock that ran ahead let in keeps nobody out, nor does what came more than a day ago.
    ahead, yesterday = stored(time.time() + 3650 * DAY), stored(time.time() - 1.1 * DAY)
    change(of, f"UPDATE stations SET first_seen = '{ahead}' WHERE station_id = 'e'")
    assert collected(run, feed, of, *"gh") == "abcdefg"
    change(of, f"UPDATE stations SET first_seen = '{yesterday}' WHERE station_id = 'f'")
    assert collected(run, feed, of, *"h") == "abcdefgh"


def test_the_longest_id_is_stored(db: str) -> None:
    entries = Entries(bounds=Bounds(id_length=600))
    entries.take({"station_id": "𝔸" * 601, "time": TIME})
    entries.take({"station_id": "𝔸" * 600, "time": TIME, "temp_out": 150})
    with open_for_writing(db) as store:
        assert store.add(entries.document(), TIME).new == 1
        assert [len(one.station_id) for one in store.latest()] == [600]
        assert [len(one.station_id) for one in store.rejected(Span(TIME - 1, TIME))] == [600]
