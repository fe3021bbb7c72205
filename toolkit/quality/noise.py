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
READINGS = 5
LIMIT = 4.0
OWN = 2.0
NETWORK = 1.5
# So many earlier slots are needed to know what is usual; without them the window has to do.
EARLIER = 12


def flag(series: Series) -> Bools:
    """Stretches of two hours that jitter far too much, stations by the window's slots."""
    scale = series.scale
    window, readings = series.window, series.scaled
    assert scale is not None, f"{series.variable.name} is compared with nothing"
    flagged = np.zeros((len(readings), window), dtype=bool)
    if window < READINGS:
        return flagged
    jitter = np.abs(np.diff(readings, n=2, axis=1))
    earlier = jitter[:, : jitter.shape[1] - (window - 2)]
    known = earlier.shape[1] >= EARLIER
    usual = np.maximum(np.nan_to_num(deviation(earlier if known else jitter)), 2 * scale.resolution)[:, None]
    width = min(window - 2, HOURS * series.per_hour if series.per_hour > 1 else READINGS)
    now = rolling_median(jitter[:, -(window - 2) :], width) / usual
    before = rolling_median(earlier, width) / usual if known else np.zeros((len(readings), 0))
    typical = np.median(np.nan_to_num(now[series.measured]), axis=0) if series.measured.any() else np.zeros(now.shape[1])
    limit = unheard_of(before, OWN, NETWORK, LIMIT * (1 + 1 / np.maximum(series.days, 0.1)))[:, None] * np.maximum(typical, 1)
    for row, first in zip(*np.nonzero(now > limit), strict=True):
        flagged[row, first : first + width + 2] = True
    return flagged & ~np.isnan(series.judged)
