"""TimescaleDB: retention drops whole chunks, also compressed ones."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.databases import query
from tests.postgresql import Server, programs
from tests.shared import MEMORY
from toolkit.model import Document, Observation, Station
from toolkit.store import Selection, open_for_writing

DAY = 86_400
WEEK = 7 * DAY
START = 2900 * WEEK  # a chunk begins here, for TimescaleDB counts weeks from 2000-01-03
NOTHING = (None,) * (len(Observation._fields) - 3)


@pytest.fixture
def chunked() -> Iterator[str]:
    """An empty database with the extension; skipped where that is not installed beside PostgreSQL."""
    if not [*programs().parent.glob("lib/timescaledb.so")]:
        pytest.skip("TimescaleDB is not installed beside PostgreSQL")
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        Path(folder).chmod(0o755)
        server = Server(
            Path(folder) / "cluster", fsync="off", full_page_writes="off", shared_preload_libraries="timescaledb"
        )
        try:
            named = server.database("chunked")
            with psycopg.connect(named, autocommit=True) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            yield named
        finally:
            server.stop()


def chunks(named: str) -> list[tuple[int, int, bool]]:
    return query(
        named,
        "SELECT extract(epoch FROM range_start)::int8, extract(epoch FROM range_end)::int8, is_compressed "
        "FROM timescaledb_information.chunks WHERE hypertable_name = 'observations' ORDER BY 1",
    )


def test_retention_drops_chunks(chunked: str) -> None:
    observations = [Observation(START + day * DAY + 3600, "volos", day / 10, *NOTHING) for day in range(35)]
    with open_for_writing(chunked) as store:
        store.add(Document([Station("volos", None, None, 39.4, 22.9, None)], observations), START + 35 * DAY)
        before = chunks(chunked)
        assert len(before) >= 5
        with psycopg.connect(chunked, autocommit=True) as connection:
            connection.execute("SELECT compress_chunk(c) FROM show_chunks('observations') AS c LIMIT 2")
        # The policy's job may have compressed others by now.
        assert sum(compressed for *_, compressed in chunks(chunked)) >= 2
        # In the middle of a chunk: what it has stays whole.
        start, end, _ = before[3]
        kept_from = (start + end) // 2
        removed, _ = store.remove_before(kept_from, 0, lambda: None)
        assert removed == sum(one.time < start for one in observations) > 14
        assert [one.time for one in store.observations(Selection())] == [
            one.time for one in observations if one.time >= start
        ]
        assert [one[:2] for one in chunks(chunked)] == [one[:2] for one in before[3:]]
        assert store.remove_before(kept_from, 0, lambda: None)[0] == 0
    jobs = query(chunked, "SELECT proc_name FROM timescaledb_information.jobs WHERE hypertable_name = 'observations'")
    assert len(jobs) == 1, jobs  # what compresses chunks in the course of time


def test_one_station_is_read_from_compressed_chunks_by_its_segment(chunked: str) -> None:
    stations = [Station(f"s{number:03d}", None, None, 39.4, 22.9, None) for number in range(500)]
    with open_for_writing(chunked) as store:
        for slot in range(6):
            seen = [Observation(START + 600 * slot, one.station_id, slot / 10, *NOTHING) for one in stations]
            store.add(Document(stations, seen), START + 600 * slot)
        with psycopg.connect(chunked, autocommit=True) as connection:
            connection.execute("SELECT compress_chunk(c) FROM show_chunks('observations') AS c")
            plan = [
                row[0]
                for row in connection.execute(
                    "EXPLAIN (COSTS off) SELECT * FROM observations WHERE time > '-infinity' AND time <= 'infinity' "
                    "AND station_id = ANY('{s007}')"
                )
            ]
        assert any("Index Cond" in one and "station_id" in one for one in plan), plan
        assert [one.temp_out for one in store.observations(Selection(stations=["s007"]))] == [s / 10 for s in range(6)]
