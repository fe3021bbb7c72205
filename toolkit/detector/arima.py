"""ARIMA(1,0,1) with a constant, fitted to many series at once.

The likelihood is exact: Harvey's state space form of an ARMA(1,1) process, begun in its stationary distribution, by the
Kalman filter, which also knows what to do with a gap (Durbin and Koopman, 2012, ch. 3 and 4). Variance and constant are
concentrated out, so that only two parameters of each series are searched for: first on a grid, then step by step around
the best, all series at the same time. statsmodels is the reference.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from toolkit.quality.arrays import Bools, Floats

# Stationary and invertible: both parameters lie between -1 and 1, and are searched for as tanh of these.
GRID = (-1.8, -0.9, -0.3, 0.3, 0.9, 1.8)
FIRST_STEP = 0.45
HALVINGS = 7
FARTHEST = 3.5


class _Filtered(NamedTuple):
    loss: Floats  # per series, what the fit makes as small as it can
    constant: Floats
    forecast: Floats | None


def forecast(series: Floats) -> Floats:
    """Each value's forecast from those before it, series by times; NaN in `series` is a gap."""
    there = np.ascontiguousarray((~np.isnan(series)).T)
    values = np.ascontiguousarray(np.nan_to_num(series).T)
    count = len(series)
    best = np.zeros((2, count))
    least = np.full(count, np.inf)
    for first, second in product(GRID, GRID):
        at = np.array([[first], [second]]) + np.zeros((2, count))
        least = _keep(best, least, at, values, there)
    step = FIRST_STEP
    for _ in range(HALVINGS):
        centre = best.copy()
        for first, second in product((-step, 0, step), (-step, 0, step)):
            if first or second:
                at = np.clip(centre + np.array([[first], [second]]), -FARTHEST, FARTHEST)
                least = _keep(best, least, at, values, there)
        step /= 2
    found = _filter(np.tanh(best[0]), np.tanh(best[1]), values, there, forecasts=True).forecast
    assert found is not None
    return found.T


def _keep(best: Floats, least: Floats, at: Floats, values: Floats, there: Bools) -> Floats:
    """Keep what is better than the best so far; returns the least loss."""
    loss = _filter(np.tanh(at[0]), np.tanh(at[1]), values, there).loss
    better = loss < least
    best[:, better] = at[:, better]
    return np.where(better, loss, least)


def _filter(ar: Floats, ma: Floats, values: Floats, there: Bools, *, forecasts: bool = False) -> _Filtered:
    """The Kalman filter of times by series, for one pair of parameters of each series.

    The constant enters linearly: the filter runs over the values and over ones, and the constant is what makes the
    innovations of the values as small as possible (generalised least squares).
    """
    count = values.shape[1]
    variance = (1 + 2 * ar * ma + ma**2) / (1 - ar**2)  # of the process, for an innovation of unit variance
    level, level_one = np.zeros(count), np.zeros(count)
    s_vv, s_v1, s_11, logs = np.zeros((4, count))
    predicted = np.empty((2, *values.shape)) if forecasts else None
    for time in range(len(values)):
        seen = there[time]
        if predicted is not None:
            predicted[0, time], predicted[1, time] = level, level_one
        innovation = np.where(seen, values[time] - level, 0.0)
        innovation_one = np.where(seen, 1.0 - level_one, 0.0)
        s_vv += innovation**2 / variance
        s_v1 += innovation * innovation_one / variance
        s_11 += innovation_one**2 / variance
        logs += np.where(seen, np.log(variance), 0.0)
        # A value that is observed is known exactly, and its shock by what the two have in common.
        gain = ar + np.where(seen, ma / variance, 0.0)
        level, level_one = ar * level + gain * innovation, ar * level_one + gain * innovation_one
        variance = 1 + ma**2 + np.where(seen, -(ma**2) / variance, ar**2 * variance + 2 * ar * ma)
    number = np.maximum(there.sum(axis=0), 1)
    constant = s_v1 / np.maximum(s_11, 1e-12)
    squares = np.maximum(s_vv - constant * s_v1, 1e-12)
    loss = number * np.log(squares / number) + logs
    found = predicted[0] + constant * (1 - predicted[1]) if predicted is not None else None
    return _Filtered(np.where(np.isnan(loss), np.inf, loss), constant, found)
