"""A store of which one window after another is read: what the windows share is read once.

It can be seen as it was at an earlier time, by when each observation was collected.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np

from toolkit.model import Rejected, Station
from toolkit.quality.arrays import Floats
from toolkit.store import Span, Store
from toolkit.store.selection import pieces
from toolkit.store.station_places import Changes

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
        self._changes: Changes | None = None

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

    def changes(self) -> Changes:
        """See `base.Store`."""
        if self._changes is None:
            self._changes = self._store.changes()
        return self._changes

    def owners(self) -> dict[str, str | None]:
        """See `base.Store`."""
        return self._store.owners()

    def readings(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """See `base.Store`."""
        wanted = [0, 1, *(2 + self._variables.index(name) for name in variables)]
        for span in pieces(spans):
            yield self._seen(self._piece(span))[wanted]

    def _seen(self, piece: Floats) -> Floats:
        """The part of a piece that is seen: rows as `readings` of a store gives them, × observations."""
        return piece

    def _read(self, span: Span) -> Floats:
        """A piece as it is kept: stations' numbers, times, and each variable."""
        parts = list(self._store.readings([span], self._variables))
        return np.hstack(parts) if parts else np.empty((2 + len(self._variables), 0))

    def _piece(self, span: Span) -> Floats:
        found = self._kept.pop(span, None)
        if found is None:
            found = self._read(span)
            self._bytes += found.nbytes
        self._kept[span] = found
        while self._bytes > MOST_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.pop(next(iter(self._kept))).nbytes
        return found


class AsCollected(Remembered):
    """A store as it was at a time: without the observations that were collected later.

    Of an observation that was corrected the store knows neither the first value nor when that came: it is taken for
    collected when it was corrected.

    Attributes:
        at: the time, seconds since the epoch.
    """

    at = math.inf

    def numbers(self) -> list[int]:
        """See `base.Store`."""
        return list(range(len(self.stations())))

    def late(self, span: Span) -> tuple[int, int]:
        """Of the observations of a span of time how many were collected later, and how many there are."""
        found = [self._piece(one)[-1] for one in pieces([span])]
        return sum(int((one > self.at).sum()) for one in found), sum(one.size for one in found)

    def _seen(self, piece: Floats) -> Floats:
        return piece[:, piece[-1] <= self.at]

    def _read(self, span: Span) -> Floats:
        """The same with when each was collected in the last row."""
        found = self._store.columns(span, self._variables)
        return np.vstack(
            [found.station, found.time, *(found.values[name] for name in self._variables), found.collected]
        )
