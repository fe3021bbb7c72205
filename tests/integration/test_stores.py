"""What every store promises, on each engine."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import collection, feature
from tests.databases import change, query
from tests.feeds import parse
from tests.postgresql import Server
from toolkit.database import PostgreSQLDatabase
from toolkit.model import Document
from toolkit.quality.admission import admit
from toolkit.store import (
    Count,
    Selection,
    Span,
    StoredAnomaly,
    StoreError,
    StoreRefusedError,
    open_for_reading,
    open_for_writing,
)
from toolkit.store.postgresql import Imposed, holders, imposed
from toolkit.store.postgresql_connection import connect

COLLECTED = 1_763_827_260
TIME = 1_763_827_200


def document(*features: object) -> Document:
    return parse(collection(*features))


def no_pause() -> None:
    pass


def test_whether_anything_has_a_value_since_then(db: str) -> None:
    nothing = feature("volos", ts=TIME + 600)
    nothing["properties"] = {name: nothing["properties"][name] for name in ("station_file", "ts")}
    with open_for_writing(db) as store:
        store.add(document(feature("volos"), nothing), COLLECTED)
        assert store.newest() == "2025-11-22 16:10:00"
        assert store.tells_since(TIME - 1)
        assert not store.tells_since(TIME)


def test_the_contract_of_names(db: str) -> None:
    with open_for_writing(db) as store:
        store.add(document(feature("volos", station_name_gr="Βόλος")), COLLECTED)
        assert store.newest() == "2025-11-22 16:00:00"
        (station,) = store.stations()
    assert (station.station_name_gr, station.elevation) == ("Βόλος", 52.0)
    columns = "temp_out, hi_temp, low_temp, out_hum, bar, rain, wind_speed, wind_dir, wind_dir_str"
    (row,) = query(
        db, f"SELECT station_id, {columns}, hi_speed, hi_dir, hi_dir_str FROM observations WHERE collected_at > time"
    )
    assert row == ("volos", 13.9, 14.1, 13.7, 60, 1016.4, 0.2, 3.2, 22.5, "NNE", 6.4, 0, "N")
    ((newest,),) = query(db, "SELECT MAX(time) FROM observations;")
    assert str(newest).startswith("2025-11-22 16:00:00")
    ((log,),) = query(db, "SELECT status || ' ' || stations_count || ' ' || observations_count FROM collection_log")
    assert log == "success 1 1"
    assert query(db, "SELECT station_id FROM stations WHERE first_seen = last_seen AND latitude = 39.3") == [("volos",)]


def test_the_same_twice_changes_nothing_and_a_correction_is_counted(db: str) -> None:
    first = document(feature("volos"), feature("zagora", temp_out=None))
    with open_for_writing(db) as store:
        assert store.add(first, COLLECTED) == (2, 0, 0)
        assert store.add(first, COLLECTED + 600) == (0, 0, 2)
        assert store.add(document(feature("volos", temp_out=12.5), feature("zagora")), COLLECTED + 900) == (0, 2, 0)
        assert store.add(document(feature("volos", temp_out=None)), COLLECTED + 1200) == (0, 0, 1)
        assert store.counters() == [
            Count("cycles", "success", 4),
            Count("observations", "corrected", 2),
            Count("observations", "new", 2),
            Count("observations", "unchanged", 3),
        ]
    assert query(db, "SELECT station_id, temp_out FROM observations ORDER BY 1") == [("volos", 12.5), ("zagora", 13.9)]


def test_filling_in_replaces_nothing(db: str) -> None:
    with open_for_writing(db) as store:
        store.add(document(feature("volos", bar=None)), COLLECTED)
        filled = store.add(document(feature("volos", bar=1000, temp_out=99)), COLLECTED, replace=False, status="import")
    assert filled == (0, 1, 0)
    assert query(db, "SELECT bar, temp_out FROM observations") == [(1000, 13.9)]
    assert query(db, "SELECT COUNT(*) FROM collection_log WHERE status = 'import'") == [(1,)]


@pytest.mark.parametrize("text", ["a\\tb", "quote ' and \" and %s", "Ξ", "\\N", "\\."])
def test_no_text_is_changed(db: str, text: str) -> None:
    with open_for_writing(db) as store:
        store.add(document(feature(text, station_name_en=text, wind_dir_str=text)), COLLECTED)
        (seen,) = store.observations(Selection())
        assert (seen.station_id, seen.wind_dir_str, store.stations()[0].station_name_en) == (text, text, text)


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-9, -89.2, 1013.25, 123456.789])
def test_no_value_is_changed(db: str, value: float) -> None:
    some = document(feature("volos"))
    some.observations = [some.observations[0]._replace(temp_out=value)]
    with open_for_writing(db) as store:
        store.add(some, COLLECTED)
        (seen,) = store.observations(Selection())
        (read,) = store.readings([Span(TIME - 1, TIME)], ["temp_out", "bar"])
        (times_alone,) = store.readings([Span(TIME - 1, TIME)], [])
        assert times_alone.tolist() == read[:2].tolist()
        assert seen.temp_out == value
        assert read[:, 0].tolist() == pytest.approx([store.numbers()[0], TIME, value, 1016.4], rel=1e-14)


def test_what_was_left_out_is_counted_in_log_and_counters(db: str) -> None:
    with open_for_writing(db) as store:
        store.add(document(feature("volos", temp_out="warm"), feature("dead", ts=0)), COLLECTED)
        counted = {count.label: count.number for count in store.counters() if count.name == "left_out"}
    assert counted == {"temp_out is no number": 1, "no observation": 1}
    ((message,),) = query(db, "SELECT message FROM collection_log")
    assert message == "1 new, 0 corrected; left out: 1 no observation, 1 temp_out is no number"


def test_a_selection_is_read_in_order(db: str) -> None:
    with open_for_writing(db) as store:
        for step in range(4):
            store.add(document(*(feature(name, ts=TIME + step * 600) for name in ("a", "b", "c"))), COLLECTED)
        wanted = Selection(TIME, TIME + 1200, ["b", "c"])
        assert [(row.time, row.station_id) for row in store.observations(wanted)] == [
            (TIME + 600, "b"), (TIME + 600, "c"), (TIME + 1200, "b"), (TIME + 1200, "c"),
        ]  # fmt: skip
        assert store.count(wanted) == 4
        assert store.count(Selection()) == 12


@pytest.mark.parametrize("stations", [3, 6000])  # more than a step holds
def test_retention_removes_what_is_older_and_nothing_else(db: str, stations: int) -> None:
    with open_for_writing(db) as store:
        for step in range(3):
            times = (feature(f"s{number}", ts=TIME + step * 600) for number in range(stations))
            store.add(document(*times), COLLECTED + step * 600)
        assert store.remove_before(TIME + 600, COLLECTED + 1200, no_pause) == (stations, 2)
        store.tidy(no_pause)
        assert store.count(Selection()) == 2 * stations


def test_a_failure_is_noted(db: str) -> None:
    with open_for_writing(db) as store:
        store.log_failure("the feed is gone", COLLECTED, "feed")
    assert query(db, "SELECT status, message FROM collection_log") == [("failed", "the feed is gone")]


@pytest.mark.parametrize("open_", [open_for_writing, open_for_reading])
def test_a_newer_database_is_refused(db: str, open_: Callable[[str], object]) -> None:
    open_for_writing(db).__exit__(None, None, None)
    newer = "UPDATE schema_version SET version = 99" if db.startswith("postgresql") else "PRAGMA user_version = 99"
    change(db, newer)
    with pytest.raises(StoreRefusedError, match="has schema 99, this program knows up to"):
        open_(db)


def test_reading_an_empty_database_makes_nothing(db: str) -> None:
    with pytest.raises(StoreError, match=r"is empty|there is no database"):
        open_for_reading(db)
    if db.startswith("postgresql"):
        assert query(db, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def anomaly(**what: object) -> StoredAnomaly:
    usual: dict[str, object] = {
        "station_id": "volos", "variable": "temp_out", "started": TIME - 7200.0, "ended": TIME + 0.0,
        "class_": "device_failure", "test": "step", "value": 35.5, "expected": 13.9, "score": 20.0, "reason": "it jumped",
        "confidence": 0.9,
    }  # fmt: skip
    return StoredAnomaly(**{**usual, **what})  # type: ignore[arg-type]


def run_up_to(end: float) -> Span:
    return Span(end - 6 * 3600, end)


def test_a_fault_seen_by_several_runs_is_one_anomaly(db: str) -> None:
    with open_for_writing(db) as store:
        store.record(run_up_to(TIME), ["volos", "zagora"], [anomaly(), anomaly(station_id="zagora")])
        later = anomaly(started=TIME - 3600.0, ended=TIME + 10_800.0, reason="it stays", confidence=0.97)
        store.record(run_up_to(TIME + 10_800), ["volos", "zagora"], [later])
        found = {one.station_id: one for one in store.anomalies(Selection())}
        assert sorted(found) == ["volos", "zagora"]
        volos, zagora = found["volos"], found["zagora"]
        assert volos[:11] == anomaly(ended=TIME + 10_800.0, reason="it stays", confidence=0.97)[:11]
        assert (volos.state, volos.first_run, volos.last_run) == ("open", TIME, TIME + 10_800)
        assert (zagora.state, zagora.last_run) == ("closed", TIME)


def test_a_run_over_an_older_window_takes_nothing_back(db: str) -> None:
    with open_for_writing(db) as store:
        store.record(run_up_to(TIME), ["volos"], [anomaly()])
        store.record(
            run_up_to(TIME - 3600), ["volos"], [anomaly(started=TIME - 9000.0, ended=TIME - 3600.0, reason="old")]
        )
        (kept,) = store.anomalies(Selection())
    assert kept[:11] == anomaly(started=TIME - 9000.0)[:11]
    assert (kept.state, kept.first_run, kept.last_run) == ("open", TIME - 3600, TIME)


def test_anomalies_are_selected_by_time_and_station(db: str) -> None:
    with open_for_writing(db) as store:
        other = anomaly(station_id="zagora", started=TIME - 90_000.0, ended=TIME - 80_000.0)
        store.record(run_up_to(TIME), ["volos", "zagora"], [anomaly(), other])

        def stations(selection: Selection) -> list[str]:
            return [one.station_id for one in store.anomalies(selection)]

        assert stations(Selection()) == ["volos", "zagora"]
        assert stations(Selection(start=TIME - 40_000)) == ["volos"]
        assert stations(Selection(end=TIME - 40_000)) == ["zagora"]
        assert stations(Selection(stations=["zagora"])) == ["zagora"]


def test_what_was_turned_down_is_kept_beside_the_row(db: str) -> None:
    with open_for_writing(db) as store:
        store.add(admit(document(feature("volos", temp_out=150), feature("zagora")), COLLECTED), COLLECTED)
        assert store.rejected(Span(TIME - 1, TIME)) == [(TIME, "volos", "temp_out", 150.0)]
        assert store.rejected(Span(TIME, TIME + 600)) == []
    assert query(db, "SELECT temp_out FROM observations ORDER BY station_id") == [(None,), (13.9,)]


@pytest.mark.parametrize(
    ("put", "told"),
    [
        (
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
            "CREATE TRIGGER keep_out BEFORE INSERT ON observations FOR EACH ROW EXECUTE FUNCTION keep()",
            "a trigger keep_out on observations",
        ),
        ("ALTER TABLE observations ADD CONSTRAINT cold CHECK (temp_out < -60) NOT VALID", "a constraint cold"),
        ("ALTER TABLE observations ENABLE ROW LEVEL SECURITY", "row-level security on observations"),
        ("CREATE RULE no AS ON INSERT TO collection_log DO INSTEAD NOTHING", "a rule no on collection_log"),
        ("DROP INDEX sessions_name", "no index sessions_name any more"),
        (
            "ALTER TABLE observations ADD COLUMN tenant TEXT NOT NULL",
            "a column tenant of observations that has to have",
        ),
        ("ALTER TABLE observations SET (autovacuum_enabled = off)", "autovacuum off for observations"),
        ("ALTER TABLE collection_log SET UNLOGGED", "collection_log as an unlogged table"),
    ],
)
def test_what_others_put_upon_a_servers_tables_is_told_and_taken_away(postgresql: Server, put: str, told: str) -> None:
    url = postgresql.database(f"test_{uuid4().hex}")
    with open_for_writing(url):
        pass
    assert imposed(PostgreSQLDatabase(url)) == []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(put)
        ((what, away, owners, breaks),) = imposed(PostgreSQLDatabase(url))
        assert told in what
        assert owners
        assert breaks is not told.startswith(("autovacuum", "collection_log"))
        connection.execute(away)
    assert imposed(PostgreSQLDatabase(url)) == []


@pytest.mark.parametrize(
    ("put", "told", "by_owner"),
    [
        (
            "ALTER DATABASE {database} SET default_transaction_read_only = on",
            "default_transaction_read_only=on for DATABASE",
            False,
        ),
        (
            "ALTER ROLE {role} IN DATABASE {database} SET default_transaction_read_only = on",
            "default_transaction_read_only=on for ROLE role_",
            False,
        ),
        (
            "ALTER ROLE ALL SET default_transaction_read_only = on",
            "the setting default_transaction_read_only=on for ROLE ALL",
            False,
        ),
        ("ALTER TABLE collection_log OWNER TO postgres", "another owner of collection_log (postgres)", False),
        ("REVOKE INSERT ON observations FROM {role}", "no right to read or write observations", True),
    ],
)
def test_what_the_role_has_lost_is_told_with_who_gives_it_back(
    postgresql: Server, put: str, told: str, by_owner: bool
) -> None:
    url = postgresql.database(name := f"test_{uuid4().hex}")
    role = f"role_{name}"
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute(f"CREATE ROLE {role} LOGIN")
        administrator.execute(f"ALTER DATABASE {name} OWNER TO {role}")
        administrator.execute(f"CREATE SCHEMA {role} AUTHORIZATION {role}")
        service = PostgreSQLDatabase(url.replace("//postgres@", f"//{role}@"))
        with open_for_writing(service.url):
            pass
        assert imposed(service) == []
        administrator.execute(f"SET search_path TO {role}")
        administrator.execute(put.format(database=name, role=role))
        try:
            ((what, away, owners, breaks),) = imposed(service)
            assert told in what
            assert breaks
            assert owners is by_owner
        finally:
            administrator.execute("SET default_transaction_read_only = off")
            administrator.execute("RESET search_path")
            administrator.execute(away)
        assert imposed(service) == []


@pytest.mark.parametrize(
    "limit",
    ["statement_timeout = '1ms'", "idle_in_transaction_session_timeout = '1ms'", "idle_session_timeout = '1s'"],
)
def test_time_limits_that_others_gave_the_database_do_not_end_what_the_service_asks(
    postgresql: Server, limit: str
) -> None:
    url = postgresql.database(name := f"test_{uuid4().hex}")
    with psycopg.connect(postgresql.url("postgres"), autocommit=True) as administrator:
        administrator.execute(f"ALTER DATABASE {name} SET {limit}")
    with connect(url, 2) as connection:
        with connection.transaction():
            assert connection.execute("SELECT 1 FROM pg_sleep(0.05)").fetchone() == (1,)
        assert connection.execute(f"SHOW {limit.split(maxsplit=1)[0]}").fetchone() == ("0",)


def test_a_standby_that_does_not_answer_is_named_while_others_wait_for_it(postgresql: Server) -> None:
    url = postgresql.database(f"test_{uuid4().hex}")
    with open_for_writing(url):
        pass
    with psycopg.connect(postgresql.url("postgres"), autocommit=True) as administrator:
        administrator.execute("SET synchronous_commit = local")
        administrator.execute("ALTER SYSTEM SET synchronous_standby_names = 'none'")
        administrator.execute("SELECT pg_reload_conf()")
        writing = Thread(target=change, args=(url, "CREATE TABLE one (number integer)"))
        writing.start()
        found: list[Imposed] = []
        try:
            while not found and writing.is_alive():
                administrator.execute("SELECT pg_sleep(0.2)")
                found = imposed(PostgreSQLDatabase(url))
        finally:
            administrator.execute("ALTER SYSTEM RESET synchronous_standby_names")
            administrator.execute("SELECT pg_reload_conf()")
            writing.join()
    assert found
    assert "synchronous_standby_names=none of the whole server" in found[0].what


def test_a_transaction_that_was_prepared_and_never_ended_is_told_and_taken_away(postgresql: Server) -> None:
    url = postgresql.database(f"test_{uuid4().hex}")
    with open_for_writing(url):
        pass
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("BEGIN; LOCK TABLE observations IN EXCLUSIVE MODE; PREPARE TRANSACTION 'one''s'")
        ((what, away, _, breaks),) = imposed(PostgreSQLDatabase(url))
        assert "was prepared at" in what
        assert breaks
        connection.execute(away)
    assert imposed(PostgreSQLDatabase(url)) == []


@pytest.mark.parametrize(
    ("put", "told", "kept"),
    [
        ("ALTER SYSTEM SET autovacuum = off", "autovacuum=off of the whole server", "RESET autovacuum"),
        (
            "ALTER SYSTEM SET synchronous_commit = off",
            "a crash of its host loses what was stored last",
            "RESET synchronous_commit",
        ),
        (
            "SELECT pg_create_physical_replication_slot('gone', true); CREATE TABLE one AS SELECT 1; "
            "SELECT pg_switch_wal(); CREATE TABLE two AS SELECT 1; SELECT pg_switch_wal(); "
            "CREATE TABLE three AS SELECT 1; SELECT pg_switch_wal()",
            "the replication slot gone, which nobody reads",
            "RESET max_wal_size",
        ),
    ],
)
def test_what_endangers_a_server_is_told_and_taken_away(postgresql: Server, put: str, told: str, kept: str) -> None:
    url = postgresql.database(f"test_{uuid4().hex}")
    with open_for_writing(url):
        pass
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute("ALTER SYSTEM SET max_wal_size = '32MB'")
        try:
            for statement in put.split("; "):
                administrator.execute(statement)
            administrator.execute("SELECT pg_reload_conf()")
            found = _imposed_once(url, administrator, bool)
            ((what, away, owners, breaks),) = found
            assert told in what
            assert not owners
            assert not breaks
            administrator.execute(away)
            administrator.execute("SELECT pg_reload_conf()")
            assert _imposed_once(url, administrator, lambda found: not found) == []
        finally:
            administrator.execute(f"ALTER SYSTEM {kept}")
            administrator.execute("ALTER SYSTEM RESET max_wal_size")
            administrator.execute("SELECT pg_reload_conf()")


def _imposed_once(
    url: str, administrator: psycopg.Connection, wanted: Callable[[list[Imposed]], bool]
) -> list[Imposed]:
    """What is imposed as soon as it is as wanted, for the server reads its settings anew in its own time."""
    for _ in range(50):
        if wanted(found := imposed(PostgreSQLDatabase(url))):
            break
        administrator.execute("SELECT pg_sleep(0.2)")
    return found


def test_a_server_that_writes_dates_in_another_way_is_read(postgresql: Server) -> None:
    url = postgresql.database(name := f"test_{uuid4().hex}")
    with psycopg.connect(postgresql.url("postgres"), autocommit=True) as administrator:
        administrator.execute(f"ALTER DATABASE {name} SET datestyle = 'SQL, DMY'")
        administrator.execute(f"ALTER DATABASE {name} SET role = 'pg_monitor'")
        administrator.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    with open_for_writing(url) as store:
        store.add(admit(document(feature("volos")), COLLECTED), COLLECTED)
        (row,) = store.observations(Selection())
    assert row.time == TIME


def test_a_session_that_holds_a_servers_tables_is_named(postgresql: Server) -> None:
    url = postgresql.database(f"test_{uuid4().hex}")
    with open_for_writing(url):
        pass
    assert holders(PostgreSQLDatabase(url)) == {}
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE observations IN SHARE MODE")
        ((pid, held),) = holders(PostgreSQLDatabase(url)).items()
        assert pid == connection.info.backend_pid
        assert "ShareLock" in held
