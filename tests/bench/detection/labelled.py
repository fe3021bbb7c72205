"""Labelled data: weather whose faults are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from toolkit.model import Station

Floats = npt.NDArray[np.float64]

HOUR = 3600


@dataclass(frozen=True)
class Labelled:
    """Observations of a network on a common time axis, and what is wrong with them.

    Attributes:
        name: what tables call it.
        stations: the network.
        times: seconds since the epoch, ascending, one cadence apart.
        values: by variable, stations by times, NaN where nothing was measured.
        truth: the same before any fault was put in.
        faults: what was put in.
        silent: stations by times, True where a whole row is missing.
    """

    name: str
    stations: Sequence[Station]
    times: npt.NDArray[np.int64]
    values: dict[str, Floats]
    truth: dict[str, Floats]
    silent: npt.NDArray[np.bool_]
    faults: list[Fault] = field(default_factory=list)

    @property
    def cadence(self) -> int:
        """Seconds between observations."""
        return int(self.times[1] - self.times[0])

    def clean(self) -> Labelled:
        """The same weather without faults."""
        return replace(self, values=self.truth, faults=[])


@dataclass(frozen=True)
class Fault:
    """A fault of one station.

    Attributes:
        station: the row.
        variable: which; None for the whole station.
        kind: what it is called.
        start, end: seconds since the epoch, of the first and the last wrong reading.
    """

    station: int
    variable: str | None
    kind: str
    start: int
    end: int
