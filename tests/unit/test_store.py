from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from tests.conftest import collection, feature
from tests.feeds import parse
from toolkit.model import Document, Observation
from toolkit.store import Count, StoreError, open_for_reading, open_for_writing, sqlite_schema
from toolkit.store.base import migrations
from toolkit.store.sqlite_schema import APPLICATION_ID
from toolkit.variables import COLUMNS

COLLECTED = 1_763_827_260


def document(*features: object) -> Document:
    return parse(collection(*features))


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weather.db"


def test_the_contract_of_names_and_times(path: Path) -> None:
    with open_for_writing(str(path)) as store:
        store.add(document(feature("volos", station_name_gr="Βόλος")), COLLECTED)
    columns = (
        "time, station_id, temp_out, hi_temp, low_temp, out_hum, bar, rain, wind_speed, wind_dir, wind_dir_str, "
        "hi_speed, hi_dir, hi_dir_str, collected_at"
    )
    assert rows(path, f"SELECT {columns} FROM observations") == [
        (
            "2025-11-22 16:00:00",
            "volos",
            13.9,
            14.1,
            13.7,
            60,
            1016.4,
            0.2,
            3.2,
            22.5,
            "NNE",
            6.4,
            0,
            "N",
            "2025-11-22 16:01:00",
        )
    ]
    assert rows(
        path,
        "SELECT station_id, station_name_en, station_name_gr, latitude, longitude, elevation, first_seen, last_seen FROM stations",
    ) == [("volos", "Volos", "Βόλος", 39.3, 22.9, 52.0, "2025-11-22 16:01:00", "2025-11-22 16:01:00")]
    assert rows(path, "SELECT timestamp, status, stations_count, observations_count, message FROM collection_log") == [
        ("2025-11-22 16:01:00", "success", 1, 1, "1 new, 0 corrected")
    ]
    assert rows(path, "SELECT MAX(time) FROM observations") == [("2025-11-22 16:00:00",)]
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("value", [0, -0.1, 13.9, 13.94, 1e-9, 0.1 + 0.2, 123456789.1, 2.0**31, 1e300, -1e300, 1013.25])
def test_no_value_is_changed_by_being_stored(path: Path, value: float) -> None:
    some = document(feature("volos"))
    some.observations = [some.observations[0]._replace(temp_out=value, out_hum=value)]
    with open_for_writing(str(path)) as store:
        store.add(some, COLLECTED)
    assert rows(path, "SELECT temp_out, out_hum FROM observations") == [(value, value)]


@pytest.mark.parametrize("text", ["N", "NNW", "SSE", "calm", "ΒΔ", "7"])
def test_no_text_is_changed_by_being_stored(path: Path, text: str) -> None:
    with open_for_writing(str(path)) as store:
        store.add(document(feature("volos", wind_dir_str=text)), COLLECTED)
    assert rows(path, "SELECT wind_dir_str FROM observations") == [(text,)]


def test_the_same_document_twice_changes_nothing(path: Path) -> None:
    same = document(feature("volos"), feature("zagora", temp_out=None))
    with open_for_writing(str(path)) as store:
        assert store.add(same, COLLECTED) == (2, 0, 0)
        before = rows(path, "SELECT * FROM observations")
        assert store.add(same, COLLECTED + 600) == (0, 0, 2)
    assert rows(path, "SELECT * FROM observations") == before


def test_a_corrected_value_replaces_the_old_one_and_is_counted(path: Path) -> None:
    with open_for_writing(str(path)) as store:
        store.add(document(feature("volos"), feature("zagora")), COLLECTED)
        assert store.add(document(feature("volos", temp_out=12.5), feature("zagora")), COLLECTED) == (0, 1, 1)
    assert rows(path, "SELECT temp_out, bar FROM observations WHERE station_id = 'volos'") == [(12.5, 1016.4)]


