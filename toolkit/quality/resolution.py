"""Resolution: readings in other steps than the sensor ever showed.

An anemometer counts turns, so its readings are multiples of one step (a mile an hour in most of them, whatever the unit
that is told). Where a unit is taken for another the steps are scaled with the readings, and that shows even with no
neighbour to ask. It is the check on a report's precision in the metadata part of WMO-No. 8 (vol. V, ch. 1), learnt from
the station's own past instead of being declared.
"""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Bools, Floats, median
from toolkit.quality.series import Series, unscaled

# The feed's own decimals: steps of less than five of them can't be told from none.
DECIMAL = 0.1
STEP_AT_LEAST = 5 * DECIMAL
# So many readings tell the step, of which so many may be off it: an earlier fault.
READINGS = 24
OFF_BEFORE = 0.2
# In other steps: so many different values, at least this part of the readings from the first to the last of them.
DIFFERENT = 3
OFF_NOW = 0.4
# Of the network: if more do it at once it is the feed.
FEW = 0.3


def flag(series: Series) -> Bools:
    """Readings from the first to the last one that is off the station's steps, stations by the window's slots."""
    window = series.window
    flagged = np.zeros(series.judged.shape, dtype=bool)
    if series.nature != "gusty":
        return flagged
    before = np.hstack([unscaled(series.variable, series.levels), series.values[:, :-window]])
    before = np.where(before > 0, before, np.nan)
    now = np.where(series.judged > 0, series.judged, np.nan)
    step = _step(before)[:, None]
    readings = np.count_nonzero(~np.isnan(before), axis=1)
    known = (
        (step[:, 0] >= STEP_AT_LEAST)
        & (readings >= READINGS)
        & (_off(before, step).sum(axis=1) <= OFF_BEFORE * readings)
    )
    off = _off(now, step) & known[:, None]
    for row in np.flatnonzero(off.sum(axis=1) >= DIFFERENT):
        first, after = np.flatnonzero(off[row])[[0, -1]] + [0, 1]
        between = ~np.isnan(now[row, first:after])
        if off[row].sum() >= OFF_NOW * between.sum() and len(np.unique(now[row, off[row]])) >= DIFFERENT:
            flagged[row, first:after] = ~np.isnan(series.judged[row, first:after])
    if flagged.any(axis=1).sum() > max(1, FEW * known.sum()):
        flagged[:] = False
    return flagged


def _step(readings: Floats) -> Floats:
    """The step of which most of each row's readings are multiples; NaN where there are too few to tell."""
    gaps = np.diff(np.sort(readings, axis=1), axis=1)
    gaps = np.where(gaps > DECIMAL / 2, gaps, np.nan)
    alike = np.abs(gaps - median(gaps)[:, None]) <= 1.5 * DECIMAL
    # What a decimal rounds away, several gaps give back, and large readings still more.
    number = alike.sum(axis=1)
    step = np.where(number > 0, np.sum(gaps, axis=1, where=alike) / np.maximum(number, 1), np.nan)[:, None]
    times = np.where(_off(readings, step), np.nan, np.rint(readings / step))
    squares = np.nansum(times * times, axis=1)
    return np.where(squares > 0, np.nansum(readings * times, axis=1) / np.maximum(squares, 1), np.nan)


def _off(readings: Floats, step: Floats) -> Bools:
    """Which readings are no multiple of the step, to a decimal; none where either is NaN."""
    return np.asarray(np.abs(readings - np.rint(readings / step) * step) > DECIMAL)
