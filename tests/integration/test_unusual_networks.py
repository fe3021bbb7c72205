"""What is promised for networks that are not like the example's: small, slow, fast, mixed, half broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench.detection.detectors import fill
from tests.bench.detection.labelled import Floats, Labelled
from tests.bench.detection.weather import autoregressive
from toolkit.detector.report import Report
from toolkit.detector.run import detect
from toolkit.settings import load
from toolkit.simulator.network import default_network
from toolkit.store import open_for_reading
from toolkit.variables import DETECTED

Detect = Callable[[Labelled], Report]
# Near one another: volos, uth_volos, volos-port, zagora, makrinitsa, portaria. By itself: heraclion.
PLACE = {station.station_id: row for row, station in enumerate(default_network())}
VOLOS = PLACE["volos"]


@pytest.fixture
def report(tmp_path: Path) -> Detect:
    """Detects in the last six hours of some weather."""

    def run(weather: Labelled, cadence: int = 600, variables: str = ",".join(DETECTED)) -> Report:
        db = str(tmp_path / f"weather-{len(list(tmp_path.iterdir()))}.db")
        fill(db, weather)
        settings = replace(
            load({}, {}).settings, cadence_seconds=cadence, detection_variables=tuple(variables.split(","))
        )
        with open_for_reading(db) as store:
            return detect(store, settings, float(weather.times[-1]))

    return run


def weather(days: float = 6) -> Labelled:
    """Readings every ten minutes, of which none is missing; zagora has no barometer."""
    found = autoregressive(5, days)
    values = {name: _filled(one) for name, one in found.values.items()}
    return replace(found, values=values, silent=np.zeros_like(found.silent))


def _filled(values: Floats) -> Floats:
    """Each reading that is missing as the one before it."""
    place = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(values.shape[1])), axis=1)
    return np.take_along_axis(values, place, 1)


def alarms(found: Report) -> list[tuple[str, str, str, str]]:
    return [
        (one.station_id, one.variable, one.test, one.class_) for one in found.anomalies if one.class_ != "weather_event"
    ]


def every_hour(data: Labelled, rows: list[int], minute: int = 0) -> Labelled:
    """The same where some stations report once an hour."""
    silent = data.silent.copy()
    silent[rows] |= data.times % 3600 != 60 * minute
    return replace(data, silent=silent)


def test_a_station_that_reports_every_hour_among_others_that_report_every_ten_minutes(report: Detect) -> None:
    data = every_hour(weather(), [VOLOS, PLACE["zagora"]], minute=20)
    clean = report(data)
    assert (alarms(clean), clean.insufficient, clean.stations.with_data) == ([], [], 14)
    data.values["temp_out"][VOLOS, -12:] += 8  # its last two readings
    assert alarms(report(data)) == [("volos", "temp_out", "step", "device_failure")]


def test_its_silence_is_long_by_its_own_cadence(report: Detect) -> None:
    data = every_hour(weather(), [VOLOS], minute=50)
    data.silent[VOLOS, -12:] = True  # two readings
    assert alarms(report(data)) == []
    data.silent[VOLOS, -18:] = True
    assert alarms(report(data)) == [("volos", "all", "missing", "device_failure")]
