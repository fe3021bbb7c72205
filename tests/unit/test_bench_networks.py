"""The benchmark reads a network's archive, and draws stretches of it."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.bench.detection import archive
from tests.bench.detection.labelled import HOUR
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
