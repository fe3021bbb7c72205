"""Faults of rain, vanes, gusts, extremes, radiation, dew point and snow depth: python -m tests.bench.detection.other_variables.

Their kinds are their own: a clogged gauge is no stalled one, and shows only while it rains. They are put into weather
of `weather-tool simulate` and of the airports' year, or of the networks that are named, where they have the variable.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.bench.detection import archive
from tests.bench.detection.detectors import ours
from tests.bench.detection.labelled import HOUR, Fault, Floats, Labelled
from tests.bench.detection.networks import network
from tests.bench.detection.scoring import Score, alarms, score
from tests.bench.detection.weather import airports, simulated
from toolkit.quality.arrays import Bools
from toolkit.quality.neighbours import nearest

Random = np.random.Generator
SEEDS = (101, 102)
EACH = 2
"""So many faults of each kind are put into one set of weather."""
NEAR_KM = 60
DAYLIGHT, DUSK = 100, 5
"""By day there is more than so much, in W/m², and by night less: some networks give nothing at night."""
BEFORE_HOURS = 30
"""What was before a fault tells what is usual."""

Values = Mapping[str, Floats]
"""What is true of one station while a fault lasts, by variable; the hours since it began; the most rain at stations near
it, also in the hour before and after, and what all but a quarter of them had."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        variable: what goes wrong.
        hours: how long at least and at most; below one reading it is one.
        effect: the wrong readings, from what is true, chance, and the hours since it began.
        visible: whether there is anything to be seen.
        neighbours: so many stations within `NEAR_KM` it takes to see it.
    """

    variable: str
    hours: tuple[float, float]
    effect: Callable[[Floats, Values, Random, Floats], Floats]
    visible: Callable[[Values], bool] = lambda _: True
    neighbours: int = 0


def _sign(random: Random, low: float, high: float) -> float:
    return float(random.uniform(low, high) * random.choice([-1, 1]))


def _windy(values: Values) -> bool:
    return bool(np.nanmean(values["wind_speed"] >= 7) > 0.8)


def _dry(values: Values) -> bool:
    return bool(np.nanmax(values["rain around"]) == 0)


def _rained(values: Values) -> bool:
    """Whether three in four of the others, or more, had rain in most hours, and some of it."""
    wet = values["least rain around"] > 0
    return bool(np.unique(values["hours"][wet] // 1).size >= 6 and np.nansum(values["least rain around"]) > 4)


def _turns(values: Values) -> bool:
    east, north = (np.nanmean(part(np.radians(values["wind_dir"]))) for part in (np.sin, np.cos))
    return _windy(values) and bool(np.hypot(east, north) < 0.9)


def _hours(values: Values, when: Bools) -> float:
    """For how many hours something is so."""
    every = float(np.diff(values["hours"][:2], append=np.inf)[0])
    return np.count_nonzero(when) * every


KINDS: dict[str, Kind] = {
    "clogged": Kind("rain", (10, 14), lambda true, *_: true * 0, _rained, 3),
    "dripping": Kind("rain", (10, 24), lambda true, _v, random, hours: np.where(
        np.diff(np.floor(hours), prepend=-1) > 0, random.choice([0.2, 0.4], hours.size), true), _dry, 3),
    "melting": Kind("rain", (8, 12), lambda true, _v, random, _h: true + random.uniform(0.1, 0.6, true.size), _dry, 3),
    "burst": Kind("rain", (0, 0), lambda true, _v, random, _h: true + random.uniform(15, 60),
                  lambda values: _dry(values) and bool(np.nanmax(values["out_hum"]) < 70), 3),
    "rate": Kind("rain", (0, 0), lambda true, _v, random, _h: true + random.uniform(300, 900)),
    "stuck vane": Kind("wind_dir", (14, 30), lambda true, *_: true * 0 + true[~np.isnan(true)][0], _turns, 1),
    "turned vane": Kind("wind_dir", (12, 30), lambda true, _v, random, _h: (true + _sign(random, 80, 180)) % 360, _windy, 2),
    "low gust": Kind("hi_speed", (4, 12), lambda true, values, *_: values["wind_speed"] * 0.4,
                     lambda values: bool(np.nanmean(values["wind_speed"]) > 10)),
    "stuck gust": Kind("hi_speed", (8, 18), lambda true, *_: true * 0 + np.nanmax(true),
                       lambda values: bool(np.ptp(values["wind_speed"]) > 10)),
    "gust spike": Kind("hi_speed", (0, 0), lambda true, _v, random, _h: true + random.uniform(80, 140)),
    "low maximum": Kind("hi_temp", (4, 24), lambda true, _v, random, _h: true - random.uniform(2, 6)),
    "high minimum": Kind("low_temp", (4, 24), lambda true, _v, random, _h: true + random.uniform(2, 6)),
    "dew offset": Kind("dew_point", (4, 24), lambda true, _v, random, _h: true + _sign(random, 4, 8)),
    "dew drift": Kind("dew_point", (10, 24), lambda true, _v, random, hours: true + _sign(random, 0.5, 1.5) * hours),
    "dew unit": Kind("dew_point", (4, 12), lambda true, *_: true * 1.8 + 32),
    "lit at night": Kind("solar_radiation", (14, 24), lambda true, _v, random, _h: true + random.uniform(25, 100),
                         lambda values: _hours(values, values["solar_radiation"] < DUSK) >= 3),
    "too bright": Kind("solar_radiation", (24, 36), lambda true, _v, random, _h: true * random.uniform(3, 5),
                       lambda values: bool(np.nanmax(values["solar_radiation"]) > 350)),
    "dark": Kind("solar_radiation", (8, 24), lambda true, *_: true * 0,
                 lambda values: _hours(values, values["solar_radiation"] > 200) >= 2),
    "stuck light": Kind("solar_radiation", (8, 24), lambda true, *_: np.where(true > DAYLIGHT, true[true > DAYLIGHT][0], true),
                        lambda values: _hours(values, values["solar_radiation"] > DAYLIGHT) >= 4),
    "snow jump": Kind("snow_depth", (0, 6), lambda true, _v, random, _h: true + random.uniform(25, 80)),
    "grass": Kind("snow_depth", (6, 12), lambda true, _v, random, hours: true + random.uniform(1.5, 3) * hours,
                  lambda values: bool(np.nanmin(values["temp_out"]) > 6)),
}  # fmt: skip
VARIABLES = {kind.variable for kind in KINDS.values()}


def put_in(weather: Labelled, seed: int, each: int = EACH) -> Labelled:
    """Weather with faults of every kind that its variables can have, no two of one station's within a day."""
    random = np.random.default_rng([seed, 23])
    values = {name: readings.copy() for name, readings in weather.values.items()}
    busy = np.zeros(weather.silent.shape, dtype=bool)
    # While one station is wrong the others are right: what they show is what tells.
    taken = {name: np.zeros(weather.times.size, dtype=bool) for name in VARIABLES}
    found = []
    slots, margin = weather.times.size, 24 * HOUR // weather.cadence
    known = [name for name, kind in KINDS.items() if not np.isnan(values.get(kind.variable, np.nan)).all()]
    near = nearest(weather.stations, NEAR_KM, 500)
    number = near.close.sum(axis=1)
    for name in known * each:
        kind = KINDS[name]
        for _ in range(500):
            row = int(random.integers(len(weather.stations)))
            length = max(1, round(random.uniform(*kind.hours) * HOUR / weather.cadence))
            first = int(random.integers(BEFORE_HOURS * HOUR // weather.cadence, slots))
            part = slice(first, first + length)
            true = {one: readings[row, part] for one, readings in weather.values.items()}
            true["hours"] = np.arange(true[kind.variable].size) * weather.cadence / HOUR
            if "rain" in true:
                around = (
                    weather.values["rain"][near.rows[row, near.close[row]]] if number[row] else np.zeros((1, slots))
                )
                wide = slice(first - HOUR // weather.cadence, first + length + HOUR // weather.cadence)
                true["rain around"] = np.nanmax(around[:, wide], axis=0)
                true["least rain around"] = np.nanquantile(around[:, part], 0.25, axis=0)
            own = true[kind.variable]
            if part.stop > slots or np.isnan(own).mean() > 0.2 or busy[row, max(0, first - margin) : part.stop].any():
                continue
            if taken[kind.variable][max(0, first - margin // 8) : part.stop + margin // 8].any():
                continue
            if number[row] < kind.neighbours or not kind.visible(true):
                continue
            values[kind.variable][row, part] = np.round(kind.effect(own, true, random, true["hours"]), 1)
            busy[row, first : part.stop + margin] = True
            taken[kind.variable][part] = True
            ends = int(weather.times[first]), int(weather.times[part.stop - 1])
            found.append(Fault(row, kind.variable, name, *ends))
            break
    return replace(weather, values=values, faults=found)


def sets(places: Sequence[Path]) -> Iterator[Labelled]:
    """Weather with the variables: of FOLDER or FOLDER/NAME, or generated and of the airports if there is none."""
    for seed in SEEDS if not places else ():
        yield simulated(seed)
        yield simulated(seed + 50, stations=network(seed))
        yield airports(seed, days=9)
    for folder, name in archive.named(places):
        data = archive.read(folder, name)
        if VARIABLES & data.values.keys():
            for stretch in archive.stretches(data, 3, seed=1):
                yield stretch.weather


def main() -> None:
    """Print recall by kind, and false alarms of these variables on weather without faults."""
    detector, total, false = ours(), Score(), Counter[tuple[str, str]]()
    days = 0.0
    for number, weather in enumerate(sets([Path(place) for place in sys.argv[1:]])):
        data = put_in(weather, number)
        one = score(data, [found for found in detector(data) if found.variable in VARIABLES])
        total += one
        for alarm in alarms(detector(weather)):
            if alarm.variable in VARIABLES:
                false[alarm.variable, alarm.test] += 1
        days += float((~weather.silent).sum()) * weather.cadence / 86400
        print(f"{weather.name}: {sum(one.seen.values())} of {len(data.faults)} found, missed: "
              f"{ {kind: n - one.seen[kind] for kind, n in one.faults.items() if n > one.seen[kind]} }", flush=True)  # fmt: skip
    for kind, number in total.faults.items():
        print(f"{kind:14} {total.seen[kind]:3} of {number:3}")
    if not days:
        print("no network measures rain, directions, gusts, extremes, radiation, dew point or snow")
        return
    delay = np.median(total.delays) if total.delays else np.nan
    print(f"recall {total.recall:.2f}, precision {total.precision:.2f}, median delay {delay:.1f} h")
    print(
        f"{sum(false.values())} false alarms in {days:.0f} station-days: {100 * sum(false.values()) / days:.2f} per 100"
    )
    for (variable, test), number in false.most_common():
        print(f"{number:5} {variable} {test}")


if __name__ == "__main__":
    main()
