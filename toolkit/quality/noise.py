"""Noise: a reading that jumps to and fro as it never did.

The opposite of QARTOD's attenuated signal test. The measure is the second difference, which a steady change of the
weather leaves at nothing; what counts is its median over two hours, against that of the days before, of other stations
then, and of other stations now: a gusty day is gusty for all.
"""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Bools, deviation, rolling_median
from toolkit.quality.series import Series
from toolkit.quality.usual import unheard_of

HOURS = 2
READINGS = 7  # one spike touches three second differences, and must not be their median
LIMIT = 4.0
OWN = 2.0
NETWORK = 1.5
# So many earlier slots are needed to know what is usual; without them the window has to do.
EARLIER = 12


def flag(series: Series) -> Bools:
    """Stretches of two hours that jitter far too much, stations by the window's slots."""
    window, readings = series.window, series.scaled
    slots = readings.shape[1]
    flagged = np.zeros(readings.shape, dtype=bool)
    width = max(HOURS * series.per_hour, READINGS)
    if slots < width + 2:
        return flagged[:, -window:]
    jitter = np.abs(np.diff(readings, n=2, axis=1))
    earlier = jitter[:, : slots - window]
    known = earlier.shape[1] >= EARLIER
    usual = np.maximum(np.nan_to_num(deviation(earlier if known else jitter)), 2 * series.scale.resolution)
    level = rolling_median(jitter, width) / usual[:, None]
    # What ends in the window is judged, what ends before it is what was before.
    begin = max(0, slots - window - width - 1)
    now, before = level[:, begin:], level[:, :begin]
    of_all = np.median(np.nan_to_num(now[series.measured]), axis=0) if series.measured.any() else np.zeros(1)
    at_least = LIMIT * (1 + 1 / np.maximum(series.days, 0.1))
    limit = unheard_of(before, OWN, NETWORK, at_least)[:, None] * np.maximum(of_all, 1)
    for row, first in zip(*np.nonzero(now > limit), strict=True):
        flagged[row, begin + first : begin + first + width + 2] = True
    return flagged[:, -window:] & ~np.isnan(series.judged)
