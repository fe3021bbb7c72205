"""The Python face: a store as DataFrames on each engine, and quality control of a DataFrame without any store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest

from tests.databases import change, query
from tests.network import BEGIN, Network
from toolkit.analysis import Database, detect, plot, run_test
from toolkit.errors import UsageError
from toolkit.settings import load
from toolkit.store import StoreError
from toolkit.times import from_epoch

FAULT = "station=volos,variable=temp_out,kind=offset,size=8,at=3h,for=2h"
FIRST, LAST = from_epoch(BEGIN + 3 * 3600), from_epoch(BEGIN + 5 * 3600 - 600)
SETTINGS = load(environ={}).settings


@pytest.fixture
def network(db: str) -> Network:
    found = Network(db, FAULT, hours=24)
    found.observe(6)
    found.detect()
    return found


def opened(db: str) -> Database:
    return Database(db, settings=SETTINGS)


def test_observations_with_flags_are_those_of_the_view(db: str, network: Network) -> None:
    with opened(db) as database:
        frame = database.observations(variables=["temp_out", "rain"], qc="flags")
    assert [*frame.columns] == [
        "station_id", "temp_out", "temp_out_qc", "temp_out_qc_test", "rain", "rain_qc", "rain_qc_test",
    ]  # fmt: skip
    assert (frame.index.name, str(frame.index.tz)) == ("time", "UTC")
    rows = query(
        db,
        "SELECT station_id, temp_out, temp_out_qc, coalesce(temp_out_qc_test, ''), rain, rain_qc, "
        "coalesce(rain_qc_test, '') FROM observations_qc ORDER BY time, station_id",
    )
    assert [*frame.astype(object).itertuples(index=False, name=None)] == rows
    failed = frame[frame["temp_out_qc"] == 4]
    assert ({*failed["station_id"]}, failed.index[0], failed.index[-1]) == ({"volos"}, FIRST, LAST)


def test_good_values_alone_and_all(db: str, network: Network) -> None:
    with opened(db) as database:
        good, every = (
            database.observations(FIRST, LAST, ["volos"], ["temp_out", "bar"], qc=qc) for qc in ("good", "all")
        )
        default = database.observations(FIRST, LAST, ["volos"], ["temp_out", "bar"])
    assert len(good) == len(every) == 11  # after the first, up to and including the last
    assert good["temp_out"].isna().all()
    assert every["temp_out"].notna().all()
    assert good["bar"].notna().all()
    pd.testing.assert_frame_equal(good, default)


def test_estimates_stand_beside_what_failed(db: str, network: Network) -> None:
    with opened(db) as database:
        frame = database.observations(variables=["temp_out"], qc="all", estimates=True)
    estimate = frame["temp_out_estimate"].dropna()
    assert ({*frame.loc[frame["temp_out_estimate"].notna(), "station_id"]}, len(estimate)) == ({"volos"}, 12)
    off = frame.loc[(frame["station_id"] == "volos") & frame["temp_out_estimate"].notna()]
    assert (off["temp_out"] - off["temp_out_estimate"]).mean() == pytest.approx(8, abs=1)


def test_what_is_said_of_values_and_what_people_deal_with(db: str, network: Network) -> None:
    person = "(station_id, variable, started, ended, actor, note)"
    change(
        db,
        f"INSERT INTO maintenance {person} VALUES ('amfissa', 'bar', '2025-11-21 18:00', '2025-11-21 19:00', 'ann', '')",
    )
    with opened(db) as database:
        stations = database.stations()
        said, anomalies, incidents = database.flags(), database.anomalies(), database.incidents()
        assert database.flags(stations=["zagora"]).empty
        assert database.incidents(end="2025-11-21T18:00Z").empty
        health = database.sensors(days=1)
    assert stations.loc["volos", ["latitude", "elevation"]].notna().all()
    of_volos = said[said["station_id"] == "volos"]
    assert {4} <= {*of_volos["flag"]} <= {3, 4}
    assert (of_volos.index.min(), of_volos["ended"].max()) == (FIRST, LAST)
    assert said[said["station_id"] == "amfissa"].iloc[0][["variable", "flag", "test"]].tolist() == [
        "bar",
        4,
        "maintenance",
    ]
    found = anomalies[anomalies["variable"] == "temp_out"].iloc[0]
    assert (found.name, found["class"], found["test"]) == (FIRST, "device_failure", "step")
    assert incidents.loc[FIRST, ["station_id", "kind"]].tolist() == ["volos", "data_wrong"]
    assert incidents.loc[FIRST, "acknowledged"] is pd.NaT
    assert {*health["state"]} <= {"healthy", "warning", "critical"}
    assert {"volos", "zagora"} <= {*health["station_id"]}


def test_an_empty_store(db: str) -> None:
    Network(db, hours=0)
    with opened(db) as database:
        assert [*database.observations(variables="bar", qc="flags").columns] == [
            "station_id", "bar", "bar_qc", "bar_qc_test",
        ]  # fmt: skip
        for frame in (
            database.observations(),
            database.flags(),
            database.anomalies(),
            database.incidents(),
            database.sensors(),
        ):
            assert frame.empty


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Thirty hours of a network as DataFrames, with a fault."""
    db = str(tmp_path_factory.mktemp("frames") / "weather.db")
    Network(db, FAULT, hours=24).observe(6)
    with opened(db) as database:
        return database.observations(qc="all"), database.stations()


