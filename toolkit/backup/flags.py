"""What a restore takes over of flags from the database that it replaces: SQL that both engines share.

From the first time that it judged after the newest run in the backup, the replaced database counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.store.flags import FlagInterval, JudgedTime

NOUN = "flags"
TABLES: dict[str, Sequence[str]] = {"detector_flags": FlagInterval._fields, "judged": JudgedTime._fields}
"""The tables of flags, with their columns."""

_SINCE = "(SELECT time FROM since)"


def take_over(old: str) -> list[str]:
    """The statements that take over what the replaced database has.

    Args:
        old: what stands before the names of its tables.
    """
    statements = [
        f"CREATE TEMPORARY TABLE since AS SELECT MIN(started) AS time FROM {old}judged "
        # Not from a time that plain SQL wrote, and that is none.
        "WHERE started >= '2000-01-01 00:00:00' AND "
        "(judged_at > (SELECT MAX(judged_at) FROM judged) OR NOT EXISTS (SELECT 1 FROM judged))"
    ]
    for table, columns in TABLES.items():
        names = ", ".join(columns)
        values = names.replace("started", f"CASE WHEN started < {_SINCE} THEN {_SINCE} ELSE started END", 1)
        statements += [
            f"DELETE FROM {table} WHERE started >= {_SINCE}",
            f"UPDATE {table} SET ended = {_SINCE} WHERE ended > {_SINCE}",
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {old}{table} WHERE ended > {_SINCE} "
            "ON CONFLICT DO NOTHING",
        ]
    return [*statements, "DROP TABLE since"]
