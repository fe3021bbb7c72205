"""How the views of one station read its observations: within bounds, in pieces, and written as JSON has numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from toolkit.store import Span, Store
from toolkit.store.columns import Columns
from toolkit.times import from_stored
from toolkit.variables import BY_NAME

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DAY = 86_400
# Of a longer span only what is kept of each day is looked at (`console.days`).
EACH_DAYS = 400
# So much is read at a time.
PIECE = 31 * DAY


def seconds(text: str) -> int:
    """A time as the store writes it, in seconds since the epoch."""
    return int(from_stored(text).timestamp())


def observed(store: Store, span: Span) -> list[Span]:
    """The part of a span between the oldest and the newest observation; an empty list if there is none."""
    oldest, newest = store.oldest(), store.newest()
    if oldest is None or newest is None:
        return []
    start, end = max(int(span.start), seconds(oldest) - 1), min(int(span.end), seconds(newest))
    return [Span(start, end)] if start < end else []


def aligned(store: Store, span: Span, step: int) -> Iterator[Span]:
    """The observed part of a span in pieces, each of a whole number of steps of `step` seconds."""
    size = max(step, PIECE // step * step)
    for start, end in observed(store, span):
        bounds = [*range((int(start) + 1) // step * step + size - 1, int(end), size), end]
        yield from map(Span._make, pairwise([start, *bounds]))


def read(store: Store, station: str, names: Sequence[str], span: Span) -> Columns:
    """All observations of a span."""
    parts = [store.columns(piece, names, [station]) for piece in aligned(store, span, DAY)] or [
        store.columns(Span(span.start, span.start), names, [station])
    ]
    values = {name: np.concatenate([one.values[name] for one in parts]) for name in names}
    station_, time, collected = (np.concatenate(columns) for columns in zip(*((one[:3]) for one in parts), strict=True))
    return Columns(station_, time, collected, values)


def digits(name: str) -> int:
    """How many decimals a mean of a variable's values has."""
    return int(np.log10(BY_NAME[name].per_unit)) + 2


def numbers(values: Floats, digits: int) -> list[float | None]:
    """Values as JSON has them: rounded, None where there is none."""
    found = np.round(values, digits).astype(object)
    found[np.isnan(values)] = None
    return list(found)
