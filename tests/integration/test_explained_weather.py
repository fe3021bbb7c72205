"""What neighbours had at another time, or summits have of their own, is weather; the course of every day explains nothing."""

from __future__ import annotations

import sqlite3

import numpy as np

from tests.bench.detection.detectors import ours
from tests.bench.detection.labelled import HOUR, Labelled
from tests.conftest import Run
from tests.integration.conftest import Spoil
from tests.integration.test_detect import alarms, detect
from tests.unit.test_quality import place


def test_an_offset_is_not_explained_by_a_neighbour_that_has_the_same_hours_later_on_every_day() -> None:
    random = np.random.default_rng(1)
    days, stations = 9, 5
    times = 1_599_955_200 + HOUR * np.arange(1, 24 * days + 1)
    later = np.array([0, 1.5, 3, 0.5, 2])[:, None]  # hours, of each station's course of the day
    course = np.cos(2 * np.pi * (times / HOUR - 4 - later) / 24)
    slow = np.convolve(random.normal(0, 1, times.size + 24), np.ones(24) / 24, "valid")[: times.size]
    humidity = np.clip(70 + 22 * course + 6 * slow + random.normal(0, 1, course.shape), 5, 100).round()
    temperature = (20 - 5 * course + slow + random.normal(0, 0.3, course.shape)).round(1)
    fault = slice(24 * 7 + 3, 24 * 7 + 13)
    humidity[0, fault] -= 22
    network = [place(f"s{number}", 40 + 0.15 * number, 22) for number in range(stations)]
    values = {"temp_out": temperature, "out_hum": humidity}
    found = ours()(Labelled("", network, times, values, values, np.zeros(course.shape, dtype=bool)))
    assert {(one.station, one.variable, one.class_) for one in found} == {(0, "out_hum", "device_failure")}
    assert max(one.end for one in found) >= times[fault][-1], "to its end"


def test_humidity_that_jumps_on_a_summit_in_free_air_is_weather(
    run: Run, spoil: Spoil, environment: dict[str, str]
) -> None:
    spoil("out_hum = max(5, out_hum - 45), dew_point = NULL", "station_id = 'volos'", 3, 1)

    def classes(elevation: int) -> list[str]:
        with sqlite3.connect(environment["WEATHER_DB"]) as connection:
            connection.execute("UPDATE stations SET elevation = ? WHERE station_id = 'volos'", (elevation,))
        connection.close()
        found = [
            one for one in detect(run)["anomalies"] if (one["station_id"], one["variable"]) == ("volos", "out_hum")
        ]
        return [one["class"] for one in found]

    assert classes(1400) == ["unverified"]
    assert classes(2500) == ["weather_event"]
    assert alarms(detect(run)) == []
