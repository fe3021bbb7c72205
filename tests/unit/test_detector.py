from __future__ import annotations

import numpy as np
import pytest

from toolkit.detector.spatial import correlation, distance_km, neighbours, verify
from toolkit.detector.temporal import METHODS, THRESHOLD
from toolkit.feed.document import Station


def place(station_id: str, latitude: float | None, longitude: float | None, elevation: float | None = 0) -> Station:
    return Station(station_id, None, None, latitude, longitude, elevation)


def series(seed: int = 1) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    random = np.random.default_rng(seed)
    return 15 + 2 * np.sin(np.arange(36) / 12) + random.normal(0, 0.2, 36)


@pytest.mark.parametrize("method", METHODS)
def test_a_spike_is_found_and_nothing_else_called_one(method: str) -> None:
    values = series()
    values[20] += 25
    judged = METHODS[method](values, 0.3)
    assert int(np.nanargmax(judged.score)) == 20
    assert judged.score[20] > THRESHOLD
    assert abs(judged.expected[20] - 15) < 4


@pytest.mark.parametrize("method", METHODS)
def test_gaps_are_no_anomaly_and_no_obstacle(method: str) -> None:
    values = series()
    values[[0, 5, 6, 7, 35]] = np.nan
    values[20] += 25
    judged = METHODS[method](values, 0.3)
    assert np.isnan(judged.score[[0, 5, 6, 7, 35]]).all()
    assert int(np.nanargmax(judged.score)) == 20


@pytest.mark.parametrize("method", METHODS)
def test_a_deviation_within_the_accuracy_is_no_anomaly_in_a_calm_night(method: str) -> None:
    values = np.full(36, 10.0)
    values[20] = 10.3
    assert not (METHODS[method](values, 0.3).score > THRESHOLD).any()
    values[20] = 11.5
    assert (METHODS[method](values, 0.3).score > THRESHOLD).any() or method == "3sigma"


def test_distance() -> None:
    volos, heraclion = place("volos", 39.3744678, 22.9619388), place("heraclion", 35.300751, 25.163781)
    assert distance_km(volos, heraclion) == pytest.approx(492, abs=2)
    assert distance_km(volos, volos) == 0
    assert distance_km(volos, place("nowhere", None, 1)) == float("inf")


def test_neighbours_are_near_in_distance_and_height() -> None:
    stations = [
        place("a", 39.0, 22.0, 100),
        place("near", 39.5, 22.0, 500),
        place("far", 41.0, 22.0, 100),
        place("high", 39.1, 22.0, 700),
        place("unknown height", 39.1, 22.0, None),
        place("nowhere", None, None),
    ]
    assert neighbours(stations, 0, 100, 500) == [1, 4]


def test_correlation_needs_enough_common_readings_and_variation() -> None:
    one = series()
    assert correlation(one, 3 * one + 7) == pytest.approx(1)
    assert correlation(one, np.full(36, 5.0)) is None
    sparse = one.copy()
    sparse[9:] = np.nan
    assert correlation(one, sparse) is None


@pytest.mark.parametrize(("share", "verdict"), [(0.0, "weather_event"), (1.4, "suspected"), (50.0, "device_failure")])
def test_the_verdict_follows_the_median_correlation(share: float, verdict: str) -> None:
    random = np.random.default_rng(3)
    common = np.sin(np.arange(36) / 6)
    values = np.array([common, *(common + random.normal(0, 0.05, (3, 36)))])
    values[0] = common + share * random.normal(0, 0.707, 36)
    stations = [place(name, 39, 22) for name in "abcd"]
    found = verify(values, stations, 0, [1, 2, 3])
    assert found.class_ == verdict
    assert [neighbour.station_id for neighbour in found.neighbours] == ["b", "c", "d"]


def test_without_neighbours_nothing_is_verified() -> None:
    assert verify(np.array([series()]), [place("a", 39, 22)], 0, []).class_ == "unverified"
