"""What a restore takes over of incidents from the database that it replaces: SQL that both engines share.

A number that both databases have is one incident if both opened it at the same moment at the same sensor; then the one
with the longer history counts. Otherwise the replaced database's incident gets a new number.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.store.incidents import Action, Affected, Incident, Maintenance, Message

NOUN = "incidents"
TABLES: dict[str, Sequence[str]] = {
    "incidents": Incident._fields,
    "incident_stations": Affected._fields,
    "incident_history": ("id", *Action._fields),
    "maintenance": Maintenance._fields,
    "outbox": Message._fields,
    "runs": ("job", "ended"),
}
"""The tables of incidents, with their columns."""

# From a message that is to be sent to one that was: nothing is sent twice.
_PROGRESS = "CASE {}.state WHEN 'sent' THEN 3 WHEN 'cancelled' THEN 2 WHEN 'sending' THEN 1 ELSE 0 END"
_LINES = "(SELECT COUNT(*) FROM {history} AS h WHERE h.incident_id = {one}.id)"
_SAME = (
    "n.opened = o.opened AND coalesce(n.station_id, '') = coalesce(o.station_id, '') AND n.variable = o.variable "
    "AND n.kind = o.kind"
)


def take_over(old: str) -> list[str]:
    """The statements that take over what the replaced database has.

    Args:
        old: what stands before the names of its tables.
    """
    of_old, of_new = (
        _LINES.format(history=f"{prefix}incident_history", one=one) for prefix, one in ((old, "o"), ("", "n"))
    )
    columns, replaced = Incident._fields[1:], _excluded(Incident._fields[1:])
    values = ", ".join(f"o.{name}" for name in columns).replace(
        "o.part_of", "coalesce((SELECT p.id FROM taken AS p WHERE p.old_id = o.part_of), o.part_of)"
    )
    told = Message._fields[1:]
    message = ", ".join(f"o.{name}" for name in told)
    message = message.replace("o.incident_id", "coalesce(t.id, o.incident_id)").replace(
        "o.key",
        "CASE WHEN t.id <> t.old_id THEN CAST(t.id AS text) || substr(o.key, length(CAST(t.old_id AS text)) + 1) "
        "ELSE o.key END",
    )
    return [
        f"""
        CREATE TEMPORARY TABLE taken AS SELECT o.id AS old_id,
            CASE WHEN n.id IS NULL OR ({_SAME}) THEN o.id ELSE o.id + {_highest("incidents", old)} END AS id,
            CASE WHEN n.id IS NULL OR NOT ({_SAME}) OR {of_old} > {of_new}
                OR ({of_old} = {of_new} AND o.judged >= n.judged) THEN 1 ELSE 0 END AS counts
        FROM {old}incidents AS o LEFT JOIN incidents AS n ON n.id = o.id
        """,
        f"""
        INSERT INTO incidents (id, {", ".join(columns)}) SELECT t.id, {values}
        FROM {old}incidents AS o JOIN taken AS t ON t.old_id = o.id WHERE t.counts = 1
        ON CONFLICT (id) DO UPDATE SET {replaced}
        """,
        f"""
        INSERT INTO incident_stations (incident_id, station_id, started, ended)
        SELECT t.id, o.station_id, o.started, o.ended
        FROM {old}incident_stations AS o JOIN taken AS t ON t.old_id = o.incident_id WHERE true
        ON CONFLICT (incident_id, station_id) DO UPDATE SET
            started = CASE WHEN excluded.started < incident_stations.started
                THEN excluded.started ELSE incident_stations.started END,
            ended = CASE WHEN excluded.ended > incident_stations.ended
                THEN excluded.ended ELSE incident_stations.ended END
        """,
        f"""
        INSERT INTO incident_history (incident_id, time, actor, action, note)
        SELECT t.id, o.time, o.actor, o.action, o.note
        FROM {old}incident_history AS o JOIN taken AS t ON t.old_id = o.incident_id
        WHERE NOT EXISTS (
            SELECT 1 FROM incident_history AS n WHERE n.incident_id = t.id AND n.time = o.time AND n.actor = o.actor
            AND n.action = o.action AND n.note = o.note
        ) ORDER BY o.id
        """,
        f"""
        INSERT INTO maintenance (id, station_id, variable, started, ended, actor, note)
        SELECT CASE WHEN n.id IS NULL OR (
            n.station_id = o.station_id AND n.variable = o.variable AND n.actor = o.actor
        ) THEN o.id ELSE o.id + {_highest("maintenance", old)} END,
            o.station_id, o.variable, o.started, o.ended, o.actor, o.note
        FROM {old}maintenance AS o LEFT JOIN maintenance AS n ON n.id = o.id WHERE true
        ON CONFLICT (id) DO UPDATE SET {_excluded(("started", "ended", "note"))}
        """,
        f"""
        INSERT INTO outbox ({", ".join(told)}) SELECT {message}
        FROM {old}outbox AS o LEFT JOIN taken AS t ON t.old_id = o.incident_id WHERE true ORDER BY o.id
        ON CONFLICT (key) DO UPDATE SET {_excluded([name for name in told if name not in {"key", "incident_id"}])}
        WHERE {_PROGRESS.format("excluded")} > {_PROGRESS.format("outbox")} OR (
            excluded.state = outbox.state AND excluded.attempts >= outbox.attempts
        )
        """,
        f"""
        INSERT INTO runs (job, ended) SELECT job, ended FROM {old}runs WHERE true
        ON CONFLICT (job) DO UPDATE SET ended = excluded.ended WHERE excluded.ended > runs.ended
        """,
        "DROP TABLE taken",
    ]


def _highest(table: str, old: str) -> str:
    """A number that no row of a table has, nor one of the replaced database."""
    return (
        f"(SELECT coalesce(MAX(id), 0) FROM (SELECT id FROM {table} UNION ALL SELECT id FROM {old}{table}) AS numbers)"
    )


def _excluded(columns: Sequence[str]) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in columns)