def test_a_value_that_is_no_longer_offered_is_kept(path: Path) -> None:
    with open_for_writing(str(path)) as store:
        store.add(document(feature("volos")), COLLECTED)
        assert store.add(document(feature("volos", temp_out=None)), COLLECTED) == (0, 0, 1)
    assert rows(path, "SELECT temp_out FROM observations") == [(13.9,)]


def test_a_cycle_is_stored_whole_or_not_at_all(path: Path) -> None:
    with open_for_writing(str(path)) as store:
        bad = document(feature("volos"), feature("zagora"))
        bad.observations[1] = bad.observations[1]._replace(temp_out=object())
        with pytest.raises((StoreError, TypeError)):
            store.add(bad, COLLECTED)
        assert rows(path, "SELECT COUNT(*) FROM observations") == [(0,)]
        assert rows(path, "SELECT COUNT(*) FROM stations") == [(0,)]
        assert store.add(document(feature("volos")), COLLECTED) == (1, 0, 0)


def test_an_operators_own_sql_works_as_on_a_table(path: Path) -> None:
    with open_for_writing(str(path)) as store:
        store.add(document(feature("volos")), COLLECTED)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(
        "INSERT INTO observations (time, station_id, temp_out, wind_dir_str) VALUES ('2030-01-01 00:00:00', 'new', 7.25, 'SW')"
    )
    connection.execute("UPDATE observations SET temp_out = 1.5 WHERE station_id = 'volos'")
    shown = connection.execute(
        "SELECT time, station_id, temp_out, bar, wind_dir_str FROM observations ORDER BY 1"
    ).fetchall()
    assert shown == [
        ("2025-11-22 16:00:00", "volos", 1.5, 1016.4, "NNE"),
        ("2030-01-01 00:00:00", "new", 7.25, None, "SW"),
    ]
    connection.execute("DELETE FROM observations WHERE time > '2029'")
    assert connection.execute("SELECT COUNT(*) FROM observations").fetchone() == (1,)
    connection.close()


def test_the_window_query_uses_the_key(path: Path) -> None:
    open_for_writing(str(path)).__exit__(None, None, None)
    for sql in (
        "SELECT COUNT(DISTINCT time) FROM observations WHERE time > datetime('now', '-6 hours')",
        "SELECT MAX(time) FROM observations",
    ):
        plan = " ".join(str(row[3]) for row in rows(path, f"EXPLAIN QUERY PLAN {sql}"))
        assert "SEARCH observation USING PRIMARY KEY" in plan or "SEARCH observation" in plan, plan


