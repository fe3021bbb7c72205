"""What a feed can be made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from toolkit.model import Observation, Station


class Source(Protocol):
    """Weather that can be asked for any time, with the same answer every time."""

    @property
    def stations(self) -> Sequence[Station]:
        """The network."""

    def at(self, time: int) -> Sequence[Observation | None]:
        """The latest observation of each station at `time` (seconds since the epoch), in the order of `stations`."""
