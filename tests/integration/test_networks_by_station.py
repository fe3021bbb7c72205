"""Reading one station of a large network goes neither through all its rows nor through all its stations."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from toolkit.database import database
from toolkit.model import Document, Observation, Station
from toolkit.store import Selection, Span, Store, open_for_reading, open_for_writing
from toolkit.store.postgresql_moments import of_stations as of_stations_postgresql
from toolkit.store.sqlite_moments import of_stations as of_stations_sqlite
from toolkit.times import stored

TIME = 1_763_827_200
STATIONS, TIMES = 3000, 4
NOTHING = (None,) * (len(Observation._fields) - 3)


def observed(number: int, slot: int) -> Observation:
    return Observation(TIME + 600 * slot, f"s{number:04d}", float(slot), *NOTHING)


@pytest.fixture
def network(db: str) -> Iterator[tuple[str, Store]]:
    """One station alone at first, then thousands."""
    stations = [Station(f"s{number:04d}", None, None, 38.0, 23.0, None) for number in range(STATIONS)]
    with open_for_writing(db) as store:
        store.add(Document(stations[:1], [observed(0, -slot) for slot in range(1, 2500)]), TIME)
        for slot in range(TIMES):
            store.add(Document(stations, [observed(number, slot) for number in range(STATIONS)]), TIME + 600 * slot)
    with open_for_reading(db) as store:
        yield db, store


def test_the_observations_of_a_station_are_its_own_in_order_of_time(network: tuple[str, Store]) -> None:
    _, store = network
    own = [observed(7, slot) for slot in range(TIMES)]
    assert list(store.observations(Selection(stations=["s0007"]))) == own
    assert list(store.observations(Selection(TIME, TIME + 600, ["s0007", "s2999"]))) == [own[1], observed(2999, 1)]
    assert store.count(Selection(stations=["s0000"])) == 2499 + TIMES
    assert store.count(Selection(stations=["nobody"])) == 0
    assert store.count(Selection(end=TIME - 600)) == 2499
    assert [*store.columns(Span(TIME - 1, TIME + 3600), ["temp_out"], ["s0007"]).time] == [one.time for one in own]


def test_its_rows_are_found_by_the_key(network: tuple[str, Store]) -> None:
    """Also where the time begins when the network was small."""
    named, _ = network
    start, end = TIME - 600 * 3000, TIME + 3600
    file = database(named).file
    if file is not None:
        with closing(sqlite3.connect(file)) as connection:
            source, where, values = of_stations_sqlite(
                lambda query, given: connection.execute(query, given).fetchall(), stored(start), stored(end), [8]
            )
            rows = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {source} WHERE {where}", values).fetchall()
        plan = [row[3] for row in rows]
        assert "SEARCH observation USING PRIMARY KEY (time=? AND station=?)" in plan
        assert not [one for one in plan if one.startswith("SCAN observation")]
        assert "SEARCH observation USING PRIMARY KEY (time>?)" in plan
        return
    with psycopg.connect(named) as server:
        server.execute("SET enable_seqscan TO off")
        query, given = of_stations_postgresql(server, "-infinity", "infinity", ["s0007"])
        plan = [row[0].strip() for row in server.execute(f"EXPLAIN {query}", given)]
    assert any('(("time" = moment.at) AND (station_id = ANY' in one for one in plan), plan
    assert not [one for one in plan if "Seq Scan on observations" in one]


def test_a_document_is_compared_with_its_own_stations(db: str) -> None:
    with open_for_writing(db) as store:
        where, value = store.records._dialect.among("station_id", ["s0001", "s0002"])
    query = f"SELECT * FROM stations WHERE {where}"
    file = database(db).file
    if file is not None:
        with closing(sqlite3.connect(file)) as connection:
            plan = str(connection.execute(f"EXPLAIN QUERY PLAN {query}", (value,)).fetchall())
        assert "SEARCH stations USING INDEX sqlite_autoindex_stations_1 (station_id=?)" in plan
        return
    with psycopg.connect(db) as server:
        server.execute("SET enable_seqscan TO off")
        rows = server.execute(f"EXPLAIN {query.replace('?', '%s')}", (value,)).fetchall()
    assert "stations_pkey" in str(rows)


def test_retention_takes_no_more_at_once_than_a_step(network: tuple[str, Store]) -> None:
    """Also where far more observations have one time."""
    named, _ = network
    left: list[int] = []

    def pause() -> None:
        with open_for_reading(named) as other:
            left.append(other.count(Selection()))

    with open_for_writing(named) as store:
        before = store.count(Selection())
        removed, _ = store.remove_before(TIME + 600 * (TIMES - 1), 0, pause)
        assert removed == before - STATIONS
        assert store.count(Selection()) == STATIONS
    steps = [one - other for one, other in zip([before, *left], left, strict=False)]
    assert max(steps) <= 5001, steps
    assert len([one for one in steps if one]) >= 2
