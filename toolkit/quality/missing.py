"""Missing: a station that measures a variable has stopped reporting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.quality.arrays import Bools, intervals
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
from toolkit.variables import Variable


@dataclass(frozen=True, slots=True)
class MissingThresholds(Thresholds):
    """When a gap is too long."""

    hours: float = threshold(1.5, "h", "the shortest gap that is flagged")
    readings: int = threshold(4, "readings", "the same where stations report rarely: one or two are lost everywhere")
    habit: float = threshold(0.5, "", "share of values before the window from which on a station is expected to report")
    wind: float = threshold(
        11.0, "km/h", "a direction is expected from here on", "3 m/s; below, METAR may leave it out"
    )
    feed: float = threshold(0.5, "", "share of stations: where more have nothing, the feed or the collector failed")


LIMITS = MissingThresholds()


class Missing(QualityTest):
    """Gaps of a variable, at a station that otherwise reports."""

    name = "missing"
    standard_name = "gap"
    source = "QARTOD manuals"
    finds = "a variable or a station that no longer reports"
    limit = "1.5 hours"
    thresholds = LIMITS
    evidence = Evidence.CONCLUSIVE
    exclusion = Exclusion.NEVER
    with_method = True

    def applies(self, variable: Variable) -> bool:
        """To every variable."""
        return True

    def needs(self, variable: Variable) -> set[str]:
        """What it goes with."""
        return {*variable.follows, variable.speed} - {""}

    def run(self, sample: Sample, prepared: Any) -> Bools:
        """Flag long gaps, but those in which the whole station is silent; stations × window slots."""
        series, variable = sample.series, sample.series.variable
        there = ~np.isnan(series.values)
        # A calm has no direction; and what is computed of others goes with them.
        for other in self.needs(variable) & set(sample.slots):
            there |= ~(sample.slots[other] >= LIMITS.wind) if variable.speed else np.isnan(sample.slots[other])
        return gaps(there[:, -series.window :], there[:, : -series.window], series.per_hour) & ~sample.silent

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Any) -> str:
        """How long there has been no value."""
        return f"no value for {interval.hours:.1f} h, while it used to report"


def gaps(window: Bools, before: Bools, per_hour: int) -> Bools:
    """Gaps that are too long, stations × window slots.

    Args:
        window: whether something was reported, stations × window slots.
        before: the same before the window, stations × earlier slots.
        per_hour: slots in an hour.
    """
    absent: Bools = ~window
    measured = window.any(axis=1) | before.any(axis=1)
    if not measured.any():
        return np.zeros_like(absent)
    absent = absent & ~(absent[measured].mean(axis=0) > LIMITS.feed)[None]
    known = np.hstack([before, window])
    since = known.shape[1] - np.argmax(known, axis=1) - (window.shape[1] if before.shape[1] else 0)
    reported = (before if before.shape[1] else window).sum(axis=1)
    has_habit = reported >= LIMITS.habit * np.maximum(since, LIMITS.readings)
    shortest = max(round(LIMITS.hours * per_hour), LIMITS.readings)
    flagged = np.zeros_like(absent)
    for row in np.flatnonzero(has_habit & (np.count_nonzero(absent, axis=1) >= shortest)):
        for first, after in intervals(absent[row]):
            flagged[row, first:after] = after - first >= shortest
    return flagged
