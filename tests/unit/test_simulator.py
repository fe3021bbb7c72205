from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.feeds import parse
from toolkit.errors import UsageError
from toolkit.simulator import faults
from toolkit.simulator.clock import Clock
from toolkit.simulator.faults import Faulty
from toolkit.simulator.network import default_network
from toolkit.simulator.replay import read
from toolkit.simulator.server import compose
from toolkit.simulator.weather import SimulatedWeather

T = 1_763_827_200
STATIONS = default_network()
NAMES = [station.station_id for station in STATIONS]


def days(weather: SimulatedWeather, count: int, variables: list[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Variables by stations by times."""
    found = [weather.at(T + 600 * step) for step in range(144 * count)]
    return np.array([[[getattr(one, name) for one in row] for row in found] for name in variables]).transpose(0, 2, 1)


def test_the_default_network_is_the_14_stations() -> None:
    assert len(STATIONS) == 14
    assert STATIONS[NAMES.index("vlasti")].elevation == 1194


def test_the_same_seed_gives_the_same_weather_in_any_order() -> None:
    one, other = SimulatedWeather(STATIONS, 7), SimulatedWeather(STATIONS, 7)
    backwards = [other.at(T + 600 * step) for step in reversed(range(20))]
    assert [one.at(T + 600 * step) for step in range(20)] == backwards[::-1]
    assert SimulatedWeather(STATIONS, 8).at(T) != one.at(T)


def test_it_has_what_weather_has() -> None:
    weather = SimulatedWeather(STATIONS, 3)
    temperature, pressure, humidity, rain = days(weather, 12, ["temp_out", "bar", "out_hum", "rain"])
    near, far = NAMES.index("volos-port"), NAMES.index("heraclion")
    volos = NAMES.index("volos")
    steps = np.diff(temperature, axis=1)
    assert np.corrcoef(temperature[volos], temperature[near])[0, 1] > 0.95
    assert np.corrcoef(pressure[volos], pressure[near])[0, 1] > np.corrcoef(pressure[volos], pressure[far])[0, 1]
    by_hour = temperature[volos].reshape(12, 24, 6).mean(axis=(0, 2))  # begins at 16 h UTC
    assert 4 < np.ptp(by_hour) < 16
    assert temperature[NAMES.index("vlasti")].mean() < temperature[volos].mean() - 4
    assert np.abs(steps).max() < 5
    assert humidity.min() >= 0
    assert humidity.max() <= 100
    assert 0 < (rain > 0).mean() < 0.3
    assert 950 < pressure.min() < pressure.max() < 1060


@pytest.mark.parametrize(
    ("kind", "size", "check"),
    [
        ("spike", 20, lambda wrong, right: np.allclose(wrong - right, 20)),
        ("offset", 3, lambda wrong, right: np.allclose(wrong - right, 3)),
        ("drift", 6, lambda wrong, right: np.allclose(wrong - right, [0, 1, 2])),
        ("stuck", 0, lambda wrong, right: set(wrong) == {right[0]}),
        ("stalled", 0, lambda wrong, right: set(wrong) == {0.0}),
        ("range", 85, lambda wrong, right: set(wrong) == {85.0}),
        ("unit", 0, lambda wrong, right: np.allclose(wrong, right * 1.8 + 32, atol=0.06)),
        ("clogged", 0, lambda wrong, right: set(wrong) == {0.0}),
        ("dripping", 0.2, lambda wrong, right: np.allclose(wrong - right, 0.2)),
        ("turned", 90, lambda wrong, right: np.allclose(wrong, (right + 90) % 360)),
        ("noise", 5, lambda wrong, right: 0.1 < np.abs(wrong - right).max() < 25),
    ],
)
def test_a_fault_does_what_it_says_while_it_lasts(kind: str, size: float, check: object) -> None:
    weather = SimulatedWeather(STATIONS, 1)
    fault = faults.parse(f"station=volos,variable=temp_out,kind={kind},at=10m,for=30m,size={size}", STATIONS, T)
    faulty = Faulty(weather, [fault])
    volos = NAMES.index("volos")
    times = [T + 600 * step for step in range(6)]
    right = np.array([weather.at(time)[volos].temp_out for time in times])  # type: ignore[union-attr]
    wrong = np.array([faulty.at(time)[volos].temp_out for time in times])  # type: ignore[union-attr]
    assert wrong[0] == right[0]
    assert (wrong[4:] == right[4:]).all()
    assert check(wrong[1:4], right[1:4])  # type: ignore[operator]
    assert all(
        a == b for a, b in zip(weather.at(T + 600), faulty.at(T + 600), strict=True) if a and a.station_id != "volos"
    )


def test_dropout_and_silence() -> None:
    specs = ["station=volos,variable=bar,kind=dropout", "station=zagora,kind=silent"]
    faulty = Faulty(SimulatedWeather(STATIONS, 1), [faults.parse(spec, STATIONS, T) for spec in specs])
    document = parse(compose(faulty.stations, faulty.at(T)))
    by_id = {observation.station_id: observation for observation in document.observations}
    assert by_id["volos"].bar is None
    assert by_id["volos"].temp_out is not None
    assert set(NAMES) - set(by_id) == {"zagora"}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("station=volos", "kind= is missing"),
        ("station=atlantis,kind=silent", "no such station"),
        ("station=volos,variable=temp,kind=spike", "variable=temp"),
        ("station=volos,variable=bar,kind=melted", "kind=melted"),
        ("station=volos,variable=bar,kind=spike,at=soon", "no|not a time"),
        ("station=volos,variable=bar,kind=spike,for=ever", "no duration"),
        ("station=volos,variable=bar,kind=spike,size=big", "big"),
        ("station=volos,variable=bar,kind=spike,colour=red", "'colour' is not known"),
    ],
)
def test_a_wrong_fault_is_named(spec: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        faults.parse(spec, STATIONS, T)


def test_the_clock_runs_fast_until_it_has_caught_up() -> None:
    clock = Clock(start=T - 7200, speed=300, cadence=600, live_cadence=10, began=T)
    assert clock.observed(T) == (T - 7200, 2)
    assert clock.observed(T + 3) == (T - 7200 + 600, 1)
    caught_up = 7200 / 299
    assert clock.observed(T + int(caught_up) + 7)[0] == T + 30
    seen = [clock.observed(T + step)[0] for step in range(100)]
    assert seen == sorted(seen)


def test_what_is_composed_is_what_is_parsed() -> None:
    weather = SimulatedWeather(STATIONS, 1)
    document = parse(compose(weather.stations, weather.at(T)))
    assert document.observations == list(weather.at(T))
    assert document.stations == STATIONS


CSV = """time,station_id,temp_out,wind_dir_str
2013-01-01 10:00:00,a,5.5,N
2013-01-01T11:00:00+00:00,a,6.5,
2013-01-01 10:30:00,b,,SW
"""


def test_a_recording_is_replayed_where_it_was_or_where_it_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "recorded.csv"
    file.write_text(CSV)
    recorded = read(file, None, None, None)
    assert recorded.first == 1_357_034_400
    a, b = recorded.at(recorded.first + 3599)
    assert a is not None
    assert (a.temp_out, a.wind_dir_str, a.time) == (5.5, "N", recorded.first)
    assert b is not None
    assert b.temp_out is None
    assert recorded.at(recorded.first + 60)[1] is None
    moved = read(file, None, T, None)
    assert (moved.first - recorded.first) % 86400 == 0
    assert T - 86400 < moved.first <= T
    assert read(file, None, None, recorded.first + 1).first == recorded.first + 1800


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column"),
        ("a,b\n1,2\n", "no column .* time"),
        ("time,station_id\n", "no observation"),
        ("time,station_id\nsoon,a\n", "holds no observation"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "recorded.csv"
    file.write_text(text)
    with pytest.raises(UsageError, match=says):
        read(file, None, None, None)
    with pytest.raises(UsageError, match="cannot read"):
        read(tmp_path / "missing.csv", None, None, None)
