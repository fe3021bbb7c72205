"""What a restore takes over of what operators declare of stations, from the database that it replaces."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.store.station_places import DeclaredPlace, ReplacedSensor

NOUN = "declared metadata of stations"
TABLES: dict[str, Sequence[str]] = {
    "station_places": DeclaredPlace._fields,
    "station_sensors": ReplacedSensor._fields,
}
"""The tables of these, with their columns."""


def take_over(old: str) -> list[str]:
    """The statements that take over what the replaced database has.

    Of a station of which it has something, that counts; of the others what the backup has.

    Args:
        old: what stands before the names of its tables.
    """
    statements = []
    for table, columns in TABLES.items():
        names = ", ".join(columns)
        statements += [
            f"DELETE FROM {table} WHERE station_id IN (SELECT station_id FROM {old}{table})",
            f"INSERT INTO {table} ({names}) SELECT {names} FROM {old}{table} WHERE true ON CONFLICT DO NOTHING",
        ]
    newer = f"SELECT o.wigos_id FROM {old}stations AS o WHERE o.station_id = stations.station_id AND o.wigos_id != ''"
    return [*statements, f"UPDATE stations SET wigos_id = ({newer}) WHERE EXISTS ({newer})"]
