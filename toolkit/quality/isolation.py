"""How easily readings are isolated by random cuts, and how much sparser they lie than their neighbours in value.

Both methods are made for points in many dimensions, where they need random trees or a search for neighbours. A window's
readings lie on a line, where the one has a sum for its answer and the other a sorted array.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from toolkit.quality.arrays import Floats, Ints

NEIGHBOURS = 20
"""A reading is compared with so many of the nearest, and at most with half of the others: Breunig et al. advise 10 to
50, and no more than a cluster has."""
AT_ONCE = 100_000
"""How many readings the local outlier factor is computed of at once, for some 100 MB."""


class _Ordered(NamedTuple):
    """The readings of each station in ascending order, gaps last; stations × window slots.

    Attributes:
        values: the readings.
        place: the slot of each.
    """

    values: Floats
    place: Ints

    def in_time(self, found: Floats) -> Floats:
        """What was found for each, in the order of time; NaN for a gap."""
        back = np.empty_like(found)
        np.put_along_axis(back, self.place, np.where(np.isnan(self.values), np.nan, found), axis=1)
        return back


def _ordered(window: Floats) -> _Ordered:
    place = np.argsort(window, axis=1)
    return _Ordered(np.take_along_axis(window, place, axis=1), place)


def isolation(window: Floats) -> Floats:
    """The score of an isolation forest with infinitely many trees, each of all readings and grown to its leaves.

    A tree cuts the range of the readings at random, and goes on cutting both parts until every reading is alone. The
    score of a reading is 2^(-h/c), where h is the mean number of cuts until it is alone and c that of a random tree of
    as many readings (Liu, Ting and Zhou, 2008). On a line h is known: the cut between two readings next to each other,
    a and b, is one of those of a reading x beyond b if it comes before every other cut between a and x. It does so with
    the probability (b - a) / (x - a), for each point between a and x is as likely as any other to be cut first.

    Args:
        window: stations × window slots, NaN for a gap.

    Returns:
        From near 0 to 1, the same shape; NaN for a gap.
    """
    ordered = _ordered(window)
    values, slots = ordered.values, window.shape[1]
    between = np.diff(values, axis=1)
    cuts, equal = np.zeros(values.shape), np.zeros(values.shape)
    for apart in range(1, slots):
        span = values[:, apart:] - values[:, :-apart]
        with np.errstate(divide="ignore", invalid="ignore"):
            above, below = between[:, apart - 1 :] / span, between[:, : slots - apart] / span
        cuts[:, :-apart] += np.nan_to_num(above)
        cuts[:, apart:] += np.nan_to_num(below)
        equal[:, :-apart] += span == 0
        equal[:, apart:] += span == 0
    count = np.count_nonzero(~np.isnan(values), axis=1)[:, None]
    # Equal readings are never cut apart; they count as the random tree that would have been grown of them.
    random = _random_tree(slots)
    depth = cuts + random[equal.astype(np.int64) + 1]
    return ordered.in_time(np.exp2(-depth / np.maximum(random[count], 1)))


def _random_tree(most: int) -> Floats:
    """The mean number of cuts that isolate a reading in a random tree of 0 to `most` readings.

    It is that of an unsuccessful search in a binary search tree.
    """
    readings = np.arange(most + 1)
    harmonic = np.concatenate(([0.0, 0.0], np.cumsum(1 / np.arange(1, most))))[: most + 1]
    return np.where(readings > 1, 2 * harmonic - 2 * (readings - 1) / np.maximum(readings, 1), 0.0)


def local_outlier_factor(window: Floats, nearest: float = 0.0) -> Floats:
    """How many times as dense as around a reading it is around the readings that are nearest to it in value.

    Breunig, Kriegel, Ng and Sander, 2000.

    Args:
        window: stations × window slots, NaN for a gap.
        nearest: a distance below it counts as it, in the unit of the window: equal readings are not infinitely dense.

    Returns:
        About 1 for a reading among others and more for one that stands off, the same shape; NaN for a gap.
    """
    # Some stations after another: each reading needs a few dozen numbers.
    rows = max(1, AT_ONCE // window.shape[1])
    return np.concatenate([_factor(window[row : row + rows], nearest) for row in range(0, len(window), rows)])


def _factor(window: Floats, nearest: float) -> Floats:
    ordered = _ordered(window)
    values, (stations, slots) = ordered.values, window.shape
    reach = max(1, min(NEIGHBOURS, slots - 1))
    count = np.count_nonzero(~np.isnan(values), axis=1)[:, None]
    many = np.minimum(NEIGHBOURS, count // 2)
    # On a line the nearest are among those next in order: `reach` on either side.
    padded = np.pad(values, ((0, 0), (reach, reach)), constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)
    off = np.abs(around - values[:, :, None])
    off[:, :, reach] = np.nan
    which = np.argsort(off, axis=2, kind="stable")[:, :, :reach]
    off = np.take_along_axis(off, which, axis=2)
    theirs = np.clip(np.arange(slots)[None, :, None] + which - reach, 0, slots - 1)
    used = np.arange(reach) < many[:, :, None]
    last = np.take_along_axis(off, np.broadcast_to(np.maximum(many - 1, 0)[:, :, None], (stations, slots, 1)), axis=2)

    def of_neighbours(found: Floats) -> Floats:
        return np.take_along_axis(found, theirs.reshape(stations, -1), axis=1).reshape(theirs.shape)

    farther = np.maximum(np.maximum(off, of_neighbours(last[:, :, 0])), nearest)
    with np.errstate(invalid="ignore", divide="ignore"):
        density = many / np.where(used, farther, 0).sum(axis=2)
        factor = np.where(used, of_neighbours(density), 0).sum(axis=2) / many / density
    return ordered.in_time(factor)
