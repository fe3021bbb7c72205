"""`weather-tool data query` on each engine: what it answers, and that whoever writes the SQL can only read."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.databases import change, query
from toolkit.database import database
from toolkit.errors import ToolkitError
from toolkit.model import Document, Observation, Station
from toolkit.query import RefusedError, TooMuchError, ask
from toolkit.store import open_for_writing

TIME = 1_763_827_200  # 2025-11-22 16:00:00 UTC
NOTHING = dict.fromkeys(Observation._fields)


@pytest.fixture
def filled(db: str, environment: dict[str, str]) -> str:
    """Two stations, three times; maintenance at one of them."""
    environment["WEATHER_DB"] = db
    rows = [
        Observation(**{**NOTHING, "time": TIME + 600 * step, "station_id": name, "temp_out": 10.5 + step})
        for step in range(3)
        for name in ("volos", "zagora")
    ]
    stations = [Station(name, name.title(), None, 39.3, 22.9, 52.0) for name in ("volos", "zagora")]
    with open_for_writing(db) as store:
        store.add(Document(stations, rows), TIME + 1260)
    change(
        db,
        "INSERT INTO maintenance (station_id, variable, started, ended, actor, note) VALUES "
        "('volos', 'temp_out', '2025-11-22 16:05:00', '2025-11-22 16:15:00', 'maria', '')",
    )
    return db


def is_sqlite(db: str) -> bool:
    return database(db).file is not None


def test_what_operators_ask_for(filled: str, run: Run) -> None:
    sql = "SELECT time, station_id, temp_out FROM observations ORDER BY time, station_id LIMIT 2"
    done = run("data", "query", sql)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "time\tstation_id\ttemp_out", "2025-11-22 16:00:00\tvolos\t10.5", "2025-11-22 16:00:00\tzagora\t10.5",
    ]  # fmt: skip
    first = {"time": "2025-11-22 16:00:00", "station_id": "volos", "temp_out": 10.5}
    assert json.loads(run("data", "query", "--json", sql).stdout)[0] == first
    assert json.loads(run("data", "query", "--ndjson", sql).stdout.splitlines()[0]) == first
    assert (
        list(csv.DictReader(io.StringIO(run("data", "query", "--csv", sql + ";").stdout)))[1]["station_id"] == "zagora"
    )
    (flagged,) = json.loads(
        run(
            "data", "query", "--json",
            "SELECT temp_out, temp_out_qc, temp_out_qc_test, rain_qc FROM observations_qc "
            "WHERE station_id = 'volos' AND time = '2025-11-22 16:10:00'",
        ).stdout
    )  # fmt: skip
    assert flagged == {"temp_out": 11.5, "temp_out_qc": 4, "temp_out_qc_test": "maintenance", "rain_qc": 9}
    (interval,) = json.loads(run("data", "query", "--json", "SELECT * FROM flags").stdout)
    assert interval["started"] == "2025-11-22 16:05:00"
    assert run("data", "query", "SELECT COUNT(*) FROM observations;").stdout.splitlines()[1:] == ["6"]


def test_an_answer_without_a_row_has_its_header(filled: str, run: Run) -> None:
    sql = "SELECT time, rain FROM observations WHERE rain > 1"
    assert run("data", "query", "--csv", sql).stdout == "time,rain\n"
    assert run("data", "query", sql).stdout == "time\train\n"
    assert run("data", "query", "--json", sql).stdout == "[]\n"
    assert run("data", "query", "--ndjson", sql).stdout == ""


def test_two_columns_of_one_name_are_two(filled: str, run: Run) -> None:
    done = run("data", "query", "--ndjson", "SELECT 1 AS n, 2 AS n")
    assert json.loads(done.stdout) == {"n": 1, "n_2": 2}
    assert run("data", "query", "--csv", "SELECT 1 AS n, 2 AS n").stdout == "n,n\n1,2\n"


EVERYWHERE = {
    "DELETE FROM stations": "",
    "UPDATE stations SET latitude = 0": "",
    "INSERT INTO stations (station_id, first_seen, last_seen) VALUES ('x', '2025-01-01', '2025-01-01')": "",
    "DROP TABLE stations": "",
    "CREATE TABLE x (y INTEGER)": "",
    "CREATE TEMPORARY TABLE x (y INTEGER)": "",
    "BEGIN": "",
    "COMMIT": "",
    "SAVEPOINT x": "",
    "ANALYZE": "",
    "VACUUM": "",
    "REINDEX observations": "",
    "SELECT 1; SELECT 2": "",
    "SELECT 1; DROP TABLE stations": "",
    "SELECT 1) AS asked; DROP TABLE stations; SELECT COUNT(*) FROM (SELECT 1": "",
    "WITH gone AS (DELETE FROM stations RETURNING *) SELECT * FROM gone": "",
    "DELETE FROM stations RETURNING *": "",
    "SELECT nonsense FROM nowhere": "",
    "": "",
    "-- nothing": "",
}
SQLITE = {
    "SELECT": "incomplete input",
    "ATTACH '{folder}/other.db' AS other": "would open another file",
    "DETACH main": "would close a database",
    "VACUUM INTO '{folder}/other.db'": "would open another file",
    "PRAGMA journal_mode = DELETE": "would run PRAGMA journal_mode",
    "PRAGMA user_version": "would run PRAGMA user_version",
    "PRAGMA query_only = OFF": "would run PRAGMA query_only",
    "/* */ PRAGMA writable_schema = ON": "would run PRAGMA writable_schema",
    "SELECT * FROM pragma_table_info('observation')": "would change the schema",
    "SELECT load_extension('{folder}/x.so')": "would call load_extension()",
    "SELECT LOAD_EXTENSION('{folder}/x.so', 'y')": "would call load_extension()",
    "SELECT fts3_tokenizer('simple', x'00')": "would call fts3_tokenizer()",
    "EXPLAIN DELETE FROM observation": "would change observation",
    "DELETE FROM observations": "would change observations",
    "REPLACE INTO counters VALUES ('a', 'b', 1)": "would change counters",
    "CREATE TEMP VIEW x AS SELECT 1": "would change",
    "CREATE VIRTUAL TABLE x USING fts5 (y)": "would change",
    "ALTER TABLE stations RENAME TO x": "would change",
    "SELECT ?": "",
    "SELECT :name": "",
    "SELECT zeroblob(1000000000)": "more than 1 MiB",
}
POSTGRESQL = {
    "SELECT pg_read_file('/etc/passwd')": "would call pg_read_file()",
    "SELECT pg_catalog . \"pg_read_file\" ('/etc/passwd')": "would call pg_read_file()",
    "SELECT U&\"\\0070g_ls_dir\"('/')": "would call pg_ls_dir()",
    "SELECT * FROM pg_ls_dir('/')": "would call pg_ls_dir()",
    "SELECT lo_import('/etc/passwd')": "would call lo_import()",
    "SELECT lo_from_bytea(0, 'x')": "would call lo_from_bytea()",
    "SELECT lo_export(1, '{folder}/x')": "would call lo_export()",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity": "would call pg_terminate_backend()",
    "SELECT pg_cancel_backend(1)": "would call pg_cancel_backend()",
    "SELECT setval('anomalies_id_seq', 7)": "would call setval()",
    "SELECT nextval('anomalies_id_seq')": "would call nextval()",
    "SELECT set_config('transaction_read_only', 'off', true)": "would call set_config()",
    "SELECT set_config('statement_timeout', '0', true)": "would call set_config()",
    "SELECT pg_advisory_lock(2003070836)": "would call pg_advisory_lock()",
    "SELECT pg_try_advisory_xact_lock(1)": "would call pg_try_advisory_xact_lock()",
    "SELECT pg_notify('x', 'y')": "would call pg_notify()",
    "SELECT pg_reload_conf()": "would call pg_reload_conf()",
    "SELECT pg_sleep(1)": "would call pg_sleep()",
    "SELECT pg_switch_wal()": "would call pg_switch_wal()",
    "SELECT pg_logical_emit_message(false, 'x', 'y')": "would call pg_logical_emit_message()",
    "SELECT query_to_xml('SELECT pg_sleep(1)', true, true, '')": "would call query_to_xml()",
    "SELECT table_to_xml('reaching', true, true, '')": "would call table_to_xml()",
    "SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery FROM pg_sleep(1)')": "would call ts_rewrite()",
    "SELECT * FROM ts_stat('SELECT NULL::tsvector FROM pg_sleep(1)')": "would call ts_stat()",
    "SELECT dblink('dbname=postgres', 'SELECT 1')": "would call dblink()",
    "SELECT dblink_exec('dbname=postgres', 'CREATE TABLE x (y int)')": "would call dblink_exec()",
    "SELECT 1 WHERE EXISTS (SELECT FROM generate_series(1, 2) AS n WHERE pg_sleep(n) IS NULL)": "would call pg_sleep()",
    "WITH x AS (SELECT pg_sleep(1)) SELECT * FROM x": "would call pg_sleep()",
    "SELECT COUNT(*) FILTER (WHERE pg_sleep(1) IS NULL) OVER (ORDER BY pg_sleep(2) IS NULL) FROM stations": "would call pg_sleep()",
    "SELECT * FROM reaching": "would call pg_sleep()",
    "SELECT * FROM reaching_further": "would call pg_sleep()",
    "SELECT innocent()": "would call innocent()",
    "SELECT 1 ### 2": "would call innocent_of()",
    "SELECT * FROM elsewhere": "would read elsewhere, a table of another server",
    "SELECT * FROM stations FOR UPDATE": "read-only transaction",
    "SELECT 1 INTO x": "",
    "COPY stations TO PROGRAM 'touch {folder}/x'": "",
    "COPY stations TO STDOUT": "",
    "DO 'BEGIN END'": "",
    "SET transaction_read_only = off": "",
    "SET ROLE postgres": "",
    "LOCK TABLE stations": "",
    "EXPLAIN ANALYZE SELECT 1": "",
    "CALL x()": "",
    "LISTEN x": "",
    "PREPARE x AS SELECT 1": "",
    "DECLARE x CURSOR FOR SELECT 1": "",
    "SELECT $1": "",
    "SELECT 1 / 0": "division by zero",
}


@pytest.fixture
def dangerous(filled: str) -> str:
    """A PostgreSQL database with what an attacker with SQL alone would look for, and a role that may do anything."""
    if not is_sqlite(filled):
        for statement in (
            "CREATE EXTENSION dblink",
            "CREATE EXTENSION postgres_fdw",
            "CREATE VIEW reaching AS SELECT 1 AS n WHERE pg_sleep(1) IS NULL",
            "CREATE VIEW reaching_further AS SELECT * FROM (SELECT * FROM reaching) AS r",
            "CREATE FUNCTION innocent() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
            "CREATE FUNCTION innocent_of(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
            "CREATE OPERATOR ### (FUNCTION = innocent_of, LEFTARG = int, RIGHTARG = int)",
            "CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'postgres')",
            "CREATE FOREIGN TABLE elsewhere (x int) SERVER other",
        ):
            change(filled, statement)
    return filled


def test_whoever_writes_the_sql_can_only_read(dangerous: str, run: Run, tmp_path: Path) -> None:
    before = contents(dangerous)
    for statement, says in {**EVERYWHERE, **(SQLITE if is_sqlite(dangerous) else POSTGRESQL)}.items():
        with pytest.raises(ToolkitError) as refused:
            ask(dangerous, statement.replace("{folder}", str(tmp_path)), rows=10, seconds=5)
        assert isinstance(refused.value, TooMuchError if "MiB" in says else RefusedError), statement
        assert says in str(refused.value), statement
    assert contents(dangerous) == before
    assert not (tmp_path / "other.db").exists()
    assert not (tmp_path / "x").exists()
    for statement in ("DELETE FROM stations", "SELECT 1; SELECT 2", "SELECT nonsense FROM nowhere", "\udcff"):
        done = run("data", "query", statement)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("weather-tool: ")
        assert done.stderr.count("\n") == 1


def contents(db: str) -> object:
    """The schema and what is in the tables that statements above aim at."""
    rows = [query(db, f"SELECT * FROM {one} ORDER BY 1, 2") for one in ("stations", "observations", "counters")]
    if is_sqlite(db):
        return rows, query(db, "SELECT * FROM sqlite_schema"), query(db, "PRAGMA journal_mode")
    return (
        rows,
        query(db, "SELECT oid, relname FROM pg_class ORDER BY oid"),
        query(db, "SELECT oid FROM pg_proc ORDER BY 1"),
    )


def test_what_reads_alone_is_answered(filled: str, run: Run) -> None:
    statements = {
        "SELECT COUNT(DISTINCT time) FROM observations WHERE time > datetime('now', '-6 hours')": "0",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT SUM(i) FROM n": "15",
        "SELECT json_extract('{\"a\": 7}', '$.a')": "7",
        "SELECT row_number() OVER (ORDER BY station_id) FROM stations LIMIT 1": "1",
        "SELECT value FROM json_each('[7]')": "7",
        "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'view'": "3",
    }
    if not is_sqlite(filled):
        statements = {
            "SELECT COUNT(*) FROM observations WHERE time > now() - interval '6 hours'": "0",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT SUM(i) FROM n": "15",
            "SELECT date_trunc('hour', time) FROM observations LIMIT 1": "2025-11-22 16:00:00",
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY temp_out) FROM observations": "11.5",
            "SELECT random() < 2 AND pg_database_size(current_database()) > 0": "True",
            "SELECT 'infinity'::timestamptz, '-infinity'::date, ARRAY[1, 2], '{\"a\": 7}'::jsonb": "infinity\t-infinity\t{1,2}\t{\"a\": 7}",
            "SELECT repeat('9', 40)::numeric, 2.50::numeric, 'NaN'::numeric": "9999999999999999999999999999999999999999\t2.5\tnan",
            "SELECT '100%', 'a''; --', '{}'": "100%\ta'; --\t{}",
            "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'flags' AND column_name = 'test'": "1",
            "VALUES (1)": "1",
        }  # fmt: skip
    for statement, wanted in statements.items():
        (row,) = ask(filled, statement, rows=1, seconds=5).rows
        assert "\t".join(map(str, row)) == wanted, statement


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
LARGE = "SELECT a.station_id FROM observations AS a, observations AS b, observations AS c"


def test_an_answer_is_bounded(filled: str, run: Run) -> None:
    said = {
        ("--seconds=1", ENDLESS): "took longer than 1 s: ask for less, or give it more --seconds\n",
        (
            "--seconds=1",
            ENDLESS.replace("COUNT(*) FROM n", "i FROM n WHERE i < 0"),
        ): "took longer than 1 s: ask for less, or give it more --seconds\n",
        ("--rows=100", LARGE): "more than 100 rows: add LIMIT, or allow more --rows",
        ("--rows=99999", repeated(filled, 100_000, 1000)): "more than 64 MiB",
        ("--rows=0", LARGE): "no whole number",
    }
    for (option, statement), says in said.items():
        done = run("data", "query", option, statement)
        assert (done.returncode, done.stdout) == (2 if "whole" in says else 1, "")
        assert says in done.stderr
        assert done.stderr.count("\n") == 1
    assert run("data", "query", "--rows=216", LARGE).stdout.count("\n") == 217


def repeated(db: str, length: int, number: int) -> str:
    """SQL for a number of rows with a text of a length."""
    text = f"printf('%.*c', {length}, 'x')" if is_sqlite(db) else f"repeat('x', {length})"
    counted = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})"
    return f"{counted} SELECT {text} FROM n"


def test_memory_is_bounded(filled: str, run: Run) -> None:
    statement = f"SELECT COUNT(*) FROM (SELECT * FROM ({repeated(filled, 1_000_000, 3000)}) AS r ORDER BY 1) AS r"
    if not is_sqlite(filled):
        statement = "SELECT repeat('x', 600000000)"
    done = run("data", "query", statement)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "memory" in done.stderr


def test_a_comparison_that_cannot_be_interrupted_ends_the_process(run: Run, environment: dict[str, str]) -> None:
    with open_for_writing(environment["WEATHER_DB"]):
        pass
    once = "instr(a, substr(a, 1, 499999) || 'b')"  # seconds each, and so few steps that none is between them
    slow = f"SELECT {' + '.join([once] * 20)} FROM (SELECT printf('%.*c', 1000000, 'a') AS a)"
    begun = time.monotonic()
    done = run("data", "query", "--seconds=1", slow)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("more --seconds; it could not be interrupted\n")
    assert time.monotonic() - begun < 60


def test_what_is_in_the_database_is_text(filled: str, run: Run) -> None:
    hostile = "\x1b]0;x\x07\x9b31m\u202e=1+1\n\tend"
    literal = hostile.replace("'", "''")
    done = run("data", "query", f"SELECT '{literal}' AS a, '=1+1' AS \"=b\"")
    assert done.stdout == "a\t=b\n\\x1b]0;x\\x07\\x9b31m\\u202e=1+1 end\t=1+1\n"
    sql = f"SELECT '{literal}' AS a, '=1+1' AS \"=b\", -1 AS c, NULL AS d"
    assert json.loads(run("data", "query", "--json", sql).stdout) == [{"a": hostile, "=b": "=1+1", "c": -1, "d": None}]
    (row,) = csv.DictReader(io.StringIO(run("data", "query", "--csv", sql).stdout, newline=""))
    assert (row["'=b"], row["c"], row["d"]) == ("'=1+1", "-1", "")
    blob = "x'00ff'" if is_sqlite(filled) else "'\\x00ff'::bytea"
    endless = "9e999" if is_sqlite(filled) else "'Infinity'::float8"
    (row,) = json.loads(run("data", "query", "--json", f"SELECT {blob} AS b, {endless} AS e").stdout)
    assert row == {"b": {"$base64": True, "encoded": "AP8="}, "e": "Infinity"}
    assert run("data", "query", "--csv", f"SELECT {blob} AS b").stdout == "b\n00ff\n"


def test_what_others_put_into_the_database_is_text(run: Run, environment: dict[str, str]) -> None:
    db = environment["WEATHER_DB"]
    with open_for_writing(db):
        pass
    for name, text in (
        ("nul", "'a' || char(0) || 'b'"),
        ("bytes", "CAST(x'61ff62' AS TEXT)"),
        ("long", "printf('%.*c', 2000000, 'x')"),
    ):
        change(
            db,
            "INSERT INTO stations (station_id, station_name_en, first_seen, last_seen) "
            f"VALUES ('{name}', {text}, '2025-11-22 16:00:00', '2025-11-22 16:00:00')",
        )
    sql = "SELECT station_name_en AS name FROM stations WHERE station_id = '{}'"
    assert run("data", "query", sql.format("nul")).stdout == "name\na\\x00b\n"
    assert json.loads(run("data", "query", "--ndjson", sql.format("nul")).stdout) == {"name": "a\0b"}
    assert run("data", "query", "--csv", sql.format("bytes")).stdout == "name\na\ufffdb\n"
    done = run("data", "query", sql.format("long"))
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "weather-tool: a value in the query has more than 1 MiB\n",
    )
    change(db, "CREATE VIEW reaching AS SELECT load_extension('/tmp/x.so')")
    change(db, "CREATE VIEW writing AS SELECT * FROM pragma_journal_mode('DELETE')")
    for view in ("reaching", "writing"):
        assert run("data", "query", f"SELECT * FROM {view}").returncode == 2
