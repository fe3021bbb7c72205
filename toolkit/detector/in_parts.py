"""A long time of a large network, part by part: what was read of each part waits in a file until its turn comes.

Observations lie in the store in order of time, those of all stations side by side: one pass over them serves all parts.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from toolkit.detector.grid import Source
from toolkit.errors import ToolkitError, reason
from toolkit.model import Rejected, Station
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.neighbours import Neighbours
from toolkit.store import Span
from toolkit.store.station_places import Changes
from toolkit.variables import BY_NAME

# As a 32-bit float every whole number up to this is exact.
_EXACT = 1 << 24
# Where long files belong (FHS 3.0, 5.15): /tmp may be memory.
_FOLDER = Path("/var/tmp")  # noqa: S108 - the file has no name


class Part(NamedTuple):
    """A part of a network, as rows of its stations.

    Attributes:
        own: the stations that it is of; every station is of one part.
        rows: these and the stations near them, in order.
    """

    own: Ints
    rows: Ints


def cut(stations: Sequence[Station], near: Sequence[Neighbours], most: int) -> list[Part]:
    """Cut a network into parts of stations that are near one another, with the stations near them.

    Args:
        stations: the network.
        near: which stations are near which, in one way or another.
        most: how many stations a part is of, at most.
    """
    position = np.array([(one.latitude, one.longitude) for one in stations], dtype=np.float64).reshape(-1, 2)
    # Where a station is not known it has no neighbours; it may be of any part.
    parts, waiting = [], [np.arange(len(stations))]
    while waiting:
        rows = waiting.pop()
        if len(rows) <= most:
            parts.append(rows)
            continue
        placed = position[rows]
        low, high = np.fmin.reduce(placed), np.fmax.reduce(placed)
        extent = np.nan_to_num(high - low)
        extent[1] *= np.cos(np.radians(np.nan_to_num(low[0] + high[0]) / 2))
        order = rows[np.argsort(placed[:, int(np.argmax(extent))], kind="stable")]
        # As many parts on one side as on the other, all about as large.
        number = -(-len(rows) // most)
        middle = round(len(rows) * (number // 2) / number)
        waiting += [np.sort(order[middle:]), np.sort(order[:middle])]
    found = []
    for own in parts:
        around = [own, *(one.rows[own][one.exists[own]] for one in near)]
        found.append(Part(own, np.unique(np.concatenate(around))))
    return found


class _Chunk(NamedTuple):
    """Where some observations of a part are in its file.

    Attributes:
        span: of which time they are.
        place: where they begin, in bytes.
        number: how many there are.
        whole: whether values are there as whole numbers of their variable's steps, in 32 bits each.
    """

    span: Span
    place: int
    number: int
    whole: bool


class _Waiting:
    """The observations of all parts in one file that has no name."""

    def __init__(self, file: IO[bytes], names: Sequence[str], parts: Sequence[Part], numbers: Ints) -> None:
        self._file = file
        self.names = [*names]
        self._steps = np.array([BY_NAME[name].per_unit for name in names], dtype=np.float64)[:, None]
        self._row_of = np.full(int(numbers.max(initial=0)) + 2, len(numbers))
        self._row_of[numbers] = np.arange(len(numbers))
        self._members = [np.zeros(len(numbers) + 1, dtype=bool) for _ in parts]
        for member, part in zip(self._members, parts, strict=True):
            member[part.rows] = True
        self._chunks: list[list[_Chunk]] = [[] for _ in parts]

    def add(self, columns: Floats) -> None:
        """Add observations, as `Source.readings` has them."""
        if not columns.shape[1]:
            return
        rows = self._row_of[np.minimum(columns[0], len(self._row_of) - 1).astype(np.int64)]
        span = Span(float(columns[1].min()) - 1, float(columns[1].max()))
        steps = columns[2:] * self._steps
        np.rint(steps, out=steps)
        known = np.isnan(columns[2:])
        whole = bool(np.all(known | ((steps / self._steps == columns[2:]) & (np.abs(steps) < _EXACT))))
        values = steps.astype(np.float32) if whole else columns[2:]
        for member, chunks in zip(self._members, self._chunks, strict=True):
            mine = np.flatnonzero(member[rows])
            if len(mine):
                chunks.append(_Chunk(span, self._file.tell(), len(mine), whole))
                self._file.write(columns[:2, mine].tobytes())
                self._file.write(values[:, mine].tobytes())

    def read(self, part: int, wanted: Span, names: Sequence[str]) -> Iterator[Floats]:
        """The observations of a part, as `Source.readings` has them."""
        places = [self.names.index(name) for name in names]
        for span, place, number, whole in self._chunks[part]:
            if span.end <= wanted.start or span.start >= wanted.end:
                continue
            kind = np.dtype(np.float32 if whole else np.float64)
            head, size = 16 * number, kind.itemsize * number * len(self.names)
            content = os.pread(self._file.fileno(), head + size, place)
            found = np.empty((2 + len(names), number))
            found[:2] = np.frombuffer(content[:head]).reshape(2, number)
            values = np.frombuffer(content[head:], kind).reshape(len(self.names), number)[places]
            found[2:] = values / self._steps[places] if whole else values
            within = (found[1] > wanted.start) & (found[1] <= wanted.end)
            yield found if within.all() else found[:, within]


class PartOfNetwork:
    """A part of a network as a `Source`."""

    def __init__(self, network: _Network, waiting: _Waiting, number: int, part: Part) -> None:
        self._network, self._waiting, self._number, self._rows = network, waiting, number, part.rows.tolist()

    def stations(self) -> list[Station]:
        """See `store.base.Store`."""
        return [self._network.stations[row] for row in self._rows]

    def numbers(self) -> list[int]:
        """See `store.base.Store`."""
        return [self._network.numbers[row] for row in self._rows]

    def snapshot(self) -> AbstractContextManager[None]:
        """See `store.base.Store`."""
        return nullcontext()

    def readings(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """See `store.base.Store`."""
        for span in spans:
            yield from self._waiting.read(self._number, span, variables)

    def rejected(self, span: Span) -> list[Rejected]:
        """See `store.base.Store`."""
        known = {one.station_id for one in self.stations()}
        return [one for one in self._network.rejected if span.start < one.time <= span.end and one.station_id in known]

    def changes(self) -> Changes:
        """See `store.base.Store`."""
        return self._network.changes

    def owners(self) -> dict[str, str | None]:
        """See `store.base.Store`."""
        return self._network.owners


class _Network:
    """What is the same for all parts of a network."""

    def __init__(self, store: Source, span: Span) -> None:
        self._store = store
        self.stations, self.numbers = store.stations(), store.numbers()
        self.rejected, self.changes = store.rejected(span), store.changes()

    @cached_property
    def owners(self) -> dict[str, str | None]:
        """The source to which each station belongs."""
        return self._store.owners()


@contextmanager
def read(store: Source, span: Span, names: Sequence[str], parts: Sequence[Part]) -> Iterator[list[PartOfNetwork]]:
    """Read the observations of some time once, for all parts of a network.

    Args:
        store: where they are.
        span: of which time.
        names: which variables.
        parts: the parts; rows are those of `Source.stations`.

    Yields:
        Each part as what observations are read from, within `span` alone.

    Raises:
        ToolkitError: there is no room for them.
    """
    network = _Network(store, span)
    try:
        folder = None if "TMPDIR" in os.environ or not os.access(_FOLDER, os.W_OK) else _FOLDER
        with tempfile.TemporaryFile(dir=folder) as file, ThreadPoolExecutor(1) as pool:
            waiting = _Waiting(file, names, parts, np.array(network.numbers, dtype=np.int64))
            written: Future[None] | None = None
            for columns in store.readings([span], names):
                # While these are written, the next ones are read.
                if written is not None:
                    written.result()
                written = pool.submit(waiting.add, columns)
            if written is not None:
                written.result()
            file.flush()
            yield [PartOfNetwork(network, waiting, number, part) for number, part in enumerate(parts)]
    except OSError as error:
        where = folder or tempfile.gettempdir()
        raise ToolkitError(
            f"what {len(network.stations)} stations reported in that time does not fit into {where}: {reason(error)}; "
            "make room there, or name another folder in TMPDIR"
        ) from error


def own_of(part: Part) -> Bools:
    """Which stations of a part it is of; the others are near them."""
    return np.isin(part.rows, part.own)
