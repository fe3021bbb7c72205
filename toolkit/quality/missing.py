"""Missing: a station that measures something has stopped telling it.

QARTOD's timing and gap test. A reading or two are lost everywhere; what is missing at most stations at once is the
feed's fault or the collector's, not theirs.
"""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Bools, stretches

HOURS = 1.5
READINGS = 4
# With less than this share of values before the window, a station has no habit that could be broken.
HABIT = 0.5


def flag(judged: Bools, before: Bools, per_hour: int) -> Bools:
    """Gaps of at least 1.5 hours and 4 readings, stations by the window's slots.

    Args:
        judged: whether a value is there, stations by the window's slots.
        before: the same for the slots before.
        per_hour: slots in an hour.
    """
    absent: Bools = ~judged
    measured = judged.any(axis=1) | before.any(axis=1)
    if not measured.any():
        return np.zeros_like(absent)
    absent = absent & ~(absent[measured].mean(axis=0) > 0.5)[None]
    known = np.hstack([before, judged])
    since = known.shape[1] - np.argmax(known, axis=1) - (judged.shape[1] if before.shape[1] else 0)
    habit = (before if before.shape[1] else judged).sum(axis=1) >= HABIT * np.maximum(since, READINGS)
    shortest = max(round(HOURS * per_hour), READINGS)
    flagged = np.zeros_like(absent)
    for row in np.flatnonzero(habit & (np.count_nonzero(absent, axis=1) >= shortest)):
        for first, after in stretches(absent[row]):
            flagged[row, first:after] = after - first >= shortest
    return flagged
