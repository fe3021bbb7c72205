"""Observations as arrays, read from SQLite ten times as fast as by rows.

Each row of the table comes as a few characters, and all rows of one time as one text: numpy takes a text's code points
for numbers. What no code point stands for, such as a value between two steps, is read by rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit.store.columns import Columns, Floats, Ints, in_order, known
from toolkit.store.encoding import read_sql
from toolkit.store.selection import Span
from toolkit.store.sqlite_moments import Query, of_stations
from toolkit.times import stored
from toolkit.variables import BY_NAME, COMPASS

# Code points of values: so many steps of the variable around zero, all of them below the surrogates, which begin at
# 55,296 and are no characters.
_LARGEST, _ZERO = 27_000, 28_000
_ABSENT, _OTHER = 1, 2
# Larger numbers have two code points, of 20 bits each: there are that many above the surrogates.
_ABOVE = 57_344
_BITS, _DIGITS = 20, 2
_BOUND = 1 << (_BITS * _DIGITS - 1)
# A station's number below this has one.
_MOST_IN_ONE = 0x110000 - _ABOVE


def read(query: Query, span: Span, names: Sequence[str], stations: Sequence[int], places: Sequence[int]) -> Columns:
    """See `base.Store.columns`.

    Args:
        query: runs a statement on the database.
        span: which observations.
        names: which columns of values.
        stations: the numbers of the stations; none for all.
        places: the stations' numbers in the order of `base.Store.stations`.
    """
    start, end = stored(span.start), stored(span.end)
    source, looked_up, bounds = of_stations(query, start, end, stations)
    one = len(stations) == 1
    ids = [] if one else _digits("station")
    codes = [*ids, *_digits("delay"), *map(_code, names)]
    rows = query, _char(codes), f"{source} WHERE {looked_up}", bounds
    time, text = _of_few(*rows) if one else _of_many(*rows, len(codes))[:2]
    found = np.ascontiguousarray(np.frombuffer(text.encode("utf-32-le"), "<i4").reshape(-1, len(codes)).T)
    number = np.full(len(time), stations[0]) if one else _number(found[:_DIGITS])
    found = found[len(ids) :]
    delay = _number(found[:_DIGITS])
    order = in_order(time, number)
    time, number, delay, found = time[order], number[order], delay[order], found[_DIGITS:, order]
    columns = {name: _values(name, codes) for name, codes in zip(names, found, strict=True)}
    if others := [name for name, codes in zip(names, found, strict=True) if (codes == _OTHER).any()]:
        wanted = ", ".join(map(read_sql, others))
        slow = query(
            f"SELECT {wanted} FROM {source} WHERE {looked_up} AND datetime(time) = time ORDER BY time, station", bounds
        )
        for name, column in zip(others, zip(*slow, strict=True), strict=True):
            columns[name] = np.array(column, dtype=columns[name].dtype)
    return known(Columns(_place(number, places), time, time + delay, columns))


class Readings:
    """Reads what there is in spans; see `base.Store.readings`.

    Args:
        names: of which variables.
        largest: the largest number of a station.
    """

    def __init__(self, names: Sequence[str], largest: int) -> None:
        self._names = names
        self._ids = [f"{_ABOVE} + station"] if 0 <= largest < _MOST_IN_ONE else _digits("station")
        # Where values are what they usually are it takes a quarter less time not to look at each one by itself.
        self._usual = bool(names)

    def of(self, query: Query, span: Span) -> Floats:
        """What there is in one span; `query` runs a statement on the database."""
        values, where, ids = [stored(span.start), stored(span.end)], "time > ? AND time <= ?", len(self._ids)
        found, width = f"observation WHERE {where}", ids + len(self._names)
        usual = self._usual
        if usual:
            codes = [*self._ids, *(f"ifnull({name}, {_ABSENT - _ZERO}) + {_ZERO}" for name in self._names)]
            time, text, usual = _of_many(query, _char(codes), found, values, width, _usual(self._names))
        if not usual:
            self._usual = False
            time, text, _ = _of_many(query, _char([*self._ids, *map(_code, self._names)]), found, values, width)
        read = np.frombuffer(text.encode("utf-32-le"), "<i4").reshape(-1, width).T
        table = np.empty((2 + len(self._names), len(time)))
        table[0] = read[0] - _ABOVE if ids == 1 else _number(read[:_DIGITS])
        table[1] = time
        for row, (name, coded) in enumerate(zip(self._names, read[ids:], strict=True), start=2):
            table[row] = _values(name, coded)
            if (coded == _OTHER).any():
                slow = query(
                    f"SELECT {read_sql(name)} FROM observation WHERE {where} AND datetime(time) = time "
                    "ORDER BY time, station",
                    values,
                )
                table[row] = np.array(slow, dtype=np.float64)[:, 0]
        return table


def _of_many(
    query: Query, code: str, found: str, values: Sequence[object], width: int, usual: str = "TRUE"
) -> tuple[Ints, str, bool]:
    """The times and the texts of rows, of which many have the same time, and whether `usual` holds for all times."""
    rows = query(
        f"SELECT unixepoch(time), group_concat({code}, ''), {usual} FROM {found} "
        "GROUP BY time HAVING datetime(time) = time ORDER BY time",
        values,
    )
    numbers = np.array([len(text) // width for _, text, _ in rows], dtype=np.int64)
    times = np.repeat(np.array([time for time, _, _ in rows], dtype=np.int64), numbers)
    return times, "".join(text for _, text, _ in rows), all(one for _, _, one in rows)


def _of_few(query: Query, code: str, found: str, values: Sequence[object]) -> tuple[Ints, str]:
    """The times and the texts of rows, of which hardly two have the same time: the times are one text, too."""
    ((times, text),) = query(
        f"SELECT group_concat(time, ''), group_concat({code}, '') FROM {found} AND datetime(time) = time",
        values,
    )
    read = np.frombuffer((times or "").encode("ascii"), "S19").astype("datetime64[s]")
    return read.astype(np.int64), text or ""


def _digits(expression: str) -> list[str]:
    """SQL for a whole number as two code points, the more significant first."""
    whole = f"max(-{_BOUND}, min({expression}, {_BOUND - 1})) + {_BOUND}"
    return [f"{_ABOVE} + (({whole} >> {_BITS * place}) & {(1 << _BITS) - 1})" for place in reversed(range(_DIGITS))]


def _number(digits: Ints) -> Ints:
    """The numbers of two rows of code points."""
    high, low = digits.astype(np.int64) - _ABOVE
    found: Ints = (high << _BITS) + low - _BOUND
    return found


def _code(name: str) -> str:
    """SQL for a value as a code point."""
    low, high = (-_LARGEST, _LARGEST) if name in BY_NAME else (0, len(COMPASS) - 1)
    known = f"typeof({name}) = 'integer' AND {name} BETWEEN {low} AND {high}"
    return f"CASE WHEN {name} IS NULL THEN {_ABSENT} WHEN {known} THEN {name} + {_ZERO} ELSE {_OTHER} END"


def _char(codes: Sequence[str]) -> str:
    """SQL for the text of some code points."""
    return f"char({', '.join(codes)})"


def _usual(names: Sequence[str]) -> str:
    """SQL for whether all values of a time have a code point; a text is larger than any number."""
    total = " + ".join(f"ifnull({name}, 0)" for name in names)  # an integer if all are
    outside = " OR ".join(f"{name} NOT BETWEEN {-_LARGEST} AND {_LARGEST}" for name in names)
    return f"NOT count(*) FILTER (WHERE typeof({total}) <> 'integer' OR {outside})"


def _values(name: str, codes: Ints) -> Any:
    """The values of a row of code points."""
    if name not in BY_NAME:
        words = np.array([None, *COMPASS], dtype=object)
        return words[np.where(codes < _ZERO, 0, codes - _ZERO + 1)]
    return np.where(codes < _ZERO - _LARGEST, np.nan, (codes - _ZERO) / BY_NAME[name].per_unit)


def _place(number: Ints, places: Sequence[int]) -> Ints:
    """The place of each station among `places`, -1 for one that is none of them."""
    if not places:
        return np.full(len(number), -1)
    there = np.array(places, dtype=np.int64)
    by_number = np.argsort(there)
    at = by_number[np.minimum(np.searchsorted(there[by_number], number), len(there) - 1)]
    return np.where(there[at] == number, at, -1)
