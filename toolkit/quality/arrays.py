"""Arithmetic on arrays of stations × slots, in which NaN means that nothing was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate

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
    slot = np.arange(values.shape[1], dtype=np.int32)
    found: Ints = np.maximum.accumulate(np.where(np.isnan(values), np.int32(-1), slot), axis=1)
    return found


def carried(values: Floats) -> Floats:
    """The last value up to each slot, NaN where there is none; stations × slots."""
    return np.take_along_axis(values, np.maximum(last_known(values), 0), 1)


def last_before(values: Floats) -> Ints:
    """The slot of the last value before each slot, -1 where there is none; stations × slots."""
    found: Ints = np.full(values.shape, -1, dtype=np.int32)
    found[:, 1:] = last_known(values)[:, :-1]
    return found


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
    found = [np.fmin(value, np.inf) for value in values]
    weight = [np.where(np.isnan(value), 0.0, of) for value, of in zip(values, weights, strict=True)]
    # Sorted by exchanges of whole arrays: for a handful of them much faster than sorting along an axis.
    for one, other in _exchanges(len(found)):
        swap = found[one] > found[other]
        found[one], found[other] = np.minimum(found[one], found[other]), np.maximum(found[one], found[other])
        weight[one], weight[other] = (
            np.where(swap, weight[other], weight[one]),
            np.where(swap, weight[one], weight[other]),
        )
    up_to = [*accumulate(weight)]
    total = up_to[-1]
    # A little less than half, so that rounding does not decide between two values of the same weight.
    half = total / 2 - 1e-9 * total
    middle = found[-1]
    for value, so_far in zip(found[-2::-1], up_to[-2::-1], strict=True):
        middle = np.where(so_far >= half, value, middle)
    return np.where(total > 0, middle, np.nan)


def lower_median(values: Sequence[Floats]) -> Floats:
    """As `median_of`, but of an even number of values the lower of the two in the middle."""
    there = np.sum([~np.isnan(one) for one in values], axis=0)
    found = _sorted(values)
    middle = np.where(there > 0, found[0], np.nan)
    for place in range(1, (len(values) + 1) // 2):
        middle = np.where(there > 2 * place, found[place], middle)
    return middle


def _sorted(values: Sequence[Floats]) -> list[Floats]:
    """A few arrays of one shape, sorted element by element; NaNs are infinite, and so the last."""
    ordered = [np.fmin(one, np.inf) for one in values]
    spare = np.empty_like(ordered[0])
    for one, other in _exchanges(len(ordered)):
        least = np.minimum(ordered[one], ordered[other], out=spare)
        np.maximum(ordered[one], ordered[other], out=ordered[other])
        spare, ordered[one] = ordered[one], least
    return ordered


class Ordered:
    """The values of each row in order, for several questions to them; rows × columns, of which there may be none.

    The answers are of each row, NaN for a row without values.
    """

    def __init__(self, values: Floats) -> None:
        self._values = np.sort(values, axis=1) if values.shape[1] else np.full((len(values), 1), np.nan)
        self._count = np.count_nonzero(~np.isnan(self._values), axis=1)

    def _at(self, place: Ints) -> Floats:
        return np.take_along_axis(self._values, place[:, None], 1)[:, 0]

    def median(self) -> Floats:
        """The median."""
        last = self._values.shape[1] - 1
        return (self._at(np.maximum(self._count - 1, 0) // 2) + self._at(np.minimum(self._count // 2, last))) / 2

    def quantile(self, share: float) -> Floats:
        """The value that `share` of the values do not exceed."""
        return self._at(np.maximum((self._count * share).astype(np.int64) - 1, 0))

    def largest(self) -> Floats:
        """The largest value."""
        return self._at(np.maximum(self._count - 1, 0))


def quantile(values: Floats, share: float) -> Floats:
    """For each row the value that `share` of its values do not exceed; NaN for a row without values."""
    return Ordered(values).quantile(share)


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
    number, ordered = len(values), _sorted(values)
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
