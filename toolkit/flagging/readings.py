"""Observations with the flag of each value, as arrays: what exports, the HTTP API and DataFrames are made of.

What is said here of a value is what the view `observations_qc` says of it (`toolkit.store.flag_views`), much faster:
the intervals that decide are written over one another, the deciding one last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.model import Rejected
from toolkit.store import Selection, Span, Store
from toolkit.store.columns import Columns
from toolkit.store.flag_views import FAIL, MISSING, NOT_EVALUATED, PASS, REJECTED
from toolkit.store.flags import Decisive, JudgedTime
from toolkit.store.selection import pieces
from toolkit.times import from_stored
from toolkit.variables import BY_NAME, STATION, WORDS

Bools = npt.NDArray[np.bool_]

DAY = 86_400.0
# A piece has so many days of one station, or the same of more stations, so that memory is bounded in any network.
STATION_DAYS, MOST_DAYS = 1000.0, 31.0


@dataclass(frozen=True, slots=True)
class FlaggedReadings:
    """Observations with the flag of each value, in order of time, then station.

    Attributes:
        stations: the ids to which `station` refers.
        station: of each observation.
        time: when it was observed, seconds since the epoch.
        collected: when it was collected, seconds since the epoch.
        values: by variable, in its unit; NaN where there is none.
        words: by column of text, such as `wind_dir_str`: str, or None where there is none; only where asked for.
        flags: by variable, QARTOD's flag; see `toolkit.store.flag_views`.
        tests: by variable, what decided: its place in `test_names`; 0 where no test did.
        test_names: the names of tests; the first is empty.
    """

    stations: list[str]
    station: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    collected: npt.NDArray[np.int64]
    values: dict[str, npt.NDArray[np.float64]]
    words: dict[str, npt.NDArray[Any]]
    flags: dict[str, npt.NDArray[np.int8]]
    tests: dict[str, npt.NDArray[np.int16]]
    test_names: list[str]

    def taken(self, places: Any) -> FlaggedReadings:
        """Some of them: numbers, a mask, or a slice."""

        def of(columns: dict[str, Any]) -> dict[str, Any]:
            return {name: column[places] for name, column in columns.items()}

        return replace(
            self,
            station=self.station[places],
            time=self.time[places],
            collected=self.collected[places],
            values=of(self.values),
            words=of(self.words),
            flags=of(self.flags),
            tests=of(self.tests),
        )


def flagged_readings(
    store: Store,
    selection: Selection,
    variables: Sequence[str],
    *,
    words: bool = False,
    seconds: float | None = None,
) -> Iterator[FlaggedReadings]:
    """Read observations with the flag of each value, piece by piece, so that memory is bounded.

    Each piece is of one moment; whoever wants all of them to be opens a `store.snapshot()` around.

    Args:
        store: where they are.
        selection: which.
        variables: the names of the variables that are wanted.
        words: whether compass points are wanted, too.
        seconds: how long a piece is; None for one that holds some hundred thousand observations.
    """
    ids = [station.station_id for station in store.stations()]
    if seconds is None:
        seconds = DAY * min(MOST_DAYS, STATION_DAYS / max(1, len(selection.stations or ids)))
    for span in pieces(_spans(store, selection), seconds):
        if (piece := _piece(store, span, selection.stations, variables, words=words)) is not None:
            yield piece


def _spans(store: Store, selection: Selection) -> list[Span]:
    """The time that is selected, as far as there are observations of it."""
    oldest, newest = store.oldest(), store.newest()
    if oldest is None or newest is None:
        return []
    start, end = from_stored(oldest).timestamp() - 1, from_stored(newest).timestamp()
    start = start if selection.start is None else max(start, selection.start)
    end = end if selection.end is None else min(end, selection.end)
    return [Span(start, end)] if start < end else []


def _piece(
    store: Store, span: Span, stations: Sequence[str], variables: Sequence[str], *, words: bool
) -> FlaggedReadings | None:
    """The observations of a span; None if there are none."""
    with store.snapshot():
        columns = store.columns(span, [*variables, *(WORDS if words else ())], stations)
        if not len(columns.time):
            return None
        ids = [station.station_id for station in store.stations()]
        painting = _Painting(columns, ids, variables)
        painting.judged(store.flags.judged(span))
        painting.decided(store.flags.decisive(span, stations))
        painting.missing(store.rejected(span))
    return FlaggedReadings(
        stations=ids,
        station=columns.station.astype(np.int32),
        time=columns.time,
        collected=columns.collected,
        values={name: columns.values[name] for name in variables},
        words={name: columns.values[name] for name in WORDS} if words else {},
        flags={name: painting.flags[place] for place, name in enumerate(variables)},
        tests={name: painting.tests[place] for place, name in enumerate(variables)},
        test_names=[*painting.test_names],
    )


class _Painting:
    """The flags of some observations while they are written.

    Attributes:
        flags, tests: variables × observations.
        test_names: the place of each name of a test, in order.
    """

    def __init__(self, columns: Columns, ids: Sequence[str], variables: Sequence[str]) -> None:
        self._columns = columns
        self._variables = {name: slice(place, place + 1) for place, name in enumerate(variables)}
        self._variables[STATION] = slice(None)
        self.flags = np.full((len(variables), len(columns.time)), NOT_EVALUATED, dtype=np.int8)
        self.tests = np.zeros(self.flags.shape, dtype=np.int16)
        self.test_names = {"": 0}
        # The observations of one station after another, each in order of time.
        self._order = np.argsort(columns.station, kind="stable")
        self._times = columns.time[self._order]
        bounds = np.searchsorted(columns.station[self._order], np.arange(len(ids) + 1)).tolist()
        self._bounds = dict(zip(ids, pairwise(bounds), strict=True))

    def judged(self, rows: Sequence[JudgedTime]) -> None:
        """What runs judged passes, until something is said of it."""
        if not rows:
            return
        time, collected = self._columns.time, self._columns.collected
        done: dict[bytes, Bools] = {}
        for name, place in self._variables.items():
            if name == STATION:
                continue
            of_it = np.array([name in row.variables for row in rows])
            if not of_it.any():
                continue
            if (judged := done.get(of_it.tobytes())) is None:
                started, ended, at = np.array([row[:3] for row in rows])[of_it].T
                # Of the rows with one variable none overlaps another: only the next that ends can have the time.
                following = np.searchsorted(ended, time)
                known = np.minimum(following, len(ended) - 1)
                judged = (following < len(ended)) & (started[known] < time) & (at[known] >= collected)
                done[of_it.tobytes()] = judged
            self.flags[place, judged] = PASS

    def decided(self, rows: Iterable[Decisive]) -> None:
        """What is said of values; of several the last decides."""
        for row in rows:
            variable, bounds = self._variables.get(row.variable), self._bounds.get(row.station_id)
            if variable is not None and bounds is not None:
                first, after = bounds
                times = self._times[first:after]
                begin, end = times.searchsorted(row.started), times.searchsorted(row.ended, "right")
                if begin < end:
                    self._paint(variable, self._order[first + begin : first + end], row.flag, row.test)

    def missing(self, rejected: Iterable[Rejected]) -> None:
        """What there is no value of is missing, or was turned down."""
        for name, place in self._variables.items():
            if name != STATION:
                absent = np.isnan(self._columns.values[name])
                self.flags[place, absent] = MISSING
                self.tests[place, absent] = 0
        for one in rejected:
            variable, bounds = self._variables.get(one.variable), self._bounds.get(one.station_id)
            if variable is not None and bounds is not None and one.variable in BY_NAME:
                times = self._times[slice(*bounds)]
                at = int(times.searchsorted(one.time))
                if at < len(times) and times[at] == one.time:
                    observation = self._order[bounds[0] + at]
                    if self.flags[variable, observation] == MISSING:
                        self._paint(variable, observation, FAIL, REJECTED)

    def _paint(self, variable: slice, observations: Any, flag: int, test: str) -> None:
        self.flags[variable, observations] = flag
        self.tests[variable, observations] = self.test_names.setdefault(test, len(self.test_names))
