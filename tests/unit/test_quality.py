from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.explained import explained
from toolkit.detector.run_tests import Found, run_tests
from toolkit.location import EARTH_KM
from toolkit.model import Station
from toolkit.quality import missing
from toolkit.quality.arrays import Bools, Floats, Ordered, intervals, median, on_circle, rolling_median, weighted_median
from toolkit.quality.base import QualityTest, Sample
from toolkit.quality.catalogue import TESTS, method_tests
from toolkit.quality.consistency import Broken, broken_rules
from toolkit.quality.exceedance import exceedance_limit, reached
from toolkit.quality.neighbours import CANDIDATES, KM_PER_METRE, MOST, nearest
from toolkit.quality.resolution import Resolution
from toolkit.quality.runs import Runs
from toolkit.quality.series import Series, scaled
from toolkit.quality.temporal import METHODS
from toolkit.settings import COMBINED
from toolkit.variables import BY_NAME

WINDOW, DAYS = 36, 4
SLOTS = WINDOW + 144 * DAYS


def place(name: str, latitude: float | None, longitude: float | None, elevation: float | None = 0) -> Station:
    return Station(name, None, None, latitude, longitude, elevation)


TOGETHER = [place(name, 39 + 0.1 * number, 22) for number, name in enumerate("abcdef")]


def readings(seed: int = 1) -> Floats:
    """Temperature at six stations: one weather, each with its offset and its noise."""
    random = np.random.default_rng(seed)
    day = 15 + 5 * np.sin(2 * np.pi * np.arange(SLOTS) / 144) + random.normal(0, 0.1, SLOTS).cumsum()
    found: Floats = np.round(day + random.normal(0, 2, (6, 1)) + random.normal(0, 0.15, (6, SLOTS)), 1)
    return found


def series(values: Floats, name: str = "temp_out") -> Series:
    ends = 600 * np.arange(values.shape[1], dtype=np.float64)
    every = slice(0, values.shape[1] - WINDOW, 6)
    variable = BY_NAME[name]
    return Series(
        variable=variable,
        values=values,
        scaled=scaled(variable, values),
        history=scaled(variable, values[:, every]),
        ends=ends,
        history_ends=ends[every],
        window=WINDOW,
        per_hour=6,
        days=np.full(len(values), float(DAYS)),
        measured=np.any(~np.isnan(values), axis=1),
    )


def results(readings: Series, stations: list[Station] = TOGETHER, method: str = COMBINED) -> Found:
    """What the tests find; the other sensors of the stations measured nothing."""
    needed = {name for test in TESTS if test.applies(readings.variable) for name in test.needs(readings.variable)}
    nothing = np.full(readings.values.shape, np.nan)
    values = {readings.variable.name: readings.values, **dict.fromkeys(needed, nothing)}
    silent = np.zeros(readings.window_values.shape, dtype=bool)
    tests, sample = method_tests(method), Sample(readings, nearest(stations, 100, 500), silent, values)
    found = run_tests(tests, sample)
    explained(tests, sample, found)
    return found


def found(
    values: npt.NDArray[Any], stations: list[Station] = TOGETHER, name: str = "temp_out"
) -> dict[str, dict[int, int]]:
    """By test, how many slots of each station are flagged."""
    flags = results(series(values.astype(np.float64), name), stations).flags
    counts = {test: {row: int(n) for row, n in enumerate(flagged.sum(axis=1)) if n} for test, flagged in flags.items()}
    return {test: rows for test, rows in counts.items() if rows}


def test_good_weather_has_no_flag() -> None:
    for seed in range(5):
        assert found(readings(seed)) == {}


def test_a_day_to_remember_is_no_fault_when_everybody_sees_it() -> None:
    values = readings()
    values[:, -20:] -= np.linspace(0, 12, 20).round(1)
    assert found(values) == {}
    values[:, -10:] -= 8
    assert set(found(values)) == {"shared"}


