"""The benchmark reads a network's archive, and draws stretches of it."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from tests.bench.detection import archive, faults, other_variables
from tests.bench.detection.labelled import HOUR
from tests.bench.detection.weather import simulated
from toolkit.errors import UsageError
from toolkit.quality.humidity import dew_point
from toolkit.times import from_epoch, iso

FIRST = 1_700_000_000 // HOUR * HOUR
DAYS = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two stations every half an hour and one every two hours, in no order, for sixty days."""
    (tmp_path / "ours.stations.csv").write_text(
        "station_id,latitude,longitude,elevation\n1,40.1,20.1,5\n2,40.2,20.2,\n3,40.3,20.3,7\n", encoding="utf-8"
    )
    with gzip.open(tmp_path / "ours.observations.csv.gz", "wt", encoding="utf-8", newline="") as file:
        write = csv.writer(file)
        write.writerow(["time", "station_id", "temp_out", "note"])
        for slot in reversed(range(DAYS * 48)):
            for station in (1, 2, 3):
                if station < 3 or slot % 4 == 0:
                    # Every station is a little late, as stations are.
                    write.writerow([iso(from_epoch(FIRST + 1800 * slot - 60 * station)), station, slot, "x"])
    (tmp_path / "ours.bad.csv").write_text("station_id,variable,reason\n2,temp_out,in the sun\n", encoding="utf-8")
    return tmp_path


def test_an_archive_is_read_in_slots_of_the_networks_cadence(folder: Path) -> None:
    read = archive.read(folder, "ours")
    assert archive.networks(folder) == ["ours"]
    assert read.cadence == 1800
    assert set(read.values) == {"temp_out"}
    temperature = read.values["temp_out"]
    assert temperature[0, :4].tolist() == [0, 1, 2, 3]
    assert np.isnan(temperature[2]).tolist() == ([False, True, True, True] * (DAYS * 12))
    assert read.silent[:, 1].tolist() == [False, False, True]


def test_what_the_data_commands_write_is_an_archive(folder: Path) -> None:
    (folder / "ours.stations.csv").unlink()
    with pytest.raises(UsageError, match=r"ours\.stations\.csv"):
        archive.read(folder, "ours")
    listed = [{"station_id": "1", "latitude": 40.1, "longitude": 20.1, "elevation": None, "first": "2026-01-01"}]
    (folder / "ours.stations.json").write_text(json.dumps(listed), encoding="utf-8")
    assert archive.networks(folder) == ["ours"]
    (station,) = archive.read(folder, "ours").stations
    assert (station.station_id, station.latitude) == ("1", 40.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"there is no ours\.observations\.csv in .*"),
        ("when,station_id\n2026-01-01T00:00:00Z,1\n", r".*ours\.observations\.csv has no column time"),
    ],
)
def test_an_archive_that_cannot_be_read_is_said_so(folder: Path, text: str | None, message: str) -> None:
    (folder / "ours.observations.csv.gz").unlink()
    if text is not None:
        (folder / "ours.observations.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        archive.read(folder, "ours")


def test_an_archive_needs_as_many_days_as_a_stretch(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"ours: 60\.\d days; at least 90 are needed"):
        next(archive.stretches(archive.read(folder, "ours"), 1, seed=1, days=90))


def test_sensors_that_are_known_to_be_bad_can_be_left_out(folder: Path) -> None:
    read = archive.read(folder, "ours", with_bad=False)
    assert np.isnan(read.values["temp_out"][1]).all()
    assert not np.isnan(read.values["temp_out"][0]).any()


def test_stretches_are_spread_over_the_archive_and_those_of_a_season_do_not_overlap(folder: Path) -> None:
    drawn = [*archive.stretches(archive.read(folder, "ours"), 2, seed=5)]
    assert [one.quiet for one in drawn] == [True, False, True, False]
    first = [int(one.weather.times[0]) for one in drawn]
    assert max(first[:2]) < min(first[2:])
    assert abs(first[0] - first[1]) >= archive.DAYS * 24 * HOUR <= abs(first[2] - first[3])
    assert {one.weather.times.size for one in drawn} == {archive.DAYS * 48}
    again = [*archive.stretches(archive.read(folder, "ours"), 2, seed=5)]
    assert [one.weather.name for one in again] == [one.weather.name for one in drawn]


def test_a_quiet_stretch_has_less_striking_weather_than_others(folder: Path) -> None:
    read = archive.read(folder, "ours")
    half = read.times.size // 2
    read.values["temp_out"][0, :half:5] += 9
    drawn = [*archive.stretches(read, 1, seed=5)]
    assert drawn[0].quiet
    assert drawn[0].weather.times[0] > read.times[half - 1]


def test_a_computed_dew_point_is_that_of_the_faulty_temperature_and_humidity() -> None:
    weather = simulated(1, days=3)
    weather.values["dew_point"][1] += 2  # of a sensor of its own
    spoilt = faults.put_in(weather, 1, 36, kinds=["offset", "dropout"], swap=False)
    values, concerned = spoilt.values, set()
    for fault in spoilt.faults:
        during = (spoilt.times >= fault.start) & (spoilt.times <= fault.end)
        if fault.variable in {"temp_out", "out_hum"}:
            dew, true = values["dew_point"][fault.station, during], weather.values["dew_point"][fault.station, during]
            implied = dew_point(values["temp_out"], values["out_hum"])[fault.station, during]
            np.testing.assert_allclose(dew, true if fault.station == 1 else implied, atol=0.2)
            concerned.add(fault.station == 1)
        else:
            assert (values["dew_point"] == weather.values["dew_point"])[fault.station, during].mean() > 0.9
    assert concerned == {True, False}


def test_a_pyranometer_repeats_a_value_by_day_alone() -> None:
    weather = simulated(1)
    spoilt = other_variables.put_in(weather, 1)
    (fault, *_) = [one for one in spoilt.faults if one.kind == "stuck light"]
    during = (spoilt.times >= fault.start) & (spoilt.times <= fault.end)
    true, read = (of.values["solar_radiation"][fault.station, during] for of in (weather, spoilt))
    by_day = true > other_variables.DAYLIGHT
    assert np.unique(read[by_day]).size == 1 < np.unique(true[by_day]).size
    np.testing.assert_array_equal(read[~by_day], true[~by_day])
