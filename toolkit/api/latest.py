"""The newest observation of each station, with its flags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from toolkit.api.parameters import Period, ValueSelection
from toolkit.api.rows import Clock, filtered, joined, too_large
from toolkit.flagging.readings import FlaggedReadings, flagged_readings
from toolkit.store import Selection, Store

# Times that are less than this apart, in seconds, are read together.
TOGETHER = 600
# In a span of time with fewer stations only theirs are read.
FEW = 100


def read(store: Store, clock: Clock, asked: Period, wanted: ValueSelection, stations: Sequence[str]) -> FlaggedReadings:
    """The newest observations of some stations, or of all; those that are of another time are left out.

    Raises:
        Problem: it takes too long.
    """
    among = set(stations)
    newest = {
        name: time
        for name, time in store.latest_times().items()
        if (not among or name in among)
        and (asked.start is None or time >= asked.start)
        and (asked.end is None or time <= asked.end)
    }
    found = []
    for first, last, names in _spans(newest):
        selection = Selection(first - 1, last, names if len(names) < FEW else ())
        for piece in flagged_readings(store, selection, wanted.variables):
            times = np.array([newest.get(name, -1) for name in piece.stations], dtype=np.int64)
            if len(piece.time):
                found.append(piece.taken(np.flatnonzero(piece.time == times[piece.station])))
            if clock.late():
                raise too_large("what takes too long to read")
    return filtered(joined(found, wanted.variables), wanted)


def _spans(newest: dict[str, int]) -> Iterator[tuple[int, int, list[str]]]:
    """Spans of time that have all newest observations, with the stations of each."""
    span: list[str] = []
    for name in sorted(newest, key=newest.__getitem__):
        if span and newest[name] - newest[span[-1]] > TOGETHER:
            yield newest[span[0]], newest[span[-1]], span
            span = []
        span.append(name)
    if span:
        yield newest[span[0]], newest[span[-1]], span
