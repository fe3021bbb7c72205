"""Spatial consistency: for hours a station reports another weather than its neighbours imply.

Tested are residuals (`quality.expected`), two hours at a time: a front that reaches one station before another passes,
an offset or a drift stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from toolkit.quality.arrays import Bools, Floats, rolling_median
from toolkit.quality.base import (
    Evidence,
    Exclusion,
    FlaggedInterval,
    Preparation,
    QualityTest,
    Sample,
    Thresholds,
    WorstReading,
    number,
    threshold,
)
from toolkit.quality.criteria import Condition
from toolkit.quality.series import differences


@dataclass(frozen=True, slots=True)
class SpatialThresholds(Thresholds):
    """How far from what neighbours imply is too far."""

    hours: int = threshold(2, "h", "the time over which the median residual is taken")
    readings: int = threshold(3, "readings", "the same for stations that report once an hour")
    present: float = threshold(0.5, "", "share of the readings in that time that are known")
    limit: float = threshold(5.0, "standard deviations of the residual", "the limit where there are close neighbours")
    limit_in_region: float = threshold(
        9.0, "standard deviations of the residual", "the limit where there are only stations of the region: their "
        "weather differs more often"
    )  # fmt: skip
    region_days: float = threshold(1.5, "days", "a station known for less is not compared with the region")
    days_to_learn: float = threshold(
        1.5, "days", "after d days the limit is 1 + this / d times as high, for what is normal is known badly at first"
    )
    part: float = threshold(
        2.5, "standard deviations of the residual", "readings farther off in the same direction belong to the interval"
    )


LIMITS = SpatialThresholds()


class _Compared(NamedTuple):
    """What some stations measured against what neighbours imply.

    Attributes:
        off: the residual in standard deviations; rows × window slots.
        width: over so many slots its median is taken.
        lasting: that median, NaN where too little is known; rows × times of so many slots.
        difference: the median of the same in the variable's unit; likewise.
        limit: of `lasting`; rows.
        far: where it is too large; as `lasting`.
    """

    off: Floats
    width: int
    lasting: Floats
    difference: Floats
    limit: Floats
    far: Bools


def _compared(sample: Sample) -> _Compared:
    series, expected, window = sample.series, sample.expected, sample.series.window
    off = expected.residual[:, -window:] / expected.sigma[:, -window:]
    width = min(window, LIMITS.hours * series.per_hour if series.per_hour > 1 else LIMITS.readings)
    known = np.cumsum(np.pad(~np.isnan(off), ((0, 0), (1, 0))), axis=1)
    enough = (known[:, width:] - known[:, :-width]) / width >= LIMITS.present
    lasting = np.where(enough, rolling_median(off, width), np.nan)
    readings = series.scaled[expected.rows, -window:]
    difference = rolling_median(differences(series.variable, readings, expected.residual[:, -window:]), width)
    days = series.days[expected.rows]
    in_region = np.where(days >= LIMITS.region_days, LIMITS.limit_in_region, np.inf)
    limit = np.where(expected.has_close_neighbour, LIMITS.limit, in_region)
    limit = limit * (1 + LIMITS.days_to_learn / np.maximum(days, 0.1))
    far = (np.abs(lasting) > limit[:, None]) & (np.abs(difference) >= series.scale.difference)
    return _Compared(off, width, lasting, difference, limit, far)


def _too_far(sample: Sample) -> list[Bools]:
    """Which of some stations are too far from what neighbours imply."""
    return [np.logical_or.reduce(_compared(sample).far, axis=1)]


class Spatial(QualityTest):
    """The buddy check, against what neighbours imply instead of what they measure."""

    name = "spatial"
    standard_name = "spatial consistency (buddy check)"
    source = "the buddy checks of MADIS (level 3) and titanlib; WMO-No. 8, vol. V, ch. 1 (spatial consistency)"
    finds = "another weather than the neighbours imply, for two hours"
    limit = "five standard deviations of the residual and more"
    thresholds = LIMITS
    evidence = Evidence.CONTRADICTED
    exclusion = Exclusion.IF_FARTHEST_OFF
    compares = True
    may_pass = True
    preparation = Preparation(lambda _, far: far, each=_too_far)

    def suspects(self, sample: Sample, prepared: Bools) -> Bools:
        """The stations that are too far from what neighbours imply."""
        return prepared

    def run(self, sample: Sample, prepared: Bools) -> Bools:
        """Flag readings of two hours whose median residual is too large, rows × window slots."""
        series = sample.series
        off, width, lasting, difference, limit, far = _compared(sample)
        flagged = np.zeros(off.shape, dtype=bool)
        for row, first in zip(*np.nonzero(far), strict=True):
            slots = slice(first, first + width)
            flagged[row, slots] |= off[row, slots] * np.sign(lasting[row, first]) > LIMITS.part
        hours = f"median of {width / series.per_hour:g} h"
        sample.note(
            far,
            Condition(f"difference from what neighbours imply, {hours}", np.abs(lasting), ">", limit, "σ"),
            Condition("the same in the unit", np.abs(difference), "≥", series.scale.difference, series.variable.unit),
            rows=sample.expected.rows,
        )
        return flagged

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Any) -> str:
        """The worst reading, and what it should be."""
        unit = interval.series.variable.unit
        return f"it reads {number(worst.value)} {unit} for {number(worst.expected)} {unit}, {interval.hours:.1f} h long"
