"""The interface of what the simulator serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from toolkit.model import Observation, Station


class Source(Protocol):
    """Weather at any time; the same time gives the same observations."""

    @property
    def stations(self) -> Sequence[Station]:
        """The network."""

    def at(self, time: int) -> Sequence[Observation | None]:
        """The latest observation of each station at `time` (seconds since the epoch), in the order of `stations`."""
