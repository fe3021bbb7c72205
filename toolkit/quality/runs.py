"""Runs of one value in readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.quality.arrays import Bools, Floats, Ints, last_before


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of one value, stations × slots.

    Attributes:
        length: up to each slot, how many of the run's readings count; 0 where nothing was measured that counts.
        start: the slot in which it began.
    """

    length: npt.NDArray[Any]
    start: npt.NDArray[Any]

    @classmethod
    def of(cls, readings: Floats, counts: Bools, gap: int) -> Runs:
        """The runs of `readings` where `counts`, both stations × slots; more than `gap` slots without one end a run."""
        there = ~np.isnan(readings)
        slot, previous = np.arange(readings.shape[1], dtype=np.int32), last_before(readings)
        before = np.take_along_axis(readings, np.maximum(previous, 0), 1)
        begins = there & ((previous < 0) | (readings != before) | (slot - previous > gap + 1))
        start = np.maximum.accumulate(np.where(begins, slot, np.int32(0)), axis=1)
        counts = counts & there
        count = np.cumsum(counts, axis=1, dtype=np.int32)
        count_before = np.take_along_axis(count - counts, start, 1)
        return cls(np.where(counts, count - count_before, np.int32(0)), start)

    def of_rows(self, rows: Ints) -> Runs:
        """Those of some rows."""
        return Runs(self.length[rows].astype(np.int32), self.start[rows].astype(np.int32))

    def packed(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Length and start in as few bits as they fit into, to be kept for all stations."""
        kind = np.min_scalar_type(self.length.shape[1])
        return self.length.astype(kind), self.start.astype(kind)
