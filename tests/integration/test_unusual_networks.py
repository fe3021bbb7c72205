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

Detect = Callable[..., Report]
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


def chosen(data: Labelled, rows: list[int], names: list[str]) -> Labelled:
    """Some of the stations, under other names."""
    return replace(
        data,
        stations=[data.stations[row]._replace(station_id=name) for row, name in zip(rows, names, strict=True)],
        values={name: one[rows].copy() for name, one in data.values.items()},
        silent=data.silent[rows],
    )


def test_a_network_of_one_station_is_judged_by_its_own_past(report: Detect) -> None:
    data = chosen(weather(), [VOLOS], ["alone"])
    assert alarms(report(data)) == []
    data.values["temp_out"][0, -12:] += 15  # nobody can tell whether it is weather
    data.values["out_hum"][0, -3:] = 255  # no neighbour is needed
    data.values["wind_speed"][0, -100:] = 0
    data.values["bar"][0, -30:] = np.nan  # a sensor, or the feed: there is no other station to tell
    found = report(data)
    assert sorted(alarms(found)) == [
        ("alone", "out_hum", "range", "device_failure"),
        ("alone", "temp_out", "step", "unverified"),
        ("alone", "wind_speed", "persistence", "unverified"),
    ]
    assert [(one.variable, one.reason) for one in found.insufficient] == [("bar", "bar: 6 of 36 expected values")]


def test_of_two_stations_at_one_place_the_one_that_jumped_is_wrong(report: Detect) -> None:
    data = chosen(weather(), [VOLOS, VOLOS], ["one", "other"])
    data.values["temp_out"][1] += 0.3
    assert alarms(report(data)) == []
    data.values["temp_out"][0, -12:] += 8
    assert alarms(report(data)) == [("one", "temp_out", "step", "device_failure")]


@pytest.mark.parametrize("placed", [True, False])
def test_stations_without_elevation_are_compared_and_without_a_place_are_not(report: Detect, placed: bool) -> None:
    data = weather()
    stations = [one._replace(elevation=None) for one in data.stations]
    if not placed:
        stations = [one._replace(latitude=None, longitude=None) for one in stations]
    data = replace(data, stations=stations)
    assert alarms(report(data)) == []
    data.values["temp_out"][VOLOS, -12:] += 12
    assert alarms(report(data)) == [("volos", "temp_out", "step", "device_failure" if placed else "unverified")]


def test_one_variable_alone(report: Detect) -> None:
    data = weather()
    data = replace(data, values={"bar": data.values["bar"]}, silent=np.isnan(data.values["bar"]))
    data.values["bar"][VOLOS, -12:] += 8
    assert alarms(report(data)) == [("volos", "bar", "step", "device_failure")]
    assert alarms(report(data, variables="temp_out")) == []


@pytest.mark.parametrize("cadence", [60, 600])
def test_readings_every_minute(report: Detect, cadence: int) -> None:
    data = weather(3)
    times = np.arange(data.times[0] - 540, data.times[-1] + 1, 60)
    between = {name: np.array([np.interp(times, data.times, row) for row in one]) for name, one in data.values.items()}
    data = replace(
        data,
        times=times,
        values={name: one.round(1) for name, one in between.items()},
        silent=np.repeat(data.silent, 10, axis=1),
    )
    assert alarms(report(data, cadence)) == []
    data.values["temp_out"][VOLOS, -60:] += 9
    assert alarms(report(data, cadence)) == [("volos", "temp_out", "step", "device_failure")]


def every_three_hours(data: Labelled) -> Labelled:
    part = slice(17, None, 18)
    values = {name: one[:, part].copy() for name, one in data.values.items()}
    return replace(data, times=data.times[part], values=values, silent=data.silent[:, part].copy())


def test_readings_every_three_hours(report: Detect) -> None:
    clean = report(every_three_hours(weather()))
    assert ([one for one in alarms(clean) if one[3] == "device_failure"], clean.insufficient) == ([], [])
    for what, test in (("jump", "step"), ("impossible", "range"), ("silent", "missing")):
        data = every_three_hours(weather())
        if what == "silent":
            data.silent[VOLOS, -4:] = True
        else:
            data.values["temp_out"][VOLOS, -2:] = (
                99 if what == "impossible" else data.values["temp_out"][VOLOS, -2:] + 12
            )
        failures = [one for one in alarms(report(data)) if one[3] == "device_failure"]
        assert failures == [("volos", "all" if what == "silent" else "temp_out", test, "device_failure")]


def test_half_of_all_stations_broken_at_once(report: Detect) -> None:
    data = weather()
    broken = range(0, len(data.stations), 2)
    for row in broken:
        data.values["temp_out"][row, -40:] = data.values["temp_out"][row, -40]  # stuck
        data.values["out_hum"][row, -3:] = -20
    found = alarms(report(data))
    names = {data.stations[row].station_id for row in broken}
    assert {one[0] for one in found} == names
    assert {one[0] for one in found if one[1:3] == ("temp_out", "persistence")} == names
    assert {one[0] for one in found if one[1:] == ("out_hum", "range", "device_failure")} == names
    assert len(found) == 2 * len(names)


def test_a_month_without_data_is_no_anomaly_when_it_is_over(report: Detect) -> None:
    data = weather(36)
    month = slice(2 * 144, 35 * 144)
    data.silent[VOLOS, month] = True  # one station,
    assert alarms(report(data)) == []
    data.silent[:, month] = True  # or all
    assert alarms(report(data)) == []
    data.values["temp_out"][VOLOS, -10:] += 15
    assert alarms(report(data)) == [("volos", "temp_out", "step", "device_failure")]
