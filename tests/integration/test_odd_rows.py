"""Rows that an older release or plain SQL put in: they are in no answer, and no reader fails of them."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Run, collection, feature
from tests.databases import change, query
from tests.feeds import parse
from toolkit.detector.loading import load
from toolkit.location import without_impossible_place
from toolkit.sources import Cadences
from toolkit.store import Selection, Span, open_for_reading, open_for_writing

TIME = 1_763_827_200
ODD_TIMES = (
    "205-12-06 00:00:00", "1-01-01 00:00:00", "2025-11-22T15:55:00", "2025-11-22 15:55:00.5", "", "now", "zzz",
    "2460000.5", "2025-11-22 15:55:00 +02:00", "2025-13-41 25:61:61",
)  # fmt: skip


@pytest.fixture
def odd(tmp_path: Path) -> str:
    """Three good rows at two stations, and what nobody should have put in."""
    db = str(tmp_path / "weather.db")
    with open_for_writing(db) as store:
        for step in range(2):
            features = (feature(name, ts=TIME - 600 * step, temp_out=10 + step) for name in ("volos", "zagora"))
            store.add(parse(collection(*features)), TIME + 60)
        store.add(parse(collection(feature("lost"))), TIME + 60)
    with closing(sqlite3.connect(db)) as connection:
        for time in ODD_TIMES:
            connection.execute("INSERT INTO observation (time, station, temp_out, delay) VALUES (?, 1, 99, 0)", (time,))
            connection.execute("INSERT INTO rejected VALUES (?, 'volos', 'temp_out', 99)", (time,))
            connection.execute(
                "INSERT INTO collection_log VALUES (?, 'success', 1, 1, CAST(x'ff' AS TEXT), NULL, NULL)", (time,)
            )
            connection.execute(
                "INSERT INTO anomalies (station_id, variable, started, ended, state, class, test, reason, first_run, "
                "last_run) VALUES ('volos', 'temp_out', ?, '2999', 'open', 'suspected', 'step', 'x', ?, ?)", [time] * 3
            )  # fmt: skip
        # Of a station that somebody removed, and values of other kinds.
        connection.execute("DELETE FROM stations WHERE station_id = 'lost'")
        connection.execute("INSERT INTO rejected VALUES ('2025-11-22 16:00:00', 'lost', 'temp_out', 99)")
        connection.execute(
            "UPDATE observation SET temp_out = 'warm', out_hum = x'00', bar = 9e999, wind_dir_str = x'00', hi_dir_str = 1.5 "
            "WHERE station = 2 AND time = '2025-11-22 16:00:00'"
        )
        connection.execute(
            "UPDATE stations SET elevation = 9999, latitude = 9e999, station_name_en = CAST(x'ff' AS TEXT)"
        )
        connection.commit()
    return db


def test_what_the_store_answers(odd: str) -> None:
    with open_for_reading(odd) as store:
        assert store.newest() == "2025-11-22 16:00:00"
        assert [(one.station_id, one.time, one.temp_out) for one in store.latest()] == [
            ("volos", TIME, 10), ("zagora", TIME, None),
        ]  # fmt: skip
        last = store.latest()[1]
        assert (last.out_hum, last.bar, last.wind_dir_str, last.hi_dir_str, last.rain) == (None, None, None, None, 0.2)
        assert store.extents() == [("volos", TIME - 600, TIME, 2), ("zagora", TIME - 600, TIME, 2)]
        assert len(list(store.observations(Selection()))) == store.count(Selection()) == 4
        assert store.rejected(Span(0, 4e9)) == []
        assert all(None not in (*one[2:4], one.first_run, one.last_run) for one in store.anomalies(Selection()))
        assert [line.message for line in store.log(20)] == ["1 new, 0 corrected"] + ["2 new, 0 corrected"] * 2
        assert [without_impossible_place(station)[3:6] for station in store.stations()] == [(None, None, None)] * 2
        columns = store.columns(Span(0, 4e9), ["temp_out", "bar", "wind_dir_str"])
        grid = load(store, TIME - 3600, TIME, Cadences(600), ["temp_out"])
    assert (columns.station.tolist(), columns.time.tolist()) == ([0, 1, 0, 1], [TIME - 600] * 2 + [TIME] * 2)
    assert columns.values["temp_out"].tolist() == pytest.approx([11, 11, 10, float("nan")], nan_ok=True)
    assert columns.values["bar"].tolist()[2:] == pytest.approx([1016.4, float("nan")], nan_ok=True)
    assert columns.values["wind_dir_str"].tolist() == ["NNE", "NNE", "NNE", None]
    assert grid.values["temp_out"][0, -2:].tolist() == [11, 10]
    assert grid.values["temp_out"][1, -2:].tolist() == pytest.approx([11, float("nan")], nan_ok=True)


def test_maintenance_finds_the_newest_again(odd: str) -> None:
    with open_for_writing(odd) as store:
        store.tidy(lambda: None)
    assert query(odd, "SELECT time FROM newest WHERE station < 3") == [("2025-11-22 16:00:00",)] * 2


def test_what_commands_say(odd: str, run: Run) -> None:
    end = ("--end", "2025-11-22T16:00Z")
    for words in (
        ("data", "summary"), ("data", "stations"), ("data", "latest"), ("healthcheck",), ("metrics",),
        ("detect", "--no-record", *end), ("sensors", "--days", "1", *end), ("doctor", "--area", "data"),
        ("maintain", "--dry-run"), ("network", "--month", "2025-11"),
    ):  # fmt: skip
        done = run(*words)
        assert "Traceback" not in done.stderr, words
        assert "the check itself failed" not in done.stdout, words
        assert done.returncode in {0, 1, 2}, words
    rows = list(csv.DictReader(io.StringIO(run("data", "export", "-").stdout)))
    assert [row["time"] for row in rows] == ["2025-11-22 15:50:00"] * 2 + ["2025-11-22 16:00:00"] * 2
    assert json.loads(run("data", "summary", "--json").stdout)["last"] == "2025-11-22T16:00:00Z"
    json.loads(run("data", "stations", "--json").stdout, parse_constant=pytest.fail)


def test_an_import_takes_what_is_sound_of_such_a_database(odd: str, run: Run, tmp_path: Path) -> None:
    done = run("data", "import", odd, "--json", WEATHER_DB=str(tmp_path / "other.db"))
    report = json.loads(done.stdout)
    assert report["new"] >= 4
    assert {"impossible time", "no time"} <= set(report["left_out"])
    assert "Traceback" not in done.stderr


def test_times_without_end(db: str) -> None:
    """PostgreSQL's own: no time of any calendar."""
    if db.startswith("/"):
        pytest.skip("SQLite knows none")
    with open_for_writing(db) as store:
        store.add(parse(collection(feature("volos"), feature("zagora"))), TIME + 60)
    for time in ("infinity", "-infinity", "20000-01-01", "0044-03-15 BC"):
        change(db, f"INSERT INTO observations (time, station_id, collected_at) VALUES ('{time}', 'volos', 'now')")
    with open_for_reading(db) as store:
        assert store.newest() == "2025-11-22 16:00:00"
        assert [one.time for one in store.latest()] == [TIME] * 2
        assert store.columns(Span(0, 4e9), []).time.tolist() == [TIME] * 2
        assert store.extents() == [("volos", TIME, TIME, 1), ("zagora", TIME, TIME, 1)]
        assert len(list(store.observations(Selection()))) == store.count(Selection()) == 2
