"""How far values are from what a station's neighbours imply: what WDQMS computes against a model's background."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from toolkit.detector.grid import DAY, Grid
from toolkit.detector.health.hourly import COMMON_HOURS, hourly
from toolkit.detector.health.siting import out_of_place
from toolkit.detector.in_parts import Part, cut, own_of
from toolkit.location import without_impossible_place
from toolkit.model import Station
from toolkit.performance.availability import Rows
from toolkit.performance.month import Month
from toolkit.quality.arrays import Floats, mean
from toolkit.quality.neighbours import Neighbours, nearest
from toolkit.quality.series import HOUR, differences
from toolkit.settings import Settings
from toolkit.store import Span, Store
from toolkit.store.selection import pieces
from toolkit.variables import BY_NAME, MONITORED

# A network of so many stations is compared in one piece; parts of a larger one are of so many at most.
ONE_PIECE, PART = 10_000, 5_000
# The variables of which neighbours imply a value.
COMPARED = tuple(name for name in MONITORED if BY_NAME[name].scale is not None)


@dataclass(frozen=True, slots=True)
class Departures:
    """Of one variable, the values less what the neighbours imply, in its unit.

    Attributes:
        bias: the mean; NaN where it cannot be told, as of a wind, whose level depends on what shelters it; stations.
        spread: the standard deviation; NaN where too few hours are common to a station and its neighbours; stations.
    """

    bias: Floats
    spread: Floats


def departures(store: Store, settings: Settings, rows: Rows, month: Month) -> dict[str, Departures]:
    """The departures of each variable of which neighbours imply a value, by its name; from hourly means of whole days.

    A variable of which there is too little to compare has none, nor has any in the first days of a month.
    """
    hours = int((month.end - month.start) // DAY) * 24
    end = month.start + hours * HOUR
    if hours < COMMON_HOURS:
        return {}
    # Four bytes a value: a month of 10,000 stations is 30 MB for each variable.
    means = np.full((len(COMPARED), rows.number, hours), np.nan, dtype=np.float32)
    spans = list(pieces([Span(month.start, end)], HOUR))
    for hour, read in enumerate(store.statistics.means(spans, COMPARED)):
        row, found = rows.of_columns(read)
        means[:, row, hour] = found[1:]
    stations = [without_impossible_place(station) for station in store.stations()]
    found_of: dict[str, Departures] = {}
    for part in _parts(stations, settings):
        some = [stations[row] for row in part.rows.tolist()]
        neighbours = nearest(some, settings.neighbour_km, settings.neighbour_elevation_m)
        around = nearest(some, settings.neighbour_km, np.inf)
        own = own_of(part)
        for name, values in zip(COMPARED, means, strict=True):
            one = _departures(name, values[part.rows].astype(np.float64), some, neighbours, around, end)
            if one is not None:
                whole = found_of.setdefault(name, Departures(*np.full((2, rows.number), np.nan)))
                whole.bias[part.own], whole.spread[part.own] = one.bias[own], one.spread[own]
    return found_of


def _parts(stations: list[Station], settings: Settings) -> list[Part]:
    """The network, or parts of it that are compared one after the other: what is usual is then that of a part."""
    if len(stations) <= ONE_PIECE:
        return [Part(np.arange(len(stations)), np.arange(len(stations)))]
    return cut(stations, [nearest(stations, settings.neighbour_km, np.inf)], PART)


def _departures(
    name: str, values: Floats, stations: list[Station], neighbours: Neighbours, around: Neighbours, end: float
) -> Departures | None:
    series = _grid(name, values, stations, end).series(name)
    if not series.measured.any():
        return None
    # Only neighbours are compared with, as for the health of sensors.
    hours = hourly(_grid(name, values, stations, end), series, replace(neighbours, exists=neighbours.close))
    if hours is None:
        return None
    enough = np.count_nonzero(~np.isnan(hours.residual), axis=1) >= COMMON_HOURS
    residual = differences(series.variable, hours.value, hours.residual)
    average = mean(residual)
    spread = np.sqrt(mean(np.square(residual - average[:, None])))
    bias = np.full(len(stations), np.nan)
    if series.nature == "level":
        # The usual difference of the two, which the residual is without, less what height explains of it.
        bias = out_of_place(hours, stations, around) + average
    return Departures(np.where(enough, bias, np.nan), np.where(enough, spread, np.nan))


def _grid(name: str, values: Floats, stations: list[Station], end: float) -> Grid:
    """A month of one variable as a grid; `values` are its hourly means, stations × hours, in its unit."""
    nothing = np.empty((len(stations), 0))
    return Grid(
        stations=stations,
        cadence=HOUR,
        end=end,
        window=values.shape[1],
        times=np.broadcast_to(np.nan, values.shape),
        values={name: values},
        moments={name: nothing},
        moment_times=np.empty(0),
        reported=nothing.astype(bool),
        days=np.zeros(len(stations)),
        every=np.ones(len(stations), dtype=np.int64),
    )
