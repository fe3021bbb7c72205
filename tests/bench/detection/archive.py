"""A network's archive as it is: the form that `docs/detection.md` describes, and the stretches in which it is scored.

A network NAME is two files in one folder, and a third that may be missing:

- NAME.stations.csv: station_id, latitude, longitude, elevation (m; may be empty); or NAME.stations.json, which
  `weather-tool data stations --json` writes;
- NAME.observations.csv, which `weather-tool data export` writes, also packed as .gz or .xz: time (UTC, ISO 8601), station_id, and any variables in the units of
  docs/reference/variables.md;
- NAME.bad.csv: station_id, variable (`all` for the station), reason, of sensors that are known to be wrong.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from tests.bench.detection.labelled import HOUR, Floats, Labelled
from tests.bench.detection.scoring import WHOLE, events
from toolkit.errors import UsageError
from toolkit.feed.stations import read_stations
from toolkit.model import Station
from toolkit.quality.arrays import Ints
from toolkit.variables import BY_NAME

DAY = 24 * HOUR
DAYS = 9
"""How long a stretch is."""
REPORTING = 0.8
"""A station reports in a stretch if it has this share of the observations that it has in its fullest one."""
MOST = 0.6
"""A stretch is used if this share of the network's stations, in its fullest stretch, report."""
QUIET = 0.25
"""Quiet are so many of a season's stretches: those with the least striking weather for each station-day."""


@dataclass(frozen=True)
class Stretch:
    """Some days of an archive.

    Attributes:
        weather: the data.
        quiet: whether faults are put into it.
    """

    weather: Labelled
    quiet: bool


def networks(folder: Path) -> list[str]:
    """The names of the networks in a folder."""
    return sorted({path.name.rsplit(".", 2)[0] for path in folder.glob("*.stations.*")})


