"""Documents that are longer than memory should hold: fetched into a file, stored part by part."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Feed, Run
from tests.integration.test_feeds import stored
from toolkit.collector.ingester import Ingester
from toolkit.collector.shared_store import SharedStore
from toolkit.collector.spool import NotKeptError, RawDocument, Spool
from toolkit.content import IN_MEMORY, as_file, new_content
from toolkit.feed.entries import PART
from toolkit.feed.failures import Failures
from toolkit.feed.fetch import Fetched
from toolkit.feed.reader import DocumentReader
from toolkit.mapping import FieldMapping
from toolkit.model import Bounds
from toolkit.store import DocumentRefusedError, StoreError, open_for_writing

TIME = 1_763_827_200
ROWS = 2 * PART + 2000
CSV = {"WEATHER_FEED_FORMAT": "csv", "WEATHER_FEED_FIELDS": ""}


def rows(separator: str = ",", stations: int = 1000) -> bytes:
    """12,000 observations, in rows of a hundred characters."""
    lines = [f"time{separator}station_id{separator}temp_out{separator}note"]
    for number in range(ROWS):
        values = (TIME + 600 * (number // stations), f"station{number % stations:05d}", number % 30, 70 * "x")
        lines.append(separator.join(map(str, values)))
    return "\n".join(lines).encode()


@pytest.mark.parametrize("separator", [",", "\t"])
def test_it_is_stored_part_by_part(run: Run, feed: Feed, environment: dict[str, str], separator: str) -> None:
    feed.body = rows(separator) + b"\nbroken"
    assert len(feed.body) > IN_MEMORY
    done = run("collect", "--once", **CSV)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"1000 stations, {ROWS} new observations, 1 left out\n"
    assert stored(environment, "SELECT COUNT(*) FROM observations") == [(ROWS,)]
    assert not [path for path in Path(environment["WEATHER_SPOOL"]).iterdir() if path.suffix == ".gz"]


def test_its_stations_are_bounded_as_a_whole(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = rows(stations=ROWS)
    done = run("collect", "--once", **CSV, WEATHER_FEED_MAX_STATIONS="7000")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "7000 stations, 7000 new observations, 5000 left out\n"


@pytest.mark.parametrize("refuses", [False, True])
def test_what_was_stored_before_a_failure_stays_and_the_whole_waits(tmp_path: Path, refuses: bool) -> None:
    database, spool = tmp_path / "weather.db", Spool(tmp_path / "spool", 64 << 20)

    def execute(statement: str) -> None:
        with closing(sqlite3.connect(database)) as other, other:
            other.execute(statement)

    breaks = "CREATE TRIGGER no BEFORE INSERT ON observation BEGIN SELECT RAISE(ABORT, 'no'); END"
    content = new_content(tmp_path / "spool")
    content.write(rows())
    with (
        SharedStore(lambda: open_for_writing(str(database))) as store,
        Ingester(store, spool, DocumentReader("csv", "", FieldMapping(), "", {}, Bounds())) as ingester,
    ):
        ingester.advance = lambda: execute(breaks if refuses else "ALTER TABLE collection_log RENAME TO away")
        with pytest.raises(StoreError) as failure:
            ingester.ingest([Fetched(content, None, None, None, {})], Failures())
        ingester.advance = lambda: None
        execute("DROP TRIGGER no" if refuses else "ALTER TABLE away RENAME TO collection_log")
        with closing(sqlite3.connect(database)) as other:
            assert other.execute("SELECT COUNT(*) FROM observations").fetchone() == (PART,)
        if isinstance(failure.value, DocumentRefusedError):
            assert [path.suffix for path in (tmp_path / "spool").iterdir()] == [".refused"]
            return
        assert ingester.waiting == 1
        done = ingester.drain()
        assert done.stored.new == ROWS - PART
        assert done.stored.unchanged == PART
        assert ingester.waiting == 0


def test_one_that_waits_is_a_copied_file(tmp_path: Path) -> None:
    spool, content = Spool(tmp_path, 64 << 20), new_content(tmp_path)
    content.write(rows())
    assert list(tmp_path.iterdir()) == []  # it has no name
    number = spool.put(RawDocument(content, 1.5, 2.5, "csv"))
    waiting = spool.oldest()
    assert waiting is not None
    assert waiting[0] == number
    assert as_file(waiting[1].content).read() == rows()
    assert waiting[1][1:4] == (1.5, 2.5, "csv")


def test_one_that_no_disk_takes_is_said_and_fetched_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 64 << 20)
    (tmp_path / "spool").rmdir()
    (tmp_path / "spool").touch()
    with pytest.raises(NotKeptError, match="MiB is not kept, and is to come again"):
        spool.put(RawDocument(rows(), 1.5, 2.5))
    assert (len(spool), spool.given_up) == (0, 0)
    spool.put(RawDocument(b"short", 1.5, 2.5))
    assert (len(spool), spool.given_up) == (1, 0)
