"""A store of which one window after another is read: what the windows share is read once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np

from toolkit.model import Rejected, Station
from toolkit.quality.arrays import Floats
from toolkit.store import Span, Store
from toolkit.store.base import pieces

MOST_BYTES = 64 << 20
"""How much is remembered: five days of 300 stations; what was asked for longest ago is forgotten."""


class Remembered:
    """What `detector.grid` reads from a store; see `base.Store` for its methods.

    Args:
        store: open for reading.
        variables: all that will be asked for.
    """

    def __init__(self, store: Store, variables: Sequence[str]) -> None:
        self._store = store
        self._variables = list(variables)
        self._kept: dict[Span, Floats] = {}
        self._bytes = 0

    def stations(self) -> list[Station]:
        """See `base.Store`."""
        return self._store.stations()

    def numbers(self) -> list[int]:
        """See `base.Store`."""
        return self._store.numbers()

    def snapshot(self) -> AbstractContextManager[None]:
        """See `base.Store`; what was read in an earlier snapshot may be of that one."""
        return self._store.snapshot()

    def rejected(self, span: Span) -> list[Rejected]:
        """See `base.Store`."""
        return self._store.rejected(span)

    def readings(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """See `base.Store`."""
        wanted = [0, 1, *(2 + self._variables.index(name) for name in variables)]
        for span in pieces(spans):
            yield self._piece(span)[wanted]

    def _piece(self, span: Span) -> Floats:
        found = self._kept.pop(span, None)
        if found is None:
            parts = list(self._store.readings([span], self._variables))
            found = np.hstack(parts) if parts else np.empty((2 + len(self._variables), 0))
            self._bytes += found.nbytes
        self._kept[span] = found
        while self._bytes > MOST_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.pop(next(iter(self._kept))).nbytes
        return found
