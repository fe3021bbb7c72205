"""kill -9 at random points of a cycle."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.ledger import Ledger
from tests.collector import Service, service
from tests.conftest import Feed
from tests.postgresql import Server
from toolkit.database import database

# `make chaos` kills more often.
KILLS = int(os.environ.get("CHAOS_KILLS", "16"))
# A cycle comes every second; a process takes some tenths of one to start.
WITHIN_SECONDS = 1.3


def kill_somewhere(running: Service, at: random.Random) -> None:
    time.sleep(at.uniform(0, WITHIN_SECONDS))  # the point of the test: no event to wait for
    running.process.kill()
    running.process.wait()


@contextmanager
def sometimes_locked(db: str, at: random.Random) -> Iterator[None]:
    """So that documents are in the spool when the process dies."""
    if database(db).file is None or at.random() < 0.6 or not Path(db).exists():
        yield
        return
    holder = sqlite3.connect(db, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
    finally:
        holder.close()


def test_killed_at_random(
    db: str, environment: dict[str, str], feed: Feed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment |= {"WEATHER_DB": db, "WEATHER_CADENCE_SECONDS": "1"}
    ledger, at = Ledger(feed, stations=300), random.Random(7)
    ledger.publish()
    kills = 0
    while kills < KILLS:
        if at.random() < 0.3:  # while it starts, opens the store and drains the spool
            with service(environment, tmp_path) as running:
                kill_somewhere(running, at)
                kills += 1
        with service(environment, tmp_path) as running:
            running.wait_for("READY")
            ledger.wait_until_stored(db, running)
            with sometimes_locked(db, at):
                ledger.publish()
                kill_somewhere(running, at)
                kills += 1
    with service(environment, tmp_path) as running:
        ledger.wait_until_stored(db, running)
        assert "Traceback" not in running.stop()
    ledger.compare(db)
    with capsys.disabled():
        print(f" {kills} kills, {ledger.documents} documents, 0 lost, 0 doubled ", end="")


def test_two_collectors_fill_one_database(
    postgresql: Server, environment: dict[str, str], feed: Feed, tmp_path: Path
) -> None:
    db = postgresql.database("active_active")
    ledger = Ledger(feed, stations=300)
    hosts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        hosts.append(
            {
                **environment,
                "WEATHER_DB": db,
                "WEATHER_CADENCE_SECONDS": "1",
                "WEATHER_SPOOL": str(tmp_path / name / "s"),
            }
        )
    ledger.publish()
    with service(hosts[0], tmp_path / "one") as first:
        with service(hosts[1], tmp_path / "two") as second:
            second.wait_for("READY")
            ledger.wait_until_stored(db, second)
            for _ in range(3):
                ledger.publish_until_fetched(first)
                ledger.wait_until_stored(db, second)
            second.process.kill()
        ledger.publish_until_fetched(first)
        ledger.wait_until_stored(db, first)
    ledger.compare(db)
