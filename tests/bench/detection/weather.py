"""Weather to put faults into: two simulations that have nothing in common but the physics, and recordings."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lab import recorded
from tests.bench.detection.labelled import HOUR, Floats, Labelled
from toolkit.feed.stations import read_stations
from toolkit.model import Station
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.times import parse
from toolkit.variables import DETECTED

START = 1_763_596_800  # 2025-11-20, in a multiple of 6 hours
STEP = {"temp_out": 0.1, "out_hum": 1.0, "bar": 0.1, "wind_speed": 1.6}
KM_PER_DEGREE = 111.2


def simulated(seed: int, days: float = 6, stations: Sequence[Station] | None = None, start: int = START) -> Labelled:
    """The weather of `weather-tool simulate`."""
    network = list(stations or default_network())
    source = SimulatedWeather(network, seed)
    times = start + 600 * np.arange(1, round(days * 144) + 1)
    rows = [[[getattr(one, name) for name in DETECTED] for one in source.at(int(time))] for time in times]
    readings = np.array(rows, dtype=np.float64).transpose(2, 1, 0)
    return _reported(f"simulated {seed}", network, times, dict(zip(DETECTED, readings, strict=True)), seed)


def autoregressive(seed: int, days: float = 6, stations: Sequence[Station] | None = None) -> Labelled:
    """Weather as correlated noise: fields that forget in hours and over a hundred kilometres, and fronts.

    Each station sees a sum of two Gaussian fields whose covariance falls exponentially with distance (Cholesky's
    factor of it) and with time, an instrument's own error, a diurnal cycle of its own amplitude and phase; on some
    nights valley stations cool more, and now and then the inversion breaks.
    """
    network = list(stations or default_network())
    random = np.random.default_rng([seed, 3])
    count, slots = len(network), round(days * 144)
    times = START + 600 * np.arange(1, slots + 1)
    east, north = _plane(network)
    height = np.array([station.elevation or 0.0 for station in network])
    apart = np.hypot(east[:, None] - east, north[:, None] - north)

    def field(km: float, hours: float) -> Floats:
        factor = np.linalg.cholesky(np.exp(-apart / km) + 1e-6 * np.eye(count))
        keep = np.exp(-1 / (6 * hours))
        values = np.empty((count, slots))
        state = factor @ random.normal(size=count)
        for slot in range(slots):
            state = keep * state + np.sqrt(1 - keep**2) * (factor @ random.normal(size=count))
            values[:, slot] = state
        # Weather has no white noise: an hour's running mean.
        kernel = np.ones(7) / 7
        return np.apply_along_axis(lambda row: np.convolve(np.pad(row, 3, mode="edge"), kernel, "valid"), 1, values)

    hours = times / HOUR
    cloud = 1 / (1 + np.exp(-1.5 * field(600, 18)))
    phase = 14.5 + random.normal(0, 0.5, count)
    amplitude = 4 + random.normal(0, 0.8, count)
    sun = np.cos(
        2 * np.pi * (hours[None, :] + np.array([s.longitude or 0 for s in network])[:, None] / 15 - phase[:, None]) / 24
    )
    arrival, drop = _fronts(random, times, east, north, days)
    since = (times[None, None, :] - arrival[:, :, None]) / HOUR
    passed = 1 / (1 + np.exp(-np.clip(since / 0.3, -50, 50)))
    near = np.exp(-((since / 1.5) ** 2))
    cold = (drop[:, None, None] * passed * np.exp(-np.clip(since, 0, None) / 36)).sum(axis=0)
    storm = near.max(axis=0)
    valley = (random.uniform(size=count) < 0.3)[:, None] * np.clip(-sun, 0, None) * (1 - cloud) * 3
    broken = (field(15, 0.7) > 1.6) * valley

    temperature = (
        14 - 0.0065 * height[:, None] + amplitude[:, None] * (1 - 0.6 * cloud) * sun + 2.2 * field(900, 40)
        + 0.5 * field(120, 4) + 0.2 * field(10, 1.5) - cold - valley + 0.8 * broken + random.normal(0, 0.08, (count, slots))
    )  # fmt: skip
    humidity = (
        68
        - 2.6 * (temperature - temperature.mean(axis=1, keepdims=True))
        + 4 * field(150, 5)
        + 1.5 * field(10, 2)
        + 10 * storm
    )
    pressure = (
        1014 - 0.115 * height[:, None] * (random.uniform(size=count) < 0.4)[:, None] + 5 * field(1500, 50)
        + 0.25 * field(200, 4) - (drop[:, None, None] * np.exp(-np.abs(since) / 5)).sum(axis=0) * 0.6
        + random.normal(0, 0.05, (count, slots)) + random.normal(0, 0.7, count)[:, None]
    )  # fmt: skip
    wind = 6 + 3.5 * np.clip(sun, -0.5, 1) * (1 - 0.5 * cloud) + 4 * field(300, 8) + 2 * field(15, 0.8) + 25 * storm
    wind = (
        np.clip(wind + random.normal(0, 1.3, (count, slots)), 0, None) * np.exp(random.normal(0, 0.25, count))[:, None]
    )
    raw = {"temp_out": temperature, "out_hum": np.clip(humidity, 8, 100), "bar": pressure, "wind_speed": wind}
    rounded = {name: np.round(np.rint(values / STEP[name]) * STEP[name], 1) for name, values in raw.items()}
    return _reported(f"autoregressive {seed}", network, times, rounded, seed)


def airports(seed: int, days: float = 6, *, every_minutes: int = 60) -> Labelled:
    """Some days of 2013 at New York's three airports, hourly as they were reported, or in between by interpolation."""
    folder = Path(".cache") / "recorded"
    observations, stations = folder / "observations.csv", folder / "stations.csv"
    if not observations.exists():
        recorded.write(folder)
    network = read_stations(stations)
    place = {station.station_id: row for row, station in enumerate(network)}
    with observations.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    seconds = np.array([int(parse(row["time"]).timestamp()) for row in rows])
    year = np.arange(seconds.min(), seconds.max() + 1, HOUR)
    names = [name for name in DETECTED if any(row[name] for row in rows)]
    values = {name: np.full((len(network), year.size), np.nan) for name in names}
    slots = (seconds - year[0]) // HOUR
    for row, slot in zip(rows, slots.tolist(), strict=True):
        for name in names:
            if row[name]:
                values[name][place[row["station_id"]], slot] = float(row[name])
    values["wind_speed"][values["wind_speed"] > 200] = np.nan  # one reading of 1048 mph: the recording's own fault
    random = np.random.default_rng([seed, 5])
    length = round(days * 24)
    while True:
        first = int(random.integers(0, year.size - length))
        part = slice(first, first + length)
        if all(np.isnan(values[name][:, part]).mean() < 0.05 for name in STEP):
            break
    times = year[part]
    chosen = {name: readings[:, part] for name, readings in values.items()}
    if every_minutes != 60:
        fine = np.arange(times[0], times[-1] + 1, every_minutes * 60)
        chosen = {name: _between(times, chosen[name], fine, step) for name, step in STEP.items()}
        times = fine
    silent = np.all([np.isnan(readings) for readings in chosen.values()], axis=0)
    return Labelled(f"airports {seed}, {every_minutes} min", network, times, chosen, chosen, silent)


