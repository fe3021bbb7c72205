"""Arrays of stations by times, in which NaN means that nothing was measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

# Makes the median absolute deviation of normal data its standard deviation: 1 / Φ⁻¹(3/4).
MAD_TO_SIGMA = 1.4826


def median(values: Floats, axis: int = -1) -> Floats:
    """The median along an axis, NaN where there is none; many times faster than numpy.nanmedian."""
    ordered = np.sort(values, axis=axis)
    count = np.count_nonzero(~np.isnan(ordered), axis=axis, keepdims=True)
    lower = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis)
    upper = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[axis] - 1), axis)
    return np.where(count > 0, (lower + upper) / 2, np.nan).squeeze(axis)


def weighted_median(values: Floats, weights: Floats) -> Floats:
    """The weighted median along the second axis of stations by others by times, NaN where nothing has weight."""
    order = np.argsort(values, axis=1)
    weights = np.take_along_axis(np.where(np.isnan(values), 0.0, weights), order, 1).cumsum(axis=1)
    total = weights[:, -1:]
    # Rounding must not decide between two that weigh the same.
    middle = np.argmax(weights >= total / 2 - 1e-9 * total, axis=1)[:, None]
    found = np.take_along_axis(np.take_along_axis(values, order, 1), middle, 1)
    return np.where(total > 0, found, np.nan)[:, 0]


def quantile(values: Floats, share: float) -> Floats:
    """The value that `share` of each row's values do not exceed, NaN where there are none."""
    ordered = np.sort(values, axis=1)
    count = np.count_nonzero(~np.isnan(ordered), axis=1)
    place = np.maximum((count * share).astype(np.int64) - 1, 0)
    return np.take_along_axis(ordered, place[:, None], 1)[:, 0] if values.shape[1] else np.full(len(values), np.nan)


def deviation(values: Floats) -> Floats:
    """The robust standard deviation of each row about zero."""
    return MAD_TO_SIGMA * median(np.abs(values)) if values.shape[1] else np.full(len(values), np.nan)


def rolling_median(values: Floats, width: int) -> Floats:
    """Medians of `width` successive columns; the first is that of the first `width`."""
    return median(np.lib.stride_tricks.sliding_window_view(values, min(width, values.shape[1]), axis=1))


def largest(values: Floats) -> Floats:
    """Each row's largest value, 0 where there is none."""
    return np.nan_to_num(values, nan=0.0).max(axis=1, initial=0.0)


def stretches(flagged: Bools, gap: int = 0) -> Iterator[tuple[int, int]]:
    """Runs of True in one row as (first, after); those with at most `gap` slots between them are one."""
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
