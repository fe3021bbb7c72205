"""Temporal methods: which readings does the station's own window not explain?

Each takes a window (stations × window slots, in the variable's unit, NaN for a gap), the sensor's accuracy in that unit
and a limit in standard deviations, and returns for every reading what it expected and how far off the reading is,
scaled so that one threshold serves all methods. A deviation within the accuracy never exceeds it: in a calm night the
spread of a window is smaller than what the sensor can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from toolkit.quality.arrays import Bools, Floats, deviation, median, on_circle
from toolkit.quality.base import (
    Evidence,
    Exclusion,
    FlaggedInterval,
    QualityTest,
    Sample,
    Thresholds,
    WorstReading,
    number,
    threshold,
)
from toolkit.quality.criteria import Condition
from toolkit.settings import Method
from toolkit.variables import Variable


@dataclass(frozen=True, slots=True)
class TemporalThresholds(Thresholds):
    """The one threshold of all methods."""

    score: float = threshold(
        3.0, "standard deviations", "a reading with a higher score is flagged",
        "Shewhart's three sigma; each method scales its own distance to it",
    )  # fmt: skip


LIMITS = TemporalThresholds()


class Scored(NamedTuple):
    """What a method says of each reading, stations × window slots; NaN where there is none.

    Attributes:
        expected: what it expected, in the variable's unit.
        score: how far off the reading is.
    """

    expected: Floats
    score: Floats


Score = Callable[[Floats, float, float], Scored]
"""From a window (stations × window slots, NaN for a gap, in the variable's unit), the sensor's accuracy in the same
unit, and the threshold, which a deviation within the accuracy must not exceed."""


def _scored(window: Floats, expected: Floats, sigma: Floats, accuracy: float, limit: float) -> Scored:
    """The distance from what is expected in standard deviations; `sigma` has one for each station."""
    score = np.abs(window - expected) / np.maximum(np.nan_to_num(sigma), accuracy / limit)[:, None]
    # Rounded: the error of binary fractions must not lift a deviation of exactly the accuracy above the threshold.
    return Scored(np.where(np.isnan(window), np.nan, expected), np.round(score, 6))


def _moments(window: Floats) -> tuple[Floats, Floats, Floats]:
    """For each station how many readings there are, their mean, and the sum of squared deviations from it."""
    there = ~np.isnan(window)
    count = there.sum(axis=1).astype(np.float64)
    mean = np.where(there, window, 0).sum(axis=1) / np.maximum(count, 1)
    return count, mean, np.where(there, np.square(window - mean[:, None]), 0).sum(axis=1)


def three_sigma(window: Floats, accuracy: float, limit: float) -> Scored:
    """The distance from the mean in standard deviations (Shewhart's rule)."""
    count, mean, squares = _moments(window)
    return _scored(
        window,
        np.broadcast_to(mean[:, None], window.shape),
        np.sqrt(squares / np.maximum(count, 1)),
        accuracy,
        limit,
    )


def zscore(window: Floats, accuracy: float, limit: float) -> Scored:
    """The distance from the mean of the other readings in their standard deviations (externally studentised residual).

    An outlier does not widen the spread that it is measured by, as it does in Shewhart's rule.
    """
    count, mean, squares = _moments(window)
    others = np.maximum(count - 1, 1)[:, None]
    expected = np.where(count[:, None] > 1, (count[:, None] * mean[:, None] - window) / others, np.nan)
    off = window - mean[:, None]
    rest = np.maximum(squares[:, None] - np.square(off) * count[:, None] / others, 0)
    sigma = np.maximum(np.sqrt(rest / np.maximum(others - 1, 1)), accuracy / limit)
    return Scored(expected, np.round(np.abs(window - expected) / sigma, 6))


def mad(window: Floats, accuracy: float, limit: float) -> Scored:
    """The distance from the median in robust standard deviations (Iglewicz and Hoaglin, 1993).

    Outliers move neither the median nor the spread, so they cannot hide themselves.
    """
    expected = np.broadcast_to(median(window)[:, None], window.shape)
    return _scored(window, expected, deviation(window - expected), accuracy, limit)


def _percentiles(window: Floats, *shares: float) -> list[Floats]:
    """The quantiles of each station's readings, with linear interpolation between them."""
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


def _fences(window: Floats, low: float, high: float, reach: float, accuracy: float, limit: float) -> Scored:
    """The distance beyond two percentiles, scaled so that `reach` times the range between them is three."""
    lower, middle, upper = _percentiles(window, low, 0.5, high)
    allowed = np.maximum(np.nan_to_num(reach * (upper - lower)), accuracy * (LIMITS.score / limit))[:, None]
    beyond = np.maximum(np.maximum(window - upper[:, None], lower[:, None] - window), 0)
    expected = np.where(np.isnan(window), np.nan, middle[:, None])
    return Scored(expected, np.round(LIMITS.score * beyond / allowed + np.where(np.isnan(window), np.nan, 0), 6))


def iqr(window: Floats, accuracy: float, limit: float) -> Scored:
    """The distance beyond the quartiles; three is 1.5 times the range between them (Tukey's fences)."""
    return _fences(window, 0.25, 0.75, 1.5, accuracy, limit)


def percentile(window: Floats, accuracy: float, limit: float) -> Scored:
    """The distance beyond the 5th and the 95th percentile; three is the range between them."""
    return _fences(window, 0.05, 0.95, 1.0, accuracy, limit)


def arima(window: Floats, accuracy: float, limit: float) -> Scored:
    """The distance from the one-step forecast of an ARIMA(1,0,1) model of each window, in robust standard deviations.

    The spread of the residuals is taken from their median, so that a fault's own residuals do not widen it. All windows
    are fitted at once (`toolkit.quality.arima`).
    """
    from toolkit.quality.arima import forecast

    centre = median(window)
    spread = np.maximum(np.nan_to_num(deviation(window - centre[:, None])), accuracy / LIMITS.score)
    expected = centre[:, None] + spread[:, None] * forecast((window - centre[:, None]) / spread[:, None])
    # The first reading has no past to be forecast from.
    there = ~np.isnan(window)
    expected[np.arange(len(window)), np.argmax(there, axis=1)] = np.nan
    return _scored(window, expected, deviation(window - expected), accuracy, limit)


def stl(window: Floats, accuracy: float, limit: float) -> Scored:
    """The distance from trend and season by loess (Cleveland et al., 1990), in robust standard deviations.

    The period of the season is a sixth of the window. statsmodels fits one station after another, robustly; that suits
    a small network.
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
    return _scored(window, expected, deviation(window - expected), accuracy, limit)


def isolation_forest(window: Floats, accuracy: float, limit: float) -> Scored:
    """How easily a reading is isolated by random cuts (Liu, Ting and Zhou, 2008), beside one in a normal window."""
    from toolkit.quality.isolation import isolation

    return _beside_normal(window, isolation(window), isolation, accuracy, limit)


def lof(window: Floats, accuracy: float, limit: float) -> Scored:
    """The local outlier factor (Breunig et al., 2000) of a reading, beside that of one in a normal window."""
    from toolkit.quality.isolation import local_outlier_factor

    return _beside_normal(window, local_outlier_factor(window, accuracy / limit), local_outlier_factor, accuracy, limit)


def _beside_normal(
    window: Floats, found: Floats, method: Callable[[Floats], Floats], accuracy: float, limit: float
) -> Scored:
    """A measure without a unit, scaled so that the threshold is what a reading so far off a normal window has.

    Args:
        window: stations × window slots.
        found: what the method finds in it, the same shape.
        method: from a window to its measure.
        accuracy: of the sensor, in the unit of the window.
        limit: the threshold, in standard deviations.
    """
    count = np.count_nonzero(~np.isnan(window), axis=1)
    threshold: Floats = np.full(len(window), np.inf)
    for readings in np.unique(count[count > 1]).tolist():
        # As many readings as the window has: one at the threshold, and the quantiles of a normal distribution.
        quantile = NormalDist().inv_cdf
        normal = [quantile((place + 0.5) / (readings - 1)) for place in range(readings - 1)]
        threshold[count == readings] = method(np.array([[*normal, limit]]))[0, -1]
    expected = np.where(np.isnan(window), np.nan, median(window)[:, None])
    within = np.abs(window - expected) * (limit / accuracy)
    score: Floats = np.minimum(found * (limit / threshold[:, None]), within)
    return Scored(expected, np.round(score, 6))


class TemporalMethod(QualityTest):
    """A method that compares each reading with its own window, in place of the tests that compare with neighbours."""

    finds = "a reading that its own window does not explain"
    limit = "three standard deviations, or what the method has for them"
    thresholds = LIMITS
    evidence = Evidence.OWN_PAST
    exclusion = Exclusion.IF_FARTHEST_OFF

    def __init__(self, name: str, score: Score, source: str, threshold: float = LIMITS.score) -> None:
        self.name = name  # type: ignore[misc]
        self.source = source  # type: ignore[misc]
        self.thresholds = TemporalThresholds(threshold)  # type: ignore[misc]
        self._threshold = threshold
        self._score = score

    def with_threshold(self, threshold: float) -> TemporalMethod:
        """The same method with another threshold, in standard deviations."""
        return TemporalMethod(self.name, self._score, self.source, threshold)

    def scored(self, window: Floats, accuracy: float) -> Scored:
        """What the method says of each reading of a window, stations × window slots."""
        return self._score(window, accuracy, self._threshold)

    def applies(self, variable: Variable) -> bool:
        """To every variable."""
        return True

    def run(self, sample: Sample, prepared: Any) -> Bools:
        """Flag readings with a score above the threshold, stations × window slots."""
        series = sample.series
        window = on_circle(series.window_values) if series.nature == "circular" else series.window_values
        score = self.scored(window, series.variable.accuracy).score
        found = score > self._threshold
        sample.note(found, Condition(f"score of {self.name}", score, ">", self._threshold, "σ"))
        return found

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Any) -> str:
        """The reading, and the method."""
        return f"{number(worst.value)} {interval.series.variable.unit} is not what {self.name} expects of its past"


_SCORES: Mapping[Method, tuple[Score, str]] = {
    Method.THREE_SIGMA: (three_sigma, "Shewhart, 1931"),
    Method.MAD: (mad, "Iglewicz and Hoaglin, 1993"),
    Method.ZSCORE: (zscore, "externally studentised residuals: Cook and Weisberg, 1982"),
    Method.IQR: (iqr, "Tukey, 1977"),
    Method.PERCENTILE: (percentile, "the 5th and the 95th percentile"),
    Method.ARIMA: (arima, "Box and Jenkins, 1970; Durbin and Koopman, 2012"),
    Method.STL: (stl, "Cleveland et al., 1990"),
    Method.ISOLATION_FOREST: (isolation_forest, "Liu, Ting and Zhou, 2008"),
    Method.LOF: (lof, "Breunig, Kriegel, Ng and Sander, 2000"),
}
METHODS = {method.value: TemporalMethod(method.value, *_SCORES[method]) for method in Method}
"""By the name that `--temporal-method` takes."""
