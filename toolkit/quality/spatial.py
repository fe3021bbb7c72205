"""Spatial consistency: for hours a station tells another weather than its neighbours imply for it.

The buddy check of titanlib and MADIS (level 3), on residuals (`quality.expected`) and for two hours at a time: a front
that reaches one station before another passes, an offset or a drift stays.
"""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Bools, rolling_median
from toolkit.quality.expected import Expected
from toolkit.quality.series import Series

HOURS = 2
READINGS = 3
# In usual deviations; stations of the region see other weather more often than neighbours do.
LIMIT = 6.0
LIMIT_IN_REGION = 9.0
# What is usual is known badly at first: after d days the limit is 1 + this / d times as high.
DAYS_TO_LEARN = 2.0
REGION_DAYS = 1.5
# Around a flagged stretch, this much belongs to it.
PART = 2.5


def flag(series: Series, expected: Expected) -> Bools:
    """Stretches of two hours whose median residual is far too large, rows by the window's slots."""
    window = series.window
    off = expected.residual[:, -window:] / expected.sigma[:, -window:]
    width = min(window, HOURS * series.per_hour if series.per_hour > 1 else READINGS)
    lasting = rolling_median(off, width)
    days = series.days[expected.rows]
    limit = np.where(expected.verified, LIMIT, np.where(days >= REGION_DAYS, LIMIT_IN_REGION, np.inf))
    limit = limit * (1 + DAYS_TO_LEARN / np.maximum(days, 0.1))
    flagged = np.zeros(off.shape, dtype=bool)
    for row, first in zip(*np.nonzero(np.abs(lasting) > limit[:, None]), strict=True):
        part = slice(first, first + width)
        flagged[row, part] |= off[row, part] * np.sign(lasting[row, first]) > PART
    return flagged
