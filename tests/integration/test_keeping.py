"""What the store cannot take waits in the spool, and comes through in order."""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.collector import service
from tests.conftest import Feed, Run, collection, feature
from tests.databases import query
from toolkit.collector.spool import Arrived, Spool
from toolkit.errors import ToolkitError

TIME = 1_763_827_200


@pytest.fixture
def quick(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "WEATHER_CADENCE_SECONDS": "1"}


def test_documents_wait_while_the_database_is_locked(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    with service(quick, tmp_path) as running:
        running.wait_for("1 new observations")
        holder = sqlite3.connect(quick["WEATHER_DB"], isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        for step, temperature in enumerate((1.0, 2.0, 3.0), start=1):
            feed.body = collection(feature("volos", ts=TIME + 600, temp_out=temperature))
            running.wait_for(f"{step} documents wait in the spool")
        holder.execute("ROLLBACK")
        holder.close()
        running.wait_for("stations")
        log = running.stop()
    assert query(quick["WEATHER_DB"], "SELECT time, temp_out FROM observations ORDER BY time") == [
        ("2025-11-22 16:00:00", 13.9),
        ("2025-11-22 16:10:00", 3.0),
    ]
    assert query(quick["WEATHER_DB"], "SELECT label, count FROM counters WHERE label IN ('new', 'corrected')") == [
        ("corrected", 2),
        ("new", 2),
    ]
    assert log.count("documents wait in the spool until") == 1, log
    assert log.count("well again") == 1


def test_what_waits_outlives_the_process(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    with service(quick, tmp_path) as running:
        running.wait_for("1 new observations")
        holder = sqlite3.connect(quick["WEATHER_DB"], isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        feed.body = collection(feature("volos", ts=TIME + 600))
        running.wait_for("1 documents wait")
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()
        holder.close()
    feed.status = 500
    with service(quick, tmp_path) as running:
        running.wait_for("failed attempts")
    assert query(quick["WEATHER_DB"], "SELECT COUNT(*) FROM observations") == [(2,)]


def test_a_store_that_is_not_there_at_the_start_is_waited_for(
    quick: dict[str, str], feed: Feed, tmp_path: Path
) -> None:
    folder = tmp_path / "late"
    quick["WEATHER_DB"] = str(folder / "weather.db")
    with service(quick, tmp_path) as running:
        running.wait_for("READY")
        running.wait_for("1 documents wait in the spool")
        folder.mkdir()
        running.wait_for("1 new observations")


def test_a_database_that_is_replaced_is_noticed(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    with service(quick, tmp_path) as running:
        running.wait_for("1 new observations")
        for suffix in ("", "-wal", "-shm"):
            Path(quick["WEATHER_DB"] + suffix).unlink()
        feed.body = collection(feature("volos", ts=TIME + 600))
        running.wait_for("1 new observations")
        assert query(quick["WEATHER_DB"], "SELECT COUNT(*) FROM observations") == [(1,)]


def test_a_second_collector_is_refused(quick: dict[str, str], run: Run, tmp_path: Path) -> None:
    with service(quick, tmp_path) as running:
        running.wait_for("READY")
        done = run("collect", "--once")
        assert done.returncode == 1
        assert done.stderr == (
            f"weather-tool: another collector (process {running.process.pid}) has the spool {quick['WEATHER_SPOOL']}: "
            "stop it first\n"
        )


def test_a_newer_database_is_refused_with_one_line(run: Run, environment: dict[str, str]) -> None:
    assert run("collect", "--once").returncode == 0
    connection = sqlite3.connect(environment["WEATHER_DB"])
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for words in (["collect"], ["collect", "--once"], ["healthcheck"]):
        done = run(*words)
        assert done.returncode == 2
        assert (done.stdout + done.stderr).count("\n") == 1
        assert "has schema 99" in done.stdout + done.stderr


def test_impossible_values_become_null_and_are_counted(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = collection(
        feature("volos", temp_out=99.9, out_hum=-1, bar=0),
        feature("zagora", ts=4_000_000_000),
        feature("amfissa", ts=946_684_800),
    )
    assert run("collect", "--once").stderr == "3 stations, 1 new observations, 5 left out\n"
    assert query(environment["WEATHER_DB"], "SELECT temp_out, out_hum, bar, rain FROM observations") == [
        (None, None, None, 0.2)
    ]
    counted = dict(query(environment["WEATHER_DB"], "SELECT label, count FROM counters WHERE name = 'left_out'"))
    assert counted == {
        "temp_out out of range": 1,
        "out_hum out of range": 1,
        "bar out of range": 1,
        "time in the future": 1,
        "impossible time": 1,
    }
    ((message,),) = query(environment["WEATHER_DB"], "SELECT message FROM collection_log")
    assert all(f"1 {reason}" in message for reason in counted)


def arrived(text: str) -> Arrived:
    return Arrived(text.encode(), 1.5, 2.5)


def test_the_spool_is_bounded_and_gives_up_the_oldest(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 3000)
    for number in range(5):
        spool.put(arrived(f"{number}" + os.urandom(700).hex()))
    assert spool.given_up > 0
    assert len(spool) == 5 - spool.given_up
    oldest = spool.oldest()
    assert oldest is not None
    assert oldest[1].body.startswith(str(spool.given_up).encode())
    spool.close()


def test_a_damaged_document_is_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1 << 20)
    spool.put(arrived("first"))
    spool.put(arrived("second"))
    first = min((tmp_path / "spool").glob("*.gz"))
    first.write_bytes(first.read_bytes()[:-5])
    oldest = spool.oldest()
    assert oldest is not None
    assert oldest[1] == arrived("second")
    assert first.with_suffix(".damaged").exists()
    spool.drop(oldest[0])
    assert spool.oldest() is None
    spool.close()


def test_a_spool_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ToolkitError, match="cannot be used"):
        Spool(tmp_path / "file" / "spool", 1)
