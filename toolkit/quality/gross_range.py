"""Range: a value that no sensor can truthfully report."""

from __future__ import annotations

from typing import Any

import numpy as np

from toolkit.quality.arrays import Bools, Floats
from toolkit.quality.base import Evidence, Exclusion, FlaggedInterval, QualityTest, Sample, WorstReading, number
from toolkit.quality.criteria import Condition
from toolkit.variables import Variable


class GrossRange(QualityTest):
    """Values that no working sensor reads. The bounds are those of each variable in `toolkit.variables`."""

    name = "range"
    standard_name = "gross range"
    source = "QARTOD manuals; WMO-No. 8, vol. V, ch. 1 (plausible value check); MADIS level 1"
    finds = "what no sensor can truthfully report, also what the collector rejected"
    limit = "the variable's physical bounds"
    evidence = Evidence.CONCLUSIVE
    exclusion = Exclusion.ALWAYS
    follows = True  # a dew point of an impossible temperature is impossible, too
    with_method = True

    def applies(self, variable: Variable) -> bool:
        """To every variable."""
        return True

    def run(self, sample: Sample, prepared: Any) -> Bools:
        """Flag impossible values, stations × window slots."""
        variable, values = sample.series.variable, sample.series.window_values
        least, most = variable.readable
        above, below = values > most, values < least
        sample.note(above, Condition("the reading", values, ">", most, variable.unit))
        sample.note(below, Condition("the reading", values, "<", least, variable.unit))
        return above | below

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Any) -> str:
        """The value, and the bounds."""
        one = interval.series.variable
        least, most = one.readable
        return f"{number(worst.value)} {one.unit} is outside what is possible, {least:g} to {most:g} {one.unit}"

    def distance(self, interval: FlaggedInterval, residual: Floats) -> Floats:
        """One impossible value is as far off as another; the first of them is shown."""
        values = interval.series.values[interval.row, interval.slots]
        least, most = interval.series.variable.readable
        return np.where((values > most) | (values < least), 1.0, np.nan)
