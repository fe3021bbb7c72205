"""Temporal methods: which readings does the station's own window not explain?

Each takes a window of many stations (NaN where nothing was measured) and the sensor's accuracy, and tells for every
reading what it expected and how far off the reading is, so that `THRESHOLD` is the limit of every method. A deviation
within the accuracy never scores above it: in a calm night the spread of a window is smaller than what the sensor can
tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from toolkit.quality.arrays import Floats, deviation, median

THRESHOLD = 3.0


class Found(NamedTuple):
    """What a method says of each reading, stations by slots; NaN where there is none."""

    expected: Floats
    score: Floats


Method = Callable[[Floats, float], Found]


def _found(window: Floats, expected: Floats, sigma: Floats, accuracy: float) -> Found:
    """By distance from what is expected, in standard deviations; `sigma` per station."""
    score = np.abs(window - expected) / np.maximum(np.nan_to_num(sigma), accuracy / THRESHOLD)[:, None]
    # Rounded, or a deviation of just the accuracy would be above or below the threshold as binary fractions fall.
    return Found(np.where(np.isnan(window), np.nan, expected), np.round(score, 6))


def _moments(window: Floats) -> tuple[Floats, Floats, Floats]:
    """Per station: how many readings, their mean, and the sum of squared deviations from it."""
    there = ~np.isnan(window)
    count = there.sum(axis=1).astype(np.float64)
    mean = np.where(there, window, 0).sum(axis=1) / np.maximum(count, 1)
    return count, mean, np.where(there, np.square(window - mean[:, None]), 0).sum(axis=1)


def three_sigma(window: Floats, accuracy: float) -> Found:
    """Distance from the mean in standard deviations: Shewhart's rule."""
    count, mean, squares = _moments(window)
    return _found(
        window, np.broadcast_to(mean[:, None], window.shape), np.sqrt(squares / np.maximum(count, 1)), accuracy
    )


def zscore(window: Floats, accuracy: float) -> Found:
    """Distance from the mean of the other readings in their standard deviations: the externally studentised residual.

    An outlier does not widen what it is measured by, as it does in Shewhart's rule.
    """
    count, mean, squares = _moments(window)
    others = np.maximum(count - 1, 1)[:, None]
    expected = (count[:, None] * mean[:, None] - window) / others
    off = window - mean[:, None]
    rest = np.maximum(squares[:, None] - np.square(off) * count[:, None] / others, 0)
    sigma = np.maximum(np.sqrt(rest / np.maximum(others - 1, 1)), accuracy / THRESHOLD)
    return Found(expected, np.round(np.abs(window - expected) / sigma, 6))


def mad(window: Floats, accuracy: float) -> Found:
    """Distance from the median in robust standard deviations (Iglewicz and Hoaglin, 1993).

    Outliers move neither the median nor the spread, so they cannot hide themselves.
    """
    expected = np.broadcast_to(median(window)[:, None], window.shape)
    return _found(window, expected, deviation(window - expected), accuracy)


def _percentiles(window: Floats, *shares: float) -> list[Floats]:
    """Per station, by linear interpolation between the readings."""
    ordered = np.sort(window, axis=1)
    count = np.count_nonzero(~np.isnan(ordered), axis=1)
    found = []
    for share in shares:
        place = np.maximum(count - 1, 0) * share
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, np.maximum(count - 1, 0))
        below, above = (np.take_along_axis(ordered, at[:, None], 1)[:, 0] for at in (low, high))
        found.append(below + (above - below) * (place - low))
    return found


def _fences(window: Floats, low: float, high: float, reach: float, accuracy: float) -> Found:
    """Distance beyond two percentiles, so that `reach` times what lies between them is the threshold."""
    lower, middle, upper = _percentiles(window, low, 0.5, high)
    allowed = np.maximum(np.nan_to_num(reach * (upper - lower)), accuracy)[:, None]
    beyond = np.maximum(np.maximum(window - upper[:, None], lower[:, None] - window), 0)
    expected = np.where(np.isnan(window), np.nan, middle[:, None])
    return Found(expected, np.round(THRESHOLD * beyond / allowed + np.where(np.isnan(window), np.nan, 0), 6))


def iqr(window: Floats, accuracy: float) -> Found:
    """Distance beyond the quartiles: Tukey's fences, at 1.5 times the range between them."""
    return _fences(window, 0.25, 0.75, 1.5, accuracy)


def percentile(window: Floats, accuracy: float) -> Found:
    """Distance beyond the 5th and the 95th percentile, with the range between them as the limit."""
    return _fences(window, 0.05, 0.95, 1.0, accuracy)


def arima(window: Floats, accuracy: float) -> Found:
    """Distance from the one-step forecast of an ARIMA(1,0,1) model of each window, in robust deviations.

    The spread of the residuals is taken from their median: a fault's own residuals must not widen what is normal. All
    windows are fitted at once (`toolkit.detector.arima`).
    """
    from toolkit.detector.arima import forecast

    centre = median(window)
    spread = np.maximum(np.nan_to_num(deviation(window - centre[:, None])), accuracy / THRESHOLD)
    expected = centre[:, None] + spread[:, None] * forecast((window - centre[:, None]) / spread[:, None])
    # The first reading has no past to be forecast from.
    there = ~np.isnan(window)
    expected[np.arange(len(window)), np.argmax(there, axis=1)] = np.nan
    return _found(window, expected, deviation(window - expected), accuracy)


def stl(window: Floats, accuracy: float) -> Found:
    """Distance from trend and season by loess (Cleveland et al., 1990), fitted robustly, in robust deviations.

    The season is a sixth of the window: the trend of the six parts, and what they have in common. One station after
    another, by statsmodels: for a small network.
    """
    from statsmodels.tsa.seasonal import STL

    expected = np.full(window.shape, np.nan)
    period = max(2, window.shape[1] // 6)
    place = np.arange(window.shape[1])
    for row, series in enumerate(window):
        there = ~np.isnan(series)
        if np.count_nonzero(there) < 2 * period + 1:
            continue
        whole = np.interp(place, place[there], series[there])
        fit = STL(whole, period=period, robust=True).fit()
        expected[row] = fit.trend + fit.seasonal
    return _found(window, expected, deviation(window - expected), accuracy)


METHODS: dict[str, Method] = {
    "3sigma": three_sigma,
    "mad": mad,
    "zscore": zscore,
    "iqr": iqr,
    "percentile": percentile,
    "arima": arima,
    "stl": stl,
}
"""By the name that `--temporal-method` takes."""
