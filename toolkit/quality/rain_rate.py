"""Rain rate: more rain than has ever fallen in so short a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from toolkit.quality.arrays import Bools, slots_since_previous
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
from toolkit.quality.rainfall import amounts
from toolkit.variables import Variable

_RECORDS = "the envelope of the world's records, 421.6 mm × hours^0.475 (Jennings 1950; WMO-No. 1045)"


@dataclass(frozen=True, slots=True)
class RainRateThresholds(Thresholds):
    """How much rain is too much."""

    hour: float = threshold(421.6, "mm", "the world's record in an hour", _RECORDS)
    power: float = threshold(0.475, "", "of the time in hours", _RECORDS)
    share: float = threshold(0.5, "", "of the record: more has fallen at a few places of the Earth, once",
                             "RainfallQC compares with the records of the country")  # fmt: skip


LIMITS = RainRateThresholds()


class RainRate(QualityTest):
    """An amount that cannot have fallen from one reading to the next."""

    name = "rain_rate"
    standard_name = "rate of change"
    source = "WMO-No. 8, vol. V, ch. 1; RainfallQC (world-record checks)"
    finds = "more rain from one reading to the next than can fall"
    limit = "half of the world's record in that time"
    thresholds = LIMITS
    evidence = Evidence.CONCLUSIVE
    exclusion = Exclusion.NEVER

    def applies(self, variable: Variable) -> bool:
        """To rain."""
        return variable.standard_name == "thickness_of_rainfall_amount"

    def run(self, sample: Sample, prepared: Any) -> Bools:
        """Flag the readings up to which too much fell, stations × window slots."""
        series = sample.series
        fell = amounts(series.values)

        def limit(rows: slice) -> npt.NDArray[Any]:
            hours = slots_since_previous(series.values[rows]) * series.slot_hours
            return LIMITS.share * LIMITS.hour * hours**LIMITS.power

        (found,) = by_rows(lambda rows: [fell[rows] > limit(rows)], len(fell))
        if sample.notes is not None:
            sample.note(found, Condition("rain since the reading before", fell, ">", limit(slice(None)), "mm"))
        return found[:, -series.window :]

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Any) -> str:
        """That it is impossible."""
        return "more rain was added from one reading to the next than can fall in that time"
