"""Resolution: readings in other steps than the sensor ever showed.

An anemometer counts turns, so its readings are multiples of one step (a mile an hour in most of them, whatever the unit
of the feed). Where one unit is taken for another the steps are scaled with the readings, and that shows even where
there is no neighbour to compare with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from toolkit.quality.arrays import Bools, Floats, Ints, median
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
from toolkit.quality.series import Series, unscaled
from toolkit.variables import Variable


@dataclass(frozen=True, slots=True)
class ResolutionThresholds(Thresholds):
    """What tells a sensor's step, and when readings are off it."""

    decimal: float = threshold(0.1, "km/h", "the feed's own resolution", "the form of the feed")
    step: float = threshold(0.5, "km/h", "the smallest step that can be told from none: five decimals")
    readings: int = threshold(
        72, "readings", "how many tell the step: every second one fits twice the true step, and of a few most may"
    )
    off_before: float = threshold(0.2, "", "share of earlier readings that may be off it: an earlier fault")
    different: int = threshold(3, "values", "how many different values off the step make a flag")
    off_now: float = threshold(0.4, "", "share of the readings between the first and the last of them that are off it")
    feed: float = threshold(0.3, "", "share of stations: where more change their steps at once, the feed changed")


LIMITS = ResolutionThresholds()


class Resolution(QualityTest):
    """A unit that is taken for another, seen by the steps of the readings alone."""

    name = "resolution"
    source = "WMO-No. 8, vol. V, ch. 1 (a report's precision), learnt from the station's own past"
    finds = "an anemometer whose readings come in other steps than ever: a wrong unit"
    limit = "the steps of its days before"
    thresholds = LIMITS
    evidence = Evidence.CONCLUSIVE
    exclusion = Exclusion.ALWAYS

    def applies(self, variable: Variable) -> bool:
        """To speeds, which are counted in turns."""
        return variable.nature == "gusty" and super().applies(variable)

    def run(self, sample: Sample, prepared: Any) -> Bools:
        """Flag the readings from the first to the last one that is off the steps, stations × window slots."""
        found = by_rows(lambda block: _OffSteps.of(sample.series.part(block)), len(sample.silent))
        flagged, known, count, limit, number = _OffSteps(*found)
        if np.count_nonzero(flagged.any(axis=1)) > max(1, LIMITS.feed * np.count_nonzero(known)):
            flagged[:] = False
        sample.note(
            flagged.any(axis=1),
            Condition("different values that are no multiple of the sensor's step", count, "≥", LIMITS.different),
            Condition("readings that are none", number, "≥", limit),
        )
        return flagged

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Any) -> str:
        """For how long, and what it looks like."""
        return f"for {interval.hours:.1f} h its readings come in other steps than ever before, as if in another unit"


class _OffSteps(NamedTuple):
    """What of the window is off the steps of some stations' sensors.

    Attributes:
        flagged: the readings from the first to the last one that is, where these are too many; rows × window slots.
        known: whether the steps are known; rows.
        different: how many different values are off; rows, 0 where hardly any reading is.
        limit: so many readings have to be off at least; likewise.
        number: how many readings are off; rows.
    """

    flagged: Bools
    known: Bools
    different: Floats
    limit: Floats
    number: Ints

    @classmethod
    def of(cls, series: Series) -> _OffSteps:
        """Of these stations."""
        window, values = series.window, series.window_values
        flagged = np.zeros(values.shape, dtype=bool)
        before = np.hstack([unscaled(series.variable, series.history), series.values[:, :-window]])
        before = np.where(before > 0, before, np.nan)
        now = np.where(values > 0, values, np.nan)
        step = _step(before)[:, None]
        readings = np.count_nonzero(~np.isnan(before), axis=1)
        known = (
            (step[:, 0] >= LIMITS.step)
            & (readings >= LIMITS.readings)
            & (_off(before, step).sum(axis=1) <= LIMITS.off_before * readings)
        )
        off = _off(now, step) & known[:, None]
        count, limit, number = np.zeros(len(values)), np.zeros(len(values)), off.sum(axis=1)
        for row in np.flatnonzero(number >= LIMITS.different):
            first, after = np.flatnonzero(off[row])[[0, -1]] + [0, 1]
            between = ~np.isnan(now[row, first:after])
            count[row], limit[row] = len(np.unique(now[row, off[row]])), LIMITS.off_now * between.sum()
            if number[row] >= limit[row] and count[row] >= LIMITS.different:
                flagged[row, first:after] = ~np.isnan(values[row, first:after])
        return cls(flagged, known, count, limit, number)


def _step(readings: Floats) -> Floats:
    """The step of which most of each row's readings are multiples; NaN where there are too few readings to tell.

    Args:
        readings: stations × readings, in the variable's unit.
    """
    gaps = np.diff(np.sort(readings, axis=1), axis=1)
    gaps = np.where(gaps > LIMITS.decimal / 2, gaps, np.nan)
    alike = np.abs(gaps - median(gaps)[:, None]) <= 1.5 * LIMITS.decimal
    # Readings are rounded to a decimal. The mean of several gaps is closer to the step than one of them, and the
    # quotient of a large reading and its multiple is closer still.
    number = alike.sum(axis=1)
    step = np.where(number > 0, np.sum(gaps, axis=1, where=alike) / np.maximum(number, 1), np.nan)[:, None]
    times = np.where(_off(readings, step), np.nan, np.rint(readings / step))
    squares = np.nansum(times * times, axis=1)
    return np.where(squares > 0, np.nansum(readings * times, axis=1) / np.maximum(squares, 1), np.nan)


def _off(readings: Floats, step: Floats) -> Bools:
    """Which readings, stations × slots, are no multiple of the step, stations × 1, to a decimal; False for NaN."""
    return np.asarray(np.abs(readings - np.rint(readings / step) * step) > LIMITS.decimal)
