"""Noise: readings that jump to and fro as they never did.

The measure is the second difference of successive readings, which is zero where the weather changes steadily. What
counts is its median over two hours, compared with that of the days before, of other stations then, and of other
stations now: a gusty day is gusty for all. The residual has to jitter as well: in a shower the neighbours do, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.quality.arrays import Bools, Floats, Ordered, deviation, rolling_median
from toolkit.quality.base import (
    Evidence,
    Exclusion,
    FlaggedInterval,
    QualityTest,
    Sample,
    Thresholds,
    WorstReading,
    threshold,
)
from toolkit.quality.blocks import by_rows
from toolkit.quality.criteria import Condition
from toolkit.quality.exceedance import exceedance_limit, reached
from toolkit.quality.network import MEDIAN_ABOVE_ONE


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


class Noise(QualityTest):
    """Two hours and more that jitter too much."""

    name = "noise"
    source = "the opposite of QARTOD's attenuated signal test"
    finds = "jumping to and fro"
    limit = "never as much before, nor elsewhere"
    thresholds = LIMITS
    evidence = Evidence.NOT_SHARED
    exclusion = Exclusion.ALWAYS

    def run(self, sample: Sample, prepared: Any) -> Bools:
        """Flag noisy readings, stations × window slots."""
        series = sample.series
        noisy = _noisy(sample, series.scaled, "the readings jump to and fro")
        noisy &= _noisy(sample, sample.expected.residual, "so does their difference from what neighbours imply")
        return noisy[:, -series.window :] & ~np.isnan(series.window_values)

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Any) -> str:
        """For how long it has jittered."""
        return f"it jumps to and fro as it never did, for {interval.hours:.1f} h"


def _noisy(sample: Sample, values: Floats, what: str) -> Bools:
    """Which of a series' readings, or of their residuals, lie in a time of too much jitter; stations × slots.

    `what` says what that means.
    """
    series = sample.series
    window, slots = series.window, values.shape[1]
    flagged = np.zeros(values.shape, dtype=bool)
    width = max(LIMITS.hours * series.per_hour, LIMITS.readings)
    if slots < width + 2:
        return flagged
    least = LIMITS.resolutions * series.scale.resolution
    # Times that end in the window are tested; those that end before it tell what was reached before.
    begin = max(0, slots - window - width - 1)

    def levels(rows: slice) -> list[Floats]:
        """Of some rows: the levels now, what they reached before, and the least limit."""
        jitter = np.abs(np.diff(values[rows], n=2, axis=1))
        earlier = jitter[:, : slots - window]
        enough = earlier.shape[1] >= LIMITS.earlier
        sigma = np.maximum(np.nan_to_num(deviation(earlier if enough else jitter)), least)
        known = np.cumsum(np.pad(~np.isnan(jitter), ((0, 0), (1, 0))), axis=1)
        enough_known = known[:, width:] - known[:, :-width] >= LIMITS.present * width
        level = np.where(enough_known, rolling_median(jitter, width), np.nan) / sigma[:, None]
        at_least = LIMITS.limit * (1 + 1 / np.maximum(series.days[rows], 0.1))  # higher where it is hardly known
        at_least = np.maximum(at_least, LIMITS.steps * series.steps(rows) / sigma)
        return [level[:, begin:], *reached(Ordered(level[:, :begin])), at_least]

    now, most, believed, at_least = by_rows(levels, len(values))
    of_all = sample.network.of(f"{what}: now", MEDIAN_ABOVE_ONE, now, where=series.measured)
    limit = exceedance_limit(most, believed, LIMITS.own, LIMITS.network, at_least, sample.network, f"{what}: before")
    (above,) = by_rows(lambda rows: [now[rows] > limit[rows, None] * of_all], len(now))
    if sample.notes is not None:
        median_of = f"second difference, median of {width / series.per_hour:g} h"
        sample.note(above, Condition(median_of, now, ">", limit[:, None] * of_all, "σ"), what=what)
    for row, first in zip(*np.nonzero(above), strict=True):
        flagged[row, begin + first : begin + first + width + 2] = True
    return flagged
