"""What TimescaleDB keeps in chunks, and what an operator has put upon it: in backups, and after a restore."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import zstandard

from tests.conftest import Run, collection, feature
from tests.databases import query
from tests.feeds import parse
from tests.postgresql import Server
from toolkit.backup.manifest import Manifest
from toolkit.backup.postgresql.rows import HEADER
from toolkit.store import open_for_writing

TIME = 1_763_827_200
WEEK = 7 * 86400
STATIONS = 20
ALL = "SELECT * FROM observations ORDER BY time, station_id"
COMPRESS = "SELECT compress_chunk(c) FROM show_chunks('observations') AS c LIMIT 6"
COMPRESSED = "SELECT COUNT(*) FROM timescaledb_information.chunks WHERE is_compressed"
POLICIES = """
SELECT proc_name, config - 'hypertable_id', schedule_interval, scheduled FROM timescaledb_information.jobs
WHERE hypertable_name = 'observations' ORDER BY 1
"""


@pytest.fixture
def db(environment: dict[str, str], tmp_path: Path, timescaledb: Server) -> str:
    """A database of ten weeks, of which the older ones are compressed, and its database for drills."""
    name = f"test_{uuid4().hex}"
    timescaledb.database(f"{name}_drill")
    environment["WEATHER_BACKUPS"] = str(tmp_path / "backups")
    url = timescaledb.database(name)
    # What is compressed is for the test to say, not for the policy's job.
    change(url, "SELECT _timescaledb_functions.stop_background_workers()")
    fill(url, *range(10))
    change(url, COMPRESS)
    environment["WEATHER_DB"] = url
    return url


def fill(db: str, *weeks: int) -> None:
    with open_for_writing(db) as store:
        for week in weeks:
            at = TIME - week * WEEK
            store.add(parse(collection(*(feature(f"s{number}", ts=at) for number in range(STATIONS)))), at + 60)


def change(db: str, *statements: str) -> None:
    with psycopg.connect(db, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def done(run: Run, *words: str, **variables: str) -> dict[str, Any]:
    process = run(*words, "--json", **variables)
    assert process.returncode == 0, process.stderr
    told: dict[str, Any] = json.loads(process.stdout)
    return told


def test_compressed_chunks_are_in_a_backup_and_come_back(run: Run, db: str) -> None:
    assert query(db, COMPRESSED) == [(6,)]
    before = query(db, ALL)
    assert done(run, "backup", "create")["content"]["observations"] == 10 * STATIONS
    assert run("backup", "verify").returncode == 0
    change(db, "DROP TABLE observations CASCADE")
    done(run, "restore", "LATEST")
    assert query(db, ALL) == before
    assert query(db, "SELECT COUNT(*) FROM timescaledb_information.chunks")[0][0] >= 10
    change(db, COMPRESS)  # as the policy will
    fill(db, 9, 10)


def test_what_was_corrected_in_a_compressed_chunk_stays(run: Run, db: str) -> None:
    done(run, "backup", "create")
    change(db, "SELECT compress_chunk(c, true) FROM show_chunks('observations') AS c")
    with open_for_writing(db) as store:
        store.add(parse(collection(feature("s1", ts=TIME, temp_out=1.5))), TIME + 900)
    assert done(run, "restore", "LATEST")["merged"] == 1
    newest = "SELECT temp_out FROM observations WHERE station_id = 's1' ORDER BY time DESC LIMIT 1"
    assert query(db, newest) == [(1.5,)]


def test_a_drill_is_made_in_chunks_too(run: Run, db: str) -> None:
    done(run, "backup", "create")
    told = done(run, "restore", "--drill")
    assert (told["observations"], told["wrong"]) == (10 * STATIONS, None)
    assert query(f"{db}_drill", "SELECT COUNT(*) FROM timescaledb_information.hypertables") == [(0,)]
    assert query(db, COMPRESSED) == [(6,)]


def test_policies_of_an_operator_are_named_and_outlive_a_restore(run: Run, db: str) -> None:
    change(
        db,
        "SELECT add_retention_policy('observations', INTERVAL '9 years', schedule_interval => INTERVAL '5 hours')",
        "SELECT remove_compression_policy('observations')",
        "SELECT alter_job(add_compression_policy('observations', INTERVAL '90 days'), scheduled => false)",
        "SELECT set_chunk_time_interval('observations', INTERVAL '3 days')",
    )
    before = query(db, POLICIES)
    made = run("backup", "create")
    assert made.stderr.count("policy_retention of observations is not of this program: left out of the backup") == 1
    done(run, "restore", "LATEST")
    assert query(db, POLICIES) == before
    spans = "SELECT time_interval = INTERVAL '3 days' FROM timescaledb_information.dimensions"
    assert query(db, spans) == [(True,)]


def test_continuous_aggregates_of_an_operator_are_named_and_not_lost(run: Run, db: str) -> None:
    change(
        db,
        "CREATE MATERIALIZED VIEW daily_mean WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', time) AS day, "
        "station_id, avg(temp_out) AS mean FROM observations GROUP BY 1, 2",
        "CREATE MATERIALIZED VIEW weekly_mean WITH (timescaledb.continuous) AS SELECT time_bucket('7 days', day) AS week, "
        "station_id, avg(mean) AS mean FROM daily_mean GROUP BY 1, 2",
    )
    held = query(db, "SELECT * FROM daily_mean ORDER BY 1, 2")
    made = run("backup", "create")
    assert made.returncode == 0
    assert made.stderr.count("is not of this program: left out of the backup") == 2
    assert "continuous aggregate public.daily_mean" in made.stderr
    refused = run("restore", "LATEST")
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 3, "two warnings of the copy of what is there, and the error"
    said = refused.stderr.splitlines()[-1]
    drops = "DROP MATERIALIZED VIEW public.weekly_mean; DROP MATERIALIZED VIEW public.daily_mean;"
    assert f"run {drops} and make them again after the restore" in said
    assert said.endswith("the database is as it was")
    assert query(db, "SELECT * FROM daily_mean ORDER BY 1, 2") == held
    change(db, *(f"{one.strip()};" for one in drops.split(";") if one))  # what it says works
    done(run, "restore", "LATEST")


def test_it_can_be_restored_where_there_is_no_timescaledb_and_back(
    run: Run, db: str, postgresql: Server, timescaledb: Server
) -> None:
    before = query(db, ALL)
    made = done(run, "backup", "create")
    plain = postgresql.database(f"test_{uuid4().hex}")
    done(run, "restore", made["file"], WEATHER_DB=plain)
    assert query(plain, ALL) == before
    again = done(run, "backup", "create", WEATHER_DB=plain)
    other = timescaledb.database(f"test_{uuid4().hex}")
    done(run, "restore", again["file"], WEATHER_DB=other)
    assert query(other, ALL) == before
    assert query(other, "SELECT hypertable_name FROM timescaledb_information.hypertables") == [("observations",)]


def test_it_is_refused_for_sqlite_with_the_way_that_there_is(run: Run, db: str, tmp_path: Path) -> None:
    done(run, "backup", "create")
    lite = str(tmp_path / "weather.db")
    refused = run("restore", "LATEST", WEATHER_DB=lite)
    assert refused.returncode == 1
    assert "weather-tool data export and import" in refused.stderr
    rows = str(tmp_path / "all.csv")
    assert run("data", "export", rows).returncode == 0
    assert run("data", "import", rows, WEATHER_DB=lite).returncode == 0
    assert query(lite, "SELECT COUNT(*) FROM observations") == [(10 * STATIONS,)]


def test_a_role_without_rights_makes_and_restores_backups(
    run: Run, environment: dict[str, str], tmp_path: Path, timescaledb: Server
) -> None:
    name = f"test_{uuid4().hex}"
    url = timescaledb.database(name)
    timescaledb.database(f"{name}_drill")
    change(url, f"CREATE ROLE {name} LOGIN", f"CREATE SCHEMA {name} AUTHORIZATION {name}")
    change(f"{url}_drill", f"CREATE SCHEMA {name} AUTHORIZATION {name}")
    environment["WEATHER_BACKUPS"] = str(tmp_path / "backups")
    environment["WEATHER_DB"] = url.replace("postgres@", f"{name}@")
    fill(environment["WEATHER_DB"], 0, 1)
    made = done(run, "backup", "create")
    assert made["content"]["observations"] == 2 * STATIONS
    assert done(run, "restore", "--drill")["wrong"] is None
    fill(environment["WEATHER_DB"], 2)
    done(run, "restore", "LATEST", "--discard-newer")
    assert query(environment["WEATHER_DB"], "SELECT COUNT(*) FROM observations") == [(2 * STATIONS,)]


def test_a_chunk_that_is_compressed_or_dropped_meanwhile_is_whole_in_the_backup(
    environment: dict[str, str], tmp_path: Path, db: str
) -> None:
    """What TimescaleDB's jobs do between the count and the copy would show an older look empty chunks."""
    from toolkit.backup.postgresql import rows, snapshot
    from toolkit.database import PostgreSQLDatabase

    written, waiting = rows.write, []

    def meanwhile(connection: psycopg.Connection, tables: Any, to: Path) -> None:
        with psycopg.connect(db, autocommit=True, options="-c lock_timeout=200ms") as other:
            chunks = "show_chunks('observations')"
            for statement in (
                f"SELECT compress_chunk(c, true) FROM {chunks} AS c",
                "SELECT drop_chunks('observations', INTERVAL '1 second')",
            ):
                try:
                    other.execute(statement)
                except psycopg.errors.LockNotAvailable:
                    waiting.append(statement)
        written(connection, tables, to)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "write", meanwhile)
        held = snapshot.snapshot(PostgreSQLDatabase(db), tmp_path / "copy")
    assert held.observations == 10 * STATIONS
    assert snapshot.inspect(tmp_path / "copy") == held
    assert len(waiting) == 2, "neither could come between"


