"""Rain as it fell: from the readings of a gauge, whatever they count, to the amount of each slot."""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Bools, Floats, median, previous
from toolkit.quality.blocks import by_rows

# A gauge that counts up holds what it has counted: after a reading above zero the next one is no lower, but where it is
# reset. An amount of one interval falls again as often as it rises. So many such pairs of readings tell, and from this
# share on the network's gauges count up.
PAIRS = 6
HOLDS = 0.75


def counts_up(readings: Floats) -> bool:
    """Whether the readings of a typical station are totals since a reset, instead of the amounts of an interval.

    Args:
        readings: stations × slots, in mm.
    """

    def shares(rows: slice) -> list[Floats]:
        """The share of each station's pairs that hold."""
        before, after = readings[rows, :-1], readings[rows, 1:]
        pairs = (before > 0) & ~np.isnan(after)
        number = pairs.sum(axis=1)
        return [np.where(number >= PAIRS, (pairs & (after >= before)).sum(axis=1) / np.maximum(number, 1), np.nan)]

    (share,) = by_rows(shares, len(readings))
    return bool(median(share[None])[0] >= HOLDS)


def amounts(readings: Floats) -> Floats:
    """What fell from the reading before to each one, in mm; stations × slots, NaN where it is not known."""
    if not counts_up(readings):
        return readings

    def fell(rows: slice) -> list[Floats]:
        now, before = readings[rows], previous(readings[rows])
        return [np.where(now >= before, now - before, np.where(np.isnan(before), np.nan, now))]

    (found,) = by_rows(fell, len(readings))
    return found


def resets(readings: Floats) -> Bools:
    """Where a total is lower than the one before, stations × slots."""
    return readings < previous(readings)


def hourly(fell: Floats, per_hour: int) -> Floats:
    """The sums of whole hours, counted back from the last slot; stations × hours, NaN where less than half is known."""
    hours = fell.shape[1] // per_hour
    parts = fell[:, fell.shape[1] - hours * per_hour :].reshape(len(fell), hours, per_hour)
    known = np.count_nonzero(~np.isnan(parts), axis=2)
    return np.where(known * 2 >= per_hour, np.nansum(parts, axis=2), np.nan)