def test_a_spike_of_one_hourly_reading_is_a_step_although_fronts_jump_as_far() -> None:
    random, slots = np.random.default_rng(1), 24 * 9
    weather = 35 + np.where(np.arange(slots) // 30 % 2, 24.0, 0.0)
    values = np.round(weather + random.normal(0, 2, (6, slots)))
    values[:3, :-24:30] = values[:3, 1:-23:30]  # fronts reach some an hour later
    values[2, -5] += 30
    ends = 3600 * np.arange(slots, dtype=np.float64)
    humidity = replace(
        series(values, "out_hum"), ends=ends, history=values[:, :-6], history_ends=ends[:-6], window=6, per_hour=1
    )
    flags = results(humidity).flags
    assert {name: found.sum(axis=1).tolist() for name, found in flags.items() if found.any()} == {
        "step": [0, 0, 1, 0, 0, 0]
    }


@pytest.mark.parametrize(("follows", "told"), [(0.0, True), (-15.0, False)])
def test_an_hourly_offset_below_what_fronts_do_is_told_where_the_other_sensor_did_not_move(
    follows: float, told: bool
) -> None:
    random, slots = np.random.default_rng(1), 24 * 9
    weather = 15 + 5 * np.sin(2 * np.pi * np.arange(slots) / 24)
    values = np.round(weather + random.normal(0, 0.7, (6, slots)), 1)
    humidity = np.full(values.shape, 60.0)
    values[2, -3:] += 4.2
    humidity[2, -3:] += follows
    ends = 3600 * np.arange(slots, dtype=np.float64)
    hourly = replace(series(values), ends=ends, history=values[:, :-6], history_ends=ends[:-6], window=6, per_hour=1)
    sample = Sample(hourly, nearest(TOGETHER, 100, 500), np.zeros((6, 6), dtype=bool),
                    {"temp_out": values, "out_hum": humidity})  # fmt: skip
    tests = [test for test in TESTS if test.name == "step"]
    run = run_tests(tests, sample)
    explained(tests, sample, run)
    assert run.flags["step"].any(axis=1).tolist() == [False, False, told, False, False, False]


@pytest.mark.parametrize("size", [6.0, -20.0])
def test_a_spike_is_a_step_up_and_down_again(size: float) -> None:
    values = readings()
    values[2, -12:-10] += size
    assert found(values) == {"step": {2: 2}}


def test_neighbours_that_jump_to_and_fro_as_well_are_a_shower() -> None:
    values, jitter = readings(), np.random.default_rng(3).normal(0, 3, 24).round(1)
    values[2, -24:] += jitter
    assert set(found(values)["noise"]) == {2}
    values[[0, 1, 3], -24:] += jitter
    assert "noise" not in found(values)


def test_an_offset_is_a_step_that_lasts() -> None:
    values = readings()
    values[2, -30:] += 4
    assert found(values)["step"] == {2: 30}


def test_an_offset_is_still_seen_when_it_began_before_the_window() -> None:
    values = readings()
    values[2, -100:] += 5
    assert found(values)["step"] == {2: WINDOW}


def test_a_drift_is_seen_by_the_neighbours_and_by_nobody_else_called_one() -> None:
    values = readings()
    values[2, -72:] += np.linspace(0, 10, 72).round(1)
    flagged = found(values)
    assert set(flagged) == {"spatial"}
    assert set(flagged["spatial"]) == {2}


def test_neighbours_that_disagree_more_than_ever_prove_nothing() -> None:
    values = readings()
    values[2, -WINDOW:] += np.linspace(0, 6, WINDOW)
    assert set(found(values)["spatial"]) == {2}
    values[[0, 1, 3, 4, 5], -WINDOW:] += np.outer([-4, 4, -3, 3, 0.5], np.linspace(0, 1, WINDOW))
    assert 2 not in found(values).get("spatial", {})


def test_noise_is_one_station_jumping_to_and_fro() -> None:
    values = readings()
    values[2, -24:] += np.random.default_rng(3).normal(0, 3, 24).round(1)
    assert found(values)["noise"] == {2: pytest.approx(24, abs=6)}


def test_a_stuck_reading_is_told_from_one_that_repeats() -> None:
    values = readings()
    values[2, -30:] = values[2, -30]
    assert found(values)["persistence"] == {2: 30}
    values = readings()
    values[2, -8:] = values[2, -8]
    assert found(values) == {}


def test_a_calm_is_weather_where_all_are_calm_and_a_stalled_anemometer_where_one_is() -> None:
    random = np.random.default_rng(1)
    wind = np.round(np.clip(10 + 6 * np.sin(np.arange(SLOTS) / 23) + random.normal(0, 2, (6, SLOTS)), 0, None), 1)
    assert found(wind, name="wind_speed") == {}
    still = wind.copy()
    still[2, -30:] = 0
    assert found(still, name="wind_speed")["persistence"] == {2: 30}
    still[:, -30:] = 0
    assert "persistence" not in found(still, name="wind_speed")


def test_a_humidity_of_a_little_more_than_100_is_saturated_air() -> None:
    random = np.random.default_rng(3)
    values = np.clip(96 + 4 * np.sin(np.arange(SLOTS) / 40) + random.normal(0, 1, (6, SLOTS)), 0, 99).round()
    values[2, values[2] > 97] += random.integers(3, 7, np.count_nonzero(values[2] > 97))
    assert found(values, name="out_hum") == {}
    values[2, -5:-2] = 106
    assert found(values, name="out_hum")["range"] == {2: 3}


def test_what_is_impossible_is_out_of_range_whatever_the_neighbours_say() -> None:
    values = readings()
    values[:, -5] = 999
    assert found(values)["range"] == dict.fromkeys(range(6), 1)


def test_a_faulty_station_does_not_make_its_neighbour_look_faulty() -> None:
    values = readings()[:2]
    values[0, -30:] += 25
    flagged = found(values, TOGETHER[:2])
    assert {row for rows in flagged.values() for row in rows} == {0}


def test_a_station_without_neighbours_is_judged_by_its_own_past() -> None:
    alone = [place(str(number), 30 + 4 * number, 0 + 9 * number) for number in range(6)]
    assert found(readings(), alone) == {}
    values = readings()
    values[3, -12] += 15
    assert found(values, alone) == {"step": {3: 1}}


def gaps(reported: Bools) -> Bools:
    ends = 600 * np.arange(reported.shape[1], dtype=np.float64)
    every = slice(0, reported.shape[1] - WINDOW, 6)
    return missing.gaps(reported, reported[:, every], ends, ends[every], WINDOW)


def test_a_gap_is_missing_when_it_lasts_and_the_station_used_to_report() -> None:
    reported = np.ones((5, 144 + WINDOW), dtype=bool)
    window = reported[:, -WINDOW:]
    window[0, 10:15] = False  # 50 minutes
    window[1, 10:30] = False
    reported[2] = False  # never measured
    flagged = gaps(reported)
    assert flagged.sum(axis=1).tolist() == [0, 20, 0, 0, 0]
    window[:, 10:30] = False  # nobody was heard: the feed's affair
    assert not gaps(reported).any()


def test_a_gap_is_no_news_where_a_day_usually_has_as_many_hours_without_a_value() -> None:
    reported = np.ones((5, 5 * 144 + WINDOW), dtype=bool)
    window = reported[:, -WINDOW:]
    reported[0, np.flatnonzero(np.arange(5 * 144) % 144 >= 126)] = False  # three hours of each day
    window[:2, -30:] = False
    assert gaps(reported).sum(axis=1).tolist() == [0, 30, 0, 0, 0]
    reported[0, -40:] = False
    assert gaps(reported).sum(axis=1).tolist() == [WINDOW, 30, 0, 0, 0]


def test_a_gap_is_no_news_where_an_earlier_one_was_about_as_long() -> None:
    reported = np.ones((5, 5 * 144 + WINDOW), dtype=bool)
    reported[0, 200:224] = False
    reported[:2, -30:] = False
    assert gaps(reported).sum(axis=1).tolist() == [0, 30, 0, 0, 0]
    reported[0, -WINDOW - 4 :] = False
    assert gaps(reported).sum(axis=1).tolist() == [WINDOW, 30, 0, 0, 0]


def test_a_humidity_that_the_feed_leaves_out_in_saturated_air_is_not_missing() -> None:
    random, slot = np.random.default_rng(1), np.arange(SLOTS)
    values = np.round(85 + 16 * np.sin(2 * np.pi * slot / 144) + random.normal(0, 1, (6, SLOTS)))
    values[:2] = np.where(values[:2] > 96, np.nan, values[:2])
    values[3, -16:] = np.nan  # the first time; the air is saturated
    dry = values - 25
    nothing = np.full(values.shape, np.nan)

    def missed(humidity: Floats, temperature: Floats) -> dict[int, int]:
        silent = np.zeros((6, WINDOW), dtype=bool)
        given = {"out_hum": humidity, "temp_out": temperature}
        sample = Sample(series(humidity, "out_hum"), nearest(TOGETHER, 100, 500), silent, given)
        flagged = run_tests(TESTS, sample).flags["missing"].sum(axis=1)
        return {row: int(n) for row, n in enumerate(flagged) if n}

    assert missed(values, readings()) == {}
    assert missed(values, nothing) == {3: 16}, "the thermometer has gone as well"
    assert missed(dry, readings()) == {3: 16}
    values[:2, :-WINDOW] = 80
    values[:2, -WINDOW:] = 80
    assert missed(values, readings()) == {3: 16}, "the feed leaves out nothing"


def inconsistent(name: str, values: dict[str, Floats]) -> Broken:
    """Which readings of a window break a rule, and the rules."""
    nothing = np.zeros(values[name].shape, dtype=bool)
    return broken_rules(Sample(series(values[name], name), nearest([], 100, 500), nothing, values))


def test_a_rule_counts_only_where_the_network_keeps_it() -> None:
    values = {"temp_out": np.full((5, 20), 10.0), "hi_temp": np.full((5, 20), 11.0), "low_temp": np.full((5, 20), 9.0)}
    values["temp_out"][2, 5:9] = 12
    flagged, rules = inconsistent("temp_out", values)
    assert (flagged.sum(axis=1).tolist(), rules[2]) == ([0, 0, 4, 0, 0], "temp_out is above hi_temp")
    values["hi_temp"][:] = 0  # means something else here
    assert not inconsistent("temp_out", values).flagged.any()


def test_a_run_counts_readings_and_goes_on_over_a_short_gap_alone() -> None:
    values = np.array([[1.0, 1, np.nan, 1, 2, 2, np.nan, np.nan, 2]])
    runs = Runs.of(values, np.ones(values.shape, dtype=bool), gap=1)
    assert runs.length.tolist() == [[1, 2, 0, 3, 1, 2, 0, 0, 1]]
    assert runs.start[0, [3, 8]].tolist() == [0, 8]


def test_the_step_of_a_sensor_is_known_from_its_readings() -> None:
    values = readings()
    values[1] = np.round(
        np.round(values[1] * 1.8 + 32) / 1.8 - 32 / 1.8, 1
    )  # whole °F, and the feed gives tenths of °C
    values[2, 100:120] += np.random.default_rng(1).normal(0, 0.04, 20)  # something else for a while
    values[3] = np.nan
    assert series(values).steps(slice(None)).round(2).tolist() == [0.1, 0.5, 0.1, 0.1, 0.1, 0.1]
    wind = np.round(np.round(np.abs(values) / 1.609344) * 1.609344, 1)
    assert (
        (series(wind, "wind_speed").steps(slice(None))[:3] > 0.15)
        & (series(wind, "wind_speed").steps(slice(None))[:3] <= 0.4)
    ).all()


def test_readings_that_flicker_between_two_steps_are_not_noise() -> None:
    values = np.round(readings() * 1.8 + 32) / 1.8 - 32 / 1.8
    values[2, -WINDOW::2] = values[2, -WINDOW]
    values[2, -WINDOW + 1 :: 2] = values[2, -WINDOW] + 1 / 1.8
    assert "noise" not in found(values)


def test_a_few_readings_between_gaps_are_neither_noise_nor_a_flat_line() -> None:
    values = readings()
    values[2, -WINDOW:] += 3 * (-1.0) ** np.arange(WINDOW)
    values[3, -60:] = values[3, -60]
    assert found(values)["noise"][2] > WINDOW // 2
    assert found(values)["persistence"] == {3: WINDOW}
    values[2:4, -WINDOW:][:, np.arange(WINDOW) % 9 > 1] = np.nan
    values[3, -60:-WINDOW] = np.nan
    assert not {"noise", "persistence"} & found(values).keys()


def wind(seed: int = 1) -> Floats:
    """Wind speed at six stations in km/h: one wind, calm for no long time."""
    random = np.random.default_rng(seed)
    day: Floats = 14 + 6 * np.sin(np.arange(SLOTS, dtype=np.float64) / 40)
    found: Floats = np.abs(day + random.normal(0, 2, (6, SLOTS)))
    return found.round(1)


def test_sheltered_neighbours_that_never_turn_do_not_hide_a_stalled_anemometer() -> None:
    values = wind()
    values[4:] = 0
    assert "persistence" not in found(values, name="wind_speed")
    values[2, -WINDOW:] = 0
    assert found(values, name="wind_speed")["persistence"] == {2: WINDOW}


def test_a_night_that_is_calmer_than_usual_at_half_of_the_neighbours_is_weather() -> None:
    values = wind()
    values[1:5, -WINDOW:] = 0
    assert "persistence" not in found(values, name="wind_speed")


def test_one_neighbour_that_is_flat_does_not_hide_a_stuck_sensor() -> None:
    values = readings()
    values[5] = 21.0  # indoors
    values[2, -WINDOW:] = values[2, -WINDOW]
    assert 2 in found(values)["persistence"]


def test_a_hygrometer_that_is_stuck_in_dry_air_at_a_reading_of_saturated_air() -> None:
    random = np.random.default_rng(3)
    values = (70 + 20 * np.sin(np.arange(SLOTS) / 40) + random.normal(0, 1, (6, SLOTS))).round()
    assert found(values, name="out_hum") == {}
    values[2, -WINDOW:] = 99
    assert found(values, name="out_hum")["persistence"][2] > WINDOW // 2
    alone = [*TOGETHER[:2], place("c", 60, 22), *TOGETHER[3:]]
    assert "persistence" not in found(values, alone, name="out_hum")  # a summit in cloud, for all that anybody knows


@pytest.mark.parametrize(("most", "told"), [(93, False), (80, True)])
def test_a_hygrometer_stays_at_what_it_gives_in_saturated_air(most: int, told: bool) -> None:
    random = np.random.default_rng(3)
    values = 75 + 20 * np.cos(2 * np.pi * np.arange(SLOTS) / 144) + random.normal(0, 0.5, (6, SLOTS))
    values[:, -WINDOW:] = 95 + 3 * np.sin(np.arange(WINDOW) / 5)
    values = values.round()
    values[2] = (values[2] - 2).clip(0, 93)
    values[2, -WINDOW - 4 :] = most
    assert ("persistence" in found(values, name="out_hum")) == told


@pytest.mark.parametrize(("colder", "told"), [(6.0, False), (0.0, True)])
def test_a_hill_in_cloud_stays_saturated_above_warmer_air_of_the_same_vapour(colder: float, told: bool) -> None:
    random = np.random.default_rng(3)
    humidity = (75 + 12 * np.sin(np.arange(SLOTS) / 40) + random.normal(0, 1, (6, SLOTS))).round()
    humidity[2, -WINDOW:] = 100
    temperature = np.full((6, SLOTS), 18.0)
    temperature[2] -= colder
    sample = Sample(
        series(humidity, "out_hum"),
        nearest(TOGETHER, 100, 500),
        np.zeros((6, WINDOW), dtype=bool),
        {"out_hum": humidity, "temp_out": temperature},
    )
    assert run_tests(TESTS, sample).flags["persistence"][2].any() == told


def test_a_sensor_at_the_end_of_its_scale_is_told_once() -> None:
    random = np.random.default_rng(4)
    values = (60 - 45 * np.cos(2 * np.pi * np.arange(SLOTS) / 144) + random.normal(0, 1, (6, SLOTS))).round()
    values = np.hstack([values[:, 36:], values[:, :36]])  # the driest hours are the last
    values[2] = values[2].clip(30)
    again = found(values, name="out_hum")
    assert 2 not in again.get("persistence", {})
    values[2, : SLOTS - WINDOW] += 2 * (values[2, : SLOTS - WINDOW] == 30) * (np.arange(SLOTS - WINDOW) % 2)
    assert 2 in found(values, name="out_hum")["persistence"]  # it never was there for so long


def test_weather_that_was_seen_before_does_not_exceed_the_limit() -> None:
    history = np.full((3, 100), 1.0)
    history[0, :10] = 8
    assert exceedance_limit(*reached(Ordered(history)), 2, 0, 3).tolist() == [16, 3, 3]
    assert exceedance_limit(*reached(Ordered(np.zeros((2, 0)))), 2, 1, 3).tolist() == [3, 3]


def test_neighbours_are_near_in_distance_and_height() -> None:
    stations = [
        place("a", 39.0, 22.0, 100),
        place("near", 39.5, 22.0, 500),
        place("far", 41.0, 22.0, 100),
        place("high", 39.1, 22.0, 700),
        place("unknown height", 39.1, 22.0, None),
        place("nowhere", None, None),
    ]
    near = nearest(stations, 100, 500)
    assert set(near.rows[0][near.close[0]].tolist()) == {1, 4}
    assert set(near.rows[0][near.exists[0]].tolist()) == {1, 2, 3, 4}
    assert not near.exists[5].any()
    assert near.km[0][near.rows[0] == 1][0] == pytest.approx(55.6, abs=0.1)


def test_neighbours_are_those_that_all_distances_give() -> None:
    random = np.random.default_rng(1)
    latitude, longitude, height = random.uniform((35, 20, 0), (41, 28, 900), (300, 3)).T
    found = nearest([place(str(n), latitude[n], longitude[n], height[n]) for n in range(300)], 60, 300)
    angle = np.radians(latitude[:, None] - latitude), np.radians(longitude[:, None] - longitude)
    across = np.cos(np.radians(latitude))[:, None] * np.cos(np.radians(latitude))
    km = 2 * EARTH_KM * np.arcsin(np.sqrt(np.sin(angle[0] / 2) ** 2 + across * np.sin(angle[1] / 2) ** 2))
    np.fill_diagonal(km, np.inf)
    apart = np.abs(height[:, None] - height)
    for row, candidates in enumerate(np.argsort(km)[:, :CANDIDATES]):
        alike = candidates[np.argsort(km[row, candidates] + apart[row, candidates] * KM_PER_METRE)][:MOST]
        assert found.rows[row].tolist() == alike.tolist()
        assert found.close[row].tolist() == ((km[row, alike] <= 60) & (apart[row, alike] <= 300)).tolist()
        np.testing.assert_allclose(found.km[row], km[row, alike])


def test_a_search_for_neighbours_leaves_no_thread_running() -> None:
    stations = [place(str(n), 39 + n / 100, 22.0, 100) for n in range(14)]
    nearest(stations, 100, 500)
    own, all_threads = time.thread_time(), time.process_time()
    for _ in range(50):
        nearest(stations, 100, 500)
        sum(range(100_000))
    own, all_threads = time.thread_time() - own, time.process_time() - all_threads
    assert all_threads < 1.3 * own


def test_medians_are_those_of_numpy() -> None:
    values = np.random.default_rng(1).normal(size=(50, 9))
    values[values > 1] = np.nan
    np.testing.assert_allclose(median(values), np.nanmedian(values, axis=1))
    np.testing.assert_allclose(rolling_median(values[:, :5], 3)[:, 1], np.nanmedian(values[:, 1:4], axis=1))


def test_a_weighted_median_has_half_the_weight_on_either_side() -> None:
    random = np.random.default_rng(1)
    values, weights = random.normal(size=(5, 40)), random.uniform(size=(5, 40))
    values[0, :5] = np.nan
    middle = weighted_median(list(values), list(weights))
    weights[0, :5] = 0
    below = np.where(values < middle, weights, 0).sum(axis=0)
    above = np.where(values > middle, weights, 0).sum(axis=0)
    assert (below <= weights.sum(axis=0) / 2 + 1e-9).all()
    assert (above <= weights.sum(axis=0) / 2 + 1e-9).all()
    nothing = [np.full(2, np.nan), np.full(2, np.nan)]
    assert np.isnan(weighted_median(nothing, [np.ones(1), np.ones(1)])).all()


@pytest.mark.parametrize(
    ("flagged", "gap", "expected"),
    [
        ("....", 0, []),
        (".##.#", 0, [(1, 3), (4, 5)]),
        (".##.#", 1, [(1, 5)]),
        ("#...#", 2, [(0, 1), (4, 5)]),
    ],
)
def test_intervals(flagged: str, gap: int, expected: list[tuple[int, int]]) -> None:
    row: Bools = np.array([mark == "#" for mark in flagged])
    assert list(intervals(row, gap)) == expected


def winds(step: float, seed: int = 2) -> Floats:
    """Wind at six stations in multiples of a sensor's step, rounded as a feed does."""
    random = np.random.default_rng(seed)
    smooth = np.ones(12) / 12
    speed = [12 + 8 * np.convolve(random.normal(0, 1.5, SLOTS + 11), smooth, "valid") for _ in TOGETHER]
    found: Floats = np.round(np.rint(np.clip(speed, 0, None) / step) * step, 1)
    return found


def off_its_steps(values: Floats) -> Bools:
    readings = series(values, "wind_speed")
    nothing = np.zeros(readings.window_values.shape, dtype=bool)
    return Resolution().run(Sample(readings, nearest(TOGETHER, 100, 500), nothing, {}), None)


@pytest.mark.parametrize(("step", "factor"), [(1.609, 3.6), (1.609, 1 / 1.609), (1.852, 3.6), (1.609, 1 / 3.6)])
def test_another_unit_shows_in_other_steps(step: float, factor: float) -> None:
    values = winds(step)
    assert not off_its_steps(values).any()
    values[2, -20:] = np.round(values[2, -20:] * factor, 1)
    flagged = off_its_steps(values)
    assert set(np.flatnonzero(flagged.any(axis=1))) == {2}
    assert flagged[2].sum() >= 15


def test_a_feed_that_reports_in_other_steps_is_no_fault_of_its_stations() -> None:
    values = winds(1.609)
    values[:, -20:] = np.round(values[:, -20:] * 1.1, 1)
    assert not off_its_steps(values).any()


@pytest.mark.filterwarnings("error")
def test_a_sensor_without_steps_has_no_resolution_to_lose() -> None:
    values = winds(0.1)
    values[3], values[4] = 0, np.nan
    values[2, -20:] = np.round(values[2, -20:] * 3.6, 1)
    assert not off_its_steps(values).any()


@pytest.mark.parametrize("turn", [0, 1, 90, 180, 270, 356, 360])
@pytest.mark.parametrize("method", [name for name in METHODS if name != "stl"])
def test_a_direction_is_judged_on_the_circle(method: str, turn: int) -> None:
    """Also where it wobbles about north, 356° is 8° from 4°; what turns away is found wherever it does."""
    random = np.random.default_rng(2)
    steady = random.integers(2, 8, (3, SLOTS)).astype(np.float64)
    steady[0, -10] = 356
    steady[1, -10] = 95
    steady[2, -20:-15] = np.nan
    flags = results(series((steady + turn) % 360, "wind_dir"), TOGETHER[:3], method).flags
    assert np.argwhere(flags[method]).tolist() == [[1, WINDOW - 10]]


def test_directions_that_are_anywhere_are_near_nothing() -> None:
    random = np.random.default_rng(2)
    turned = on_circle(random.uniform(0, 360, (4, 500)))
    assert np.ptp(turned, axis=1).max() <= 360
    assert np.isnan(on_circle(np.full((1, 3), np.nan))).all()
    assert on_circle(np.array([[350.0, 10.0, np.nan, 0.0]]))[0, [0, 1, 3]].tolist() == pytest.approx([-10, 10, 0])


def rain_and_humidity(rain: list[float], humidity: list[float]) -> dict[str, Floats]:
    """Of one station among nine whose air is humid, and that have no rain."""
    slots = len(rain)
    return {
        "rain": np.vstack([rain, np.zeros((9, slots))]),
        "out_hum": np.vstack([humidity, np.full((9, slots), 80.0)]),
    }


gap = float("nan")


@pytest.mark.parametrize(
    ("rain", "humidity", "broken"),
    [
        ([0, 0, 2.4, 2.4, 2.4, 2.4, 2.4, 2.4, 0, 0], [90, 90, 90, 35, 35, 35, 35, 35, 35, 35], False),  # a day's total
        ([2.4, 2.4, 2.4, 2.4, 2.4, 0.0, 0.0, 0.2, 0.2, 0.2], [35] * 10, False),  # begun anew at midnight
        ([2.4, gap, gap, 3.4, 3.4, 3.4, gap, 4.4, 4.4, 4.4], [35] * 10, False),  # fell while nobody looked
        ([0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8], [90, 90, 90, 90, 90, 35, 90, 90, 90, 90], False),
        ([0, 0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6], [20] * 10, True),  # a gauge that counts without rain
    ],
)
def test_rain_in_dry_air_is_what_was_added(rain: list[float], humidity: list[float], broken: bool) -> None:
    flagged, rules = inconsistent("rain", rain_and_humidity(rain, humidity))
    assert (bool(flagged[0].any()), bool(rules[0]), bool(flagged[1:].any())) == (broken, broken, False)


@pytest.mark.parametrize("test", [*TESTS, *METHODS.values()], ids=lambda test: test.name)
def test_a_test_says_what_it_is(test: QualityTest) -> None:
    assert test.source
    assert test.finds
    assert test.limit
    for item in fields(test.thresholds):
        assert item.metadata["meaning"], item.name
        assert item.metadata["origin"], item.name


def test_no_two_tests_have_one_name() -> None:
    names = [test.name for test in (*TESTS, *METHODS.values())]
    assert len(set(names)) == len(names)


def test_a_method_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="there is no detection method 'magic'; there are: combined, 3sigma"):
        method_tests("magic")
