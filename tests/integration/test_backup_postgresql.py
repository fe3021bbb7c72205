"""The same promises on PostgreSQL, with and without TimescaleDB: `weather-tool backup` and `restore`."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import zstandard

from tests.conftest import TOOL, Run, collection, feature
from tests.feeds import parse
from tests.postgresql import Server
from toolkit.backup.postgresql.snapshot import TABLES, VERSION
from toolkit.store import open_for_writing

TIME = 1_763_827_200
STATIONS = 50

Store = Callable[..., None]


@pytest.fixture(params=["postgresql", "timescaledb"])
def db(request: pytest.FixtureRequest, environment: dict[str, str], tmp_path: Path) -> str:
    """A database, and another one for drills; the folder of backups is for this test."""
    server: Server = request.getfixturevalue(request.param)
    environment["WEATHER_BACKUPS"] = str(tmp_path / "backups")
    name = f"test_{uuid4().hex}"
    server.database(f"{name}_drill")
    environment["WEATHER_DB"] = server.database(name)
    return environment["WEATHER_DB"]


@pytest.fixture
def store(db: str) -> Store:
    """Store a document of every station, `step` cadences after TIME."""

    def put(*steps: int, late: int = 60, **values: object) -> None:
        with open_for_writing(db) as opened:
            for step in steps:
                ts = TIME + 600 * step
                features = [feature(f"s{number}", ts=ts, **values) for number in range(STATIONS)]
                opened.add(parse(collection(*features)), ts + late)

    return put


def ask(db: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(db) as connection:
        return connection.execute(query).fetchall()


def rows(db: str) -> int:
    return int(ask(db, "SELECT COUNT(*) FROM observations")[0][0])


def done(run: Run, *words: str) -> dict[str, Any]:
    process = run(*words, "--json")
    assert process.returncode == 0, process.stderr
    told: dict[str, Any] = json.loads(process.stdout)
    return told


def test_all_tables_are_in_a_backup(store: Store, db: str) -> None:
    store(0)
    there = ask(db, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    assert sorted(TABLES) == sorted(name for (name,) in there)


def test_what_is_gone_comes_back(run: Run, db: str, store: Store) -> None:
    store(0, 1)
    made = done(run, "backup", "create")
    assert made["content"] == {
        "stations": STATIONS, "observations": 2 * STATIONS, "first": "2025-11-22 16:00:00",
        "last": "2025-11-22 16:10:00", "schema_version": VERSION,
    }  # fmt: skip
    assert made["file"].endswith(".dump.zst")
    before = ask(db, "SELECT * FROM observations ORDER BY time, station_id")
    with psycopg.connect(db) as connection:
        for table in TABLES:  # TimescaleDB drops a hypertable by itself only
            connection.execute(f"DROP TABLE {table} CASCADE")
    assert done(run, "restore", "LATEST")["replaced"] is None
    assert ask(db, "SELECT * FROM observations ORDER BY time, station_id") == before
    store(2)  # and a collector can go on
    assert rows(db) == 3 * STATIONS


def test_what_was_collected_after_the_backup_stays(run: Run, db: str, store: Store) -> None:
    store(0, 1)
    done(run, "backup", "create")
    store(2)
    store(1, late=3000, temp_out=1.5)  # a correction
    store(-100_000)  # an import
    told = done(run, "restore", "LATEST")
    assert told["merged"] == 3 * STATIONS
    assert rows(db) == 4 * STATIONS
    assert ask(db, "SELECT DISTINCT temp_out FROM observations WHERE time = '2025-11-22 16:10:00+00'") == [(1.5,)]
    counted = "SELECT count FROM counters WHERE (name, label) = ('observations', 'new')"
    assert ask(db, counted) == [(4 * STATIONS,)], "counters went back with the restore"
    # What was replaced is a backup of its own, and a way back.
    (replaced,) = Path(told["replaced"]).glob("*.zst")
    done(run, "restore", "LATEST", "--discard-newer")
    assert rows(db) == 2 * STATIONS
    done(run, "restore", str(replaced), "--discard-newer")
    assert rows(db) == 4 * STATIONS


def test_a_backup_of_a_database_that_is_written_is_of_one_moment(run: Run, db: str, store: Store) -> None:
    store(0)
    stop = threading.Event()

    def write() -> None:
        step = 0
        while not stop.is_set():
            store(step := step + 1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        held = [done(run, "backup", "create")["content"]["observations"] for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    assert [number % STATIONS for number in held] == [0, 0, 0]
    assert held[0] < held[2]
    assert run("backup", "verify").returncode == 0


def test_damage_is_found_and_refused(run: Run, db: str, store: Store, tmp_path: Path) -> None:
    store(0)
    packed = tmp_path / "backups" / done(run, "backup", "create")["file"]
    store(1)
    whole, chance = packed.read_bytes(), random.Random(7)
    for _ in range(10):
        content = bytearray(whole)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        packed.write_bytes(content)
        process = run("restore", "LATEST")
        assert process.returncode == 1
        assert len(process.stderr.splitlines()) == 1
    assert rows(db) == 2 * STATIONS


def test_killed_at_any_moment_it_is_the_old_or_the_new_one(
    run: Run, db: str, store: Store, environment: dict[str, str]
) -> None:
    store(*range(10))
    done(run, "backup", "create")
    store(*range(10, 20))
    chance, seen = random.Random(3), set()
    for _ in range(10):
        process = subprocess.Popen(
            [TOOL, "restore", "LATEST", "--discard-newer"],
            env=environment, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(chance.uniform(0.3, 1.5))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        seen.add(rows(db))
        store(*range(10, 20))
    assert seen <= {10 * STATIONS, 20 * STATIONS}
    done(run, "restore", "LATEST")
    assert rows(db) == 20 * STATIONS


def test_a_view_of_others_is_named_and_not_lost(run: Run, db: str, store: Store) -> None:
    store(0)
    done(run, "backup", "create")
    with psycopg.connect(db) as connection:
        connection.execute("CREATE VIEW warm AS SELECT time FROM observations WHERE temp_out > 30")
    process = run("restore", "LATEST")
    assert process.returncode == 1
    assert "view warm depends on table observations: keep its definition, drop it" in process.stderr
    assert ask(db, "SELECT COUNT(*) FROM warm") == [(0,)]
    with psycopg.connect(db) as connection:
        connection.execute("DROP VIEW warm")
    assert rows(db) == STATIONS
    done(run, "restore", "LATEST")


def test_a_drill_touches_nothing(run: Run, db: str, store: Store) -> None:
    store(*range(40))
    done(run, "backup", "create")
    store(40)
    told = done(run, "restore", "--drill")
    assert (told["observations"], told["wrong"]) == (40 * STATIONS, None)
    assert rows(db) == 41 * STATIONS
    assert ask(f"{db}_drill", "SELECT to_regclass('observations')") == [(None,)]


def test_a_drill_needs_a_place(run: Run, db: str, store: Store, tmp_path: Path) -> None:
    store(0)
    done(run, "backup", "create")
    name = db.rpartition("/")[2]
    with psycopg.connect(db.replace(name, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}_drill")
    process = run("restore", "--drill")
    assert process.returncode == 1
    assert f"a drill needs an empty database {name}_drill" in process.stderr
    assert json.loads((tmp_path / "backups/drill.json").read_text())["wrong"]


def test_a_dump_of_something_else_is_refused_and_nothing_of_it_is_run(
    run: Run, db: str, store: Store, tmp_path: Path
) -> None:
    store(0)
    made = done(run, "backup", "create")
    with psycopg.connect(db, autocommit=True) as connection:
        connection.execute("ALTER TABLE counters RENAME TO more")
        connection.execute("CREATE TABLE counters AS SELECT * FROM more")
        connection.execute("CREATE FUNCTION ran() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        connection.execute("CREATE TRIGGER silent BEFORE INSERT ON observations EXECUTE FUNCTION ran()")
    dump, packed = tmp_path / "forged", tmp_path / "backups" / made["file"]
    options = ["--format=custom", "--compress=0", "--no-owner"]
    subprocess.run(["pg_dump", *options, f"--file={dump}", f"--dbname={db}"], check=True)
    packed.write_bytes(zstandard.ZstdCompressor().compress(dump.read_bytes()))
    sha256 = hashlib.sha256(packed.read_bytes()).hexdigest()
    made |= {"sha256": sha256, "bytes": packed.stat().st_size, "bytes_unpacked": dump.stat().st_size}
    body = {key: value for key, value in made.items() if key not in {"pruned", "checksum"}}
    made["checksum"] = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    packed.with_name(packed.name + ".json").write_text(json.dumps({**body, "checksum": made["checksum"]}))
    for words in (("restore", "LATEST"), ("backup", "verify")):
        process = run(*words)
        assert process.returncode == 1
        assert "has what this program did not write" in process.stdout + process.stderr
        assert len(process.stderr.splitlines()) == 1
    assert ask(db, "SELECT COUNT(*) FROM more") != [(0,)]
