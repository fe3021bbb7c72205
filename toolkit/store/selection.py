"""Which observations: of what time, and of which stations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import NamedTuple


class Span(NamedTuple):
    """After `start` up to and including `end`, seconds since the epoch."""

    start: float
    end: float


def pieces(spans: Sequence[Span], seconds: float = 3600) -> Iterator[Span]:
    """The same spans, divided into pieces of at most `seconds`."""
    for start, end in spans:
        number = max(1, ceil((end - start) / seconds))
        bounds = [start + place * seconds for place in range(number)] + [end]
        yield from map(Span._make, pairwise(bounds))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which observations.

    Attributes:
        start, end: after `start`, up to and including `end`, seconds since the epoch; None for no bound.
        stations: ids; none for all.
    """

    start: float | None = None
    end: float | None = None
    stations: Sequence[str] = ()
