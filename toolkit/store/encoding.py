"""How values are packed in the table `observation`, and the view that shows them as they are.

Both sides are generated from `toolkit.variables`, so that they cannot drift apart.
"""

from __future__ import annotations

from toolkit.model import Observation
from toolkit.times import stored
from toolkit.variables import BY_NAME, COMPASS

COLUMNS = Observation._fields[2:]
"""The values of an observation, in the order of the table."""

_PER_UNIT = [BY_NAME[name].per_unit if name in BY_NAME else None for name in COLUMNS]
_POINTS = {name: point for point, name in enumerate(COMPASS)}
_LARGEST = 2**31


def pack(observation: Observation, station: int, collected: int) -> tuple[object, ...]:
    """A row of the table `observation`.

    Args:
        observation: the row's values.
        station: the station's number in the store.
        collected: when it was collected, seconds since the epoch.
    """
    values = [_packed(value, per_unit) for value, per_unit in zip(observation[2:], _PER_UNIT, strict=True)]
    return (stored(observation.time), station, *values, collected - observation.time)


def _packed(value: float | str | None, per_unit: int | None) -> float | str | None:
    if isinstance(value, str):
        return _POINTS.get(value, value)
    return value if value is None or per_unit is None else _steps(value, per_unit)


def _steps(value: float, per_unit: int) -> float:
    """The value as a whole number of steps if that loses nothing, else as it is."""
    if abs(value) < _LARGEST:
        steps = round(value * per_unit)
        if steps / per_unit == value:
            return steps
    return float(value)


def _shown(name: str, per_unit: int | None) -> str:
    if per_unit is None:
        names = "".join(point.ljust(3) for point in COMPASS)
        shown = f"rtrim(substr('{names}', {name} * 3 + 1, 3))"
    else:
        shown = f"{name} / {per_unit}.0"
    return f"CASE typeof({name}) WHEN 'integer' THEN {shown} ELSE {name} END AS {name}"


VALUES_SQL = {name: _shown(name, per_unit) for name, per_unit in zip(COLUMNS, _PER_UNIT, strict=True)}
"""Each value's SQL expression over `observation`, named as the variable."""


def _read(name: str, per_unit: int | None) -> str:
    other = f"'text' THEN {name}" if per_unit is None else f"'real' THEN iif(abs({name}) < 1e308, {name}, NULL)"
    return f"{_shown(name, per_unit).partition(' ELSE ')[0]} WHEN {other} END AS {name}"


READ_SQL = {name: _read(name, per_unit) for name, per_unit in zip(COLUMNS, _PER_UNIT, strict=True)}
"""The same for who reads the table: of another kind than the column's, which plain SQL can put in, a value is none."""


def steps_sql(name: str) -> str:
    """A value as the number of its steps, whether or not it is stored so; in units it is that divided by `per_unit`."""
    real = f"iif(abs({name}) < 1e300, {name} * {BY_NAME[name].per_unit}, NULL)"
    return f"CASE typeof({name}) WHEN 'real' THEN {real} WHEN 'integer' THEN {name} END"


# The station's id comes from a subquery, not from a join: so MAX(time) and a range of times still use the key.
VIEW_SQL = f"""
CREATE VIEW observations AS
SELECT time,
       (SELECT station_id FROM stations WHERE number = station) AS station_id,
       {", ".join(VALUES_SQL.values())},
       datetime(time, delay || ' seconds') AS collected_at
FROM observation
"""

_NEW = ", ".join(
    f"NEW.{name}" if per_unit is None else f"CAST(NEW.{name} AS REAL)"
    for name, per_unit in zip(COLUMNS, _PER_UNIT, strict=True)
)
_PUT = f"""
    INSERT INTO stations (station_id, first_seen, last_seen)
    SELECT NEW.station_id, datetime('now'), datetime('now')
    WHERE NOT EXISTS (SELECT 1 FROM stations WHERE station_id = NEW.station_id);
    INSERT OR REPLACE INTO observation
    SELECT NEW.time, number,
           {_NEW},
           coalesce(unixepoch(NEW.collected_at) - unixepoch(NEW.time), 0)
    FROM stations WHERE station_id = NEW.station_id;
"""
_TAKE = """
    DELETE FROM observation
    WHERE time = OLD.time AND station = (SELECT number FROM stations WHERE station_id = OLD.station_id);
"""

# Plain SQL that corrects or removes rows works on the view as it would on a table.
TRIGGERS_SQL = [
    f"CREATE TRIGGER observations_insert INSTEAD OF INSERT ON observations BEGIN {_PUT} END",
    f"CREATE TRIGGER observations_update INSTEAD OF UPDATE ON observations BEGIN {_TAKE} {_PUT} END",
    f"CREATE TRIGGER observations_delete INSTEAD OF DELETE ON observations BEGIN {_TAKE} END",
]
