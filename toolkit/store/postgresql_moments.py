"""The observations of some stations of a large network: PostgreSQL finds them by time, and by station within a time.

An index by station would be as large as the one by time, and every cycle would write to as many of its pages as there
are stations. Where far more stations than are wanted have each time, each wanted one is looked up at each time that
there is, instead of going through the entries of all. TimescaleDB keeps what it has compressed by station already.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg

# See `sqlite_moments`.
_CROWD, _SEEN = 20, 2000
_MOMENTS = """
WITH RECURSIVE moment (at) AS (
    SELECT MIN(time) FROM observations WHERE time > %s
    UNION ALL SELECT (SELECT MIN(time) FROM observations WHERE time > at) FROM moment WHERE at <= %s
)
SELECT o.* FROM moment CROSS JOIN LATERAL (
    SELECT * FROM observations WHERE time = at AND station_id = ANY(%s) OFFSET 0
) AS o WHERE at <= %s
"""
_HYPERTABLE = """
SELECT EXISTS (SELECT FROM timescaledb_information.hypertables
WHERE hypertable_name = 'observations' AND hypertable_schema = current_schema())
"""

Bound = datetime | str
"""A time, or `infinity` with its sign."""


def of_stations(
    connection: psycopg.Connection, start: Bound, end: Bound, stations: Sequence[str]
) -> tuple[str, list[object]]:
    """A query of the observations of a span of time, and its values.

    Args:
        connection: to the server.
        start: after this.
        end: up to and including this.
        stations: the ids of the stations; none for all.
    """
    query = "SELECT * FROM observations WHERE time > %s AND time <= %s"
    if not stations:
        return query, [start, end]
    ids = list(stations)
    crowded = any(_is_crowded(connection, start, end, len(ids), order) for order in ("ASC", "DESC"))
    if crowded and not is_hypertable(connection):
        return _MOMENTS, [start, end, ids, end]
    return f"{query} AND station_id = ANY(%s)", [start, end, ids]


def is_hypertable(connection: psycopg.Connection) -> bool:
    """Whether TimescaleDB keeps the observations in chunks."""
    there = connection.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')").fetchone()
    found = connection.execute(_HYPERTABLE).fetchone() if there and there[0] else None
    return bool(found and found[0])


def _is_crowded(connection: psycopg.Connection, start: Bound, end: Bound, stations: int, order: str) -> bool:
    found = connection.execute(
        "SELECT COUNT(*), COUNT(DISTINCT time) FROM (SELECT time FROM observations "
        f"WHERE time > %s AND time <= %s ORDER BY time {order} LIMIT {_SEEN}) AS seen",
        (start, end),
    ).fetchone()
    return found is not None and found[0] > found[1] * stations * _CROWD
