"""What the store of either engine keeps of each day, which maintenance writes."""

from __future__ import annotations

import time
from typing import Any

from tests.conftest import Run
from tests.databases import change, query
from toolkit.model import Document, Observation, Station
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.daily import Day
from toolkit.times import stored

DAY = 86_400
TODAY = int(time.time()) // DAY
FIRST = TODAY - 6
_REST = (None, None, 60.0, None, None, None, 90.0, "E", None, None, None)


def observed(station: str, at: int, temperature: float | None) -> Observation:
    return Observation(at, station, temperature, *_REST)


def fill(db: str) -> None:
    """Four values a day from six days ago until yesterday, at two stations, and an observation of today."""
    with open_for_writing(db) as store:
        rows = [
            observed(name, day * DAY + hour * 3600, day - FIRST + hour / 2)
            for day in range(FIRST, TODAY)
            for hour in (0, 6, 12, 18)
            for name in ("a", 'b"; --')
        ]
        rows.append(observed("a", TODAY * DAY, None))
        store.add(Document([Station(one, None, None, None, None, None) for one in ("a", 'b"; --')], rows), time.time())


def days(db: str, station: str = "a", variable: str = "temp_out") -> list[Day]:
    with open_for_reading(db) as store:
        return list(store.daily.of(station, [variable], FIRST - 800, TODAY))


def days_known(db: str) -> list[int]:
    with open_for_reading(db) as store:
        return store.daily.days()


def maintain(run: Run, db: str, *options: str) -> None:
    done = run("maintain", *options, WEATHER_DB=db)
    assert done.returncode == 0, done.stderr


def test_each_day_that_is_over_is_summarised_once(db: str, run: Run) -> None:
    fill(db)
    assert days(db) == []
    maintain(run, db)
    assert days_known(db) == list(range(FIRST, TODAY - 1))  # yesterday may not be complete
    assert days(db) == [Day(FIRST + n, "temp_out", 4, n, n + 4.5, n + 9) for n in range(5)]
    for counted in ("all", "wind_dir"):
        assert days(db, 'b"; --', counted)[0] == Day(FIRST, counted, 4, None, None, None)
    assert days(db, "a", "bar") == []


def test_a_day_that_is_changed_is_looked_at_anew(db: str, run: Run) -> None:
    fill(db)
    maintain(run, db)
    with open_for_writing(db) as store:
        store.add(Document([], [observed("a", FIRST * DAY + 60, -40.0)]), time.time())  # what had been spooled
        store.add(Document([], [observed("a", (FIRST + 1) * DAY, 99.0)]), time.time())  # a correction
        store.add(Document([], [observed("a", (FIRST + 2) * DAY, 2.0)]), time.time())  # what was there
    assert not {FIRST, FIRST + 1} & {*days_known(db)}
    assert FIRST + 3 in days_known(db)
    maintain(run, db)
    found = days(db)
    assert (found[0].number, found[0].low) == (5, -40.0)
    assert (found[1].number, found[1].high) == (4, 99.0)


def test_a_day_that_is_changed_while_it_is_looked_at_does_not_count(db: str) -> None:
    fill(db)
    with open_for_writing(db) as store, open_for_writing(db) as other:
        with store.transaction():
            store.daily.begin(FIRST)
            store.daily.add(FIRST, None)
        other.add(Document([], [observed("a", FIRST * DAY + 60, -40.0)]), time.time())
        with store.transaction():
            store.daily.finish(FIRST)
        assert store.daily.days() == []


def test_plain_sql_is_noticed_on_sqlite(environment: dict[str, str], run: Run) -> None:
    db = environment["WEATHER_DB"]
    fill(db)
    for text in (
        f"UPDATE observations SET temp_out = 70 WHERE time = '{stored(FIRST * DAY)}'",
        f"DELETE FROM observations WHERE time = '{stored((FIRST + 1) * DAY)}'",
        f"INSERT INTO observations (time, station_id, temp_out) VALUES ('{stored((FIRST + 2) * DAY + 9)}', 'c', 1)",
    ):
        maintain(run, db)
        before = days_known(db)
        change(db, text)
        assert len(days_known(db)) == len(before) - 1


def test_days_go_with_their_observations(db: str, run: Run) -> None:
    fill(db)
    maintain(run, db)
    maintain(run, db, "--data-days", "3")
    kept: list[Any] = query(db, "SELECT MIN(day) FROM daily")
    [(oldest,)] = query(db, "SELECT MIN(time) FROM observations")
    assert stored(kept[0][0] * DAY)[:10] == str(oldest)[:10]
    numbers = {one.day: one.number for one in days(db)}
    assert numbers[kept[0][0]] == query(
        db, f"SELECT COUNT(*) FROM observations WHERE station_id = 'a' AND time < '{stored((kept[0][0] + 1) * DAY)}'"
    )[0][0]  # fmt: skip
