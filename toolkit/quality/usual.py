"""How large a statistic has to be to be unheard of: larger than it ever was, here and at other stations."""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Floats, largest, quantile


def unheard_of(history: Floats, own: float, network: float, at_least: Floats | float) -> Floats:
    """A limit for each station.

    Weather repeats itself: what happened in the days before, or to a typical station of the network, can happen again.

    Args:
        history: the statistic in the days before, stations by slots.
        own: times what the station itself reached in all but 2% of its time (a fault of the past is forgiven).
        network: times what half the stations reached at most.
        at_least: the limit is never lower.
    """
    if not history.shape[1]:
        return np.broadcast_to(np.asarray(at_least, dtype=np.float64), (len(history),)).copy()
    typical = float(np.median(largest(history)))
    return np.maximum(np.maximum(own * np.nan_to_num(quantile(history, 0.98)), network * typical), at_least)
