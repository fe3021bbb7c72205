"""The variable that was declared last, all the way round: feed, store, export, import, backup, restore, detection, page.

It is added to the declaration and by the newest migration, so what is before that step is what an upgrade finds.
"""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import Feed, Run, collection, feature
from tests.databases import query
from tests.postgresql import Server
from toolkit.store import sqlite_schema
from toolkit.store.base import migrations
from toolkit.times import from_epoch, stored
from toolkit.variables import MEASURED

TIME = 1_763_827_200  # 2025-11-22 16:00:00 UTC
LAST = MEASURED[-1]
# A value that is no whole number of the store's steps, and one that no sensor can measure.
VALUE = round(LAST.low + (LAST.high - LAST.low) / 3, 3)
IMPOSSIBLE = LAST.high * 2 + 1
STATIONS = ("volos", "zagora", "portaria", "makrinitsa", "volos-port")


@pytest.fixture(params=["sqlite", "postgresql"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes empty databases of one engine; returns what WEATHER_DB would be."""
    if request.param == "sqlite":
        return lambda: str(tmp_path / f"{uuid4().hex}.db")
    server: Server = request.getfixturevalue("postgresql")
    return lambda: server.database(f"test_{uuid4().hex}")


def begin_before_the_step(db: str) -> None:
    """A database of the schema before the newest step, with one observation."""
    told, at = f"'{stored(TIME - 86400)}'", f"'{stored(TIME - 86340)}'"
    if "://" in db:
        scripts = migrations("postgresql")
        with psycopg.connect(db, options="-c timezone=UTC") as connection:
            connection.execute("CREATE TABLE schema_version (version integer NOT NULL)")
            connection.execute(f"INSERT INTO schema_version (version) VALUES ({len(scripts) - 1})")
            for script in scripts[:-1]:
                connection.execute(script)
            connection.execute(f"INSERT INTO stations (station_id, first_seen, last_seen) VALUES ('volos', {at}, {at})")
            connection.execute(
                f"INSERT INTO observations (time, station_id, temp_out, collected_at) VALUES ({told}, 'volos', 7.5, {at})"
            )
        return
    with closing(sqlite3.connect(db, isolation_level=None)) as lite:
        for sql in sqlite_schema.expected(sqlite_schema.VERSION - 1).values():
            lite.execute(sql)
        lite.execute(f"PRAGMA user_version = {sqlite_schema.VERSION - 1}")
        lite.execute(f"PRAGMA application_id = {sqlite_schema.APPLICATION_ID}")
        lite.execute(
            f"INSERT INTO observations (time, station_id, temp_out, collected_at) VALUES ({told}, 'volos', 7.5, {at})"
        )


def test_it_goes_all_the_way_round(make: Callable[[], str], run: Run, feed: Feed, tmp_path: Path) -> None:
    db, other = make(), make()

    def does(*words: str, on: str = db) -> str:
        fields = f"station_id=station_file, time=ts, {LAST.name}=theirs [{LAST.unit}]"
        done = run(*words, WEATHER_DB=on, WEATHER_FEED_FIELDS=fields, WEATHER_DETECTION_VARIABLES=LAST.name)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def values(of: str) -> list[tuple[object, ...]]:
        return query(of, f"SELECT station_id, temp_out, {LAST.name} FROM observations ORDER BY time, station_id")

    # A backup from before the step, then the step, made by the first document that has the variable.
    begin_before_the_step(db)
    before = json.loads(does("backup", "create", "--json"))["file"]
    feed.body = collection(*(feature(name, theirs=VALUE) for name in STATIONS))
    does("collect", "--once")
    there = [("volos", 7.5, None), *((name, 13.9, VALUE) for name in sorted(STATIONS))]
    assert values(db) == there
    assert [row[LAST.name] for row in json.loads(does("data", "latest", "--json"))] == [VALUE] * len(STATIONS)

    # Out and in again.
    does("data", "export", str(tmp_path / "all.csv"))
    does("data", "import", str(tmp_path / "all.csv"), on=other)
    assert values(other) == there

    # A backup from after the step; then back to before it, which takes over what came since.
    does("backup", "create")
    does("restore", "LATEST")
    assert values(db) == there
    does("restore", before)
    assert values(db) == there
    does("restore", before, "--discard-newer")
    assert values(db) == there[:1]

    # Readings of a window, one of which cannot be: it is rejected, and the detector says which sensor it was.
    rows = [
        {"time": from_epoch(TIME - 600 * step).isoformat(), "station_id": name, "latitude": 39.3 + place / 50,
         "longitude": 22.9, LAST.name: IMPOSSIBLE if name == "volos" and 10 <= step < 14 else VALUE + step / 10}
        for step in reversed(range(36)) for place, name in enumerate(STATIONS)
    ]  # fmt: skip
    with (tmp_path / "window.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert f"4 x {LAST.name} out of range" in does("data", "import", str(tmp_path / "window.csv"))
    end = "--end=2025-11-22T16:00Z"
    found = json.loads(does("detect", end, "--json"))["anomalies"]
    assert [(one["station_id"], one["variable"], one["value"]) for one in found] == [("volos", LAST.name, IMPOSSIBLE)]
    does("report", "--html", str(tmp_path / "page.html"), end)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert re.search(rf'aria-label="{LAST.name} of volos', page)
    assert LAST.label in page
