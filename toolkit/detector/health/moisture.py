"""What hygrometers die of: a reading that stays at saturation, and one that flips from end to end of its scale."""

from __future__ import annotations

import numpy as np

from toolkit.detector.health.hourly import Hourly
from toolkit.quality.arrays import Floats, carried, mean, median
from toolkit.quality.series import Series

# A day is saturated if this share of its hours reads so much, in %, while the neighbours imply less than that.
SATURATED = 97.0
SHARE = 0.9
NOT_SATURATED = 90.0
# A change of so much between two readings that ends within so much of an end of the scale is a flip, in %.
FLIP = 40.0
END = 5.0


def saturated(hours: Hourly, near: Floats) -> Floats:
    """Whether the hygrometer was at saturation all day while it was drier around it; 0 or 1, stations × days."""
    known = hours.by_day(~np.isnan(hours.value + hours.reference))
    wet = mean(np.where(known, hours.by_day(hours.value) >= SATURATED, np.nan))
    around = median(hours.by_day(hours.reference) + near[:, None, None])
    return np.where(np.isnan(wet + around), np.nan, (wet >= SHARE) & (around < NOT_SATURATED))


def flips(hours: Hourly, series: Series) -> Floats:
    """How often the reading flipped between the ends of its scale on each day; stations × days."""
    slots = hours.value.shape[1] * series.per_hour
    filled = carried(series.values[:, -slots:])
    change = np.abs(np.diff(filled, axis=1, prepend=filled[:, :1]))
    low, high = series.variable.low + END, series.variable.high - END
    at_end = (filled <= low) | (filled >= high)
    flipped = (change >= FLIP) & (at_end | np.roll(at_end, 1, axis=1))
    days = flipped.reshape(len(flipped), hours.value.shape[1] // hours.per_day, -1)
    return np.asarray(np.count_nonzero(days, axis=2), dtype=np.float64)