def test_a_frame_is_judged_without_a_store(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    frame, stations = frames
    found = detect(frame, stations, hours=6, settings=SETTINGS)
    failed = found[(found["variable"] == "temp_out") & (found["class"] == "device_failure")]
    assert failed.iloc[0][["station_id", "test"]].tolist() == ["volos", "step"]
    assert (failed.index[0], failed["ended"].iloc[0]) == (FIRST, LAST)


def test_one_test_of_a_frame_whatever_its_order_and_clock(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    frame, stations = frames
    frame = frame[["station_id", "temp_out"]].copy()
    frame.iloc[5, 1] = None
    flags = run_test("step", frame, stations, "temp_out", settings=SETTINGS)
    suspect = frame[flags == 3]
    assert {*suspect["station_id"]} == {"volos"}
    assert len(suspect[(suspect.index >= FIRST) & (suspect.index <= LAST)]) == 12
    assert flags.iloc[5] == 9
    assert {*flags} == {1, 3, 9}
    other = frame.iloc[::-1].tz_convert("Europe/Athens")
    again = run_test("step", other, stations, "temp_out", settings=SETTINGS)
    assert again.iloc[::-1].tolist() == flags.tolist()
    assert run_test("step", frame.tz_localize(None), stations, "temp_out", settings=SETTINGS).tolist() == flags.tolist()
    alone = stations.loc[["volos"]]
    of_one = run_test("spatial", frame[frame["station_id"] == "volos"], alone, "temp_out", settings=SETTINGS)
    assert {*of_one} == {2}, "there is no neighbour to compare with"
    assert {*run_test("spatial", frame, stations, "temp_out", settings=SETTINGS)} == {1, 9}


def test_a_plot_marks_what_failed(db: str, network: Network) -> None:
    mpl.use("agg")
    with opened(db) as database:
        frame = database.observations(stations=["volos", "zagora"], variables=["temp_out"], qc="flags")
    axes = plot(frame, "temp_out", ["volos", "zagora"])
    labels = {line.get_label(): len(line.get_xdata()) for line in axes.get_lines()}
    assert labels == {"volos": 180, "zagora": 180, "fail": 12}
    assert axes.get_ylabel() == "air temperature (°C)"


def of_database(db: Path) -> dict[str, Callable[[], Any]]:
    database = opened(str(db))
    return {
        "there is no station 'nowhere'; there are: ": lambda: database.observations(stations=["nowhere"]),
        "there is no variable 'temperature'; there are: temp_out, ": lambda: database.observations(
            variables="temperature"
        ),
        "qc='best': give good, all, flags": lambda: database.observations(qc="best"),  # type: ignore[arg-type]
        "'yesterday' is not a time": lambda: database.flags("yesterday"),
        "start=2026-01-02 is not before end=2026-01-01": lambda: database.incidents("2026-01-02", "2026-01-01"),
    }


def test_what_a_database_is_wrongly_asked(tmp_path: Path) -> None:
    Network(str(tmp_path / "weather.db"), hours=0)
    for message, call in of_database(tmp_path / "weather.db").items():
        with pytest.raises(UsageError) as error:
            call()
        assert str(error.value).startswith(message)
    with pytest.raises(StoreError, match="there is no database at"):
        opened(str(tmp_path / "other.db"))


def test_frames_that_cannot_be_judged(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    frame, stations = frames
    wrong: dict[str, Callable[[], Any]] = {
        "there is no test 'spike'; there are: range, ": lambda: run_test("spike", frame, stations, "bar"),
        "the test 'gauge' does not apply to bar; it applies to: rain": lambda: run_test(
            "gauge", frame, stations, "bar"
        ),
        "the index of the frame has no times": lambda: detect(frame.reset_index(), stations),
        "the frame has no column 'station_id'": lambda: detect(frame[["bar"]], stations),
        "the frame has no variable": lambda: detect(frame[["station_id"]], stations),
        "the stations have no 'amfissa'": lambda: detect(
            frame[frame["station_id"] == "amfissa"], stations.drop("amfissa")
        ),
        "the column 'bar' of the frame has what is no number": lambda: detect(frame.assign(bar="high"), stations),
        "hours=0: give a number from 1 to 744": lambda: detect(frame, stations, hours=0),
        "the frame has no column 'bar'": lambda: plot(frame[["station_id"]], "bar"),
    }
    for message, call in wrong.items():
        with pytest.raises(UsageError) as error:
            call()
        assert str(error.value).startswith(message), message