def test_looking_never_makes_a_file(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        open_for_reading(str(path))
    assert not list(path.parent.iterdir())


def test_other_processes_that_come_and_go_take_no_commit_away(path: Path) -> None:
    script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT COUNT(*) FROM collection_log').fetchone()[0])"  # fmt: skip

    def counted() -> int:
        return int(subprocess.check_output([sys.executable, "-c", script, path]))

    with open_for_writing(str(path)) as store:
        store.add(document(feature("volos")), COLLECTED)
        with open_for_writing(str(path)) as other:
            # The process that asks is not the last that has the database open: it must leave the log of commits alone.
            assert counted() == 1
            other.log_failure("no feed", COLLECTED, "feed")
            assert counted() == 2


def test_another_programs_database_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE observations (time TEXT)")
    connection.close()
    before = path.read_bytes()
    for open_ in (open_for_writing, open_for_reading):
        with pytest.raises(StoreError, match="made by another program"):
            open_(str(path))
    assert path.read_bytes() == before


def test_a_newer_database_is_refused(path: Path) -> None:
    open_for_writing(str(path)).__exit__(None, None, None)
    rows(path, "PRAGMA user_version = 99")
    for open_ in (open_for_writing, open_for_reading):
        with pytest.raises(StoreError, match="has schema 99"):
            open_(str(path))


def test_a_database_without_a_version_is_not_called_empty(path: Path) -> None:
    open_for_writing(str(path)).__exit__(None, None, None)
    rows(path, "PRAGMA user_version = 0")
    for open_ in (open_for_writing, open_for_reading):
        with pytest.raises(StoreError, match="has tables, and no version of their schema"):
            open_(str(path))


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be looked at" * 100])
def test_an_empty_or_foreign_file_is_said_to_be_one(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is empty" if not content else "not a database"):
        open_for_reading(str(path))


def test_a_database_of_the_first_release_is_brought_up_to_date(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(migrations("sqlite")[0])
    connection.executescript(
        f"PRAGMA user_version = 1; PRAGMA application_id = {APPLICATION_ID};"
        "INSERT INTO stations VALUES (1, 'volos', NULL, NULL, NULL, NULL, NULL, '2025-01-01 00:00:00', '2025-01-01 00:00:00');"
        "INSERT INTO observation (time, station, temp_out, delay) VALUES ('2025-01-01 00:00:00', 1, 139, 60);"
    )
    connection.close()
    with pytest.raises(StoreError, match="older than this program"):
        open_for_reading(str(path))
    with open_for_writing(str(path)) as store:
        assert store.counters() == [Count("observations", "new", 1)]
    assert rows(path, "SELECT time, station_id, temp_out, collected_at FROM observations") == [
        ("2025-01-01 00:00:00", "volos", 13.9, "2025-01-01 00:01:00")
    ]


def test_a_migration_that_fails_leaves_everything_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_for_writing(str(path)) as store:
        store.add(document(feature("volos")), COLLECTED)
    monkeypatch.setattr(sqlite_schema, "_MIGRATIONS", [*migrations("sqlite"), "DROP TABLE counters;\nBROKEN;\n"])
    monkeypatch.setattr(sqlite_schema, "VERSION", sqlite_schema.VERSION + 1)
    with pytest.raises(StoreError, match="syntax error"):
        open_for_writing(str(path))
    assert rows(path, "PRAGMA user_version") == [(sqlite_schema.VERSION - 1,)]
    assert rows(path, "SELECT COUNT(*) FROM counters") == [(2,)]
    assert rows(path, "SELECT COUNT(*) FROM observations") == [(1,)]


RELEASED = {
    4: "6159e063dc3a1313dde1a59b30780be9385458256c60e34f9647fa7cb8a60c91",
    5: "b120578a2592029bb377b4243cfca9a47e001edd34c6465a1d53af236912fabf",
}


@pytest.mark.parametrize("version", RELEASED)
def test_a_schema_that_was_released_stays_as_it_was(version: int) -> None:
    """A backup is compared with it word for word: what is to change is a new step."""
    found = {f"{kind} {name}": " ".join(sql.split()) for (kind, name), sql in sqlite_schema.expected(version).items()}
    text = "\n".join(f"{name}: {sql}" for name, sql in sorted(found.items()))
    assert hashlib.sha256(text.encode()).hexdigest() == RELEASED[version], text


def test_every_declared_column_is_in_the_newest_schema() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        sqlite_schema.migrate(connection)
        assert tuple(sqlite_schema.columns(connection)) == COLUMNS
    script = "".join(migrations("postgresql"))
    assert [name for name in COLUMNS if f"{name} " not in script] == []


def test_the_columns_of_the_first_release_keep_their_places(path: Path) -> None:
    with open_for_writing(str(path)):
        names = [row[1] for row in rows(path, "PRAGMA table_info(observations)")]
    assert names[:15] == [*Observation._fields[:14], "collected_at"]
    assert names[15:] == [*COLUMNS[12:]]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_migrations_are_numbered_without_a_gap(engine: str) -> None:
    names = sorted(one.name for one in resources.files("toolkit.store").joinpath("migrations", engine).iterdir())
    assert [name[:5] for name in names] == [f"{number:04}_" for number in range(1, len(names) + 1)]
