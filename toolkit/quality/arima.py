"""ARIMA(1,0,1) with a constant, fitted to many series at once.

The likelihood is exact. It comes from a Kalman filter over Harvey's state space form of an ARMA(1,1) process, which
starts in the stationary distribution and passes over gaps (Durbin and Koopman, 2012, ch. 3 and 4). Variance and
constant are concentrated out, so that two parameters of each series remain to be searched for: first on a grid, then
around the best point in ever smaller steps, for all series at the same time. The reference is statsmodels.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from toolkit.quality.arrays import Bools, Floats

# Both parameters lie between -1 and 1 (stationary and invertible): the search is over the numbers whose tanh they are.
GRID = (-1.8, -0.9, -0.3, 0.3, 0.9, 1.8)
FIRST_STEP = 0.45
HALVINGS = 6
FARTHEST = 3.5


def forecast(series: Floats) -> Floats:
    """Forecast each value from those before it.

    Args:
        series: series × times, NaN for a gap; each centred and scaled to about one.

    Returns:
        The forecasts, series × times.
    """
    found = np.full(series.shape, np.nan)
    whole = ~np.isnan(series).any(axis=1)
    for rows in (np.flatnonzero(whole), np.flatnonzero(~whole)):
        if len(rows):
            found[rows] = _forecast(series[rows])
    return found


def _forecast(series: Floats) -> Floats:
    """As `forecast`, for series (series × readings) that all have gaps, or none of which has any.

    Without gaps the variance of the forecasts is the same for all series, which is faster.
    """
    there = None if not np.isnan(series).any() else np.ascontiguousarray((~np.isnan(series)).T)
    values = np.ascontiguousarray(np.nan_to_num(series).T)
    best = np.zeros((2, len(series)))
    least = np.full(len(series), np.inf)
    for at in product(GRID, GRID):
        least = _improve(best, least, np.array(at)[:, None], values, there)
    step = FIRST_STEP
    for _ in range(HALVINGS):
        centre = best.copy()
        for offset in product((-step, 0, step), (-step, 0, step)):
            if any(offset):
                at_each = np.clip(centre + np.array(offset)[:, None], -FARTHEST, FARTHEST)
                least = _improve(best, least, at_each, values, there)
        step /= 2
    predicted = np.empty((2, *values.shape))
    _, constant = _filter(best, values, there, predicted)
    found: Floats = predicted[0] + constant * (1 - predicted[1])
    return found.T


def _improve(best: Floats, least: Floats, at: Floats, values: Floats, there: Bools | None) -> Floats:
    """Replace the best parameters of each series where others are better; returns the smallest losses so far."""
    loss, _ = _filter(at, values, there)
    better = loss < least
    best[:, better] = np.broadcast_to(at, best.shape)[:, better]
    return np.where(better, loss, least)


def _filter(at: Floats, values: Floats, there: Bools | None, predicted: Floats | None = None) -> tuple[Floats, Floats]:
    """Run the Kalman filter over all series.

    The constant enters linearly: the filter runs over the values and over ones, and the constant is what makes the
    innovations of the values as small as possible (generalised least squares). What is the same for all series is kept
    as an array of length one.

    Args:
        at: AR and MA parameter before tanh, 2 × 1 for all series or 2 × series.
        values: times × series, 0 in a gap.
        there: times × series, whether there is a value; None if there are no gaps.
        predicted: 2 × times × series, filled with the forecasts of the values and of the ones.

    Returns:
        The loss (minus twice the log likelihood, but for constants) and the constant, for each series.
    """
    ar, ma = np.tanh(at)
    variance = (1 + 2 * ar * ma + ma**2) / (1 - ar**2)  # of the process, for an innovation of unit variance
    level, level_one = np.zeros(1), np.zeros(1)
    s_vv, s_v1, s_11, volume = np.zeros(1), np.zeros(1), np.zeros(1), np.ones(1)
    for time, value in enumerate(values):
        if predicted is not None:
            predicted[0, time], predicted[1, time] = level, level_one
        seen = None if there is None else there[time]
        innovation, innovation_one = value - level, 1.0 - level_one
        if seen is not None:
            innovation, innovation_one = innovation * seen, innovation_one * seen
        weighted = innovation / variance
        s_vv = s_vv + innovation * weighted
        s_v1 = s_v1 + innovation_one * weighted
        s_11 = s_11 + innovation_one**2 / variance
        volume = volume * (variance if seen is None else np.where(seen, variance, 1.0))
        # An observed value is known exactly; its shock is known by the covariance of the two.
        known = ma / variance
        if seen is None:
            level = ar * (level + innovation) + ma * weighted
            level_one = ar * level_one + (ar + known) * innovation_one
            variance = 1 + ma**2 - ma * known
        else:
            gain = ar + known
            level, level_one = ar * level + gain * innovation, ar * level_one + gain * innovation_one
            variance = 1 + ma**2 + np.where(seen, -ma * known, ar**2 * variance + 2 * ar * ma)
    number = len(values) if there is None else np.maximum(there.sum(axis=0), 1)
    constant = s_v1 / np.maximum(s_11, 1e-12)
    squares = np.maximum(s_vv - constant * s_v1, 1e-12)
    loss = number * np.log(squares / number) + np.log(volume)
    return np.where(np.isnan(loss), np.inf, loss), constant
