"""Observations with their flags in files of each format."""

from __future__ import annotations

import csv
import io
import json
import re
import resource
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from tests.conftest import TOOL, Run
from tests.databases import change, query
from tests.documents import ROOT
from tests.network import BEGIN, Network
from toolkit.feed import geojson
from toolkit.feed.entries import Entries
from toolkit.times import stored
from toolkit.variables import BY_NAME, COLUMNS

FLAGGED = [
    name
    for column in COLUMNS
    for name in ([column, f"{column}_qc", f"{column}_qc_test"] if column in BY_NAME else [column])
]


def judge(db: str) -> str:
    """Fill a database: seven hours, of which six were judged; a sensor failed, and values have every flag."""
    network = Network(db, "station=volos,variable=temp_out,kind=offset,size=8,at=3h,for=2h", hours=24)
    network.observe(6)
    network.detect()
    change(db, "UPDATE observations SET bar = NULL, wind_dir_str = NULL WHERE station_id = 'zagora'")
    change(db, "UPDATE stations SET latitude = NULL, longitude = NULL WHERE station_id = 'zagora'")
    network.observe(1)
    return db


@pytest.fixture(scope="module")
def of_module(tmp_path_factory: pytest.TempPathFactory) -> str:
    return judge(str(tmp_path_factory.mktemp("judged") / "weather.db"))


@pytest.fixture
def judged(of_module: str, environment: dict[str, str]) -> str:
    """A database on SQLite that the tests of this module only read."""
    environment["WEATHER_DB"] = of_module
    return of_module


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def number(text: str) -> float | None:
    return float(text) if text else None


def test_a_csv_file_says_what_the_view_says(db: str, run: Run) -> None:
    judge(db)
    done = run("data", "export", "-", "--qc", "flags", WEATHER_DB=db)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n", 1)[0] == ",".join(["time", "station_id", *FLAGGED])
    names = ", ".join(name for variable in BY_NAME for name in (variable, f"{variable}_qc", f"{variable}_qc_test"))
    view = query(db, f"SELECT time, station_id, {names} FROM observations_qc ORDER BY time, station_id")
    found = [
        (
            row["time"],
            row["station_id"],
            *(
                value
                for name in BY_NAME
                for value in (number(row[name]), int(row[f"{name}_qc"]), row[f"{name}_qc_test"] or None)
            ),
        )
        for row in sorted(rows(done.stdout), key=lambda row: (row["time"], row["station_id"]))
    ]
    assert found == [(str(time)[:19], *rest) for time, *rest in view]
    assert {flag for row in found for flag in row[3::3]} == {1, 2, 4, 9}


def test_without_flags_the_columns_are_those_of_before(judged: str, run: Run) -> None:
    flagged, plain = run("data", "export", "-", "--qc", "flags").stdout, run("data", "export", "-").stdout
    assert plain.split("\n", 1)[0] == ",".join(["time", "station_id", *COLUMNS])
    assert rows(plain) == [{name: row[name] for name in ("time", "station_id", *COLUMNS)} for row in rows(flagged)]
    assert run("data", "export", "-", "--qc", "all").stdout == plain
    some = run("data", "export", "-", "--variables", "wind_dir, temp_out,wind_dir", "--station", "volos").stdout
    assert rows(some) == [
        {name: row[name] for name in ("time", "station_id", "wind_dir", "wind_dir_str", "temp_out")}
        for row in rows(plain)
        if row["station_id"] == "volos"
    ]


def test_good_values_are_those_that_pass(judged: str, run: Run) -> None:
    done = run("data", "export", "-", "--qc", "good")
    good = rows(done.stdout)
    flagged = rows(run("data", "export", "-", "--qc", "flags").stdout)
    for name in BY_NAME:
        expected = [row[name] if row[f"{name}_qc"] == "1" else "" for row in flagged]
        assert [row[name] for row in good] == expected
    assert {row["wind_dir_str"] for row in good} > {""}
    assert [bool(row["wind_dir_str"]) for row in good] == [
        bool(row["wind_dir_str"] and row["wind_dir"]) for row in good
    ]
    left = sum(bool(row[name]) and row[f"{name}_qc"] == "2" for row in flagged for name in BY_NAME)
    assert done.stderr.startswith(f"weather-tool: note: {left} values were not evaluated, and are left out")


