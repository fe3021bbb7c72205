"""What hygrometers die of: a reading that stays at saturation, and one that flips from end to end of its scale."""

from __future__ import annotations

import numpy as np

from toolkit.detector.health.hourly import Hourly
from toolkit.quality.arrays import Floats
from toolkit.quality.series import Series

# A hygrometer at saturation while the neighbours imply less than this, in %, is not in fog.
SATURATED = 97.0
NOT_SATURATED = 88.0
# A change of so much between two readings that ends within so much of an end of the scale is a flip, in %.
FLIP = 40.0
END = 5.0


def saturated(hours: Hourly, near: Floats) -> Floats:
    """The share of each day that was saturated here and by the neighbours not; stations × days."""
    known = ~np.isnan(hours.value + hours.reference)
    wet = known & (hours.value >= SATURATED) & (hours.reference + near[:, None] < NOT_SATURATED)
    number = np.count_nonzero(hours.by_day(known), axis=2)
    return np.where(number > 0, np.count_nonzero(hours.by_day(wet), axis=2) / np.maximum(number, 1), np.nan)


def flips(hours: Hourly, series: Series) -> Floats:
    """How often the reading flipped between the ends of its scale on each day; stations × days."""
    slots = hours.value.shape[1] * series.per_hour
    readings = series.values[:, -slots:]
    there = np.maximum.accumulate(np.where(~np.isnan(readings), np.arange(slots), 0), axis=1)
    filled = np.take_along_axis(readings, there, 1)
    change = np.abs(np.diff(filled, axis=1, prepend=filled[:, :1]))
    low, high = series.variable.low + END, series.variable.high - END
    at_end = (filled <= low) | (filled >= high)
    flipped = (change >= FLIP) & (at_end | np.roll(at_end, 1, axis=1))
    return (
        np.count_nonzero(flipped.reshape(len(flipped), -1, slots * hours.per_day // hours.value.shape[1]), axis=2) * 1.0
    )
