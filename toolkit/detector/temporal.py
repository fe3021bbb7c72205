"""Temporal methods: which readings does the station's own window not explain?

Each takes one series (NaN where nothing was measured) and the sensor's accuracy, and tells for every reading what it
expected and how many standard deviations off the reading is. A deviation within the accuracy never scores above the
threshold: in a calm night the spread of a window is smaller than what the sensor can tell.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

THRESHOLD = 3.0
# Makes the median absolute deviation of normal data its standard deviation: 1 / Φ⁻¹(3/4).
MAD_TO_SIGMA = 1.4826


class Judged(NamedTuple):
    """What a method says of each reading of a series; NaN where there is none."""

    expected: Floats
    score: Floats


Method = Callable[[Floats, float], Judged]


def _judged(series: Floats, expected: Floats, sigma: float, accuracy: float) -> Judged:
    score = np.abs(series - expected) / max(sigma, accuracy / THRESHOLD)
    # Rounded, or a deviation of just the accuracy would be above or below the threshold as binary fractions fall.
    return Judged(expected, np.round(score, 6))


def _mad_sigma(deviation: Floats) -> float:
    return MAD_TO_SIGMA * float(np.nanmedian(np.abs(deviation)))


def three_sigma(series: Floats, accuracy: float) -> Judged:
    """Distance from the mean in standard deviations: Shewhart's rule."""
    expected = np.full_like(series, np.nanmean(series))
    return _judged(series, expected, float(np.nanstd(series)), accuracy)


def mad(series: Floats, accuracy: float) -> Judged:
    """Distance from the median in robust standard deviations (Iglewicz and Hoaglin, 1993).

    Outliers move neither the median nor the spread, so they cannot hide themselves.
    """
    expected = np.full_like(series, np.nanmedian(series))
    return _judged(series, expected, _mad_sigma(series - expected), accuracy)


def arima(series: Floats, accuracy: float) -> Judged:
    """Distance from the one-step forecast of an ARIMA(1,0,1) model fitted to the window, in robust deviations.

    The spread of the residuals is taken from their median: a fault's own residuals must not widen what is normal.
    """
    from statsmodels.tsa.arima.model import ARIMA

    centre = float(np.nanmedian(series))
    spread = max(_mad_sigma(series - centre), accuracy / THRESHOLD)
    with warnings.catch_warnings():
        # A window that fits badly still gives a forecast; whether it is good is what the score says.
        warnings.simplefilter("ignore")
        fit = ARIMA((series - centre) / spread, order=(1, 0, 1)).fit()
        forecast = np.asarray(fit.fittedvalues, dtype=np.float64)
    expected = np.where(np.isnan(series), np.nan, centre + spread * forecast)
    # The first reading has no past to be forecast from.
    expected[np.argmax(~np.isnan(series))] = np.nan
    return _judged(series, expected, _mad_sigma(series - expected), accuracy)


METHODS: dict[str, Method] = {"3sigma": three_sigma, "mad": mad, "arima": arima}
"""By the name that `--temporal-method` takes."""
