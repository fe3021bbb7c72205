"""How much of what a sensor should say arrives, and whether it moves."""

from __future__ import annotations

import numpy as np

from toolkit.detector.grid import Grid
from toolkit.detector.health.hourly import Hourly
from toolkit.quality.arrays import Bools, Floats, Ints, median
from toolkit.quality.runs import Runs
from toolkit.quality.series import Series, unscaled

# A reading that stays the same for so long is stuck, in hours; of a vane only readings while there is wind count.
STUCK_HOURS = 6
# Without neighbours that tell that the weather went on, and for a vane in a steady wind, it takes so many.
STUCK_ALONE = 24
# An anemometer that reads zero is stalled while neighbours imply more wind than this, in km/h.
WIND_AROUND = 5.0


def rhythms(there: Bools) -> Ints:
    """How many slots apart each station's readings are as a rule, 1 at least; of stations × slots."""
    found = np.ones(len(there), dtype=np.int64)
    for row, readings in enumerate(there):
        at = np.flatnonzero(readings)
        if len(at) > 1:
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
    """Which readings are part of a run of one value over `least` slots; only those that count."""
    runs = Runs.of(readings, counts, least)
    length = np.where(runs.length > 0, np.arange(readings.shape[1]) - runs.start + 1, 0)
    # The length of each run is that in its last slot; it is carried back over all slots of the run.
    longest = np.zeros(length.shape, dtype=np.int64)
    carried = np.zeros(len(length), dtype=np.int64)
    for slot in range(length.shape[1] - 1, -1, -1):
        carried = np.where(length[:, slot] > 0, np.maximum(carried, length[:, slot]), carried)
        longest[:, slot] = carried
        carried = np.where(length[:, slot] == 1, 0, carried)
    return (longest >= least) & counts & ~np.isnan(readings)


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
