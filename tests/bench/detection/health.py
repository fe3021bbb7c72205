"""Faults of weeks put into the months of real networks: how many `weather-tool sensors` names for the right reason.

    python -m tests.bench.detection.health FOLDER [FOLDER/NAME ...] [--seed N] [--months N]

A month is taken as it is, and once more for each kind of fault with one sensor spoilt (two, if they are exchanged). A
network's form is that of `archive`. What an untouched sensor is called counts against us, unless NAME.bad.csv has it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.bench.detection import archive
from tests.bench.detection.archive import DAY
from tests.bench.detection.labelled import HOUR, Floats, Labelled
from toolkit.detector.grid import Grid
from toolkit.detector.health.reporting import rhythms
from toolkit.detector.sensors import Sensor, health
from toolkit.errors import UsageError
from toolkit.quality.arrays import median
from toolkit.settings import load
from toolkit.variables import BY_NAME, MONITORED

DAYS = 30
# A sensor is spoilt only if it has so much of its values, or nobody could tell.
LEAST = 0.7

Random = np.random.Generator


@dataclass
class Month:
    """A month of a network, to be spoilt in place."""

    data: Labelled
    random: Random

    @property
    def days(self) -> Floats:
        """How many days after the beginning each slot is."""
        return np.asarray((self.data.times - self.data.times[0]) / DAY)

    def daylight(self, row: int) -> Floats:
        """The sine of the sun's height, roughly, 0 by night."""
        longitude = self.data.stations[row].longitude or 0
        return np.maximum(np.cos(2 * np.pi * (self.data.times / HOUR + longitude / 15 - 12.5) / 24), 0)

    def wander(self, size: float, hours: float) -> Floats:
        """Slow noise of one standard deviation `size`."""
        knots = np.arange(0, self.data.times.size + 1, max(1, round(hours * HOUR / self.data.cadence)))
        return np.interp(np.arange(self.data.times.size), knots, self.random.normal(0, size, knots.size))


Spoil = Callable[[Month, int, str], list[int] | None]
"""Spoils a station's variable; the rows that are spoilt, None if it could not be done."""


def indoors(month: Month, row: int, name: str) -> list[int]:
    true = month.data.values[name][row]
    if name == "temp_out":
        inside = 21.5 + 0.15 * (true - np.nanmean(true)) + month.wander(0.7, 8)
    else:
        inside = 42 + 0.15 * (true - np.nanmean(true)) + month.wander(3, 8)
    month.data.values[name][row] = np.where(np.isnan(true), np.nan, inside)
    return [row]