def test_a_flagged_export_is_imported_as_its_values(judged: str, run: Run, tmp_path: Path) -> None:
    other = {"WEATHER_DB": str(tmp_path / "other.db")}
    assert run("data", "export", str(tmp_path / "flagged.csv"), "--qc", "flags").returncode == 0
    done = run("data", "import", str(tmp_path / "flagged.csv"), "--json", **other)
    assert json.loads(done.stdout)["left_out"] == {}
    assert run("data", "export", "-", **other).stdout == run("data", "export", "-").stdout


@pytest.fixture
def exported(judged: str, run: Run, tmp_path: Path) -> Mapping[str, Path]:
    """The same with flags in each format."""
    files = {ending: tmp_path / f"out.{ending}" for ending in ("csv", "parquet", "nc", "geojson")}
    for file in files.values():
        done = run("data", "export", str(file), "--qc", "flags", "--estimates")
        assert (done.returncode, done.stderr) == (0, "")
    return files


def test_parquet_has_the_same(exported: Mapping[str, Path]) -> None:
    frame = pd.read_parquet(exported["parquet"], engine="pyarrow")
    table = pd.read_csv(exported["csv"], parse_dates=["time"], keep_default_na=False, na_values=[""])
    table["time"] = table["time"].dt.tz_localize("UTC")
    assert list(frame) == list(table)
    pd.testing.assert_frame_equal(frame, table, check_dtype=False)
    assert frame["temp_out_qc"].dtype == "int8"


