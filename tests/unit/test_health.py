"""The long-term health of sensors: each kind of fault of weeks, in a generated network, is named and for the right reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from tests.bench.detection.health import DAYS, KINDS, Month, found, grid
from tests.bench.detection.labelled import HOUR, Labelled
from tests.bench.detection.networks import network
from tests.bench.detection.weather import autoregressive
from toolkit.detector.health.figures import since
from toolkit.detector.sensors import Sensor, health
from toolkit.model import Station
from toolkit.settings import load

ROW = 3


@pytest.fixture(scope="module")
def month() -> Labelled:
    """Thirty days, hourly, of two groups of stations some hundred kilometres apart."""
    weather = autoregressive(5, DAYS, network(5, clustered=16, isolated=0))
    hourly = {name: values[:, 5::6].copy() for name, values in weather.values.items()}
    return replace(weather, times=weather.times[5::6], values=hourly, truth=hourly, silent=weather.silent[:, 5::6])


def spoilt(month: Labelled, seed: int = 1) -> Month:
    return Month(
        replace(month, values={name: values.copy() for name, values in month.values.items()}),
        np.random.default_rng(seed),
    )


def day(month: Labelled, moment: str | None) -> float:
    """How many days after the beginning a moment is."""
    assert moment is not None
    return (datetime.fromisoformat(moment).timestamp() - float(month.times[0])) / (24 * HOUR)


def test_good_sensors_are_healthy(month: Labelled) -> None:
    sensors = found(month).values()
    healthy = [one for one in sensors if one.state == "healthy"]
    assert len(healthy) >= 0.95 * len(sensors), [one.reason for one in sensors]
    assert all(one.since is None and one.reason == "" and not one.faults for one in healthy)


@pytest.mark.parametrize(
    ("kind", "variable"),
    [(kind, variable) for kind, (_, variables, _) in KINDS.items() if kind != "drift" for variable in variables],
)
def test_each_kind_of_fault_is_named(month: Labelled, kind: str, variable: str) -> None:
    spoil, _, right = KINDS[kind]
    changed = spoilt(month)
    touched = spoil(changed, ROW, variable)
    if touched is None:
        pytest.skip("no two stations of this network differ enough")
    sensors = found(changed.data)
    assert sensors[touched[0], variable].faults[0].name in right, sensors[touched[0], variable]


@pytest.mark.parametrize(("variable", "moved"), [("temp_out", -3), ("out_hum", 12), ("bar", 9)])
def test_a_drift_is_told_in_its_unit(month: Labelled, variable: str, moved: float) -> None:
    changed = spoilt(month)
    changed.data.values[variable][ROW] += moved * changed.days / DAYS
    one = found(changed.data)[ROW, variable]
    assert one.faults[0].name == "drift"
    assert one.drift_per_day == pytest.approx(moved / DAYS, rel=0.4)


@pytest.mark.parametrize("from_day", [9, 20])
def test_a_unit_that_changed_is_told_with_its_day(month: Labelled, from_day: int) -> None:
    changed = spoilt(month)
    changed.data.values["temp_out"][ROW, from_day * 24 :] *= 1.8
    changed.data.values["temp_out"][ROW, from_day * 24 :] += 32
    one = found(changed.data)[ROW, "temp_out"]
    assert one.state == "critical"
    assert one.reason == "the unit is wrong: the values fit the neighbours' if they are in °F"
    assert day(month, one.since) == pytest.approx(from_day, abs=1)


def test_two_that_were_exchanged_are_told_of_each_other(month: Labelled) -> None:
    changed = spoilt(month)
    touched = KINDS["exchanged"][0](changed, ROW, "temp_out")
    assert touched is not None
    one, other = (found(changed.data)[row, "temp_out"] for row in touched)
    assert f"swapped with {other.station_id}" in one.reason
    assert f"swapped with {one.station_id}" in other.reason


def test_a_clock_is_told_earlier_from_later(month: Labelled) -> None:
    changed = spoilt(month)
    for values in changed.data.values.values():
        values[ROW] = np.roll(values[ROW], 3)
    reason = found(changed.data)[ROW, "temp_out"].reason
    assert reason.startswith("the clock is wrong: its weather comes 3.")
    assert "later" in reason


def test_a_slower_reporter_is_complete(month: Labelled) -> None:
    changed = spoilt(month)
    for values in changed.data.values.values():
        values[ROW, np.arange(values.shape[1]) % 3 > 0] = np.nan
    assert found(changed.data)[ROW, "temp_out"].completeness > 0.95


@pytest.mark.parametrize("number", [1, 2])
def test_who_has_nobody_to_compare_with_is_not_compared(month: Labelled, number: int) -> None:
    few = replace(
        month,
        stations=month.stations[:number],
        values={name: values[:number] for name, values in month.values.items()},
    )
    for one in found(few).values():
        assert one.state == "healthy"
        assert one.correlation is one.level is one.drift_per_day is None


def test_a_network_without_heights_is_judged(month: Labelled) -> None:
    flat = replace(month, stations=[station._replace(elevation=None) for station in month.stations])
    changed = spoilt(flat)
    KINDS["indoors"][0](changed, ROW, "temp_out")
    sensors = found(changed.data)
    assert sensors[ROW, "temp_out"].faults[0].name == "indoors"
    unhealthy = [one for one in sensors.values() if one.state != "healthy"]
    assert len(unhealthy) <= 0.05 * len(sensors) + 1


def test_no_station_and_no_place(month: Labelled) -> None:
    nowhere = replace(month, stations=[Station(s.station_id, None, None, None, None, None) for s in month.stations])
    assert {one.correlation for one in found(nowhere).values()} == {None}
    settings = load({}, {}).settings
    empty = grid(replace(month, stations=[], values={name: values[:0] for name, values in month.values.items()}))
    assert health(empty, settings).sensors == []


@pytest.mark.parametrize(
    ("daily", "first"),
    [
        ([0, 0, 0, 5, 5, 5], 3),
        ([5, 5, 5, 5], 0),
        ([0, np.nan, np.nan, 5, 5], 3),
        ([0, 0, 0, 0, -5], 4),
        ([np.nan, np.nan], 0),
    ],
)
def test_since_is_the_day_that_divides_best(daily: list[float], first: int) -> None:
    assert since(np.array(daily, dtype=np.float64)) == first


def test_every_fault_of_a_sensor_is_told_the_one_that_decided_first(month: Labelled) -> None:
    changed = spoilt(month)
    KINDS["indoors"][0](changed, ROW, "temp_out")
    one: Sensor = found(changed.data)[ROW, "temp_out"]
    assert (one.reason, one.since, one.state) == (one.faults[0].reason, one.faults[0].since, one.faults[0].state)
    assert {"indoors", "correlation"} <= {fault.name for fault in one.faults}
