"""How large a statistic has to be to exceed whatever it was in the days before, here and at other stations."""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Floats, largest, quantile
from toolkit.quality.network import EACH, Network

# Of a station's own past this share counts; the rest may have been a fault.
BELIEVED = 0.98


def exceedance_limit(
    history: Floats,
    own: float,
    network: float,
    at_least: Floats | float,
    stations: Network | None = None,
    name: str = "",
) -> Floats:
    """The limit of each station.

    Weather repeats itself: what happened here in the days before, or at a typical station of the network, can happen
    again.

    Args:
        history: the statistic in the days before, stations × slots.
        own: the limit is so many times what the station itself reached in all but 2% of its time.
        network: and so many times the largest value of the median station.
        at_least: and never lower than this, for all or for each station.
        stations: the network; None where these are all of its stations.
        name: what it calls the statistic.
    """
    if not history.shape[1]:
        return np.broadcast_to(np.asarray(at_least, dtype=np.float64), (len(history),)).copy()
    typical = float(np.median((stations or Network()).of(name, EACH, largest(history))))
    own_limit = own * np.nan_to_num(quantile(history, BELIEVED))
    return np.maximum(np.maximum(own_limit, network * typical), at_least)
