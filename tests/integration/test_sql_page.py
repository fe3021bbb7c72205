"""What docs/sql.md says: each command of it is run on a database, and sqlite-utils reads what `data query` writes."""

from __future__ import annotations

import csv
import io
import json
import shlex
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.documents import ROOT, commands_of, program
from tests.integration.conftest import Spoil

BIN = Path(sys.executable).parent
COMMANDS = commands_of(ROOT / "docs" / "sql.md")


@pytest.fixture
def copy(spoil: Spoil, environment: dict[str, str], tmp_path: Path) -> Path:
    """A database with flags, as the file that the page calls copy.db."""
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(environment["WEATHER_DB"], isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO maintenance (station_id, variable, started, ended, actor, note) "
            "VALUES ('volos', 'temp_out', '2025-11-22 10:00:00', '2025-11-22 12:00:00', 'maria', '')"
        )
        connection.execute("VACUUM INTO ?", (str(copy),))
    return copy


def the_command(*words: str) -> list[str]:
    """The one command of the page with these words."""
    (found,) = [one for one in COMMANDS if all(word in one for word in words)]
    return shlex.split(found)


def out(copy: Path, *words: str) -> str:
    """What a command of the page writes, where copy.db is."""
    name, *rest = the_command(*words)
    done = subprocess.run([BIN / name, *rest], cwd=copy.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_sqlite_utils_reads_the_file(copy: Path) -> None:
    views = {
        row["view"]: row["columns"].split() for row in csv.DictReader(io.StringIO(out(copy, "sqlite-utils views")))
    }
    assert set(views) == {"flags", "observations", "observations_qc"}
    assert {"time", "station_id", "temp_out", "temp_out_qc", "temp_out_qc_test"} <= set(views["observations_qc"])
    assert "volos" in out(copy, "sqlite-utils rows")
    assert out(copy, "sqlite-utils query", "--nl") in {"", "[]\n"}  # nothing has been judged
    failed = json.loads(out(copy, "sqlite-utils query", "-p id"))
    assert len(failed) == 13
    assert set(failed[0]) == {"time", "temp_out"}


def test_datasette_shows_it(copy: Path) -> None:
    found = json.loads(out(copy, "datasette", "--get"))
    assert {(row["station_id"], row["temp_out_qc_test"]) for row in found} == {("volos", "maintenance")}
    serve = [one for one in COMMANDS if program(one) == "datasette" and "--get" not in one]
    assert serve == ["datasette --immutable copy.db"]
    command = [str(BIN / "datasette"), *shlex.split(serve[0])[1:], "--port", "0"]
    with subprocess.Popen(command, cwd=copy.parent, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stderr is not None
        try:
            line = next(one for one in serving.stderr if "running on" in one)
            address = line.split("running on ")[1].split()[0]
            with urllib.request.urlopen(f"{address}/copy/flags.json?_shape=array") as answer:
                assert json.load(answer)[0]["test"] == "maintenance"
        finally:
            serving.terminate()


def test_data_query_answers_as_the_page_says(copy: Path, run: Run) -> None:
    for command in COMMANDS:
        if "data query" in command:
            done = run(*shlex.split(command)[1:], WEATHER_DB=str(copy))
            assert (done.returncode, done.stderr) == (0, ""), command
            assert "volos" in done.stdout or "temp_out_qc" in done.stdout


def test_the_forms_are_those_of_sqlite_utils(copy: Path, run: Run) -> None:
    sql = (
        "SELECT time, s.station_id, o.station_id, temp_out, rain, x'00ff' AS code, 'Βόλος \x1b' AS name "
        "FROM observations AS o JOIN stations AS s USING (station_id) LIMIT 3"
    )
    written = ""
    for ours, theirs in (("--json", []), ("--ndjson", ["--nl"])):
        command = [str(BIN / "sqlite-utils"), "query", str(copy), sql, *theirs]
        wanted = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        written = run("data", "query", ours, sql, WEATHER_DB=str(copy)).stdout
        assert written == wanted
    insert = [str(BIN / "sqlite-utils"), "insert", str(copy.parent / "new.db"), "answer", "-", "--nl"]
    subprocess.run(insert, input=written, text=True, capture_output=True, check=True)
    with closing(sqlite3.connect(copy.parent / "new.db")) as connection:
        rows = connection.execute("SELECT station_id, station_id_2, code FROM answer").fetchall()
    assert [one[0] == one[1] and one[2] == b"\x00\xff" for one in rows] == [True] * 3
