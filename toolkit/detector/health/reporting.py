"""How much of what a sensor should say arrives, and whether it moves."""

from __future__ import annotations

import numpy as np

from toolkit.detector.grid import Grid
from toolkit.detector.health.hourly import Hourly
from toolkit.quality.arrays import Bools, Floats, Ints, median
from toolkit.quality.series import Series, unscaled

# A reading that stays the same for so long is stuck, in hours; of a vane only readings while there is wind count.
STUCK_HOURS = 6
# Without neighbours that tell that the weather went on, and for a vane in a steady wind, it takes so many.
STUCK_ALONE = 24
# So many stations are looked at at once.
ROWS = 64
# An anemometer that reads zero is stalled while neighbours imply more wind than this, in km/h.
WIND_AROUND = 5.0


def rhythms(there: Bools) -> Ints:
    """How many slots apart each station's readings are as a rule, 1 at least; of stations × slots."""
    found = np.ones(len(there), dtype=np.int64)
    number, successive = (np.count_nonzero(of, axis=1) for of in (there, there[:, 1:] & there[:, :-1]))
    # Where more than half of the readings follow at once, the median is 1.
    for row in np.flatnonzero((number > 1) & (2 * successive <= number - 1)):
        at = np.flatnonzero(there[row])
        found[row] = max(1, round(float(np.median(np.diff(at)))))
    return found


def stuck(grid: Grid, series: Series, hours: Hourly | None) -> Bools:
    """Readings in too long runs of one value while the neighbours' weather went on; stations × slots."""
    readings = series.scaled
    counts = np.ones(readings.shape, dtype=bool)
    variable = series.variable
    if variable.saturation is not None:
        counts = readings < variable.saturation
    elif variable.nature == "gusty":
        counts = readings > 0
    elif variable.speed:
        counts = grid.values[variable.speed] > 0
    moved = _moved(series, hours)
    return (_in_long_runs(readings, counts, STUCK_HOURS * series.per_hour) & moved) | _in_long_runs(
        readings, counts, STUCK_ALONE * series.per_hour
    )


def stalled(series: Series, hours: Hourly | None) -> tuple[Bools, Bools]:
    """When the neighbours imply wind, and when the anemometer stood still for hours meanwhile; stations × slots."""
    readings = series.scaled
    windy = np.zeros(readings.shape, dtype=bool)
    if hours is None:
        return windy, windy
    # A usual difference from an anemometer that never turned says nothing: what neighbours measure counts.
    turned = np.any(readings > 0, axis=1, keepdims=True)
    near = np.where(hours.neighbours.exists, hours.level[hours.neighbours.rows], np.nan)
    level = np.where(turned[:, 0], hours.level, median(near))
    around = unscaled(series.variable, hours.reference + level[:, None])
    windy[:, -around.shape[1] * series.per_hour :] = np.repeat(around > WIND_AROUND, series.per_hour, axis=1)
    windy &= ~np.isnan(readings)
    return windy, windy & _in_long_runs(readings, readings == 0, STUCK_HOURS * series.per_hour)


def _in_long_runs(readings: Floats, counts: Bools, least: int) -> Bools:
    """Which readings are part of a run of one value over `least` slots; only those that count.

    A gap of more than `least` slots ends a run. One whose first reading does not count goes on in the run before it.
    """
    found = np.zeros(readings.shape, dtype=bool)
    # Some rows at a time stay in the processor's cache.
    for first in range(0, len(readings), ROWS):
        rows = slice(first, first + ROWS)
        found[rows] = _in_long_runs_of(readings[rows], counts[rows], least)
    return found


def _in_long_runs_of(readings: Floats, counts: Bools, least: int) -> Bools:
    there = ~np.isnan(readings)
    row, slot = np.nonzero(there)
    found = np.zeros(readings.shape, dtype=bool)
    if not len(row):
        return found
    value, counted = readings[there], counts[there]
    begins = np.ones(len(row), dtype=bool)
    begins[1:] = (row[1:] != row[:-1]) | (value[1:] != value[:-1]) | (np.diff(slot) > least + 1)
    first = np.flatnonzero(begins)
    long = np.maximum.reduceat(np.where(counted, slot, -1), first) - slot[first] + 1 >= least
    joins = ~counted[first]
    joins[0] = False
    joins[1:] &= row[first[1:]] == row[first[:-1]]
    news = np.flatnonzero(long & joins) - 1
    while len(news := news[~long[news]]):
        long[news] = True
        news = news[joins[news]] - 1
    found[there] = counted & np.repeat(long, np.diff(first, append=len(row)))
    return found


def _moved(series: Series, hours: Hourly | None) -> Bools:
    """Whether the neighbours changed by more than this sensor can fail to show, within the hours around each slot."""
    found = np.zeros(series.scaled.shape, dtype=bool)
    if hours is None or series.variable.scale is None:
        return found
    width = max(1, round(STUCK_HOURS / hours.step))
    low, high = (np.full(hours.reference.shape, limit) for limit in (np.inf, -np.inf))
    for shift in range(-(width // 2), width - width // 2):
        moved = np.roll(hours.reference, shift, axis=1)
        low, high = np.fmin(low, moved), np.fmax(high, moved)
    enough = np.repeat(high - low > 4 * series.scale.noise + 2 * _resolution(series), series.per_hour, axis=1)
    found[:, -enough.shape[1] :] = enough
    return found


def _resolution(series: Series) -> Floats:
    """The smallest usual step of each sensor: the lower tenth of its changes that are not zero; stations × 1."""
    change = np.abs(np.diff(series.scaled, axis=1))
    change = np.sort(np.where(change > 1e-6, change, np.nan), axis=1)
    number = np.count_nonzero(~np.isnan(change), axis=1)
    least = np.take_along_axis(change, (number // 10)[:, None].clip(max=max(change.shape[1] - 1, 0)), 1)
    found: Floats = np.maximum(np.nan_to_num(least, nan=0.0), series.scale.resolution)
    return found