def named(places: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """The folder and the name of each network: of all in a folder, or of one, FOLDER/NAME.

    Raises:
        UsageError: there is none in a folder.
    """
    for place in places:
        if place.is_dir():
            found = networks(place)
            if not found:
                raise UsageError(f"there is no NAME.stations.csv in {place}")
            yield from ((place, name) for name in found)
        else:
            yield place.parent, place.name


def read(folder: Path, name: str, *, with_bad: bool = True) -> Labelled:
    """A network's whole archive, in slots of its cadence; of several observations in a slot the last one counts.

    The cadence is the median time between two observations of a station, in whole minutes. Where a station reports
    more rarely, it is silent in the slots between.

    Args:
        folder: where its files are.
        name: what they are called.
        with_bad: whether to read the sensors that are known to be bad, too.
    """
    stations = _stations(folder, name)
    place = {station.station_id: row for row, station in enumerate(stations)}
    table = _observations(folder, name)
    table = table[table["station_id"].isin(place)]
    rows = table["station_id"].map(place).to_numpy(dtype=np.int64)
    moments = pd.to_datetime(table["time"], utc=True, format="ISO8601")
    seconds = ((moments - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(1, "s")).to_numpy()

    order = np.lexsort((seconds, rows))
    apart = np.diff(seconds[order])[np.diff(rows[order]) == 0]
    cadence = max(1, round(float(np.median(apart[apart > 0])) / 60)) * 60
    slots = -(-seconds // cadence)
    first = int(slots.min())
    times = cadence * np.arange(first, int(slots.max()) + 1)
    values: dict[str, Floats] = {}
    for variable in BY_NAME:
        if variable in table:
            values[variable] = np.full((len(stations), times.size), np.nan)
            values[variable][rows[order], slots[order] - first] = table[variable].to_numpy(dtype=np.float64)[order]
    if not with_bad and (bad := folder / f"{name}.bad.csv").exists():
        with bad.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for variable, readings in values.items():
                    if row["station_id"] in place and row["variable"] in {variable, WHOLE}:
                        readings[place[row["station_id"]]] = np.nan
    silent = np.all([np.isnan(readings) for readings in values.values()], axis=0)
    return Labelled(name, stations, times, values, values, silent)


def _stations(folder: Path, name: str) -> list[Station]:
    listed = folder / f"{name}.stations.json"
    if not listed.exists():
        return read_stations(folder / f"{name}.stations.csv")
    rows = json.loads(listed.read_text(encoding="utf-8"))
    return [Station(**{field: row.get(field) for field in Station._fields}) for row in rows]


def _observations(folder: Path, name: str) -> pd.DataFrame:
    """The rows that have a time, with the variables that have values."""
    paths = sorted(folder.glob(f"{name}.observations.csv*"))
    if not paths:
        raise UsageError(f"there is no {name}.observations.csv in {folder}, nor one packed as .gz or .xz")
    table = pd.read_csv(paths[0], dtype={"station_id": str})
    lacking = {"time", "station_id"} - set(table.columns)
    if lacking:
        raise UsageError(f"{paths[0]} has no column {lacking.pop()}")
    return table.dropna(axis="index", subset=["time"]).dropna(axis="columns", how="all")


def stretches(archive: Labelled, number: int, seed: int, days: float = DAYS) -> Iterator[Stretch]:
    """Twice so many stretches of an archive, spread evenly over its time.

    It is cut into `number` seasons. In each, one of the quietest stretches is drawn for faults to be put in, and one
    more of all others that do not overlap with it.
    """
    random = np.random.default_rng([seed, 17])
    slots, daily = round(days * DAY / archive.cadence), round(DAY / archive.cadence)
    starts = np.arange(0, archive.times.size - slots + 1, daily)
    if not starts.size:
        raise UsageError(f"{archive.name}: {archive.times.size / daily:.1f} days; at least {days} are needed")
    reported = _per_stretch((~archive.silent).astype(np.float64), starts, slots)
    usual = reported.max(axis=1, keepdims=True)
    reporting = ((reported >= REPORTING * usual) & (usual > 0)).sum(axis=0)
    usable = np.flatnonzero(reporting >= MOST * reporting.max())
    striking = np.zeros(archive.times.size)
    for _, start, _ in events(archive):
        striking[(start - archive.times[0]) // archive.cadence] += 1
    restless = _per_stretch(striking[None], starts, slots)[0] / np.maximum(reported.sum(axis=0), 1)

    for season in np.array_split(usable, number):
        if not season.size:
            continue
        calm = season[np.argsort(restless[season], kind="stable")][: max(1, round(QUIET * season.size))]
        quiet = int(random.choice(calm))
        yield Stretch(part(archive, int(starts[quiet]), slots), quiet=True)
        apart = season[np.abs(starts[season] - starts[quiet]) >= slots]
        if apart.size:
            yield Stretch(part(archive, int(starts[random.choice(apart)]), slots), quiet=False)


def between(archive: Labelled, start: float, end: float) -> Labelled:
    """The part of an archive between two times, in seconds since the epoch."""
    first, after = np.searchsorted(archive.times, (start, end)).tolist()
    return part(archive, first, after - first)


def _per_stretch(counted: Floats, starts: Ints, slots: int) -> Floats:
    """The sums over the slots of each stretch, rows × stretches."""
    total = np.cumsum(np.pad(counted, ((0, 0), (1, 0))), axis=1)
    found: Floats = total[:, starts + slots] - total[:, starts]
    return found


def part(archive: Labelled, first: int, slots: int) -> Labelled:
    """Some slots of an archive, without the stations that are silent throughout."""
    inside = slice(first, first + slots)
    there = np.flatnonzero(~archive.silent[:, inside].all(axis=1))
    values = {name: readings[there, inside] for name, readings in archive.values.items()}
    began = datetime.fromtimestamp(int(archive.times[first]), UTC)
    return replace(
        archive,
        name=f"{archive.name} {began:%F}",
        stations=[archive.stations[row] for row in there.tolist()],
        times=archive.times[inside],
        values=values,
        truth=values,
        silent=archive.silent[there, inside],
    )
