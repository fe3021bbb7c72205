"""Looking at data, exporting and importing it, on each engine."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.conftest import TOOL, Feed, Run, collection, feature
from tests.databases import query
from tests.feeds import noa
from toolkit.collector.cycle import fetch_and_ingest
from toolkit.collector.ingester import Ingester
from toolkit.collector.shared_store import SharedStore
from toolkit.collector.spool import Spool
from toolkit.feed.addresses import Addresses
from toolkit.feed.fetch import Fetcher
from toolkit.store import open_for_writing

TIME = 1_763_827_200


@pytest.fixture
def filled(db: str, feed: Feed, environment: dict[str, str], tmp_path: Path) -> str:
    """Three times at two stations, by three cycles of the collector."""
    environment["WEATHER_DB"] = db
    fetcher = Fetcher(feed.url, 30, 16 << 20)
    spool = Spool(tmp_path / "spool", 64 << 20)
    with SharedStore(lambda: open_for_writing(db)) as store, Ingester(store, spool, noa()) as ingester:
        for step in range(3):
            stations = (
                feature(name, ts=TIME + 600 * step, temp_out=10 + step, rain=None) for name in ("volos", "zagora")
            )
            feed.body = collection(*stations)
            fetch_and_ingest(Addresses(fetcher), ingester)
    return db


def well(run: Run, *words: str, **variables: str) -> str:
    done = run(*words, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_latest_stations_and_summary(filled: str, run: Run) -> None:
    latest = json.loads(well(run, "data", "latest", "--json"))
    assert [(row["station_id"], row["time"], row["temp_out"]) for row in latest] == [
        ("volos", "2025-11-22T16:20:00Z", 12.0),
        ("zagora", "2025-11-22T16:20:00Z", 12.0),
    ]
    stations = json.loads(well(run, "data", "stations", "--json"))
    assert [(row["station_id"], row["observations"], row["completeness"]) for row in stations] == [
        ("volos", 3, 1.0),
        ("zagora", 3, 1.0),
    ]
    summary = json.loads(well(run, "data", "summary", "--json"))
    assert (summary["observations"], summary["counters"]) == (6, {"cycles: success": 3, "observations: new": 6})
    for action in ("latest", "stations", "summary"):
        lines = well(run, "data", action).splitlines()
        assert len(lines) > 2
        assert all("\t" in line for line in lines)


def test_csv_goes_out_and_comes_back(filled: str, run: Run, tmp_path: Path) -> None:
    file, other = tmp_path / "out.csv", str(tmp_path / "other.db")
    assert run("data", "export", str(file)).returncode == 0
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert [(row["time"], row["station_id"], row["temp_out"], row["rain"]) for row in rows[:2]] == [
        ("2025-11-22 16:00:00", "volos", "10.0", ""),
        ("2025-11-22 16:00:00", "zagora", "10.0", ""),
    ]
    done = run("data", "import", str(file), WEATHER_DB=other)
    assert (done.returncode, done.stdout) == (0, "6 new, 0 filled in, 0 unchanged\n")
    assert well(run, "data", "import", str(file), WEATHER_DB=other) == "0 new, 0 filled in, 6 unchanged\n"
    assert well(run, "data", "export", "-", WEATHER_DB=other) == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["out.csv", "out.db"])
def test_standard_input_is_imported(
    run: Run, feed: Feed, environment: dict[str, str], tmp_path: Path, name: str
) -> None:
    assert run("collect", "--once", WEATHER_DB=str(tmp_path / "out.db")).returncode == 0
    with closing(sqlite3.connect(tmp_path / "out.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert run("data", "export", str(tmp_path / "out.csv"), WEATHER_DB=str(tmp_path / "out.db")).returncode == 0
    (scratch := tmp_path / "scratch").mkdir()
    with (tmp_path / name).open("rb") as file:
        done = subprocess.run(
            [TOOL, "data", "import", "-"],
            env={**environment, "TMPDIR": str(scratch)},
            stdin=file,
            capture_output=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, b"1 new, 0 filled in, 0 unchanged\n")
    assert not [*scratch.iterdir()], "nothing of it is left in the folder of temporary files"


def test_a_bar_on_the_terminal_leaves_standard_output_to_the_data(
    filled: str, environment: dict[str, str], tmp_path: Path
) -> None:
    terminal, its_end = pty.openpty()
    with (tmp_path / "out.csv").open("wb") as file:
        subprocess.run([TOOL, "data", "export", "-"], env=environment, stdout=file, stderr=its_end, check=True)
    os.close(its_end)
    assert b"exporting" in os.read(terminal, 10_000)
    os.close(terminal)
    assert len((tmp_path / "out.csv").read_text("utf-8").splitlines()) == 7


def test_a_selection_is_exported(filled: str, run: Run) -> None:
    selection = "--station", "volos", "--start", "2025-11-22T16:00Z", "--end", "2025-11-22T18:10+02:00"
    rows = list(csv.DictReader(io.StringIO(well(run, "data", "export", "-", *selection))))
    assert [(row["time"], row["station_id"]) for row in rows] == [("2025-11-22 16:10:00", "volos")]


@pytest.mark.parametrize("selection", [[], ["--start", "2026-01-01"]])
def test_parquet_holds_the_same(filled: str, run: Run, tmp_path: Path, selection: list[str]) -> None:
    file = tmp_path / "out.parquet"
    done = run("data", "export", str(file), *selection)
    assert (done.returncode, done.stderr) == (0, "")
    frame = pd.read_parquet(file, engine="pyarrow")
    assert len(frame) == (0 if selection else 6)
    if not selection:
        assert frame["time"].iloc[0] == pd.Timestamp("2025-11-22 16:00", tz="UTC")
        assert frame["rain"].isna().all()
        assert list(frame["station_id"].iloc[:2]) == ["volos", "zagora"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["export", "out.xls"], "give NAME.csv"),
        (["export", "-", "--format", "parquet"], "needs a file"),
        (["export", "-", "--station", "vollos"], "no such station"),
        (["export", "-", "--start", "soon"], "--start: 'soon' is not a time"),
        (["export", "/nowhere/out.csv"], "cannot write /nowhere/out.csv: no such file"),
        (["import", "/nowhere/in.csv"], "cannot read /nowhere/in.csv: no such file"),
        (["import", "/dev/zero"], "/dev/zero is no file: give it on standard input, as -"),
        (["import", "/"], "/ is no file"),
    ],
)
def test_what_cannot_be_done_is_one_line(filled: str, run: Run, words: list[str], says: str) -> None:
    done = run("data", *words)
    assert done.returncode in {1, 2}
    assert done.stdout == ""
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_row_that_cannot_be_read_costs_the_others_nothing(db: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text(
        "station_id,time,temp_out,note\n"
        "volos,2025-01-01 10:00:00,warm,\n"
        "volos,2025-01-01T12:10:00+02:00,7.5,moved\n"
        "volos,yesterday,1,\n"
        ",2025-01-01 10:00:00,1,\n"
        "volos,2025-01-01 10:20:00,99,hot\n"
        "volos,2025-01-01 10:20:00,9,twice\n"
        'volos,2025-01-01 10:30:00,9,"open\n'
    )
    report = json.loads(well(run, "data", "import", str(file), "--json", WEATHER_DB=db))
    assert report["new"] == 3
    assert report["left_out"] == {
        "temp_out is no number": 1, "no time": 1, "no station id": 1, "temp_out out of range": 1, "not a row": 1,
    }  # fmt: skip
    assert query(db, "SELECT temp_out FROM observations ORDER BY time") == [(None,), (7.5,), (9,)]
    assert query(db, "SELECT count FROM counters WHERE label = 'no time'") == [(1,)]
    told = well(run, "data", "import", str(file), WEATHER_DB=db)
    assert "left out: 1 x temp_out is no number, first in row 2\n" in told
    assert "left out: 1 x not a row, first in row 8\n" in told


def test_a_file_with_nothing_in_it_is_an_error(db: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text("time,station_id\n")
    done = run("data", "import", str(file), WEATHER_DB=db)
    assert done.returncode == 1
    assert "nothing could be imported" in done.stderr


def test_gaps_are_filled_and_only_asked_for_are_values_replaced(filled: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text("station_id,time,temp_out,rain\nvolos,2025-11-22 16:00:00,-5,1.2\n")
    text = "SELECT temp_out, rain FROM observations WHERE station_id = 'volos' ORDER BY time LIMIT 1"
    assert well(run, "data", "import", str(file)) == "0 new, 1 filled in, 0 unchanged\n"
    assert query(filled, text) == [(10, 1.2)]
    assert well(run, "data", "import", "--replace", str(file)) == "0 new, 1 replaced, 0 unchanged\n"
    assert query(filled, text) == [(-5, 1.2)]


def guides_database(path: Path, rows: list[tuple[str, str, float]]) -> None:
    """The database of the system before this one: local times, text, an index of its own."""
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE stations (station_id TEXT PRIMARY KEY, station_name_en TEXT, latitude REAL, longitude REAL,
            elevation REAL);
        CREATE TABLE observations (id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT, station_id TEXT, temp_out REAL,
            wind_dir_str TEXT, collected_at TEXT, UNIQUE (time, station_id));
        INSERT INTO stations VALUES ('volos', 'Volos', 39.3, 22.9, 52);
        """
    )
    connection.executemany("INSERT INTO observations (time, station_id, temp_out) VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()


def test_the_database_of_the_system_before_is_imported(db: str, run: Run, tmp_path: Path) -> None:
    old = tmp_path / "weather_stream.db"
    guides_database(
        old,
        [
            ("2025-07-01 12:00:00", "volos", 30.0),  # summer: UTC+3
            ("2025-12-01T12:00:00", "volos", 12.0),  # winter: UTC+2
            ("2025-10-26 03:50:00", "zagora", 1.0),  # the hour that comes twice
            ("2025-10-26 03:00:00", "zagora", 2.0),  # the second pass
            ("2025-03-30 03:30:00", "dodoni", 3.0),  # the hour that was skipped
        ],
    )
    refused = run("data", "import", str(old), WEATHER_DB=db)
    assert refused.returncode == 2
    assert "--timezone" in refused.stderr
    wrong = run("data", "import", str(old), "--timezone", "Athens", WEATHER_DB=db)
    assert (wrong.returncode, "Europe/Athens" in wrong.stderr) == (2, True)
    assert (
        well(run, "data", "import", str(old), "--timezone", "Europe/Athens", WEATHER_DB=db)
        == "4 new, 0 filled in, 0 unchanged\nleft out: 1 x a time that the clocks skipped, first in row 5\n"
    )
    rows = {(str(time)[:19], value) for time, value in query(db, "SELECT time, temp_out FROM observations")}
    assert rows == {
        ("2025-07-01 09:00:00", 30.0),
        ("2025-12-01 10:00:00", 12.0),
        ("2025-10-26 00:50:00", 1.0),
        ("2025-10-26 01:00:00", 2.0),
    }
    assert query(db, "SELECT station_name_en, elevation FROM stations WHERE station_id = 'volos'") == [("Volos", 52)]


def test_our_own_database_is_imported_without_a_time_zone(run: Run, feed: Feed, tmp_path: Path) -> None:
    mine: dict[str, Any] = {"WEATHER_DB": str(tmp_path / "mine.db")}
    assert run("collect", "--once", **mine).returncode == 0
    assert well(run, "data", "import", mine["WEATHER_DB"]) == "1 new, 0 filled in, 0 unchanged\n"
