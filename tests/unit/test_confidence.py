"""How sure a verdict is follows from what the report says of the anomaly."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.detector.confidence import confidence, probability, rated
from toolkit.detector.report import Anomaly, Neighbour


def anomaly(value: float, *implied: float) -> Anomaly:
    """A failure of a thermometer, for three hours."""
    neighbours = [Neighbour(f"n{number}", 9.0, one, one, 0.9) for number, one in enumerate(implied)]
    return Anomaly(
        "volos", "temp_out", "2026-01-01T00:00:00Z", "2026-01-01T03:00:00Z", value, implied[0], 9.0, "spatial",
        "device_failure", "it reads otherwise", 0.9, neighbours,
    )  # fmt: skip


def test_a_failure_is_the_surer_the_farther_the_reading_is_from_every_neighbour() -> None:
    near, far = anomaly(13, 10, 10, 10, 10), anomaly(20, 10, 10, 10, 10)
    assert 0 < confidence(near) < confidence(far) < 1
    assert confidence(anomaly(20, 10, 10, 10, 19)) < confidence(far), "one of them is nearly there, too"


def test_a_failure_is_no_surer_where_neighbours_disagree() -> None:
    assert confidence(anomaly(20, 7, 9, 12, 14)) <= confidence(anomaly(20, 14, 14, 14, 14))


def test_what_nobody_can_confirm_is_less_sure_than_what_neighbours_contradict() -> None:
    one = anomaly(20, 10, 10, 10)
    assert confidence(replace(one, class_="unverified", neighbours=[])) < confidence(one) - 0.3


@pytest.mark.parametrize("class_", ["device_failure", "weather_event", "suspected", "unverified"])
def test_every_anomaly_has_one(class_: str) -> None:
    bare = replace(
        anomaly(13, 10), variable="all", value=None, expected=None, score=None, neighbours=[], test="missing"
    )
    for one in (anomaly(13, 10), bare, replace(bare, variable="wind_dir", value=3.0, expected=9.0)):
        found = rated(replace(one, class_=class_)).confidence  # type: ignore[arg-type]
        assert found is not None
        assert 0 < found <= 1


@pytest.mark.parametrize("sure", [0.5, 0.7, 0.8, 0.85, 0.9])
@pytest.mark.parametrize("network", ["taiwan-other", "pernambuco-2023"])
def test_verdicts_on_a_network_that_it_was_not_fitted_to_are_right_as_often_as_it_says(
    network: str, sure: float
) -> None:
    """Of real verdicts; see `tests.bench.detection.confidence`."""
    with (Path(__file__).parent / "verdicts.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["network"] == network]
    number = said = right = 0.0
    for row in rows:
        features = float(row["distance"]), float(row["doubt"]), float(row["hours"])
        called, weight = probability(row["class"], row["kind"], features), float(row["weight"])  # type: ignore[arg-type]
        if called >= sure:
            number, said, right = number + weight, said + weight * called, right + weight * int(row["right"])
    assert number > 100, "there is something to count"
    assert abs(right - said) / number < 0.05
