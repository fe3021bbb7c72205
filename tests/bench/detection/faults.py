"""Faults put into good weather: what, how large, how long.

Sizes are those that an operator would want to hear of: well above the sensor's accuracy, drawn from ranges, with
either sign. What is below them is the business of a calibration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tests.bench.detection.labelled import HOUR, Fault, Floats, Labelled
from toolkit.quality.humidity import dew_point

Random = np.random.Generator
Effect = Callable[[Floats, Random, str, int], Floats]
"""From the true readings, chance, the variable and the cadence in seconds to the wrong readings."""
Sizes = Mapping[str, tuple[float, float]]

# By variable: the smallest and the largest size, in its unit; drift per hour.
SPIKE: Sizes = {"temp_out": (7, 20), "out_hum": (30, 50), "bar": (8, 30), "wind_speed": (60, 120)}
OFFSET: Sizes = {"temp_out": (3.5, 8), "out_hum": (18, 35), "bar": (4, 15)}
DRIFT: Sizes = {"temp_out": (0.5, 1.5), "out_hum": (3, 6), "bar": (0.6, 2)}
NOISE: Sizes = {"temp_out": (2, 5), "out_hum": (10, 20), "bar": (2.5, 8), "wind_speed": (15, 30)}
LIMITS = {"temp_out": (-200, 200), "out_hum": (0, 100), "bar": (0, 2000), "wind_speed": (0, 400)}
IMPOSSIBLE = {"temp_out": (85, -127), "out_hum": (255, -1), "bar": (0, 1200), "wind_speed": (999, 470)}
# A feed computes the dew point where so many of its readings are that of temperature and humidity within so many kelvin
# and what half a percent of humidity makes: both are rounded.
COMPUTED = 0.95
ROUNDED_K, ROUNDED_PERCENT = 0.15, 0.5


def _sized(random: Random, sizes: Mapping[str, tuple[float, float]], variable: str) -> float:
    return float(random.uniform(*sizes[variable]) * random.choice([-1, 1]))


def _clip(values: Floats, variable: str) -> Floats:
    return np.clip(values, *LIMITS[variable])


def spike(true: Floats, random: Random, variable: str, _cadence: int) -> Floats:
    size = _sized(random, SPIKE, variable)
    if variable == "wind_speed" or (variable == "out_hum" and np.nanmean(true) < 50):
        size = abs(size)
    elif variable == "out_hum":
        size = -abs(size)
    return _clip(true + size, variable)


def offset(true: Floats, random: Random, variable: str, _cadence: int) -> Floats:
    size = _sized(random, OFFSET, variable)
    if variable == "out_hum":  # towards the middle, or the limit hides it
        size = abs(size) * (1 if np.nanmean(true) < 55 else -1)
    return _clip(true + size, variable)


def drift(true: Floats, random: Random, variable: str, cadence: int) -> Floats:
    size = _sized(random, DRIFT, variable)
    if variable == "out_hum":
        size = abs(size) * (1 if np.nanmean(true) < 55 else -1)
    return _clip(true + size * np.arange(1, true.size + 1) * cadence / HOUR, variable)


def noise(true: Floats, random: Random, variable: str, _cadence: int) -> Floats:
    return _clip(true + random.normal(0, random.uniform(*NOISE[variable]), true.size), variable)


def impossible(true: Floats, random: Random, variable: str, _cadence: int) -> Floats:
    return np.full_like(true, random.choice(IMPOSSIBLE[variable]))


def stuck(true: Floats, _random: Random, _variable: str, _cadence: int) -> Floats:
    return np.full_like(true, true[~np.isnan(true)][0])


def stalled(true: Floats, _random: Random, _variable: str, _cadence: int) -> Floats:
    return np.zeros_like(true)


def unit(true: Floats, _random: Random, variable: str, _cadence: int) -> Floats:
    return true * 1.8 + 32 if variable == "temp_out" else true / 1.3332 if variable == "bar" else true * 3.6


def dropout(true: Floats, _random: Random, _variable: str, _cadence: int) -> Floats:
    return np.full_like(true, np.nan)


ALL = ("temp_out", "out_hum", "bar", "wind_speed")
# Effect, the variables it befalls, and for how long at least and at most: hours, or readings below 1.
KINDS: dict[str, tuple[Effect, Sequence[str], tuple[float, float]]] = {
    "spike": (spike, ALL, (0, 0.4)),
    "offset": (offset, ("temp_out", "out_hum", "bar"), (5, 24)),
    "drift": (drift, ("temp_out", "out_hum", "bar"), (10, 24)),
    "noise": (noise, ALL, (3, 10)),
    "range": (impossible, ALL, (0, 1)),
    "stuck": (stuck, ("temp_out", "out_hum", "bar"), (6, 18)),
    "stalled": (stalled, ("wind_speed",), (8, 24)),
    "unit": (unit, ("temp_out", "bar", "wind_speed"), (4, 12)),
    "dropout": (dropout, ALL, (3, 10)),
}


def put_in(
    weather: Labelled, seed: int, number: int = 18, *, kinds: Sequence[str] = tuple(KINDS), swap: bool = True,
    begin_hours: float = 18,
) -> Labelled:  # fmt: skip
    """Put `number` faults into weather: every kind in turn, at chance places and times.

    No two befall the same station within 6 hours of each other. With `swap`, two more: two stations' readings are
    exchanged, as when their loggers' names were.
    """
    random = np.random.default_rng([seed, 99])
    values = {name: readings.copy() for name, readings in weather.values.items()}
    busy = np.zeros(weather.silent.shape, dtype=bool)
    found: list[Fault] = []
    cadence, slots = weather.cadence, weather.times.size
    margin = int(6 * HOUR / cadence)

    def free(rows: Sequence[int], first: int, after: int) -> bool:
        return not any(busy[row, max(0, first - margin) : after + margin].any() for row in rows)

    def note(row: int, variable: str | None, kind: str, first: int, after: int) -> None:
        busy[row, first:after] = True
        found.append(Fault(row, variable, kind, int(weather.times[first]), int(weather.times[after - 1])))

    kinds = [kind for kind in kinds if any(name in values for name in KINDS[kind][1])]
    for which in range(number):
        kind = kinds[which % len(kinds)]
        effect, variables, (shortest, longest) = KINDS[kind]
        for _ in range(500):
            variable = str(random.choice([name for name in variables if name in values]))
            row = int(random.integers(len(weather.stations)))
            length = max(1, round(random.uniform(shortest, longest) * HOUR / cadence))
            first = int(random.integers(int(begin_hours * HOUR / cadence), slots - min(length, slots // 3)))
            part = slice(first, min(first + length, slots))
            true = values[variable][row, part]
            if not free([row], first, part.stop) or np.isnan(true).mean() > 0.2 or not _visible(kind, variable, true):
                continue
            wrong = effect(true, random, variable, cadence)
            wrong = np.where(np.isnan(true), np.nan, np.round(wrong, 1))
            if (
                kind != "dropout"
                and variable in SPIKE
                and np.nanmax(np.abs(wrong - true)) < OFFSET.get(variable, (8, 0))[0] / 2
            ):
                continue
            values[variable][row, part] = wrong
            note(row, variable, kind, part.start, part.stop)
            break
    if swap:
        _swap(weather, values, random, free, note)
    follow(weather, values)
    return replace(weather, values=values, faults=sorted(found, key=lambda fault: fault.start))


def follow(weather: Labelled, values: dict[str, Floats]) -> None:
    """Where a feed computes the dew point, make it that of the wrong temperature or humidity.

    Args:
        weather: what is true.
        values: the same with faults; its dew point is changed.
    """
    true = weather.values
    if not {"dew_point", "temp_out", "out_hum"} <= values.keys():
        return
    temperature, humidity = true["temp_out"], true["out_hum"]
    implied = dew_point(temperature, humidity)
    slack = ROUNDED_K + implied - dew_point(temperature, humidity - ROUNDED_PERCENT)
    off = np.abs(true["dew_point"] - implied)
    known = np.maximum(1, np.count_nonzero(~np.isnan(off), axis=1))
    computed = np.count_nonzero(off <= slack, axis=1) / known >= COMPUTED
    changed = np.zeros(off.shape, dtype=bool)
    for name in ("temp_out", "out_hum"):
        changed |= ~np.isclose(values[name], true[name], equal_nan=True)
    wrong = true["dew_point"] + dew_point(values["temp_out"], values["out_hum"]) - implied
    values["dew_point"] = np.where(changed & computed[:, None], np.round(wrong, 1), values["dew_point"])


def _visible(kind: str, variable: str, true: Floats) -> bool:
    """Whether there is anything to be seen: calm air is not stalled, and what never changed is not stuck."""
    if kind in {"stalled", "unit"} and variable == "wind_speed":
        return bool(np.nanmean(true > 4) > 0.6)
    if kind == "stuck":
        return bool(np.nanstd(true) > {"temp_out": 0.8, "out_hum": 3, "bar": 0.6}[variable])
    return True


def _swap(
    weather: Labelled, values: dict[str, Floats], random: Random, free: Callable[..., bool], note: Callable[..., None]
) -> None:
    height = np.array([station.elevation or 0 for station in weather.stations])
    for _ in range(500):
        one, other = (int(row) for row in random.choice(len(weather.stations), 2, replace=False))
        length = int(random.uniform(6, 12) * HOUR / weather.cadence)
        first = int(random.integers(24 * HOUR // weather.cadence, weather.times.size - length))
        if abs(height[one] - height[other]) < 250 or not free([one, other], first, first + length):
            continue
        part = slice(first, first + length)
        for readings in values.values():
            readings[[one, other], part] = readings[[other, one], part]
        note(one, None, "swap", part.start, part.stop)
        note(other, None, "swap", part.start, part.stop)
        return
