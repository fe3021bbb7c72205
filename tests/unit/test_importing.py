"""A file that is imported, by the rules of a feed's entries: what it may be, and what it cannot do."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from toolkit.archive import reading
from toolkit.archive.importing import BATCH, Imported, import_file
from toolkit.archive.localtime import LocalTimes, zone_named
from toolkit.errors import ToolkitError
from toolkit.model import Bounds
from toolkit.store import Selection, open_for_reading, open_for_writing

NAMES = ("time", "station_id", "temp_out", "rain", "wind_dir_str")


def imported(tmp_path: Path, content: str | bytes, replace: bool = False, **options: Any) -> Imported:
    file = tmp_path / "in.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with open_for_writing(str(tmp_path / "weather.db")) as store:
        return import_file(store, file, replace, **options)


def stored(tmp_path: Path) -> list[tuple[Any, ...]]:
    with open_for_reading(str(tmp_path / "weather.db")) as store:
        return [
            (one.station_id, one.temp_out, one.rain, one.wind_dir_str) for one in store.observations(Selection())
        ]  # fmt: skip


def test_no_value_is_written_in_many_ways(tmp_path: Path) -> None:
    rows = "".join(f"2026-11-20 1{n}:00:00,a,{n},{raw},{raw}\n" for n, raw in enumerate(("NA", "null", "---", "")))
    done = imported(tmp_path, ",".join(NAMES) + "\n" + rows + "2026-11-20 15:00:00,a,-999,-9999,N\n")
    assert stored(tmp_path) == [*(("a", n, None, None) for n in range(4)), ("a", None, None, "N")]
    assert not done.left_out


def test_reasons_are_as_many_as_there_are(tmp_path: Path) -> None:
    rows = [f"20.11.2026 10:{n},a,x{n},y{n},{'N' * (n + 33)}\n" for n in range(10, 60)]
    rows += [f"{year:04}-01-01 00:00:00,a,1,1,N\n" for year in (1, 205, 1900, 1970, 2999)]
    rows += ["NOW,a,1,1,N\n", f"2026-11-20 10:00,{'i' * 101},1,1,N\n", "2026-11-20 10:00:00,a,x,200000000.5,N\n"]
    done = imported(tmp_path, ",".join(NAMES) + "\n" + "".join(rows))
    assert done.left_out == {
        "no time": 51, "impossible time": 5, "station id too long": 1, "temp_out is no number": 1,
    }  # fmt: skip
    assert done.first["impossible time"] == 52
    assert stored(tmp_path) == [("a", None, None, "N")]


def test_two_rows_of_one_time_are_one(tmp_path: Path) -> None:
    head = "time,station_id,temp_out,rain,wind_dir_str\n"
    rows = ["2026-11-20 10:00:00,a,12.3,,N\n", "2026-11-20 10:00:00,a,,0.2,\n", "2026-11-20 10:00:00,a,12.4,,\n"]
    done = imported(tmp_path, head + "".join(rows))
    assert stored(tmp_path) == [("a", 12.4, 0.2, "N")]
    assert (done.stored.new, dict(done.left_out)) == (1, {})


def test_more_rows_than_a_batch(tmp_path: Path) -> None:
    rows = [f"2026-11-{1 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}Z,a,{n % 30},x,N\n" for n in range(BATCH + 10)]
    seen: list[int] = []
    done = imported(tmp_path, ",".join(NAMES) + "\n" + "".join(rows), advance=seen.append)
    assert done.stored.new == BATCH + 10 == sum(seen)
    assert done.left_out == {"rain is no number": BATCH + 10}
    with closing(sqlite3.connect(tmp_path / "weather.db")) as connection:
        counted = connection.execute("SELECT count FROM counters WHERE label = 'rain is no number'").fetchone()
    assert counted == (BATCH + 10,)


def test_what_a_file_is_written_in(tmp_path: Path) -> None:
    text = "time;station_id;station_name_en;temp_out;rain;wind_dir_str\r2026-11-20 10:00;é;Zürich;12,5;;N\r"
    for content in (text.encode("utf-16"), text.encode("cp1252"), b"\xef\xbb\xbf" + text.encode()):
        assert imported(tmp_path, content).stored[0::2] in {(1, 0), (0, 1)}
    assert stored(tmp_path) == [("é", 12.5, None, "N")]


def test_names_and_places_of_a_file(tmp_path: Path) -> None:
    head = "time,station_id,station_name_en,latitude,longitude,elevation\n"
    imported(tmp_path, head + f"2026-11-20 10:00,a,{'n' * 300},39.3,337.1,52\n", bounds=Bounds(name_length=9))
    imported(tmp_path, head + "2026-11-20 10:10,a,NA,0,0,-9999\n")
    with open_for_reading(str(tmp_path / "weather.db")) as store:
        (station,) = store.stations()
    assert station._replace(longitude=None) == ("a", "n" * 9, None, 39.3, None, 52, None)
    assert station.longitude == pytest.approx(-22.9)


@pytest.mark.parametrize("text", ["9999-12-31 23:59:59", "0001-01-01 00:00:00", "0001-01-01T00:00:00+14:00"])
def test_the_ends_of_time_in_a_zone(tmp_path: Path, text: str) -> None:
    rows = f"time,station_id\n{text},a\n2026-11-20 10:00:00,a\n"
    done = imported(tmp_path, rows, local=LocalTimes(zone_named("Pacific/Kiritimati")))
    assert (done.stored.new, done.left_out) == (1, {"impossible time": 1})


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (
        open_for_writing(str(tmp_path / "weather.db")) as store,
        pytest.raises(ToolkitError, match="is no file: give it on standard input"),
    ):
        import_file(store, tmp_path / "pipe", replace=False)


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
TABLE = "CREATE TABLE observations (time TEXT, station_id TEXT, temp_out REAL)"
ONE = "INSERT INTO observations VALUES ('2026-11-20 10:00:00', 'a', 1)"


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        ([f"CREATE VIEW observations AS {ENDLESS} SELECT i AS time, 'a' AS station_id FROM n"], "no table, but a view"),
        ([TABLE, ONE, f"CREATE VIEW stations AS {ENDLESS} SELECT i AS station_id FROM n"], "no table, but a view"),
        (["CREATE VIRTUAL TABLE observations USING fts5(time, station_id)"], "no table, but a table, which is not"),
        (["CREATE TABLE other (x)"], "there is no column station_id or time in its table"),
        (["CREATE TABLE observations (time TEXT)"], "there is no column station_id in its table"),
    ],
)  # fmt: skip
def test_a_hostile_database_ends_in_one_line(tmp_path: Path, statements: list[str], says: str) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    with (
        open_for_writing(str(tmp_path / "weather.db")) as store,
        pytest.raises(ToolkitError, match=says) as refused,
    ):
        import_file(store, tmp_path / "old.db", replace=False)
    assert "\n" not in str(refused.value)


def test_a_search_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROW_SECONDS", -1.0)
    monkeypatch.setattr(reading, "STEPS", 10)
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.execute(TABLE)
        connection.execute(ONE)
        connection.commit()
    with (
        open_for_writing(str(tmp_path / "weather.db")) as store,
        pytest.raises(ToolkitError, match="cannot be imported: interrupted"),
    ):
        import_file(store, tmp_path / "old.db", replace=False)


def test_odd_values_of_a_database(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.execute("CREATE TABLE stations (station_id, latitude, elevation)")
        connection.execute("CREATE TABLE observations (time, station_id, temp_out, rain, wind_dir_str)")
        connection.execute("INSERT INTO stations VALUES ('a', 9e999, 'high'), (x'00', 1, 1), (NULL, 1, 1)")
        connection.executemany(
            "INSERT INTO observations VALUES (?, ?, ?, ?, ?)",
            [
                ("2026-11-20 10:00:00", "a", "1.5", float("inf"), "N"),
                (1_763_827_200, 7, b"\x00", None, b"N"),
                (None, "a", 1, 1, "N"),
                ("2026-11-20 10:00:00", None, 1, 1, "N"),
            ],
        )
        connection.execute(
            "INSERT INTO observations VALUES ('2026-11-20 11:00:00', CAST(x'5afc' AS TEXT), 1, 1, CAST(x'00' AS TEXT))"
        )
        connection.commit()
    with open_for_writing(str(tmp_path / "weather.db")) as store:
        done = import_file(store, tmp_path / "old.db", replace=False)
    assert stored(tmp_path) == [("7", None, None, None), ("a", 1.5, None, "N"), ("Zü", 1, 1, None)]
    assert done.left_out == {
        "no station id": 3, "impossible place": 1, "impossible elevation": 1, "rain is no number": 1,
        "temp_out is no number": 1, "wind_dir_str is no text": 2, "no observation": 1,
    }  # fmt: skip
    assert done.first["wind_dir_str is no text"] == 2


def test_a_value_that_is_too_long_costs_itself(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.execute("CREATE TABLE stations (station_id, station_name_en)")
        connection.execute("CREATE TABLE observations (time, station_id, temp_out, rain, wind_dir_str)")
        connection.execute("INSERT INTO stations VALUES ('a', ?)", ["x" * (3 << 20)])
        connection.executemany(
            "INSERT INTO observations VALUES ('2026-11-20 10:00:00', ?, ?, 1, ?)",
            [("a", "x" * (3 << 20), "N"), ("b", bytes(3 << 20), "N"), ("x" * (3 << 20), 1, "N"), ("c", 1, "N")],
        )
        connection.commit()
    with open_for_writing(str(tmp_path / "weather.db")) as store:
        done = import_file(store, tmp_path / "old.db", replace=False)
    assert stored(tmp_path) == [("a", None, 1, "N"), ("b", None, 1, "N"), ("c", 1, 1, "N")]
    assert done.left_out == {"temp_out is no number": 2, "no station id": 1}


def test_the_rows_before_the_damage_are_stored(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    rows = [(f"2026-11-20 {n // 60:02}:{n % 60:02}:00", "a", n % 30) for n in range(1000)]
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(TABLE)
        connection.executemany("INSERT INTO observations VALUES (?, ?, ?)", rows)
        connection.commit()
    whole = file.read_bytes()
    file.write_bytes(whole[:-4096] + b"\xff" * 4096)
    with (
        open_for_writing(str(tmp_path / "weather.db")) as store,
        pytest.raises(ToolkitError, match=r"malformed; the [0-9]+ rows before are imported") as refused,
    ):
        import_file(store, file, replace=False)
    assert 500 < len(stored(tmp_path)) < 1000
    assert f"the {len(stored(tmp_path))} rows before" in str(refused.value)


def test_a_view_of_our_own_database_is_not_run(tmp_path: Path) -> None:
    imported(tmp_path, "time,station_id,temp_out\n2026-11-20 10:00:00,a,1.5\n")
    (tmp_path / "weather.db").rename(tmp_path / "ours.db")
    with closing(sqlite3.connect(tmp_path / "ours.db")) as connection:
        connection.execute("DROP VIEW observations")
        connection.execute(f"CREATE VIEW observations AS {ENDLESS} SELECT i AS time, 'b' AS station_id FROM n")
        connection.commit()
    assert reading.is_ours(tmp_path / "ours.db")
    with open_for_writing(str(tmp_path / "weather.db")) as store:
        assert import_file(store, tmp_path / "ours.db", replace=False).stored.new == 1
    assert stored(tmp_path) == [("a", 1.5, None, None)]
