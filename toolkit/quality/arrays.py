"""Arithmetic on arrays of stations × slots, in which NaN means that nothing was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

# Makes the median absolute deviation of normal data its standard deviation: 1 / Φ⁻¹(3/4).
MAD_TO_SIGMA = 1.4826
# Up to so many arrays are sorted faster by exchanges of whole arrays than along an axis; of so many rows at a time,
# which fit into a processor's cache.
FEW = 16
ROWS = 256


def median(values: Floats, axis: int = -1) -> Floats:
    """The median along an axis without the NaNs, NaN where there is nothing else; much faster than numpy.nanmedian."""
    ordered = np.sort(values, axis=axis)
    count = np.count_nonzero(~np.isnan(ordered), axis=axis, keepdims=True)
    lower = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis)
    upper = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[axis] - 1), axis)
    return np.where(count > 0, (lower + upper) / 2, np.nan).squeeze(axis)


def mean(values: Floats, axis: int = -1) -> Floats:
    """The mean along an axis without the NaNs, NaN where there is nothing else."""
    there = ~np.isnan(values)
    number = np.count_nonzero(there, axis=axis)
    total = np.sum(values, axis=axis, where=there)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def correlation(one: Floats, other: Floats, at_least: float) -> Floats:
    """Pearson's coefficient of each row; NaN where fewer than `at_least` readings are common, or either is constant.

    Args:
        one: rows × slots.
        other: the same.
        at_least: so many readings.
    """
    both = ~(np.isnan(one) | np.isnan(other))
    common = [np.where(both, values, np.nan) for values in (one, other)]
    first, second = (np.nan_to_num(values - mean(values)[:, None]) for values in common)
    variance = np.einsum("ij,ij->i", first, first) * np.einsum("ij,ij->i", second, second)
    enough = (np.count_nonzero(both, axis=1) >= at_least) & (variance > 1e-12)
    return np.where(enough, np.einsum("ij,ij->i", first, second) / np.sqrt(np.where(enough, variance, 1)), np.nan)


def last_known(values: Floats) -> Ints:
    """The slot of the last value up to each slot, -1 where there is none; stations × slots."""
    found: Ints = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(values.shape[1])), axis=1)
    return found


def carried(values: Floats) -> Floats:
    """The last value up to each slot, NaN where there is none; stations × slots."""
    return np.take_along_axis(values, np.maximum(last_known(values), 0), 1)


def last_before(values: Floats) -> Ints:
    """The slot of the last value before each slot, -1 where there is none; stations × slots."""
    return np.hstack([np.full((len(values), 1), -1), last_known(values)[:, :-1]])


def previous(values: Floats) -> Floats:
    """The last value before each slot, NaN where there is none; stations × slots."""
    return np.hstack([np.full((len(values), 1), np.nan), carried(values)[:, :-1]])


def slots_since_previous(values: Floats) -> Ints:
    """How many slots the last value before each slot is ago, 1 where there is none; stations × slots."""
    before = last_before(values)
    return np.where(before < 0, 1, np.arange(values.shape[1]) - before)


def on_circle(degrees: Floats) -> Floats:
    """Directions, each turned by 360° where that brings it within 180° of the mean direction of its row.

    Differences can then be taken as those of numbers: among directions around north, 356° becomes -4° (WMO-No. 8, vol.
    I, ch. 5).

    Args:
        degrees: stations × slots.
    """
    there = ~np.isnan(degrees)
    angle = np.radians(np.where(there, degrees, 0))
    east, north = (np.where(there, part, 0).sum(axis=-1, keepdims=True) for part in (np.sin(angle), np.cos(angle)))
    mean = np.degrees(np.arctan2(east, north))
    found: Floats = mean + (degrees - mean + 180) % 360 - 180
    return found


def weighted_median(values: Sequence[Floats], weights: Sequence[Floats]) -> Floats:
    """The lower weighted median of a few arrays, element by element; NaN where nothing has weight.

    Args:
        values: arrays of one shape; a NaN has no weight.
        weights: one array of weights for each, of a shape that can be broadcast to it.
    """
    found = [np.where(np.isnan(value), np.inf, value) for value in values]
    weight = [np.where(np.isnan(value), 0.0, of) for value, of in zip(values, weights, strict=True)]
    # Sorted by exchanges of whole arrays: for a handful of them much faster than sorting along an axis.
    for last in range(len(found) - 1, 0, -1):
        for place in range(last):
            swap = found[place] > found[place + 1]
            found[place], found[place + 1] = (
                np.minimum(found[place], found[place + 1]),
                np.maximum(found[place], found[place + 1]),
            )
            weight[place], weight[place + 1] = (
                np.where(swap, weight[place + 1], weight[place]),
                np.where(swap, weight[place], weight[place + 1]),
            )
    total = np.sum(weight, axis=0)
    # A little less than half, so that rounding does not decide between two values of the same weight.
    half = total / 2 - 1e-9 * total
    middle = np.full(total.shape, np.nan)
    below = np.zeros(total.shape)
    for value, of in zip(found, weight, strict=True):
        middle = np.where((below < half) & (below + of >= half), value, middle)
        below = below + of
    return middle


def quantile(values: Floats, share: float) -> Floats:
    """For each row the value that `share` of its values do not exceed; NaN for a row without values."""
    ordered = np.sort(values, axis=1)
    count = np.count_nonzero(~np.isnan(ordered), axis=1)
    place = np.maximum((count * share).astype(np.int64) - 1, 0)
    return np.take_along_axis(ordered, place[:, None], 1)[:, 0] if values.shape[1] else np.full(len(values), np.nan)


def deviation(values: Floats) -> Floats:
    """The robust standard deviation of each row around zero, from the median of absolute values."""
    return MAD_TO_SIGMA * median(np.abs(values)) if values.shape[1] else np.full(len(values), np.nan)


def rolling_median(values: Floats, width: int) -> Floats:
    """The median of every `width` successive columns without the NaNs, rows × (columns - width + 1)."""
    width = min(width, values.shape[1])
    columns = values.shape[1] - width + 1
    if not 0 < width <= FEW:
        return median(np.lib.stride_tricks.sliding_window_view(values, width, axis=1))
    found = np.empty((len(values), columns))
    for start in range(0, len(values), ROWS):
        part = values[start : start + ROWS]
        found[start : start + ROWS] = median_of([part[:, first : first + columns] for first in range(width)])
    return found


def median_of(values: Sequence[Floats]) -> Floats:
    """The median of a few arrays of one shape, element by element without the NaNs; NaN where there is nothing else.

    Sorted by exchanges of whole arrays, as in `weighted_median`.
    """
    there = np.sum([~np.isnan(one) for one in values], axis=0)
    number = len(values)
    ordered = [np.where(np.isnan(one), np.inf, one) for one in values]
    for one, other in _exchanges(number):
        ordered[one], ordered[other] = (
            np.minimum(ordered[one], ordered[other]),
            np.maximum(ordered[one], ordered[other]),
        )
    found: Floats = (ordered[(number - 1) // 2] + ordered[number // 2]) / 2
    for count in np.unique(there[there < number]).tolist():
        some = there == count
        middle = (ordered[(count - 1) // 2][some] + ordered[count // 2][some]) / 2 if count else np.nan
        found[some] = middle
    return found


@cache
def _exchanges(number: int) -> list[tuple[int, int]]:
    """The pairs of places whose exchange, one after another, sorts so many values: Batcher's merge exchange.

    Knuth, The Art of Computer Programming, vol. 3, 5.2.2, algorithm M.
    """
    found = []
    top = 1 << max(0, (number - 1).bit_length() - 1)
    p = top
    while p > 0 and number > 1:
        q, r, d = top, 0, p
        while True:
            found += [(place, place + d) for place in range(number - d) if place & p == r]
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1
    return found


def largest(values: Floats) -> Floats:
    """The largest value of each row; 0 for a row without values."""
    return np.asarray(np.nan_to_num(values, nan=0.0).max(axis=1, initial=0.0))


def intervals(flagged: Bools, gap: int = 0) -> Iterator[tuple[int, int]]:
    """The runs of True in one row.

    Args:
        flagged: the slots of one station.
        gap: runs with at most so many slots between them are one.

    Yields:
        The first slot of a run, and the slot after its last.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flagged.astype(np.int8), [0]))))
    first = after = -1
    for begin, end in edges.reshape(-1, 2).tolist():
        if first >= 0 and begin - after <= gap:
            after = end
            continue
        if first >= 0:
            yield first, after
        first, after = begin, end
    if first >= 0:
        yield first, after
