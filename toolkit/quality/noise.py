"""Noise: readings that jump to and fro as they never did.

The measure is the second difference of successive readings, which is zero where the weather changes steadily. What
counts is its median over two hours, compared with that of the days before, of other stations then, and of other
stations now: a gusty day is gusty for all. The residual has to jitter as well: in a shower the neighbours do, too.
Where cloud comes and goes, temperature and humidity jump together, which the detector calls weather.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.quality.arrays import Bools, Floats, Ints, Ordered, deviation, rolling_median
from toolkit.quality.base import (
    Evidence,
    Exclusion,
    FlaggedInterval,
    Preparation,
    QualityTest,
    Sample,
    Thresholds,
    WorstReading,
    threshold,
)
from toolkit.quality.blocks import by_rows
from toolkit.quality.criteria import Condition
from toolkit.quality.exceedance import exceedance_limit, reached
from toolkit.quality.series import Series


@dataclass(frozen=True, slots=True)
class NoiseThresholds(Thresholds):
    """How much jitter is too much."""

    hours: int = threshold(2, "h", "the time over which the median is taken")
    readings: int = threshold(
        7, "readings", "the same at least: one spike touches three second differences and must not be their median"
    )
    present: float = threshold(
        0.5, "", "share of the second differences in that time that are known, which takes three successive readings"
    )
    limit: float = threshold(4.0, "robust standard deviations of the second difference", "never flagged below this")
    own: float = threshold(2.0, "", "times what the station itself reached before")
    network: float = threshold(1.5, "", "times what the median station reached before")
    earlier: int = threshold(12, "slots", "earlier readings that tell what is normal; with fewer the window has to do")
    resolutions: float = threshold(2.0, "resolutions", "the second difference is never taken for less")
    steps: float = threshold(
        3.0, "steps of the sensor", "never flagged below this: readings that flicker between two steps make two"
    )


LIMITS = NoiseThresholds()
# So many levels are looked at at once, which fit into a processor's cache.
AT_ONCE = 2**18


class _Levels(NamedTuple):
    """How much readings, or their residuals, jitter: medians of second differences over some time.

    Attributes:
        now: in robust standard deviations, of each time that ends in the window; rows × times, in 32 bits, since there
            are as many of a large network as there are readings.
        most, believed: what that reached before; see `exceedance.reached`.
        at_least: the limit is no lower; rows.
    """

    now: npt.NDArray[np.float32]
    most: Floats
    believed: Floats
    at_least: Floats


def _width(series: Series) -> int:
    """Over how many second differences the median is taken."""
    return max(LIMITS.hours * series.per_hour, LIMITS.readings)


def _begin(series: Series) -> int:
    """The first of the times that are tested: those that end in the window. Those before it tell what was reached."""
    begin: int = series.scaled.shape[1] - series.window - _width(series) - 1
    return max(0, begin)


def _levels(series: Series, rows: Ints, values: Floats) -> _Levels:
    """The levels of some stations' readings, or of their residuals; `values` is rows × slots."""
    window, slots, width = series.window, values.shape[1], _width(series)
    if slots < width + 2:
        return _Levels(np.empty((len(rows), 0), dtype=np.float32), *(np.zeros(len(rows)) for _ in range(3)))
    begin = _begin(series)
    jitter = np.abs(np.diff(values, n=2, axis=1))
    earlier = jitter[:, : slots - window]
    enough = earlier.shape[1] >= LIMITS.earlier
    sigma = np.maximum(
        np.nan_to_num(deviation(earlier if enough else jitter)), LIMITS.resolutions * series.scale.resolution
    )
    known = np.cumsum(np.pad(~np.isnan(jitter), ((0, 0), (1, 0))), axis=1)
    enough_known = known[:, width:] - known[:, :-width] >= LIMITS.present * width
    level = np.where(enough_known, rolling_median(jitter, width), np.nan) / sigma[:, None]
    at_least = LIMITS.limit * (1 + 1 / np.maximum(series.days[rows], 0.1))  # higher where it is hardly known
    at_least = np.maximum(at_least, LIMITS.steps * series.steps(rows) / sigma)
    return _Levels(level[:, begin:].astype(np.float32), *reached(Ordered(level[:, :begin])), at_least)


def _levels_of_both(sample: Sample) -> list[npt.NDArray[Any]]:
    """Those of some stations' readings and of their residuals."""
    series, expected = sample.series, sample.expected
    readings = _levels(series, expected.rows, series.scaled[expected.rows])
    return [*readings, *_levels(series, expected.rows, expected.residual)]


def _judged(sample: Sample, *found: npt.NDArray[Any]) -> Bools:
    """Which readings are noisy, stations × window slots, of what `_levels_of_both` found."""
    series, half = sample.series, len(_Levels._fields)
    noisy = _noisy(sample, _Levels(*found[:half]), "the readings jump to and fro")
    noisy &= _noisy(sample, _Levels(*found[half:]), "so does their difference from what neighbours imply")
    return noisy & series.there[:, -series.window :]


def _noisy(sample: Sample, levels: _Levels, what: str) -> Bools:
    """Which readings lie in a time of too much jitter, stations × window slots; `what` says what that means."""
    series = sample.series
    slots, width, begin = series.scaled.shape[1], _width(series), _begin(series)
    flagged = np.zeros((len(levels.now), slots), dtype=bool)
    if not levels.now.shape[1]:
        return flagged[:, -series.window :]
    now = levels.now
    of_all = _typical(now, series.measured)
    limit = exceedance_limit(levels.most, levels.believed, LIMITS.own, LIMITS.network, levels.at_least)
    (above,) = by_rows(lambda rows: [now[rows] > limit[rows, None] * of_all], len(now))
    if sample.notes is not None:
        median_of = f"second difference, median of {width / series.per_hour:g} h"
        sample.note(above, Condition(median_of, now, ">", limit[:, None] * of_all, "σ"), what=what)
    for row, first in zip(*np.nonzero(above), strict=True):
        flagged[row, begin + first : begin + first + width + 2] = True
    return flagged[:, -series.window :]


def _typical(now: npt.NDArray[np.float32], measured: Bools) -> Floats:
    """The level of the median station at each time, 1 at least; that of a station whose level is not known is 0.

    Args:
        now: see `_Levels`; stations × times.
        measured: which stations count.
    """
    found = np.ones(now.shape[1])
    if measured.any():
        some = max(1, AT_ONCE // len(now))  # a large network has no memory for all of them twice
        for begin in range(0, len(found), some):
            times = slice(begin, begin + some)
            levels = np.nan_to_num(now[measured, times])
            found[times] = np.maximum(np.median(levels, axis=0, overwrite_input=True), 1.0)
    return found


class Noise(QualityTest):
    """Two hours and more that jitter too much."""

    name = "noise"
    source = "the opposite of QARTOD's attenuated signal test"
    finds = "jumping to and fro"
    limit = "never as much before, nor elsewhere"
    thresholds = LIMITS
    evidence = Evidence.NOT_SHARED
    exclusion = Exclusion.ALWAYS
    may_be_air = True

    preparation = Preparation(_judged, each=_levels_of_both)

    def run(self, sample: Sample, prepared: Bools) -> Bools:
        """Flag noisy readings, stations × window slots."""
        return prepared

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Bools) -> str:
        """For how long it has jittered."""
        return f"it jumps to and fro as it never did, for {interval.hours:.1f} h"
