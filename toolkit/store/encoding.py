"""How SQLite stores the values of an observation: the columns of the table `observation`, and SQL that reads them.

A number is stored as a small integer where it is a whole number of the variable's steps, and as a float otherwise. A
compass point is stored as its number, and any other word as text. Either way nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from toolkit.model import Observation
from toolkit.times import stored
from toolkit.variables import BY_NAME, COLUMNS, COMPASS

_POINTS = {name: point for point, name in enumerate(COMPASS)}
_LARGEST = 2**31


class Rows(NamedTuple):
    """Rows of the table `observation`, as `pack` makes them.

    Attributes:
        columns: those of the values. A column of which no row has a value is none of them.
        rows: the values of `time`, `station`, these columns, and `delay`, the seconds until it was collected.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def pack(observations: Sequence[Observation], numbers: Mapping[str, int], collected: int) -> Rows:
    """Observations as rows.

    Args:
        observations: at least one.
        numbers: the stations' numbers in the store, by id.
        collected: when they were collected, seconds since the epoch.
    """
    times, ids, *values = zip(*observations, strict=True)
    texts = {time: stored(time) for time in {*times}}
    columns = {
        name: [_packed(one, name) for one in column]
        for name, column in zip(COLUMNS, values, strict=True)
        if any(one is not None for one in column)
    }
    rows = zip(
        [texts[time] for time in times],
        [numbers[station_id] for station_id in ids],
        *columns.values(),
        [collected - time for time in times],
        strict=True,
    )
    return Rows(tuple(columns), list(rows))


def _packed(value: float | str | None, name: str) -> float | str | None:
    if value is None:
        return None
    return _POINTS.get(value, value) if isinstance(value, str) else _steps(value, BY_NAME[name].per_unit)


def _steps(value: float, per_unit: int) -> float:
    """The value as a whole number of steps if that loses nothing, else as it is."""
    if abs(value) < _LARGEST:
        steps = round(value * per_unit)
        if steps / per_unit == value:
            return steps
    return float(value)


def shown_sql(name: str) -> str:
    """SQL for the value of a column as people know it, whatever is stored there."""
    return f"CASE typeof({name}) WHEN 'integer' THEN {_from_integer(name)} ELSE {name} END AS {name}"


def read_sql(name: str) -> str:
    """SQL for the value of a column as this program reads it: what plain SQL put there of another kind is NULL."""
    other = f"'real' THEN iif(abs({name}) < 1e308, {name}, NULL)" if name in BY_NAME else f"'text' THEN {name}"
    return f"CASE typeof({name}) WHEN 'integer' THEN {_from_integer(name)} WHEN {other} END AS {name}"


def _from_integer(name: str) -> str:
    if name in BY_NAME:
        return f"{name} / {BY_NAME[name].per_unit}.0"
    names = "".join(point.ljust(3) for point in COMPASS)
    return f"rtrim(substr('{names}', {name} * 3 + 1, 3))"


def steps_sql(name: str) -> str:
    """SQL for a value as a number of the variable's steps; divided by `per_unit` it is in the variable's unit."""
    real = f"iif(abs({name}) < 1e300, {name} * {BY_NAME[name].per_unit}, NULL)"
    return f"CASE typeof({name}) WHEN 'real' THEN {real} WHEN 'integer' THEN {name} END"


def view_sql(columns: Sequence[str]) -> list[str]:
    """The view `observations` over a table `observation` with these columns of values, and its triggers.

    The columns of the first release come first, then `collected_at`, then what was added later: a query that takes
    columns by their places still finds them. The triggers let plain SQL insert, correct and delete rows as in a table.
    """
    first, later = columns[: len(FIRST)], columns[len(FIRST) :]
    shown = [
        "time",
        # A subquery, not a join: so MAX(time) and a range of times still use the primary key.
        "(SELECT station_id FROM stations WHERE number = station) AS station_id",
        *map(shown_sql, first),
        "datetime(time, delay || ' seconds') AS collected_at",
        *map(shown_sql, later),
    ]
    new = [f"CAST(NEW.{name} AS REAL)" if name in BY_NAME else f"NEW.{name}" for name in columns]
    put = f"""
    INSERT INTO stations (station_id, first_seen, last_seen)
    SELECT NEW.station_id, datetime('now'), datetime('now')
    WHERE NOT EXISTS (SELECT 1 FROM stations WHERE station_id = NEW.station_id);
    INSERT INTO observation (time, station, {", ".join(columns)}, delay)
    SELECT NEW.time, number, {", ".join(new)}, coalesce(unixepoch(NEW.collected_at) - unixepoch(NEW.time), 0)
    FROM stations WHERE station_id = NEW.station_id
    ON CONFLICT (time, station) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in (*columns, "delay"))};
    """
    take = """
    DELETE FROM observation
    WHERE time = OLD.time AND station = (SELECT number FROM stations WHERE station_id = OLD.station_id);
    """
    return [
        f"CREATE VIEW observations AS SELECT {', '.join(shown)} FROM observation",
        f"CREATE TRIGGER observations_insert INSTEAD OF INSERT ON observations BEGIN {put} END",
        f"CREATE TRIGGER observations_update INSTEAD OF UPDATE ON observations BEGIN {take} {put} END",
        f"CREATE TRIGGER observations_delete INSTEAD OF DELETE ON observations BEGIN {take} END",
    ]


FIRST = (
    "temp_out", "hi_temp", "low_temp", "out_hum", "bar", "rain", "wind_speed", "wind_dir", "wind_dir_str", "hi_speed",
    "hi_dir", "hi_dir_str",
)  # fmt: skip
"""The columns of the first release, which stand before `collected_at` in `observations`."""
