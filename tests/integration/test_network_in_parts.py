"""The month of a network that is too large for one piece is that of its parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolkit.model import Document, Observation, Station
from toolkit.performance import availability, departures, timeliness
from toolkit.performance.month import month
from toolkit.performance.report import Performance
from toolkit.performance.run import performance
from toolkit.settings import load
from toolkit.store import open_for_writing
from toolkit.times import from_stored

BEGIN = int(from_stored("2025-10-01 00:00:00").timestamp())
HOUR = 3600
HOURS = 24 * 8
TOWN = 7
# Two towns far from one another; of each the third station is too warm, and the fourth reports every two hours.
STATIONS = [
    Station(f"s{number:02d}", None, None, 38.0 + number % TOWN / 50, 20.0 + number // TOWN * 5, 10.0)
    for number in range(2 * TOWN)
]
WARM, RARE = (2, TOWN + 2), (3, TOWN + 3)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> str:
    name, chance = str(tmp_path_factory.mktemp("network") / "weather.db"), np.random.default_rng(4)
    with open_for_writing(name) as store:
        for hour in range(1, HOURS):
            at = BEGIN + hour * HOUR
            rows = [
                Observation._make(
                    [at, one.station_id, round(14 + 5 * np.sin(hour / 12 * np.pi) + (3 if place in WARM else 0) + noise, 1)]
                    + [None] * (len(Observation._fields) - 3)
                )
                for place, (one, noise) in enumerate(zip(STATIONS, chance.normal(0, 0.3, len(STATIONS)), strict=True))
                if place not in RARE or hour % 2
            ]  # fmt: skip
            store.add(Document(STATIONS, rows), at + 60 + hour)
    return name


def report(db: str) -> Performance:
    with open_for_writing(db) as store:
        found = performance(store, load({}, {"WEATHER_DB": db}).settings, month("2025-10", BEGIN + 40 * 86400))
    return replace(found, generated_at="")


def biases(found: Performance) -> dict[str, float | None]:
    return {one.station_id: one.sensors[0].quality.bias for one in found.stations}


def test_rhythms_and_delays_are_the_same_in_parts(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = report(db)
    assert {one.station_id: one.interval_seconds for one in whole.stations} == {
        one.station_id: 1200 if place in RARE else 600 for place, one in enumerate(STATIONS)
    }
    monkeypatch.setattr(availability, "STATIONS", 3)
    monkeypatch.setattr(timeliness, "OBSERVATIONS", 1)
    assert report(db) == whole


def test_each_part_is_compared_with_its_own(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = biases(report(db))
    monkeypatch.setattr(departures, "ONE_PIECE", TOWN)
    monkeypatch.setattr(departures, "PART", TOWN)
    parts = biases(report(db))
    assert {name for name, bias in parts.items() if (bias or 0) > 2} == {STATIONS[place].station_id for place in WARM}
    assert parts == {name: pytest.approx(bias, abs=0.1) for name, bias in whole.items()}
