"""The gate of a rollout, on what cron keeps up: it asks about the release, not about the weather."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.checks import Status, gate
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.gate import GateResult
from toolkit.checks.host import Host
from toolkit.model import Document, Observation, Station
from toolkit.settings import load_lenient
from toolkit.store import Store, open_for_writing

STARTED = time.time() - 100
REFUSED = "the feed http://127.0.0.1:8088/x is unreachable: Connection refused"
BAD = "this release is bad"


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A host on which cron keeps a collector up, since STARTED."""
    (tmp_path / "jobs.json").write_text(
        json.dumps({"scheduler": "cron", "jobs": {"collector": {"command": "collect"}}})
    )
    collector = subprocess.Popen(["sleep", "600"], start_new_session=True)
    pid = tmp_path / "collector.pid"
    pid.write_text(f"{collector.pid}\n")
    os.utime(pid, (STARTED, STARTED))
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", tmp_path / "jobs.json")
    monkeypatch.setattr("toolkit.checks.host.deployment.CRON_RUN", tmp_path)
    # What a table of cron and releases would be for.
    monkeypatch.setattr(gate, "CHECKED", tuple(name for name in gate.CHECKED if BY_ID[name].area == "database"))
    path = tmp_path / "weather.db"
    with open_for_writing(str(path)):
        pass
    yield path
    collector.kill()
    collector.wait()


def seen(db: Path, *cycles: tuple[float, str]) -> GateResult:
    """What the gate says after cycles, each at seconds from the start, with its failure or an empty text."""
    with open_for_writing(str(db)) as store:
        for offset, failure in cycles:
            cycle(store, STARTED + offset, failure)
    return gate.look(Host(load_lenient({}, {"WEATHER_DB": str(db), "WEATHER_ENV_FILE": "/dev/null"})))


def document(*names: str, at: float = STARTED) -> Document:
    stations = [Station(name, name, None, 38.0, 23.7, 90.0) for name in names or ("athens",)]
    return Document(
        stations,
        [Observation(int(at), one.station_id, *[None] * 12)._replace(temp_out=17.0) for one in stations],
        Counter(),
    )


def cycle(store: Store, at: float, failure: str) -> None:
    if failure:
        store.log_failure(failure, at, "feed", "UnreadableError" if failure == BAD else "UnreachableError")
    else:
        store.add(document(), at)


@pytest.mark.parametrize(
    ("cycles", "status", "said"),
    [
        ([(-50, ""), (5, "")], Status.OK, "the feed was stored at "),
        ([(-50, "")], Status.CRITICAL, "has not ended a cycle yet"),
        ([(-50, ""), (5, BAD), (9, BAD)], Status.CRITICAL, f"the last 2 attempts to collect failed: {BAD}"),
        ([(-50, ""), (5, REFUSED)], Status.CRITICAL, f"the last attempt to collect failed: {REFUSED}"),
        ([(-50, REFUSED), (5, "")], Status.OK, "the feed was stored at "),
        (
            [(-90, ""), (-50, REFUSED), (5, REFUSED)],
            Status.WARNING,
            f"the feed cannot be collected, as before: {REFUSED}",
        ),
        ([(-50, REFUSED.replace("8088", "9099")), (5, REFUSED)], Status.WARNING, "as before"),
        ([(-90, REFUSED), (-50, BAD), (5, REFUSED)], Status.WARNING, "as before"),
        # Down before, but now for a reason of its own; and one that was over before.
        ([(-50, REFUSED), (5, BAD)], Status.CRITICAL, BAD),
        ([(-90, REFUSED), (-50, ""), (5, REFUSED)], Status.CRITICAL, REFUSED),
    ],
)
def test_what_the_release_does_is_told_from_what_was_so_before(
    db: Path, cycles: list[tuple[float, str]], status: Status, said: str
) -> None:
    result = seen(db, *cycles)
    assert result.status is status
    assert said in result.message


def test_each_source_is_compared_with_itself(db: Path, tmp_path: Path) -> None:
    listed = tmp_path / "sources.toml"
    names = {"down": "http://x/", "well": "http://x/", "broker": "mqtt://x/t", "many": "http://x/{station}"}
    tables = (f"[[source]]\nname = '{name}'\nurl = '{url}'" for name, url in names.items())
    listed.write_text("\n".join(tables), encoding="utf-8")

    def look() -> GateResult:
        return seen_as_it_is(db, WEATHER_SOURCES_FILE=str(listed))

    with open_for_writing(str(db)) as store:
        store.log_failure(REFUSED, STARTED - 50, "down", "UnreachableError")
        store.log_failure(REFUSED, STARTED + 5, "down", "UnreachableError")
        assert look().message == "the collector that runs now has not ended a cycle of well yet"
        store.add(replace(document(), source="well"), STARTED + 6)
        assert look().message == f"down: the feed cannot be collected, as before: {REFUSED}"
        store.log_failure(BAD, STARTED + 7, "well", "UnreadableError")
    result = look()
    assert result.status is Status.CRITICAL
    assert result.message.startswith("well: the last attempt to collect failed")


def test_stations_that_fell_silent_and_old_observations_hold_nobody_up(db: Path) -> None:
    with open_for_writing(str(db)) as store:
        days_ago = time.time() - 2 * 86400
        store.add(document(*(f"seen-once-{number}" for number in range(50)), at=days_ago), days_ago)
    result = seen(db, (5, ""))
    assert result.status is Status.OK
    loaded = load_lenient({}, {"WEATHER_DB": str(db), "WEATHER_ENV_FILE": "/dev/null"})
    silent = BY_ID["stations-reporting"].probe(Host(loaded))
    assert silent
    assert silent.severity is Status.CRITICAL


def test_a_database_that_cannot_be_read_does(db: Path) -> None:
    seen(db, (5, ""))
    db.write_bytes(b"no database" * 999)
    assert seen_as_it_is(db).status is Status.CRITICAL


def seen_as_it_is(db: Path, **more: str) -> GateResult:
    return gate.look(Host(load_lenient({}, {"WEATHER_DB": str(db), "WEATHER_ENV_FILE": "/dev/null", **more})))


def test_a_collector_that_does_not_run_does(db: Path) -> None:
    seen(db, (5, ""))
    (db.parent / "collector.pid").unlink()
    assert seen_as_it_is(db).message == "the collector does not run"


def test_in_containers_it_counts_since_the_container_began(db: Path) -> None:
    (db.parent / "jobs.json").write_text(
        json.dumps({"scheduler": "compose", "jobs": {"collector": {"command": "collect"}}})
    )
    began = time.time() - float(Path("/proc/uptime").read_text().split()[0])
    assert seen(db, (began - 600 - STARTED, "")).status is Status.CRITICAL
    assert seen(db, (99, "")).status is Status.OK
    assert seen(db, (99.5, BAD)).status is Status.CRITICAL
