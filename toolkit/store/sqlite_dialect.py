"""What SQLite writes differently in the SQL that the engines share."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.store.encoding import steps_sql
from toolkit.store.sqlite_file import translate_errors
from toolkit.times import stored
from toolkit.variables import Variable

if TYPE_CHECKING:
    from toolkit.store.dialect import Floats
    from toolkit.store.selection import Span

# Whether a time is one that this program writes. Older releases and plain SQL wrote others, such as
# '205-12-06 00:00:00', which sorts after all of this century. Rows with such times are left out of every answer.
SOUND = "datetime({time}) = {time}"


class SQLiteDialect:
    """See `dialect.Dialect`."""

    delay = "delay"
    alone = ""  # whoever writes is alone
    sampled = "number % 97 = 0"  # a prime: no order in which a feed names its stations falls in with it

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See `dialect.Dialect`."""
        with translate_errors(self._path):
            return self._connection.execute(sql, values).fetchall()

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """See `dialect.Dialect`."""
        with translate_errors(self._path):
            self._connection.executemany(sql, rows)

    def seconds(self, column: str) -> str:
        """See `dialect.Dialect`."""
        return f"unixepoch({column})"

    def time(self, seconds: float) -> str:
        """See `dialect.Dialect`."""
        return stored(seconds)

    def among(self, column: str, texts: Collection[str]) -> tuple[str, object]:
        """See `dialect.Dialect`."""
        return f"{column} IN (SELECT value FROM json_each(?))", json.dumps([*texts])

    def grouped(self, columns: Sequence[str], span: Span, by: str = "") -> Floats:
        """See `dialect.Dialect`."""
        import numpy as np  # not for those who only write

        wanted = ["station", *([by] if by else []), *columns]
        names = [f"c{place}" for place in range(len(wanted))]
        aggregated = ", ".join(map("{} AS {}".format, wanted, names))
        arrays = ", ".join(f"json_group_array({name})" for name in names)
        (texts,) = self.query(
            f"SELECT {arrays} FROM (SELECT {aggregated} FROM observation WHERE time > ? AND time <= ? "
            f"AND {SOUND.format(time='time')} GROUP BY {', '.join(names[: 1 + bool(by)])})",
            (stored(span.start), stored(span.end)),
        )
        return np.array([json.loads(text) for text in texts], dtype=np.float64)

    def value(self, variable: Variable) -> str:
        """See `dialect.Dialect`."""
        return f"({steps_sql(variable.name)}) / {variable.per_unit}.0"

    def by_station(self, columns: str) -> str:
        """See `dialect.Dialect`."""
        return (
            f"SELECT s.station_id, grouped.* FROM (SELECT station, {columns} FROM observation WHERE time >= ? "
            f"AND time < ? AND {SOUND.format(time='time')} GROUP BY station) AS grouped "
            "JOIN stations AS s ON s.number = station"
        )

    def mean(self, variable: Variable) -> str:
        """See `dialect.Dialect`."""
        least, most = variable.readable
        name, per = variable.name, variable.per_unit
        return (
            f"AVG(CASE typeof({name}) WHEN 'integer' THEN iif({name} BETWEEN {least * per} AND {most * per}, "
            f"{name} / {per}.0, NULL) WHEN 'real' THEN iif({name} BETWEEN {least} AND {most}, {name}, NULL) END)"
        )

    def joined(self, found: str, counted: str) -> str:
        """See `dialect.Dialect`."""
        # CROSS JOIN: anomalies are looked up for each observation, for there is no index of observations by station.
        return (
            f"WITH found AS MATERIALIZED (SELECT number, found.* FROM ({found}) AS found JOIN stations "
            "USING (station_id)) "
            f"SELECT a.station_id, a.variable, a.test, {counted} FROM observation AS o CROSS JOIN found AS a "
            "ON a.number = o.station AND o.time >= a.started AND o.time <= a.ended "
            "WHERE o.time > ? AND o.time <= ? GROUP BY 1, 2, 3"
        )
