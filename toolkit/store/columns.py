"""Observations as arrays. Not imported by those who only write: numpy would cost them memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LAST = 253_402_300_799
"""The last second of the year 9999: what was collected at no time that there is counts as collected then."""


class Columns(NamedTuple):
    """Observations, in order of time, then station.

    Attributes:
        station: the place of each one's station in `Store.stations()`.
        time: seconds since the epoch.
        collected: when it was collected, seconds since the epoch.
        values: by name: floats in the variable's unit, NaN where there is none; words as str, or None.
    """

    station: Ints
    time: Ints
    collected: Ints
    values: dict[str, npt.NDArray[Any]]

    def taken(self, order: Any) -> Columns:
        """Some of them: numbers, a mask, or a slice."""
        values = {name: column[order] for name, column in self.values.items()}
        return Columns(self.station[order], self.time[order], self.collected[order], values)


def in_order(time: Ints, station: Ints) -> Any:
    """What brings observations into order of time, then station."""
    step = np.diff(time)
    if ((step > 0) | ((step == 0) & (np.diff(station) > 0))).all():
        return slice(None)
    return np.lexsort((station, time))


def known(columns: Columns) -> Columns:
    """The observations of known stations, whose place is not below zero, in order, each with a time of collection."""
    collected = columns.collected
    collected[(collected < 0) | (collected > LAST)] = LAST
    if (columns.station < 0).any():
        columns = columns.taken(columns.station >= 0)
    order = in_order(columns.time, columns.station)
    return columns if isinstance(order, slice) else columns.taken(order)
