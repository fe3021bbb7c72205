"""Series of years: from what the store keeps of each day, and where it keeps nothing yet from the observations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from toolkit.console.reading import DAY, Bools, Floats, Ints, observed
from toolkit.store import Span, Store
from toolkit.variables import BY_NAME, STATION


class Days:
    """The days of a station that a span touches.

    Attributes:
        first: the first of them, days since 1970-01-01, UTC.
        number: by variable, and by `all` for the observations: how many values each day has.
        low, total, high: by variable but directions, in its unit: the least value of each day, the sum and the
            greatest; NaN where there is none.
    """

    def __init__(self, store: Store, station: str, names: Sequence[str], span: Span) -> None:
        parts = observed(store, span)
        self.first = int(parts[0].start + 1) // DAY if parts else 0
        size = int(parts[0].end) // DAY - self.first + 1 if parts else 0
        self.number: dict[str, Ints] = {name: np.zeros(size, np.int64) for name in (STATION, *names)}
        plain = [name for name in names if BY_NAME[name].nature != "circular"]
        self.low: dict[str, Floats] = {name: np.full(size, np.nan) for name in plain}
        self.high = {name: of_it.copy() for name, of_it in self.low.items()}
        self.total = {name: of_it.copy() for name, of_it in self.low.items()}
        known = np.zeros(size, dtype=bool)
        kept = np.array(store.daily.days(), dtype=np.int64) - self.first
        known[kept[(kept >= 0) & (kept < size)]] = True
        for one in store.daily.of(station, [*self.number], self.first, self.first + size - 1):
            at, name = one.day - self.first, one.variable
            self.number[name][at] = one.number
            if one.low is not None and one.mean is not None and one.high is not None:
                self.low[name][at], self.high[name][at] = one.low, one.high
                self.total[name][at] = one.mean * one.number
        for begin, end in _runs(~known):
            start = (self.first + begin) * DAY - 1
            self._read(store, station, names, Span(start, start + (end - begin) * DAY))

    def _read(self, store: Store, station: str, names: Sequence[str], span: Span) -> None:
        """Summarise some days from the observations themselves."""
        for start in np.arange(span.start, span.end, 31 * DAY).tolist():
            found = store.columns(Span(start, min(span.end, start + 31 * DAY)), names, [station])
            if not len(found.time):
                continue
            day = found.time // DAY - self.first
            self.number[STATION] += np.bincount(day, minlength=len(self.number[STATION]))
            for name in names:
                there = ~np.isnan(found.values[name])
                self.number[name] += np.bincount(day[there], minlength=len(self.number[name]))
                if name in self.low:
                    at, values = day[there], found.values[name][there]
                    np.fmin.at(self.low[name], at, values)
                    np.fmax.at(self.high[name], at, values)
                    total = np.bincount(at, values, minlength=len(self.total[name]))
                    self.total[name] = np.where(np.isin(np.arange(len(total)), at), total, self.total[name])


def _runs(of: Bools) -> Iterator[tuple[int, int]]:
    """The runs of True: the index at which each begins, and the one after its end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], of, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
