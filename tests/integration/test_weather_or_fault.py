"""Weather that looks like a fault, beside the fault that it looks like: what a detection calls each."""

from __future__ import annotations

from tests.conftest import Run
from tests.integration.conftest import Spoil
from tests.integration.test_detect import alarms, detect

# In SQL, of a network that reports every ten minutes: from 5 K to -5 K and back within 20 hours, 5 K two hours before
# the end; and a direction that turns by ten degrees every ten minutes.
END = 1_763_827_200  # 2025-11-22 16:00 UTC
WAVE = f"abs(({END} - 7200 - unixepoch(time)) % 72000 - 36000) / 3600.0 - 5"
TURNING = "unixepoch(time) / 60 % 360"


def test_a_jump_that_the_region_shared_is_weather_at_a_station_without_neighbours(run: Run, spoil: Spoil) -> None:
    spoil("hi_temp = NULL, low_temp = NULL", "1", 80)
    spoil("temp_out = temp_out - 9", "1", 2)
    report = detect(run, "--variables", "temp_out")
    assert alarms(report) == []
    (reason,) = [one["reason"] for one in report["anomalies"] if one["station_id"] == "heraclion"]
    assert "so did its neighbours (of the region)" in reason


def test_a_jump_that_no_weather_makes_is_none_of_the_regions_either(run: Run, spoil: Spoil) -> None:
    spoil("hi_temp = NULL, low_temp = NULL", "1", 80)
    spoil("temp_out = temp_out * 1.8 + 32", "1", 2)
    failures = {
        name for name, _, _, found in alarms(detect(run, "--variables", "temp_out")) if found == "device_failure"
    }
    assert {"heraclion", "zagora"} < failures


def test_a_jump_to_what_is_expected_is_none_where_nobody_is_near(run: Run, spoil: Spoil) -> None:
    spoil("hi_temp = NULL, low_temp = NULL", "1", 80)
    spoil(f"temp_out = temp_out + {WAVE}", "station_id = 'heraclion'", 80, 2)
    assert alarms(detect(run, "--variables", "temp_out")) == []
    spoil("temp_out = temp_out + 16", "station_id = 'heraclion'", 1)
    assert alarms(detect(run, "--variables", "temp_out")) == [("heraclion", "temp_out", "step", "unverified")]


def test_humidity_alone_is_no_witness_of_a_jump_of_pressure(run: Run, spoil: Spoil) -> None:
    spoil("bar = bar - 25, out_hum = out_hum - 30", "station_id = 'heraclion'", 2, 1.7)
    assert ("heraclion", "bar", "step", "unverified") in alarms(detect(run))
    spoil("temp_out = temp_out + 9", "station_id = 'heraclion'", 2, 1.7)
    assert "bar" not in {variable for _, variable, _, _ in alarms(detect(run))}


def test_rain_of_one_station_is_told_from_a_gauge_that_drips(run: Run, spoil: Spoil) -> None:
    spoil("rain = 0, out_hum = 92, dew_point = NULL", "1", 30)
    spoil("rain = 0.4", "station_id = 'volos' AND unixepoch(time) % 1200 = 0", 9)  # 1.2 mm in an hour
    assert alarms(detect(run, "--variables", "rain")) == []
    spoil("rain = 0.2", "station_id = 'volos' AND rain > 0", 9)
    assert alarms(detect(run, "--variables", "rain")) == [("volos", "rain", "gauge", "device_failure")]


def test_a_steady_wind_is_that_of_the_neighbour_whose_wind_goes_with_the_stations(run: Run, spoil: Spoil) -> None:
    spoil(f"wind_speed = 20, wind_dir = {TURNING}", "1", 80)
    spoil(f"wind_dir = ({TURNING}) * 7 % 360", "station_id NOT IN ('volos', 'volos-port')", 80, 9)
    spoil("wind_dir = 20 + unixepoch(time) / 600 % 2 * 20", "station_id = 'volos-port'", 9)
    spoil("wind_dir = 20", "station_id = 'volos'", 9)
    assert alarms(detect(run, "--variables", "wind_dir,wind_speed")) == []
    spoil(f"wind_dir = {TURNING}", "station_id = 'volos-port'", 9)
    assert ("volos", "wind_dir", "direction", "device_failure") in alarms(
        detect(run, "--variables", "wind_dir,wind_speed")
    )