def test_netcdf_keeps_to_the_conventions_and_has_the_same(exported: Mapping[str, Path]) -> None:
    checker = str(Path(TOOL).with_name("compliance-checker"))
    done = subprocess.run(
        [checker, "--test", "cf:1.11", "--criteria", "strict", str(exported["nc"])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "All tests passed!" in done.stdout) == (0, True), done.stdout
    table = pd.read_csv(exported["csv"], parse_dates=["time"], keep_default_na=False, na_values=[""])
    with xr.open_dataset(exported["nc"]) as file:
        assert file.sizes == {"station": table["station_id"].nunique(), "time": table["time"].nunique()}
        assert file.attrs["featureType"] == "timeSeries"
        for station_id, series in table.groupby("station_id"):
            of_station = file.set_xindex("station_id").sel(station_id=station_id)
            assert (of_station["time"].values == series["time"].values).all()
            for name in BY_NAME:
                assert of_station[name].values.tolist() == pytest.approx(series[name].tolist(), nan_ok=True, rel=0)
                assert (of_station[f"{name}_qc"].values == series[f"{name}_qc"].values).all()
                tests = of_station[f"{name}_qc_test"]
                named = [tests.attrs["flag_meanings"].split()[number] for number in tests.values]
                assert named == series[f"{name}_qc_test"].astype(object).fillna("none").tolist()
        assert file["temp_out"].attrs["units"] == "degree_Celsius"
        assert file["temp_out"].attrs["ancillary_variables"] == "temp_out_qc temp_out_qc_test temp_out_estimate"
        assert file["temp_out_qc"].attrs["flag_meanings"] == "pass not_evaluated suspect fail missing"
        assert file["hi_speed"].attrs["cell_methods"] == "time: maximum (over the reporting interval)"
        assert file.set_xindex("station_id").sel(station_id="zagora")["latitude"].isnull()


def test_an_estimate_stands_beside_what_failed(judged: str, run: Run) -> None:
    words = ("--station", "volos", "--estimates", "--variables", "temp_out,rain")
    found = rows(run("data", "export", "-", "--qc", "flags", *words).stdout)
    failed = [row for row in found if row["temp_out_qc"] in {"3", "4"}]
    assert [float(row["temp_out"]) - 8 for row in failed] == pytest.approx(
        [float(row["temp_out_estimate"]) for row in failed], abs=1.5
    )
    assert len(failed) == 12
    assert {row["temp_out_estimate"] for row in found if row not in failed} == {""}
    assert "rain_estimate" not in found[0]
    good = rows(run("data", "export", "-", "--qc", "good", *words).stdout)
    assert [row["temp_out_estimate"] for row in good] == [row["temp_out_estimate"] for row in found]


def test_geojson_has_the_newest_of_each_station(
    judged: str, run: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["WEATHER_DB"] = str(shutil.copy(judged, tmp_path / "weather.db"))
    gone = stored(BEGIN + 5 * 3600 - 600)
    change(environment["WEATHER_DB"], f"DELETE FROM observations WHERE station_id = 'volos' AND time > '{gone}'")
    done = run("data", "export", "-", "--format", "geojson", "--qc", "flags")
    features = {one["id"]: one for one in json.loads(done.stdout)["features"]}
    latest = {row["station_id"]: row for row in json.loads(run("data", "latest", "--json").stdout)}
    assert list(features) == ["volos", *sorted({*latest} - {"volos"})]
    for station_id, feature in features.items():
        properties = feature["properties"]
        assert {name: properties[name] for name in ("time", *COLUMNS)} == {
            name: latest[station_id][name] for name in ("time", *COLUMNS)
        }
    assert (features["volos"]["properties"]["temp_out_qc"], features["zagora"]["properties"]["temp_out_qc"]) == (4, 2)
    assert features["volos"]["geometry"]["type"] == "Point"
    assert features["zagora"]["geometry"] is None
    entries = Entries()
    geojson.parse(io.BytesIO(done.stdout.encode()), entries)
    assert len(entries.observations) == len(latest)
    only = run("data", "export", "-", "--format", "geojson", "--station", "volos").stdout
    assert [one["id"] for one in json.loads(only)["features"]] == ["volos"]


def test_the_documents_xarray(exported: Mapping[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(
        r"```python\n(import xarray\n.*?)```", (ROOT / "docs" / "data.md").read_text("utf-8"), re.DOTALL
    )
    exec(code.replace("november.nc", str(exported["nc"])), {})
    table = pd.read_csv(exported["csv"], parse_dates=["time"])
    good = table[(table["station_id"] == "volos") & (table["temp_out_qc"] == 1)]
    assert str(good.groupby(good["time"].dt.date)["temp_out"].max().iloc[-1]) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-", "--variables", "temp_oot"], "--variables: temp_oot is not measured; did you mean temp_out?"),
        (["-", "--variables", ""], "--variables: give one or more of"),
        (["-", "--format", "netcdf"], "netcdf needs a file"),
        (["out.nc4"], "out.nc4: give NAME.csv"),
        (["out.geojson", "--start", "2026-01-01"], "GeoJSON has the newest observation of each station"),
        (["-", "--qc", "bad"], "bad"),
    ],
)
def test_what_cannot_be_exported_is_one_line(judged: str, run: Run, words: list[str], says: str) -> None:
    done = run("data", "export", *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr


@pytest.mark.parametrize(("ending", "module"), [("nc", "netCDF4"), ("parquet", "pyarrow")])
def test_what_is_not_installed_is_named(judged: str, run: Run, tmp_path: Path, ending: str, module: str) -> None:
    without = tmp_path / "without"
    without.mkdir()
    (without / f"{module}.py").write_text("raise ImportError\n")
    done = run("data", "export", str(tmp_path / f"out.{ending}"), PYTHONPATH=str(without))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"needs {module.lower()}, which is not installed here" in done.stderr
    assert not [*tmp_path.glob("*out.*")]


@pytest.mark.parametrize("ending", ["csv", "parquet", "nc"])
def test_a_disk_that_fills_up_leaves_what_was_there(
    judged: str, environment: dict[str, str], tmp_path: Path, ending: str
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / f"out.{ending}").write_text("before")
    done = subprocess.run(
        [TOOL, "data", "export", str(folder / f"out.{ending}"), "--qc", "flags"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith(f"weather-tool: cannot write {folder}/out.{ending}")
    assert [file.read_text() for file in folder.iterdir()] == ["before"]
