"""Observations as arrays, read from PostgreSQL: each column is one array, in the form in which the server has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from psycopg import sql

from toolkit.store.columns import LAST, Columns, known
from toolkit.store.postgresql_moments import of_stations
from toolkit.store.selection import Span
from toolkit.times import from_epoch
from toolkit.variables import BY_NAME

# An array begins with the number of its dimensions, whether it has a NULL, the type, the length, and the first index;
# then each element has its length and its eight bytes.
_HEAD = 20
_ELEMENT = np.dtype([("length", ">i4"), ("value", ">f8")])


def read(
    connection: psycopg.Connection, span: Span, names: Sequence[str], stations: Sequence[str], numbered: str
) -> Columns:
    """See `base.Store.columns`.

    Args:
        connection: to the server.
        span: which observations.
        names: which columns of values.
        stations: the ids of the stations; none for all.
        numbered: a query of the stations' ids, and of their places as `number`.
    """
    numbers = [
        "number",
        "extract(epoch FROM time)",
        f"CASE WHEN isfinite(collected_at) THEN extract(epoch FROM collected_at) ELSE {LAST} END",
        # Also where plain SQL wrote an infinity or NaN, which is larger than any number.
        *(f"CASE WHEN abs({name}) < 1e308 THEN {name} ELSE 'NaN' END" for name in names if name in BY_NAME),
    ]
    words = [name for name in names if name not in BY_NAME]
    wanted = [*(f"array_send(array_agg(({one})::float8))" for one in numbers), *map("array_agg({})".format, words)]
    source, values = of_stations(connection, from_epoch(span.start), from_epoch(span.end), stations)
    query = sql.SQL(
        f"SELECT {', '.join(wanted)} FROM (SELECT * FROM ({source}) AS found JOIN ({numbered}) AS s USING (station_id) "
        "ORDER BY time, number) AS chosen"
    )
    with connection.cursor(binary=True) as cursor:
        found = cursor.execute(query, values).fetchone() or ()
    station, time, collected, *floats = map(_floats, found[: len(numbers)])
    texts = (np.array(column or [], dtype=object) for column in found[len(numbers) :])
    by_name = {
        **dict(zip((name for name in names if name in BY_NAME), floats, strict=True)),
        **dict(zip(words, texts, strict=True)),
    }
    return known(
        Columns(
            station.astype(np.int64),
            time.astype(np.int64),
            collected.astype(np.int64),
            {name: by_name[name] for name in names},
        )
    )


def _floats(array: bytes | None) -> Any:
    """The elements of an array of floats, as the server sends it; of none where it is NULL."""
    return np.frombuffer((array or b"")[_HEAD:], _ELEMENT)["value"].astype(np.float64)