def _between(times: npt.NDArray[np.int64], readings: Floats, fine: npt.NDArray[np.int64], step: float) -> Floats:
    found = np.empty((readings.shape[0], fine.size))
    for row, series in enumerate(readings):
        there = ~np.isnan(series)
        found[row] = np.interp(fine, times[there], series[there])
    return np.round(np.rint(found / step) * step, 1)


def _plane(stations: Sequence[Station]) -> tuple[Floats, Floats]:
    latitude = np.array([station.latitude or 0.0 for station in stations])
    longitude = np.array([station.longitude or 0.0 for station in stations])
    return longitude * KM_PER_DEGREE * np.cos(np.radians(latitude.mean())), latitude * KM_PER_DEGREE


def _fronts(
    random: np.random.Generator, times: npt.NDArray[np.int64], east: Floats, north: Floats, days: float
) -> tuple[Floats, Floats]:
    """When each of some fronts arrives at each station, in seconds since the epoch, and how much it cools."""
    number = max(1, round(days / 2.5))
    bearing = random.uniform(0, 2 * np.pi, number)[:, None]
    speed = random.uniform(25, 60, number)[:, None]
    middle = random.uniform(times[0], times[-1], number)[:, None]
    along = (east - east.mean()) * np.sin(bearing) + (north - north.mean()) * np.cos(bearing)
    return middle + along / speed * HOUR, random.uniform(2, 8, number)


def _reported(
    name: str, stations: Sequence[Station], times: npt.NDArray[np.int64], values: dict[str, Floats], seed: int
) -> Labelled:
    """What reaches the feed: a reading in a hundred is missing, some stations pause for up to 40 minutes."""
    random = np.random.default_rng([seed, 11])
    silent = random.uniform(size=(len(stations), times.size)) < 0.01
    for _ in range(len(stations)):
        row, first = int(random.integers(len(stations))), int(random.integers(times.size))
        silent[row, first : first + int(random.integers(2, 5))] = True
    unmeasured = int(random.integers(len(stations)))
    seen = {name: np.where(silent, np.nan, readings) for name, readings in values.items()}
    seen["bar"][unmeasured] = np.nan  # this station has no barometer
    return Labelled(name, stations, times, seen, seen, silent)
