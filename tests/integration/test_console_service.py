"""What the console says of the service: by the store, and by the exporter."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.collector import service
from tests.console import Console
from tests.ports import free_port
from toolkit.model import Document, Observation, Station
from toolkit.store import open_for_writing


@pytest.fixture
def now() -> int:
    return int(time.time()) // 600 * 600


@pytest.fixture
def console(db: str, tmp_path: Path, now: int) -> Iterator[Console]:
    """A console whose exporter does not run, on a store in which something was stored and something failed."""
    with open_for_writing(db) as store:
        station = Station("volos", "Volos", "Βόλος", 39.36, 22.94, 10.0)
        for at in (now - 7200, now - 600):
            store.add(Document([station], [Observation(time=at, station_id="volos", temp_out=20.0)]), at)
        store.log_failure("http://feed.example/: connection refused", now - 60, "feed")
    port = free_port()
    running = Console(db, tmp_path, WEATHER_METRICS_ADDRESS=f"127.0.0.1:{port}")
    yield running
    running.stop()


def told_by_the_exporter(console: Console) -> dict[str, Any]:
    told: dict[str, Any] = console.session().json("host")
    return told


def test_the_store_tells_how_collection_and_detection_go(console: Console, now: int) -> None:
    console.run("detect", "--end", "NOW", "--allow-short-history")
    said = console.session().json("service")
    assert said["database"]["newest"] == now - 600
    assert said["database"]["stations"] == 1
    hours = said["collection"]["hours"]
    assert [hours[-1]["at"] - hours[0]["at"], hours[-1]["at"]] == [47 * 3600, time.time() // 3600 * 3600]
    assert {name: sum(hour[name] for hour in hours) for name in ("stored", "failed", "observations")} == {
        "stored": 2, "failed": 1, "observations": 2,
    }  # fmt: skip
    assert said["collection"]["failures"][0]["message"] == "http://feed.example/: connection refused"
    assert now - 60 < said["detection"]["last"] < time.time() + 60
    assert sum(day["runs"] for day in said["detection"]["days"]) == 1


SOURCES = """
[[source]]
name = "often"
url = "http://192.0.2.1/"
cadence_seconds = 600
[[source]]
name = "slow"
url = "http://192.0.2.2/"
cadence_seconds = 7200
[[source]]
name = "down"
url = "http://192.0.2.3/"
[[source]]
name = "new"
url = "http://192.0.2.4/"
"""


def test_each_source_is_told_of_and_each_station_is_judged_by_its_own(db: str, tmp_path: Path, now: int) -> None:
    """Two stations last reported four hours ago: one of them, of the source that tells every two hours, is not late."""
    (tmp_path / "sources.toml").write_text(SOURCES, "utf-8")
    with open_for_writing(db) as store:
        for number, name in enumerate(("often", "slow")):
            station = Station(name, name, None, 39.36, 22.94 + number, 10.0)
            document = Document([station], [Observation(time=now - 4 * 3600, station_id=name, temp_out=20.0)])
            document.source = name
            store.add(document, now - 4 * 3600)
        store.log_failure("http://192.0.2.3/: connection refused", now - 60, "down")
    running = Console(db, tmp_path, WEATHER_SOURCES_FILE=str(tmp_path / "sources.toml"))
    try:
        session = running.session()
        said = {one["name"]: one for one in session.json("service")["sources"]}
        assert {name: one["status"] for name, one in said.items()} == {
            "often": "stale", "slow": "fresh", "down": "failed", "new": "empty",
        }  # fmt: skip
        assert (said["down"]["failures"], said["down"]["message"]) == (1, "http://192.0.2.3/: connection refused")
        assert (said["often"]["newest"], said["new"]["newest"]) == (now - 4 * 3600, None)
        stations = [session.json("station", station=name) for name in ("often", "slow")]
        assert [(one["state"], one["source"]) for one in stations] == [("silent", "often"), ("well", "slow")]
        fresh = {one["id"]: one["fresh_seconds"] for one in session.json("network")["stations"]}
        assert fresh == {"often": 1800, "slow": 6 * 3600}
        signed_in = running.session("maria", "viewer")
        running.kill()
        running.start()
        messages = [{one["message"] for one in who.json("service")["sources"]} for who in (session, signed_in)]
        assert messages[0] == {None}
        assert "http://192.0.2.3/: connection refused" in messages[1]
    finally:
        running.stop()


def test_the_exporter_tells_what_it_found_or_it_is_said_that_it_does_not(console: Console, tmp_path: Path) -> None:
    missing = told_by_the_exporter(console)
    assert set(missing) == {"missing"}
    assert "/service: connection refused" in missing["missing"]
    folder = tmp_path / "exporter"
    folder.mkdir()
    with service(console.environment, folder, does=("metrics", "--serve")) as exporter:
        exporter.wait_for("WATCHDOG=1")
        exporter.wait_for("WATCHDOG=1")
        console.kill()
        console.start()
        told = told_by_the_exporter(console)
        signed_in = console.session("maria", "viewer").json("host")
        in_short = told_by_the_exporter(console)
        exporter.stop()
    checks = {one["id"]: one for one in told["findings"]["checks"]}
    assert checks["observations-fresh"]["evidence"].startswith("the newest observation")
    assert told["backups"] == []
    assert told["findings"]["causes"][0]["remedy"]
    assert signed_in["findings"]["causes"][0]["remedy"]
    assert {one["remedy"] for one in in_short["findings"]["causes"]} == {None}
    assert {one["evidence"] for one in in_short["findings"]["checks"]} == {""}
    assert in_short["findings"]["causes"][0]["problem"] == told["findings"]["causes"][0]["problem"]
