"""ARIMA(1,0,1) with a constant, fitted to many series at once.

The likelihood is exact: Harvey's state space form of an ARMA(1,1) process, begun in its stationary distribution, by the
Kalman filter, which also knows what to do with a gap (Durbin and Koopman, 2012, ch. 3 and 4). Variance and constant are
concentrated out, so that only two parameters of each series are searched for: first on a grid, then step by step around
the best, all series at the same time. statsmodels is the reference.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from toolkit.quality.arrays import Bools, Floats

# Stationary and invertible: both parameters lie between -1 and 1, and are searched for as tanh of these.
GRID = (-1.8, -0.9, -0.3, 0.3, 0.9, 1.8)
FIRST_STEP = 0.45
HALVINGS = 6
FARTHEST = 3.5


def forecast(series: Floats) -> Floats:
    """Each value's forecast from those before it, series by times; NaN in `series` is a gap."""
    found = np.full(series.shape, np.nan)
    whole = ~np.isnan(series).any(axis=1)
    for rows in (np.flatnonzero(whole), np.flatnonzero(~whole)):
        if len(rows):
            found[rows] = _forecast(series[rows])
    return found


def _forecast(series: Floats) -> Floats:
    """The same for series that all have gaps, or none: what gaps do not touch is then computed once for all."""
    there = None if not np.isnan(series).any() else np.ascontiguousarray((~np.isnan(series)).T)
    values = np.ascontiguousarray(np.nan_to_num(series).T)
    best = np.zeros((2, len(series)))
    least = np.full(len(series), np.inf)
    for at in product(GRID, GRID):
        least = _keep(best, least, np.array(at)[:, None], values, there)
    step = FIRST_STEP
    for _ in range(HALVINGS):
        centre = best.copy()
        for aside in product((-step, 0, step), (-step, 0, step)):
            if any(aside):
                at_each = np.clip(centre + np.array(aside)[:, None], -FARTHEST, FARTHEST)
                least = _keep(best, least, at_each, values, there)
        step /= 2
    predicted = np.empty((2, *values.shape))
    _, constant = _filter(best, values, there, predicted)
    found: Floats = predicted[0] + constant * (1 - predicted[1])
    return found.T


def _keep(best: Floats, least: Floats, at: Floats, values: Floats, there: Bools | None) -> Floats:
    """Keep what is better than the best so far; returns the least loss."""
    loss, _ = _filter(at, values, there)
    better = loss < least
    best[:, better] = np.broadcast_to(at, best.shape)[:, better]
    return np.where(better, loss, least)


def _filter(at: Floats, values: Floats, there: Bools | None, predicted: Floats | None = None) -> tuple[Floats, Floats]:
    """The Kalman filter of times by series, for one pair of parameters of all series or of each.

    The constant enters linearly: the filter runs over the values and over ones, and the constant is what makes the
    innovations of the values as small as possible (generalised least squares). What is the same for all series stays
    one number in an array of one.

    Args:
        at: the parameters, before tanh.
        values: times by series.
        there: where they are no gap; None if nowhere.
        predicted: is filled with the forecasts of the values and of the ones.

    Returns:
        What the fit makes as small as it can, and the constant, per series.
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
        # A value that is observed is known exactly, and its shock by what the two have in common.
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
