"""What PostgreSQL writes differently in the SQL that the engines share."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from toolkit.store.postgresql_connection import translate_errors
from toolkit.times import from_epoch
from toolkit.variables import Variable

if TYPE_CHECKING:
    from toolkit.store.dialect import Floats
    from toolkit.store.selection import Span

NUMBERED = "SELECT station_id, row_number() OVER (ORDER BY station_id) - 1 AS number FROM stations"
"""The stations with their numbers, as `base.Store.numbers` has them."""


class PostgreSQLDialect:
    """See `dialect.Dialect`."""

    delay = "CASE WHEN isfinite(collected_at) THEN extract(epoch FROM collected_at - time)::int8 END"

    alone = "LOCK TABLE summarised IN SHARE ROW EXCLUSIVE MODE"

    sampled = "hashtext(station_id) %% 97 = 0"

    def __init__(self, connection: psycopg.Connection, place: str) -> None:
        self._connection, self._place = connection, place

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See `dialect.Dialect`."""
        return self.rows(_for_psycopg(sql), values)

    def rows(self, query: str | sql.SQL | sql.Composed, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement in psycopg's form; none of one that has no rows."""
        with translate_errors(self._place):
            cursor = self._connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """See `dialect.Dialect`."""
        with translate_errors(self._place), self._connection.cursor() as cursor:
            cursor.executemany(_for_psycopg(sql), rows)

    def seconds(self, column: str) -> str:
        """See `dialect.Dialect`."""
        return f"extract(epoch FROM {column})::float8"

    def time(self, seconds: float) -> datetime:
        """See `dialect.Dialect`."""
        return from_epoch(int(seconds))

    def among(self, column: str, texts: Collection[str]) -> tuple[str, object]:
        """See `dialect.Dialect`."""
        return f"{column} = ANY(ARRAY(SELECT json_array_elements_text(?::json)))", json.dumps([*texts])

    def grouped(self, columns: Sequence[str], span: Span, by: str = "") -> Floats:
        """See `dialect.Dialect`."""
        import numpy as np  # not for those who only write

        wanted = ["station_id", *([by] if by else []), *columns]
        names = [f"c{place}" for place in range(len(wanted))]
        aggregated = ", ".join(map("{} AS {}".format, wanted, names))
        arrays = ", ".join(f"array_agg({name}::float8)" for name in ("number", *names[1:]))
        (found,) = self.query(
            f"SELECT {arrays} FROM (SELECT {aggregated} FROM observations WHERE time > ? AND time <= ? "
            f"GROUP BY {', '.join(names[: 1 + bool(by)])}) AS grouped JOIN ({NUMBERED}) AS s ON s.station_id = c0",
            (from_epoch(int(span.start)), from_epoch(int(span.end))),
        )
        return np.array([column or [] for column in found], dtype=np.float64)

    def value(self, variable: Variable) -> str:
        """See `dialect.Dialect`."""
        return f"CASE WHEN abs({variable.name}) < 1e308 THEN {variable.name} END"

    def by_station(self, columns: str) -> str:
        """See `dialect.Dialect`."""
        return f"SELECT station_id, {columns} FROM observations WHERE time >= ? AND time < ? GROUP BY station_id"

    def mean(self, variable: Variable) -> str:
        """See `dialect.Dialect`."""
        least, most = variable.readable
        return f"AVG({variable.name}) FILTER (WHERE {variable.name} BETWEEN {least} AND {most})"

    def joined(self, found: str, counted: str) -> str:
        """See `dialect.Dialect`."""
        return (
            f"SELECT a.station_id, a.variable, a.test, {counted} FROM observations AS o JOIN ({found}) AS a "
            "ON a.station_id = o.station_id AND o.time >= a.started AND o.time <= a.ended "
            "WHERE o.time > ? AND o.time <= ? GROUP BY 1, 2, 3"
        )


def _for_psycopg(query: str) -> sql.SQL:
    return sql.SQL(query.replace("?", "%s"))
