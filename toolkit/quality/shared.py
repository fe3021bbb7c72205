"""Shared: a jump as large as a fault's, which neighbours made too. It is reported, as weather."""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Bools
from toolkit.quality.base import Evidence, Exclusion, FlaggedInterval, QualityTest, Sample, WorstReading
from toolkit.quality.criteria import Condition
from toolkit.quality.jump import JUMP_LIMITS, LIMITS, JumpLimits
from toolkit.quality.step import last_jump


class Shared(QualityTest):
    """What `step` would flag if neighbours had not done the same."""

    name = "shared"
    source = "the counterpart of `step`: WMO-No. 8, vol. V, ch. 1 (spatial consistency)"
    finds = "a jump that neighbours shared: weather"
    limit = "as for step"
    thresholds = LIMITS
    evidence = Evidence.SHARED
    exclusion = Exclusion.NEVER
    compares = True
    preparation = JUMP_LIMITS

    def suspects(self, sample: Sample, prepared: JumpLimits) -> Bools:
        """The stations that jumped."""
        return prepared.jumped

    def run(self, sample: Sample, prepared: JumpLimits) -> Bools:
        """Flag the reading after each such jump, rows × window slots."""
        series, expected = sample.series, sample.expected
        own = np.abs(np.diff(series.scaled[expected.rows], axis=1))[:, -series.window :]
        limit = prepared.jump[expected.rows, None]
        alone = np.abs(expected.change[:, -series.window :])
        found = (own > limit) & (alone <= limit)
        sample.note(
            found,
            Condition("change from the reading before", own, ">", limit, series.scaled_unit),
            Condition("what of it neighbours did not share", alone, "≤", limit, series.scaled_unit),
            rows=expected.rows,
        )
        return np.hstack([np.zeros((len(found), series.window - found.shape[1]), dtype=bool), found])

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: JumpLimits) -> str:
        """From which value to which it jumped, and when."""
        return last_jump(interval, prepared)
