"""Observations as a request wants them: read in pieces, within the bounds of an answer, and filtered by their flags."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.api.parameters import FLAG, MOST_VALUES, Period, ValueSelection, variable_of
from toolkit.api.problems import Problem
from toolkit.flagging.readings import FlaggedReadings, flagged_readings
from toolkit.store import Selection, Store
from toolkit.times import from_stored

Bools = npt.NDArray[np.bool_]

SECONDS = 8.0
"""So long one answer may be read for; it is looked between two pieces."""


AT_ONCE = 60_000
"""So many values are read at once: reading them takes ten times their memory."""


class Clock:
    """How long reading for one answer has taken."""

    def __init__(self, stopping: Callable[[], bool], seconds: float = SECONDS) -> None:
        self._end, self._stopping = time.monotonic() + seconds, stopping

    def late(self) -> bool:
        """Whether it has taken too long; nothing goes on where the service stops."""
        if self._stopping():
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the service is being stopped", {"Retry-After": "5"})
        return time.monotonic() > self._end


def selected(store: Store, asked: Period, stations: Sequence[str]) -> Selection | None:
    """The observations of a period, cut to what the store has; None where it has none of it."""
    oldest, newest = store.oldest(), store.newest()
    if oldest is None or newest is None:
        return None
    first, last = (int(from_stored(text).timestamp()) for text in (oldest, newest))
    start = max(first, asked.start if asked.start is not None else first)
    end = min(last, asked.end if asked.end is not None else last)
    return Selection(start - 1, end, stations) if start <= end else None


def pieces(store: Store, selection: Selection, wanted: ValueSelection, seconds: float) -> Iterator[FlaggedReadings]:
    """The selected observations in pieces of some seconds; a gap in which there are none costs nothing."""
    start, end = selection.start or 0.0, selection.end or 0.0
    while start < end and (following := store.oldest(start)):
        start = from_stored(following).timestamp() - 1
        piece = replace(selection, start=start, end=min(end, start + seconds))
        yield from flagged_readings(store, piece, wanted.variables, seconds=seconds)
        start += seconds


def read(
    store: Store, clock: Clock, asked: Period, wanted: ValueSelection, stations: Sequence[str], per_hour: float
) -> FlaggedReadings:
    """All observations of some stations, or of all, in a period.

    Args:
        store: what is read.
        clock: for how long.
        asked: of which time.
        wanted: which columns and flags.
        stations: of which stations; none for all.
        per_hour: how many observations there are of them in an hour, about.

    Raises:
        Problem: they are more than one answer may have, or take too long to read.
    """
    found, number = [], 0
    if selection := selected(store, asked, stations):
        seconds = max(600.0, 3600 * AT_ONCE / per_hour / len(wanted.columns))
        for piece in pieces(store, selection, wanted, seconds):
            number += len(piece.time) * len(wanted.columns)
            if number > MOST_VALUES:
                raise too_large(f"more than {MOST_VALUES:,} values")
            if clock.late():
                raise too_large(f"what takes more than {SECONDS:g} s to read")
            found.append(piece)
    return filtered(joined(found, wanted.variables), wanted)


def too_large(what: str) -> Problem:
    """An answer that would be too large."""
    return Problem(HTTPStatus(413), f"this asks for {what}: ask for a shorter time, fewer stations or parameters")


def joined(pieces: Sequence[FlaggedReadings], variables: Sequence[str]) -> FlaggedReadings:
    """Pieces as one."""
    if len(pieces) == 1:
        return pieces[0]
    stations = list(dict.fromkeys(name for piece in pieces for name in piece.stations))
    tests = list(dict.fromkeys(["", *(name for piece in pieces for name in piece.test_names)]))
    place = {name: number for number, name in enumerate(stations)}
    index = {name: number for number, name in enumerate(tests)}

    def together(parts: Iterator[npt.NDArray[Any]], kind: str) -> npt.NDArray[Any]:
        found = list(parts)
        return np.concatenate(found) if found else np.empty(0, dtype=kind)

    return FlaggedReadings(
        stations=stations,
        station=together((_renamed(one.station, one.stations, place) for one in pieces), "int32"),
        time=together((one.time for one in pieces), "int64"),
        collected=together((one.collected for one in pieces), "int64"),
        values={name: together((one.values[name] for one in pieces), "float64") for name in variables},
        words={},
        flags={name: together((one.flags[name] for one in pieces), "int8") for name in variables},
        tests={
            name: together((_renamed(one.tests[name], one.test_names, index) for one in pieces), "int16")
            for name in variables
        },
        test_names=tests,
    )


def _renamed(numbers: npt.NDArray[np.generic], names: Sequence[str], places: dict[str, int]) -> npt.NDArray[np.generic]:
    return np.array([places[name] for name in names], dtype=numbers.dtype)[numbers] if len(numbers) else numbers


def filtered(rows: FlaggedReadings, wanted: ValueSelection) -> FlaggedReadings:
    """Rows without the values whose flags are not wanted: their flag becomes 0, and a row without any goes."""
    if not wanted.flags:
        return rows
    keeps = {name: np.isin(rows.flags[name], wanted.flags) for name in wanted.variables}
    some = np.logical_or.reduce(list(keeps.values()))
    return replace(
        rows,
        values={name: np.where(keeps[name], rows.values[name], np.nan) for name in keeps},
        flags={name: np.where(keeps[name], rows.flags[name], 0).astype("int8") for name in keeps},
        tests={name: np.where(keeps[name], rows.tests[name], 0).astype("int16") for name in keeps},
    ).taken(some)


def measured(rows: FlaggedReadings, wanted: ValueSelection, *, named: bool) -> list[str]:
    """The columns of an answer: those that were named, else those of variables of which there is a value."""
    if named:
        return list(wanted.columns)
    present = {
        name for name in wanted.variables if not np.isnan(rows.values[name]).all() or (rows.flags[name] == 4).any()
    }
    return [column for column in wanted.columns if variable_of(column) in present]


def texts(rows: FlaggedReadings, column: str, nothing: str) -> list[str]:
    """A column as JSON writes it, with `nothing` where there is nothing."""
    name = variable_of(column)
    if column == name:
        written = _numbers(rows.values[name].tolist())
        return [nothing if text == "NaN" else text for text in written]
    if column == name + FLAG:
        names = [nothing, *map(str, range(1, 10))]
        return [names[flag] for flag in rows.flags[name].tolist()]
    names = [nothing, *map(json.dumps, rows.test_names[1:])]
    return [names[test] for test in rows.tests[name].tolist()]


def _numbers(values: Sequence[float]) -> list[str]:
    return json.dumps(values, separators=(",", ":"))[1:-1].split(",") if values else []


def times(rows: FlaggedReadings) -> list[str]:
    """The times of rows, ISO 8601 in UTC."""
    distinct, places = np.unique(rows.time, return_inverse=True)
    written = np.datetime_as_string(distinct.astype("datetime64[s]"), timezone="UTC")
    return list(written[places])