def sunlit(month: Month, row: int, name: str) -> list[int]:
    """A wall in the morning's or the afternoon's sun, or no shield; less on a cloudy day."""
    clear = np.repeat(month.random.beta(1.5, 1, DAYS + 1), DAY // month.data.cadence)[: month.data.times.size]
    light = month.daylight(row)
    half = np.roll(light, round(month.random.choice([-3, 0, 3]) * HOUR / month.data.cadence)) * light > 0.1
    month.data.values[name][row] += month.random.uniform(4, 9) * clear * light * half
    return [row]


def offset(month: Month, row: int, name: str) -> list[int]:
    size = {"temp_out": (4, 7), "out_hum": (20, 30)}[name]
    up = month.random.choice([-1, 1]) if name == "temp_out" else np.sign(55 - np.nanmean(month.data.values[name][row]))
    month.data.values[name][row] += month.random.uniform(*size) * up
    return [row]


def elevation(month: Month, row: int, name: str) -> list[int] | None:
    station = month.data.stations[row]
    if station.elevation is None:
        return None
    stations = list(month.data.stations)
    stations[row] = station._replace(elevation=station.elevation + month.random.uniform(500, 1200))
    month.data = replace(month.data, stations=stations)
    return [row]


def clock(hours: Sequence[float]) -> Spoil:
    def spoil(month: Month, row: int, name: str) -> list[int]:
        shift = round(month.random.choice(hours) * month.random.choice([-1, 1]) * HOUR / month.data.cadence)
        for values in month.data.values.values():
            moved = np.roll(values[row], shift)
            moved[: max(shift, 0)] = np.nan
            if shift < 0:
                moved[shift:] = np.nan
            values[row] = moved
        return [row]

    return spoil


def exchanged(month: Month, row: int, name: str) -> list[int] | None:
    """With one that measures something else, or no one could tell; from some day on."""
    values = month.data.values[name]
    apart = median(np.abs(values - values[row]))
    others = np.flatnonzero(apart > {"temp_out": 1.5, "out_hum": 8, "bar": 3}[name])
    others = others[np.isfinite(values[others]).mean(axis=1) > LEAST] if others.size else others
    if not others.size:
        return None
    other = int(month.random.choice(others))
    part = month.days >= (12 if month.data.stations[row].elevation is None else month.random.choice([0, 12]))
    values[row, part], values[other, part] = values[other, part], values[row, part]
    return [row, other]


def drift(month: Month, row: int, name: str) -> list[int]:
    size = {"temp_out": (0.5, 1.5), "out_hum": (6, 12), "bar": (1, 3)}[name]
    up = month.random.choice([-1, 1]) if name != "out_hum" else np.sign(55 - np.nanmean(month.data.values[name][row]))
    month.data.values[name][row] += up * month.random.uniform(*size) * month.days / DAYS
    return [row]


def unit(month: Month, row: int, name: str) -> list[int]:
    part = month.days >= month.random.integers(4, 22)
    values = month.data.values[name][row]
    factor = {"bar": 1 / 1.333224, "wind_speed": 1 / month.random.choice([1.609344, 3.6])}.get(name, 1.8)
    values[part] = values[part] * factor + (32 if name == "temp_out" else 0)
    return [row]


def misplaced(month: Month, row: int, name: str) -> list[int]:
    station = month.data.stations[row]
    stations = list(month.data.stations)
    away = month.random.choice([-1, 1], 2) * month.random.uniform(0.8, 3, 2)
    stations[row] = station._replace(
        latitude=(station.latitude or 0) + away[0], longitude=(station.longitude or 0) + away[1]
    )
    month.data = replace(month.data, stations=stations)
    return [row]


def growing(month: Month, row: int, name: str) -> list[int]:
    size = {"temp_out": (1.5, 3), "out_hum": (8, 16), "bar": (1, 4)}[name]
    ramp = np.clip((month.days - 5) / (DAYS - 5), 0, 1) * month.random.uniform(*size)
    month.data.values[name][row] += month.random.normal(0, 1, ramp.size) * ramp
    return [row]


def saturated(month: Month, row: int, name: str) -> list[int]:
    values = month.data.values[name][row]
    part = month.days >= month.random.choice([0, 8, 16])
    values[part] = np.where(np.isnan(values), np.nan, 100 - np.abs(month.wander(1, 5)))[part]
    return [row]


def flipping(month: Month, row: int, name: str) -> list[int]:
    values = month.data.values[name][row]
    slots = month.data.times.size
    part = (month.wander(1, 6) > 0.5) & (month.days >= 5)
    ends = month.random.choice([0.0, 100.0], slots)
    values[part & ~np.isnan(values)] = ends[part & ~np.isnan(values)]
    return [row]


# By kind: how it is done, to which variables, and the rules that are right to name it.
KINDS: dict[str, tuple[Spoil, Sequence[str], set[str]]] = {
    "indoors": (indoors, ("temp_out", "out_hum"), {"indoors"}),
    "sunlit": (sunlit, ("temp_out",), {"sunlit"}),
    "offset": (offset, ("temp_out", "out_hum"), {"level"}),
    "elevation": (elevation, ("temp_out",), {"level"}),
    "an hour off": (clock([1]), ("temp_out", "out_hum"), {"clock"}),
    "hours off": (clock([2, 5, 8, 12]), ("temp_out", "out_hum"), {"clock"}),
    "a day off": (clock([24]), ("temp_out", "out_hum"), {"clock"}),
    "exchanged": (exchanged, ("temp_out", "out_hum", "bar"), {"exchanged"}),
    "misplaced": (misplaced, ("temp_out", "out_hum"), {"misplaced"}),
    "drift": (drift, ("temp_out", "out_hum", "bar"), {"drift"}),
    "unit": (unit, ("temp_out", "bar", "wind_speed"), {"unit"}),
    "growing": (growing, ("temp_out", "out_hum", "bar"), {"growing", "noise"}),
    "saturated": (saturated, ("out_hum",), {"saturated"}),
    "flipping": (flipping, ("out_hum",), {"flipping"}),
}


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--months", type=int, default=3, help="so many of each network's, evenly spread")
    parser.add_argument("--show", action="store_true", help="each sensor that was missed or called unhealthy")
    args = parser.parse_args()
    for folder, name in archive.named(args.folders):
        _score(folder, name, args.months, np.random.default_rng([args.seed, 23]), args.show)
    return 0


def months(data: Labelled, number: int) -> list[Labelled]:
    """Up to `number` months of an archive, evenly spread; stations that are silent throughout are left out."""
    slots = DAYS * DAY // data.cadence
    starts = np.arange(0, data.times.size - slots + 1, slots)
    chosen = starts[np.unique(np.linspace(0, len(starts) - 1, min(number, len(starts))).astype(int))]
    return [archive.part(data, int(start), slots) for start in chosen]


def grid(data: Labelled) -> Grid:
    """A month as `toolkit.detector.loading.load` gives it; several minutes of a slot are its end."""
    end = float(data.times[-1])
    values = {
        name: data.values.get(name, np.full((len(data.stations), data.times.size), np.nan)).copy() for name in MONITORED
    }
    there = ~np.all([np.isnan(one) for one in values.values()], axis=0)
    nothing = np.empty((len(data.stations), 0))
    return Grid(
        stations=list(data.stations), cadence=float(data.cadence), end=end, window=data.times.size,
        times=np.where(there, data.times, np.nan), values=values, moments=dict.fromkeys(values, nothing),
        moment_times=np.empty(0), reported=np.empty((len(data.stations), 0), dtype=bool),
        days=np.zeros(len(data.stations)), every=rhythms(there),
    )  # fmt: skip


def found(data: Labelled) -> dict[tuple[int, str], Sensor]:
    """What `weather-tool sensors --days 30` says of each sensor."""
    rows = {station.station_id: row for row, station in enumerate(data.stations)}
    return {(rows[one.station_id], one.variable): one for one in health(grid(data), load({}, {}).settings).sensors}


def _score(folder: Path, name: str, number: int, random: Random, show: bool) -> None:
    data = archive.read(folder, name)
    named, called = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter)
    began, examined = time.perf_counter(), 0
    for month in months(data, number):
        plain = found(month)
        for (row, variable), one in plain.items():
            called[variable][one.state] += 1
            if one.state != "healthy" and show:
                print(f"    {month.name} {month.stations[row].station_id} {variable}: {one.reason}, since {one.since}")
        for kind, (spoil, variables, right) in KINDS.items():
            for variable in variables:
                rows = [
                    row for row, readings in enumerate(month.values.get(variable, ()))
                    if np.isfinite(readings).mean() > LEAST and plain[row, variable].state == "healthy"
                ]  # fmt: skip
                if not rows:
                    continue
                spoilt = Month(replace(month, values={key: one.copy() for key, one in month.values.items()}), random)
                touched = spoil(spoilt, int(random.choice(rows)), variable)
                if touched is None:
                    continue
                if BY_NAME[variable].low == 0:
                    spoilt.data.values[variable].clip(
                        0, 100 if variable == "out_hum" else None, spoilt.data.values[variable]
                    )
                examined += 1
                then = found(spoilt.data)
                first = then[touched[0], variable]
                names = [fault.name for fault in first.faults]
                what = (
                    "right"
                    if names[:1] and names[0] in right
                    else "among"
                    if right & {*names}
                    else "wrong"
                    if names
                    else "missed"
                )
                named[f"{kind} {variable}"][what] += 1
                if what != "right" and show:
                    print(
                        f"    {month.name} {month.stations[touched[0]].station_id} {kind} {variable}: {what}: {names} {first.reason} corr {first.correlation} level {first.level}"
                    )
                others = {
                    key
                    for key, one in then.items()
                    if one.state != "healthy" and plain.get(key, one).state == "healthy"
                }
                if not kind.endswith("off"):
                    called[f"beside {kind}"].update(
                        "warning" if key in others else "healthy"
                        for key in then
                        if key[0] not in touched and plain[key].state == "healthy"
                    )
    total = sum(named.values(), Counter())
    print(f"{name}: {len(data.stations)} stations, {time.perf_counter() - began:.0f} s")
    for kind, counts in named.items():
        print(f"  {kind:24}" + "  ".join(f"{what} {counts[what]}" for what in ("right", "among", "wrong", "missed")))
    print(
        f"  {'all':24}right {total['right'] / max(1, total.total()):.2f}, among {total['among'] / max(1, total.total()):.2f} of {total.total()}"
    )
    for variable, counts in called.items():
        print(
            f"  untouched {variable}: {1 - counts['healthy'] / counts.total():.1%} of {counts.total()} called unhealthy"
        )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UsageError as error:
        sys.exit(str(error))
