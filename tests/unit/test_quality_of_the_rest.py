"""Rain, wind direction, gusts and extremes, radiation, dew point, snow depth: each test by what it finds and spares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from tests.explained import explained
from tests.unit.test_quality import place
from toolkit.detector.grid import Grid
from toolkit.detector.run_tests import run_tests
from toolkit.model import Station
from toolkit.quality.arrays import Floats
from toolkit.quality.base import Sample
from toolkit.quality.catalogue import TESTS
from toolkit.quality.humidity import dew_point
from toolkit.quality.neighbours import nearest
from toolkit.quality.sun import cosine_of_zenith
from toolkit.variables import BY_NAME

WINDOW, SLOTS = 36, 36 + 144 * 3
START = 1_781_827_200  # 2026-06-19 00:00 UTC
TIMES = np.asarray(START + 600 * np.arange(1, SLOTS + 1), dtype=np.float64)
STATIONS = [place(name, 40 + 0.1 * number, 22) for number, name in enumerate("abcdef")]
COUNT = len(STATIONS)
RANDOM = np.random.default_rng()


@pytest.fixture(autouse=True)
def _the_same_weather() -> None:
    """Every test has the same draws, whichever were run before it in this process."""
    RANDOM.bit_generator.state = np.random.default_rng(5).bit_generator.state


Found = dict[str, dict[int, int]]


def found(
    values: Mapping[str, Floats], name: str, ends: Floats = TIMES, stations: Sequence[Station] = STATIONS
) -> Found:
    """By test, how many readings of each station are flagged; what is not in `values` is not measured."""
    nothing = np.full((COUNT, SLOTS), np.nan)
    every = {variable: values.get(variable, nothing).copy() for variable in BY_NAME}
    grid = Grid(
        stations=list(stations),
        cadence=600.0,
        end=float(ends[-1]),
        window=WINDOW,
        times=np.broadcast_to(ends, (COUNT, SLOTS)),
        values=every,
        moments=dict.fromkeys(BY_NAME, nothing[:, :0]),
        moment_times=np.empty(0),
        reported=np.zeros((COUNT, 0), dtype=bool),
        days=np.full(COUNT, 3.0),
        every=np.ones(COUNT, dtype=np.int64),
    )
    silent = np.zeros((COUNT, WINDOW), dtype=bool)
    sample = Sample(grid.series(name), nearest(STATIONS, 100, 500), silent, every, stations)
    results = run_tests(TESTS, sample)
    explained(TESTS, sample, results)
    flags = results.flags
    counts = {test: {row: int(n) for row, n in enumerate(flagged.sum(axis=1)) if n} for test, flagged in flags.items()}
    return {test: rows for test, rows in counts.items() if rows}


def everywhere(value: float) -> Floats:
    return np.full((COUNT, SLOTS), value)


def rain_in_bands(first: int, after: int) -> Floats:
    """Rain that comes and goes at each station, as amounts of ten minutes."""
    rain = np.zeros((COUNT, SLOTS))
    rain[:, first:after] = np.round(np.clip(RANDOM.normal(0.4, 0.5, (COUNT, after - first)), 0, None) * 5) / 5
    return rain


def total(rain: Floats) -> Floats:
    """The same as the total of the day."""
    days = rain[:, : 144 * 3].reshape(COUNT, 3, 144).cumsum(axis=2).reshape(COUNT, -1)
    return np.hstack([days, rain[:, 144 * 3 :].cumsum(axis=1)]).round(1)


WET = {"out_hum": everywhere(95), "temp_out": everywhere(12)}
DRY = {"out_hum": everywhere(55), "temp_out": everywhere(22)}


@pytest.mark.parametrize("told_as", [lambda rain: rain, total])
def test_a_gauge_that_counts_nothing_in_hours_of_rain_around_it_is_clogged(told_as: Callable[[Floats], Floats]) -> None:
    rain = rain_in_bands(SLOTS - 50, SLOTS - 5)
    rain[:, 200:260] = rain_in_bands(200, 260)[:, 200:260]
    assert found({"rain": told_as(rain), **WET}, "rain") == {}
    rain[2, SLOTS - 60 :] = 0
    flagged = found({"rain": told_as(rain), **WET}, "rain")
    assert set(flagged) == {"gauge"}
    assert flagged["gauge"] == {2: pytest.approx(31, abs=6)}


def test_frost_is_no_clogged_gauge_for_one_may_have_no_heater() -> None:
    rain = rain_in_bands(SLOTS - 50, SLOTS)
    rain[2] = 0
    assert found({"rain": rain, **WET, "temp_out": everywhere(-1)}, "rain") == {}


def test_a_shower_of_one_station_is_weather_and_so_is_one_that_it_misses() -> None:
    rain = np.zeros((COUNT, SLOTS))
    rain[2, -20:-8] = [0.4, 3, 12, 22, 8, 6, 2, 1, 0.4, 0.4, 0.2, 0.2]
    assert found({"rain": rain, "out_hum": everywhere(88)}, "rain") == {}
    rain[:, -20:-8] = rain[2, -20:-8]
    rain[3] = 0
    assert found({"rain": rain, "out_hum": everywhere(88)}, "rain") == {}


def test_a_gauge_that_drips_for_hours_while_all_others_are_dry() -> None:
    rain = np.zeros((COUNT, SLOTS))
    rain[4, -60::4] = 0.2
    assert set(found({"rain": rain, **WET}, "rain")["gauge"]) == {4}
    rain[4, :-24] = 0
    assert found({"rain": rain, **WET}, "rain") == {}
    assert set(found({"rain": rain, **DRY}, "rain")["gauge"]) == {4}  # dry air tells sooner


def test_rain_of_one_station_for_hours_is_believed_where_no_drip_gives_so_much() -> None:
    rain = np.zeros((COUNT, SLOTS))
    rain[4, -60::3] = 1.4  # 2.8 mm an hour
    assert found({"rain": rain, **WET}, "rain") == {}
    assert set(found({"rain": rain, **DRY}, "rain")["gauge"]) == {4}


def test_rain_around_a_station_in_dry_air_passed_it_by() -> None:
    rain = rain_in_bands(SLOTS - 50, SLOTS - 5)
    rain[2, SLOTS - 60 :] = 0
    air = {name: values.copy() for name, values in WET.items()}
    assert set(found({"rain": rain, **air}, "rain")["gauge"]) == {2}
    air["out_hum"][2] = 60
    assert found({"rain": rain, **air}, "rain") == {}


def test_a_burst_that_leaves_the_air_dry_was_somebody_with_a_hose() -> None:
    rain = np.zeros((COUNT, SLOTS))
    rain[1, -10] = 25
    assert found({"rain": rain, **DRY}, "rain") == {"gauge": {1: 1}}
    assert found({"rain": rain}, "rain") == {}  # without a hygrometer nothing tells it from a cloudburst
    rain[1, -10] = 120
    assert found({"rain": rain}, "rain") == {"rain_rate": {1: 1}}


def test_a_total_that_goes_on_when_all_others_begin_anew() -> None:
    rain = rain_in_bands(100, 120) + rain_in_bands(250, 280) + rain_in_bands(SLOTS - 60, SLOTS - 40)
    told = total(rain)
    assert found({"rain": told, **WET}, "rain") == {}
    told[3, 144 * 3 :] = told[3, 144 * 3 - 1] + told[3, 144 * 3 :]
    assert found({"rain": told, **WET}, "rain") == {"gauge": {3: WINDOW}}


def test_a_small_total_that_is_reset_in_rain_soon_reads_as_before() -> None:
    rain = rain_in_bands(100, 120) + rain_in_bands(250, 280) + rain_in_bands(300, 320)
    rain[3, 288 : 144 * 3] = 0
    rain[3, 310] = 0.2
    rain[:, 144 * 3] = 0.4
    assert found({"rain": total(rain), **WET}, "rain") == {}


def winds(turning: float) -> dict[str, Floats]:
    """A wind that turns by so many degrees in a day, at 16 points, and 12 km/h of it."""
    mean = 350 + turning * np.arange(SLOTS) / 144
    own = RANDOM.normal(0, 10, (COUNT, 1)) + RANDOM.normal(0, 12, (COUNT, SLOTS))
    return {"wind_dir": np.rint((mean + own) / 22.5) % 16 * 22.5, "wind_speed": everywhere(12)}


def test_a_vane_is_stuck_if_the_wind_turns_and_those_around_it_do() -> None:
    one = winds(200)
    assert found(one, "wind_dir") == {}
    one["wind_dir"][2, -30:] = 45
    assert found(one, "wind_dir")["direction"] == {2: pytest.approx(30, abs=1)}
    one["wind_speed"][2, -34:] = 3
    assert found(one, "wind_dir") == {}  # a calm has no direction


def test_a_wind_that_blows_from_one_side_all_day_is_no_stuck_vane() -> None:
    one = winds(0)
    one["wind_dir"][:, -60:] = 22.5
    assert found(one, "wind_dir") == {}


def test_a_vane_that_turned_on_its_mast_differs_from_its_neighbours_otherwise_than_before() -> None:
    one = winds(100)
    one["wind_dir"][4, -WINDOW:] = (one["wind_dir"][4, -WINDOW:] + 90) % 360
    assert found(one, "wind_dir")["direction"] == {4: WINDOW}
    one = winds(100)
    one["wind_dir"][:, -WINDOW:] = (one["wind_dir"][:, -WINDOW:] + 90) % 360
    assert found(one, "wind_dir") == {}


def test_one_direction_for_hours_is_no_stuck_vane_where_neighbours_have_a_steady_wind() -> None:
    one = winds(0)
    one["wind_dir"][:, -80:] = np.where(np.arange(80) % 7 < 2, 22.5, 45)
    one["wind_dir"][2, -60:] = 22.5
    assert found(one, "wind_dir") == {}
    one["wind_dir"][[0, 1, 3, 4, 5], -60:] = np.linspace(0, 180, 60).round()
    assert set(found(one, "wind_dir")["direction"]) == {2}


def test_a_wind_that_never_blew_before_may_have_another_direction_between_hills() -> None:
    one = winds(0)
    one["wind_dir"][:, -WINDOW:] = (one["wind_dir"][:, -WINDOW:] + 100) % 360
    one["wind_dir"][4, -WINDOW:] = (one["wind_dir"][4, -WINDOW:] + 100) % 360
    assert found(one, "wind_dir") == {}
    one = winds(0)
    one["wind_dir"][4, -WINDOW:] = (one["wind_dir"][4, -WINDOW:] + 100) % 360
    assert found(one, "wind_dir")["direction"] == {4: WINDOW}


def test_a_breeze_of_one_place_is_no_vane_that_has_turned() -> None:
    one = winds(100)
    one["wind_dir"][4, -WINDOW:] = (one["wind_dir"][4, -WINDOW:] + 90) % 360
    one["wind_speed"][4, -WINDOW:] = 11
    assert found(one, "wind_dir") == {}
    one["wind_speed"][4, -WINDOW:] = 13
    assert found(one, "wind_dir")["direction"] == {4: WINDOW}


def test_a_direction_is_missing_only_where_there_is_wind() -> None:
    one = winds(100)
    one["wind_dir"][1, -20:] = np.nan
    assert found(one, "wind_dir") == {"missing": {1: 20}}
    one["wind_speed"][1, -20:] = 2
    assert found(one, "wind_dir") == {}


def sunshine(times: Floats) -> Floats:
    """Radiation under a clear sky, after Haurwitz."""
    latitude, longitude = (np.array([getattr(one, name) for one in STATIONS]) for name in ("latitude", "longitude"))
    height = cosine_of_zenith(latitude, longitude, times)
    return np.round(1098 * height * np.exp(-0.057 / np.maximum(height, 0.01))).clip(0)


@pytest.mark.parametrize(
    ("hour", "slots", "change"),
    [
        (22, 6, lambda true: true + 40),
        (10, 4, lambda true: true * 1.9),
        (9, 8, lambda true: true * 0),
        (7, 12, lambda true: true * 0 + true[0]),
        (10, 1, lambda true: true * 0 + 2150),
    ],
)
def test_radiation_at_night_or_beyond_the_sun_or_none_or_stuck_by_day(
    hour: int, slots: int, change: Callable[[Floats], Floats]
) -> None:
    first = SLOTS - 20
    times: Floats = TIMES + 3600.0 * hour - TIMES[first] % 86400
    one = sunshine(times)
    assert found({"solar_radiation": one}, "solar_radiation", times) == {}
    one[3, first : first + slots] = change(one[3, first : first + slots])
    assert found({"solar_radiation": one}, "solar_radiation", times) == {"radiation": {3: slots}}


def test_a_value_that_two_stations_repeat_at_once_is_no_stuck_sensor() -> None:
    first = SLOTS - 20
    times: Floats = TIMES + 3600.0 * 7 - TIMES[first] % 86400
    one = sunshine(times)
    one[3, first : first + 12] = 167
    assert found({"solar_radiation": one}, "solar_radiation", times) == {"radiation": {3: 12}}
    one[1, first + 4 : first + 6] = 167
    assert found({"solar_radiation": one}, "solar_radiation", times) == {}


def test_a_night_between_two_days_without_radiation_is_no_repair() -> None:
    at_dawn = TIMES + 3600.0 * 4 - TIMES[-WINDOW] % 86400
    one = sunshine(at_dawn)
    one[3, -WINDOW - 144 :] = 0
    one[3, -WINDOW : -WINDOW + 5] = np.nan
    assert found({"solar_radiation": one}, "solar_radiation", at_dawn) == {"radiation": {3: WINDOW}}
    one[3, -1] = 200
    assert found({"solar_radiation": one}, "solar_radiation", at_dawn) == {"radiation": {3: WINDOW - 1}}


def test_no_radiation_by_day_is_a_fault_only_where_neighbours_have_sun() -> None:
    first = SLOTS - 20
    times: Floats = TIMES + 3600.0 * 9 - TIMES[first] % 86400
    one = sunshine(times)
    one[3, first : first + 8] = 0
    assert found({"solar_radiation": one}, "solar_radiation", times) == {"radiation": {3: 8}}
    assert found({"solar_radiation": np.rint(one * 0.2)}, "solar_radiation", times) == {}


def test_radiation_of_a_station_without_a_place_is_not_judged_by_the_sun() -> None:
    one = sunshine(TIMES) + 40
    nowhere = [station._replace(latitude=None, longitude=None) for station in STATIONS]
    assert set(found({"solar_radiation": one}, "solar_radiation")["radiation"]) == set(range(COUNT))
    assert found({"solar_radiation": one}, "solar_radiation", stations=nowhere) == {}


def air() -> dict[str, Floats]:
    """Temperature, its extremes, humidity and what follows, at stations of one weather."""
    day: Floats = 12 + 5 * np.sin(2 * np.pi * np.arange(SLOTS) / 144) + RANDOM.normal(0, 0.1, SLOTS).cumsum() / 2
    temperature = day + RANDOM.normal(0, 1, (COUNT, 1)) + RANDOM.normal(0, 0.1, (COUNT, SLOTS))
    temperature = temperature.round(1)
    humidity: Floats = 70 - 3 * (day - 12) + RANDOM.normal(0, 1, (COUNT, SLOTS))
    humidity = humidity.clip(20, 100).round()
    wind: Floats = np.round((14 + 8 * np.sin(np.arange(SLOTS) / 8) + RANDOM.normal(0, 1, (COUNT, SLOTS))) / 1.6) * 1.6
    return {
        "temp_out": temperature, "hi_temp": temperature + 0.2, "low_temp": temperature - 0.2, "out_hum": humidity,
        "dew_point": dew_point(temperature, humidity).round(1), "wind_speed": wind, "hi_speed": wind * 1.5 + 1.6,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "wrong", "named"),
    [
        ("hi_temp", lambda true: true - 4, "hi_temp"),
        ("low_temp", lambda true: true + 4, "low_temp"),
        ("temp_out", lambda true: true + 4, "temp_out"),
        ("hi_speed", lambda true: true * 0 + 1.6, "hi_speed"),
        ("hi_speed", lambda true: true * 0 + true[0] + 30, "hi_speed"),
        ("hi_speed", lambda true: true + 90, "hi_speed"),
        ("wind_speed", lambda true: true + 40, "wind_speed"),
        ("dew_point", lambda true: true + 4, "dew_point"),
        ("dew_point", lambda true: true * 0, "dew_point"),
        ("dew_point", lambda true: true * 1.8 + 32, "dew_point"),
        ("dew_point", lambda true: true + np.linspace(0, 8, true.size).round(1), "dew_point"),
    ],
)
def test_of_two_that_contradict_each_other_the_one_is_named_that_moved(
    name: str, wrong: Callable[[Floats], Floats], named: str
) -> None:
    one = air()
    assert [other for other in one if found(one, other)] == []
    one[name][2, -20:] = wrong(one[name][2, -20:])
    blamed = [other for other in one if set(found(one, other).get("consistency", {})) == {2}]
    assert blamed == [named]


def test_a_gust_of_the_hour_is_not_measured_by_a_lull_at_its_end() -> None:
    one = {name: everywhere(value) for name, value in (("temp_out", 12.0), ("out_hum", 70.0), ("hi_speed", 40.0))}
    one["wind_speed"] = everywhere(30.0)
    one["hi_speed"][:, ::2] += 2
    one["hi_speed"][2, -9], one["wind_speed"][2, -9] = 95, 6
    assert found(one, "hi_speed") == {}
    one["wind_speed"][2, -10:-7] = 6
    assert found(one, "hi_speed")["consistency"] == {2: 1}


def test_a_gust_of_a_ridge_where_gusts_are_always_many_times_the_mean_is_none() -> None:
    one = {name: everywhere(value) for name, value in (("temp_out", 12.0), ("out_hum", 70.0), ("hi_speed", 90.0))}
    one["wind_speed"] = everywhere(22.0)
    one["hi_speed"][:, ::2] += 2
    one["hi_speed"][2, -9] = 110
    assert found(one, "hi_speed") == {}
    one["hi_speed"][2, -30:] = 40
    one["hi_speed"][2, -30::2] += 2
    one["hi_speed"][2, -9] = 110
    assert found(one, "hi_speed")["consistency"] == {2: 1}


def test_a_gust_that_no_front_brought_is_none_in_an_evening_that_cools() -> None:
    one = {name: everywhere(value) for name, value in (("temp_out", 12.0), ("out_hum", 70.0), ("hi_speed", 30.0))}
    one["wind_speed"] = everywhere(15.0)
    one["hi_speed"][:, ::2] += 2
    one["temp_out"] -= 0.4 * np.arange(SLOTS)
    one["hi_speed"][2, -9] = 130
    assert found(one, "hi_speed")["consistency"] == {2: 1}
    one["temp_out"][2, -9:] -= 2
    assert found(one, "hi_speed") == {}


def test_what_follows_is_compared_with_neighbours_where_the_rest_is_not_measured() -> None:
    one = air()
    one["dew_point"][2, -20:] += 7
    assert set(found(one, "dew_point")) == {"consistency"}
    assert "step" in found({"dew_point": one["dew_point"]}, "dew_point")


def test_a_dew_point_below_zero_may_be_the_one_over_ice() -> None:
    one = air()
    one["temp_out"] -= 25
    over_ice = {**one, "dew_point": (dew_point(one["temp_out"], one["out_hum"]) * 0.89).round(1)}
    assert "consistency" not in found(over_ice, "dew_point")


def snow() -> Floats:
    """A fall of 20 cm in eight hours, that settles."""
    fall = np.clip((np.arange(SLOTS) - SLOTS + 60) / 48, 0, 1) * 20
    return np.round(30 + fall - np.arange(SLOTS) * 0.01 + RANDOM.normal(0, 0.4, (COUNT, SLOTS)))


def test_snow_falls_and_settles_but_does_not_jump() -> None:
    one = {"snow_depth": snow(), "temp_out": everywhere(-2)}
    assert found(one, "snow_depth") == {}
    one["snow_depth"][1, -12:-9] += 60
    one["snow_depth"][4, -12:] = 0
    assert found(one, "snow_depth") == {"snow": {1: 3, 4: 12}}


def test_snow_does_not_grow_in_warm_air() -> None:
    assert set(found({"snow_depth": snow(), "temp_out": everywhere(9)}, "snow_depth")["snow"]) == set(range(COUNT))
    assert found({"snow_depth": snow()}, "snow_depth") == {}
    grass = everywhere(0)
    grass[2, -30:-12] = np.linspace(1, 25, 18).round()
    flagged = found({"snow_depth": grass, "temp_out": everywhere(9)}, "snow_depth")["snow"]
    assert set(flagged) == {2}
    assert flagged[2] <= 18, "once it is mown the depth is right"
