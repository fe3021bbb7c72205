"""How large a statistic has to be to exceed whatever it was in the days before, here and at other stations."""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Floats, Ordered

# Of a station's own past this share counts; the rest may have been a fault.
BELIEVED = 0.98


def reached(history: Ordered) -> tuple[Floats, Floats]:
    """What a statistic that is not negative reached in the days before: at most, and in all but 2% of the time.

    Args:
        history: the statistic, stations × slots.
    """
    return np.nan_to_num(history.largest()), np.nan_to_num(history.quantile(BELIEVED))


def exceedance_limit(most: Floats, believed: Floats, own: float, network: float, at_least: Floats | float) -> Floats:
    """The limit of each station.

    Weather repeats itself: what happened here in the days before, or at a typical station of the network, can happen
    again.

    Args:
        most: what the statistic reached in the days before at most, of each station; see `reached`.
        believed: the same but for the largest 2%.
        own: the limit is so many times what the station itself reached in all but 2% of its time.
        network: and so many times the largest value of the median station.
        at_least: and never lower than this, for all or for each station.
    """
    typical = float(np.median(most))
    return np.maximum(np.maximum(own * believed, network * typical), at_least)
