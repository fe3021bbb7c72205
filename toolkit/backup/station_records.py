"""What a restore takes over of the records of stations from the database that it replaces: SQL for both engines."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.store.station_records import Description, SensorHealth

NOUN = "records of stations"
TABLES: dict[str, Sequence[str]] = {"station_history": Description._fields, "sensor_health": SensorHealth._fields}
"""The tables of these records, with their columns."""


def take_over(old: str) -> list[str]:
    """The statements that take over what the replaced database has.

    All descriptions of stations count; so does the health of sensors that it has, and not the backup's.

    Args:
        old: what stands before the names of its tables.
    """
    return [
        f"DELETE FROM sensor_health WHERE EXISTS (SELECT 1 FROM {old}sensor_health)",
        *(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM {old}{table} WHERE true ON CONFLICT DO NOTHING"
            for table, names in ((table, ", ".join(columns)) for table, columns in TABLES.items())
        ),
    ]
