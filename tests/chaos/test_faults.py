"""What the disk, the network, the clock and the database can do to a collector that is up."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.chaos.ledger import Ledger
from tests.clocks import MONOTONIC, library
from tests.collector import Service, service
from tests.conftest import Feed, Run
from tests.databases import query
from tests.mosquitto import Mosquitto
from tests.postgresql import Server


@pytest.fixture
def quick(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "WEATHER_CADENCE_SECONDS": "1"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    if os.geteuid() != 0:
        pytest.skip("a file system is mounted by root only")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "weather-test", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(path: Path) -> None:
    """Take every block that is left."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def publish_and_wait(ledger: Ledger, running: Service, word: str) -> None:
    ledger.publish()
    running.wait_for(word)


def test_the_disk_is_full_for_a_while(small_disk: Path, quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    quick |= {"WEATHER_DB": str(small_disk / "weather.db"), "WEATHER_SPOOL": str(small_disk / "spool")}
    ledger = Ledger(feed, stations=100)
    ledger.publish()
    with service(quick, tmp_path) as running:
        running.wait_for("100 new")
        filler = small_disk / "filler"
        fill(filler)
        for waiting in range(1, 4):
            publish_and_wait(
                ledger, running, f"{waiting} documents wait in the spool, {waiting} of them in memory alone"
            )
        assert "no space left" in running.log
        assert "documents wait in memory, and are lost if the collector ends" in running.log
        filler.unlink()
        ledger.wait_until_stored(quick["WEATHER_DB"], running)
        ledger.publish_until_fetched(running)
        ledger.wait_until_stored(quick["WEATHER_DB"], running)
        log = running.stop()
    ledger.compare(quick["WEATHER_DB"])
    assert log.count("documents wait in the spool until it is well") <= 2, log
    assert "well again" in log


def test_one_cycle_says_that_neither_store_nor_disk_takes_a_document(
    small_disk: Path, run: Run, feed: Feed, tmp_path: Path
) -> None:
    settings = {"WEATHER_DB": str(tmp_path / "none/weather.db"), "WEATHER_SPOOL": str(small_disk / "spool")}
    (small_disk / "spool").mkdir()
    (small_disk / "spool/lock").write_text("a block of its own")
    fill(small_disk / "filler")
    done = run("collect", "--once", **settings)
    assert done.returncode == 1
    assert "no space left" in done.stderr
    assert "is not kept, and is to come again" in done.stderr
    assert "waits in the spool" not in done.stderr


def test_what_a_broker_sends_stays_there_until_the_store_or_the_disk_takes_it(
    small_disk: Path, quick: dict[str, str], run: Run, tmp_path: Path
) -> None:
    broker, late = Mosquitto(tmp_path / "broker"), tmp_path / "late"
    quick |= {
        "WEATHER_DB": str(late / "weather.db"), "WEATHER_SPOOL": str(small_disk / "spool"),
        "WEATHER_FEED_URL": f"mqtt://127.0.0.1:{broker.port}/net/{{station}}", "WEATHER_FEED_FORMAT": "json",
        "WEATHER_FEED_FIELDS": "",
    }  # fmt: skip
    try:
        run("collect", "--once", **quick)  # from now on the broker keeps what it is sent
        broker.publish(("net/volos", {"time": 1_763_827_200, "temp_out": 1.5}))
        fill(small_disk / "filler")
        with service(quick, tmp_path) as running:
            assert "is not kept, and is to come again" in running.wait_for("failed attempts")
            assert list((small_disk / "spool").glob("*.gz")) == []
            running.process.kill()
        late.mkdir()
        with service(quick, tmp_path) as running:
            running.wait_for("1 new observations")
            running.stop()
    finally:
        broker.stop()
    assert query(quick["WEATHER_DB"], "SELECT station_id FROM observations") == [("volos",)]


def test_the_database_is_locked_again_and_again(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    ledger = Ledger(feed, stations=100)
    ledger.publish()
    with service(quick, tmp_path) as running:
        running.wait_for("100 new")
        for _ in range(2):
            holder = sqlite3.connect(quick["WEATHER_DB"], isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            publish_and_wait(ledger, running, "1 documents wait")
            publish_and_wait(ledger, running, "2 documents wait")
            holder.execute("ROLLBACK")
            holder.close()
            ledger.wait_until_stored(quick["WEATHER_DB"], running)
        running.stop()
    ledger.compare(quick["WEATHER_DB"])


LIES = {
    "an error": (500, {}, b"oops"),
    "a page": (200, {}, b"<html>maintenance</html>"),
    "nothing": (200, {}, b""),
    "half": (200, {"Content-Length": "100000"}, b'{"type": "FeatureCollection", "features": ['),
    "a bomb": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"[" * (64 << 20))),
    "brackets": (200, {}, b"[" * 1_000_000),
    "no station": (200, {}, b'{"type": "FeatureCollection", "features": [{}, null, 7]}'),
    "a loop": (302, {"Location": "/"}, b""),
    "not modified": (304, {}, b""),
}


def test_the_feed_is_down_and_lies(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    ledger = Ledger(feed, stations=20)
    ledger.publish()
    with service(quick, tmp_path) as running:
        running.wait_for("20 new")
        for status, headers, body in LIES.values():
            feed.status, feed.headers, feed.body = status, headers, body
            seen = len(feed.requests)
            while len(feed.requests) == seen:
                running.wait_for("WATCHDOG")
            feed.status, feed.headers = 200, {}
            ledger.publish_until_fetched(running)
            ledger.wait_until_stored(quick["WEATHER_DB"], running)
        log = running.stop()
    ledger.compare(quick["WEATHER_DB"])
    assert "Traceback" not in log


def test_the_clock_is_set_back_and_forward(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    quick |= {"FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", **MONOTONIC}
    ledger = Ledger(feed, stations=20)
    ledger.publish()
    with service(quick, tmp_path, "env", f"LD_PRELOAD={library()}") as running:
        running.wait_for("20 new")
        for offset in ("-3d", "+400d", "-20y", "+1h", "+0"):
            clock.write_text(offset)
            ledger.publish_until_fetched(running)
            ledger.wait_until_stored(quick["WEATHER_DB"], running)
        running.stop()
    ledger.compare(quick["WEATHER_DB"])


def test_the_server_is_restarted_in_mid_batch(
    postgresql: Server, quick: dict[str, str], feed: Feed, tmp_path: Path
) -> None:
    quick["WEATHER_DB"] = postgresql.database("restarted")
    ledger = Ledger(feed, stations=5000)
    ledger.publish()
    with service(quick, tmp_path) as running:
        running.wait_for("5000 new")
        for mode in ("immediate", "fast", "immediate"):
            ledger.publish_until_fetched(running)  # it is parsed and stored next
            postgresql.stop(mode)
            ledger.publish_until_fetched(running)
            running.wait_for("documents wait")
            postgresql.start()
            ledger.wait_until_stored(quick["WEATHER_DB"], running)
        log = running.stop()
    ledger.compare(quick["WEATHER_DB"])
    assert "Traceback" not in log
