"""The observations of some stations of a large network: SQLite has them in order of time, and of no station.

An index by station would take two fifths of the table's space besides, and a cycle would write to as many of its pages
as there are stations: of 10,000, 44 MB instead of 1. Where far more stations than are wanted have each time, each
wanted one is looked up at each time that there is, instead of going through the rows of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Query = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]

# From so many stations at one time for each that is wanted; that is seen from so many rows at both ends of the time,
# for a network may have grown or shrunk meanwhile.
_CROWD, _SEEN = 20, 2000
_MOMENTS = (
    "(WITH RECURSIVE moment (at) AS (SELECT MIN(time) FROM observation WHERE time > ? UNION ALL "
    "SELECT (SELECT MIN(time) FROM observation WHERE time > at) FROM moment WHERE at <= ?) "
    "SELECT at FROM moment WHERE at <= ?) CROSS JOIN observation ON time = at"
)


def of_stations(query: Query, start: str, end: str, stations: Sequence[int]) -> tuple[str, str, list[str]]:
    """What to put after FROM and WHERE to read the observations of a span of time, and the values for it.

    Args:
        query: runs a statement on the database.
        start: after this, as `times.stored` writes it.
        end: up to and including this.
        stations: the numbers of the stations; none for all.
    """
    where, values = "time > ? AND time <= ?", [start, end]
    if not stations:
        return "observation", where, values
    some = f"station IN ({', '.join(map(str, stations))})"
    if any(_is_crowded(query, values, len(stations), order) for order in ("ASC", "DESC")):
        return _MOMENTS, some, [*values, end]
    return "observation", f"{where} AND {some}", values


def _is_crowded(query: Query, values: Sequence[object], stations: int, order: str) -> bool:
    ((rows, times),) = query(
        "SELECT COUNT(*), COUNT(DISTINCT time) FROM "
        f"(SELECT time FROM observation WHERE time > ? AND time <= ? ORDER BY time {order} LIMIT {_SEEN})",
        values,
    )
    return bool(rows > times * stations * _CROWD)