def forged(tmp_path: Path, made: dict[str, Any], content: bytes) -> None:
    """Put other rows into a backup, with a manifest that fits."""
    packed = tmp_path / "backups" / made["file"]
    packed.write_bytes(zstandard.ZstdCompressor().compress(content))
    body = {key: value for key, value in made.items() if key not in {"pruned", "checksum"}}
    body |= {
        "sha256": hashlib.sha256(packed.read_bytes()).hexdigest(), "bytes": packed.stat().st_size,
        "bytes_unpacked": len(content),
    }  # fmt: skip
    checksum = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    packed.with_name(packed.name + ".json").write_text(json.dumps({**body, "checksum": checksum}))
    assert set(body) == set(Manifest.__dataclass_fields__)


@pytest.mark.parametrize(
    "more",
    [
        b"CREATE TABLE ran (a int);\n", b"\\! touch ran\n", b"COPY pg_authid (rolname) FROM stdin;\nx\n\\.\n",
        b"COPY counters (name, label, count) FROM PROGRAM 'id';\n", b"\n", b"COPY daily (day) FROM stdin;\nnot ended\n",
    ],
)  # fmt: skip
def test_nothing_but_rows_is_taken_from_a_backup(run: Run, db: str, tmp_path: Path, more: bytes) -> None:
    made = done(run, "backup", "create")
    content = zstandard.ZstdDecompressor().decompress(
        (tmp_path / "backups" / made["file"]).read_bytes(), max_output_size=1 << 24
    )
    assert content.startswith(HEADER)
    forged(tmp_path, made, HEADER + more if more.endswith(b"ended\n") else content + more)
    before = query(db, ALL)
    for words in (("restore", "LATEST"), ("backup", "verify")):
        process = run(*words)
        assert process.returncode == 1
        said = process.stdout + process.stderr
        assert ("ends within a table" if more.endswith(b"ended\n") else "has what this program did not write") in said
    assert query(db, ALL) == before
    assert query(db, "SELECT to_regclass('ran')") == [(None,)]


def test_psql_takes_it_too(run: Run, db: str, tmp_path: Path, timescaledb: Server) -> None:
    made = done(run, "backup", "create")
    script = tmp_path / "rows.sql"
    packed = (tmp_path / "backups" / made["file"]).read_bytes()
    script.write_bytes(zstandard.ZstdDecompressor().decompress(packed, max_output_size=1 << 24))
    other = timescaledb.database(f"test_{uuid4().hex}")
    with open_for_writing(other):
        pass
    change(other, "TRUNCATE schema_version", "TRUNCATE observations")
    subprocess.run(["psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={script}", other], check=True)
    assert query(other, ALL) == query(db, ALL)
