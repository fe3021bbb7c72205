"""A window of observations as arrays: stations by slots of one cadence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolkit.feed.document import Station
from toolkit.store import Store

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Observations on a common time axis, so that stations which report at odd moments can be compared.

    Attributes:
        stations: the rows.
        times: when each value was observed, seconds since the epoch; stations by slots, NaN where nothing was.
        values: by variable, stations by slots, NaN where nothing was measured.
    """

    stations: list[Station]
    times: Floats
    values: dict[str, Floats]

    @property
    def slots(self) -> int:
        """How many observations of a station the window expects."""
        return int(self.times.shape[1])


def load(store: Store, start: float, end: float, cadence: float, variables: Sequence[str]) -> Grid:
    """Read the window after `start` up to and including `end`, in seconds since the epoch.

    A slot ends at a whole number of cadences before `end`; of several observations in one slot the last one counts.
    """
    stations = store.stations()
    place = {station.station_id: row for row, station in enumerate(stations)}
    slots = max(1, round((end - start) / cadence))
    times = np.full((len(stations), slots), np.nan)
    values = np.full((len(variables), len(stations), slots), np.nan)
    rows = store.window(start, end, variables)
    if rows:
        station = np.array([place[row[0]] for row in rows])
        observed = np.array([row[1] for row in rows], dtype=np.float64)
        slot = slots - 1 - np.minimum((end - observed) // cadence, slots - 1).astype(int)
        times[station, slot] = observed
        for number in range(len(variables)):
            values[number, station, slot] = np.array([row[2 + number] for row in rows], dtype=np.float64)
    return Grid(stations, times, dict(zip(variables, values, strict=True)))
