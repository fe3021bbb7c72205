"""TimescaleDB: which of this program's tables it keeps in chunks, and what an operator has put upon them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from toolkit.store import StoreError

_HAS = "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"
_OURS = (
    "to_regclass(quote_ident(hypertable_schema) || '.' || quote_ident(hypertable_name)) = ANY (%(tables)s::regclass[])"
)
_HYPERTABLES = f"SELECT hypertable_name FROM timescaledb_information.hypertables WHERE {_OURS}"
# With its compressed chunks as large as they are as rows.
_BYTES = """
SELECT hypertable_size(%(table)s::regclass) + coalesce((
    SELECT SUM(before_compression_total_bytes - after_compression_total_bytes)
    FROM chunk_compression_stats(%(table)s::regclass)), 0)
"""
# Those that are made of others come first: in this order they can be dropped.
_AGGREGATES = f"""
WITH RECURSIVE dependent AS (
    SELECT view_schema, view_name, materialization_hypertable_name AS holds, 1 AS depth
    FROM timescaledb_information.continuous_aggregates WHERE {_OURS}
    UNION ALL
    SELECT a.view_schema, a.view_name, a.materialization_hypertable_name, depth + 1
    FROM timescaledb_information.continuous_aggregates AS a JOIN dependent ON a.hypertable_name = holds
)
SELECT format('%%I.%%I', view_schema, view_name) FROM dependent GROUP BY 1 ORDER BY MAX(depth) DESC, 1
"""
_POLICIES = f"""
SELECT hypertable_name, proc_name, config, schedule_interval, scheduled FROM timescaledb_information.jobs WHERE {_OURS}
ORDER BY job_id
"""
_INTERVALS = f"""
SELECT hypertable_name, time_interval FROM timescaledb_information.dimensions
WHERE {_OURS} AND dimension_number = 1 AND time_interval IS NOT NULL
"""
# How each policy is made again from the configuration of its job.
_ADD = {
    "policy_retention": (
        "remove_retention_policy",
        "add_retention_policy(%(table)s::regclass, drop_after => %(drop_after)s::interval, "
        "drop_created_before => %(drop_created_before)s::interval, schedule_interval => %(every)s)",
    ),
    "policy_compression": (
        "remove_compression_policy",
        "add_compression_policy(%(table)s::regclass, compress_after => %(compress_after)s::interval, "
        "compress_created_before => %(compress_created_before)s::interval, schedule_interval => %(every)s)",
    ),
    "policy_reorder": ("remove_reorder_policy", "add_reorder_policy(%(table)s::regclass, %(index_name)s::name)"),
}
_KEYS = ("drop_after", "drop_created_before", "compress_after", "compress_created_before", "index_name")


@dataclass(frozen=True, slots=True)
class Kept:
    """What holds of the tables of a database and is no row of them.

    Attributes:
        intervals: how much time a chunk spans, by table.
        policies: of each job: the table, the procedure, its configuration, how often, and whether it is run at all.
    """

    intervals: Sequence[tuple[Any, ...]] = ()
    policies: Sequence[tuple[Any, ...]] = ()


def hypertables(connection: psycopg.Connection, tables: Sequence[str]) -> list[str]:
    """Those of some tables that are kept in chunks; none without TimescaleDB."""
    return [str(name) for (name,) in _ask(connection, _HYPERTABLES, tables)]


def size_bytes(connection: psycopg.Connection, tables: Sequence[str]) -> int:
    """How large hypertables are, with their indexes, when nothing of them is compressed."""
    sizes = (connection.execute(_BYTES, {"table": name}).fetchone() or (0,) for name in tables)
    return sum(int(size or 0) for (size,) in sizes)


def kept(connection: psycopg.Connection, tables: Sequence[str]) -> Kept:
    """What holds of those of some tables that are hypertables."""
    return Kept(_ask(connection, _INTERVALS, tables), _ask(connection, _POLICIES, tables))


def left_out(connection: psycopg.Connection, tables: Sequence[str]) -> list[str]:
    """What an operator has put upon hypertables and a backup does not have, in words.

    Compression is not among it: the schema's steps set it.
    """
    policies = _ask(connection, _POLICIES, tables)
    return [
        *(f"continuous aggregate {name}" for (name,) in _ask(connection, _AGGREGATES, tables)),
        *(f"{job} of {table}" for table, job, *_ in policies if job != "policy_compression"),
    ]


def require_no_aggregates(connection: psycopg.Connection, tables: Sequence[str]) -> None:
    """Make sure that hypertables can be replaced.

    Raises:
        StoreError: an operator's continuous aggregates depend on them: what they hold may be older than the rows.
    """
    if found := [name for (name,) in _ask(connection, _AGGREGATES, tables)]:
        drops = " ".join(f"DROP MATERIALIZED VIEW {name};" for name in found)
        raise StoreError(
            f"continuous aggregates that this program did not make depend on what is to be replaced: "
            f"keep their statements, run {drops} and make them again after the restore"
        )


def drop(connection: psycopg.Connection, tables: Sequence[str]) -> None:
    """Drop hypertables: each by itself, as TimescaleDB wants it."""
    for name in hypertables(connection, tables):
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))


def put_intervals_back(connection: psycopg.Connection, was: Kept, tables: Sequence[str]) -> None:
    """Let chunks span as much time as they did; before rows are written."""
    there = hypertables(connection, tables)
    for table, interval in was.intervals:
        if table in there:
            connection.execute("SELECT set_chunk_time_interval(%s::regclass, %s::interval)", (table, interval))


def put_policies_back(connection: psycopg.Connection, was: Kept, tables: Sequence[str]) -> list[str]:
    """Give tables that were made anew the policies that they had; returns those that cannot be made again, in words."""
    there, unknown = hypertables(connection, tables), []
    for table, job, config, every, scheduled in was.policies:
        if table not in there or job not in _ADD:
            unknown.append(f"{job} of {table}")
            continue
        remove, add = _ADD[job]
        connection.execute(
            sql.SQL("SELECT {}(%s::regclass, if_exists => true)").format(sql.Identifier(remove)), (table,)
        )
        values = {"table": table, "every": every, "scheduled": scheduled, **{key: config.get(key) for key in _KEYS}}
        connection.execute(sql.SQL(f"SELECT alter_job({add}, scheduled => %(scheduled)s)"), values)
    return unknown


def _ask(connection: psycopg.Connection, query: str, tables: Sequence[str]) -> list[tuple[Any, ...]]:
    if not connection.execute(_HAS).fetchone():
        return []
    there = "SELECT array_agg(to_regclass(t)::text) FROM unnest(%s::text[]) t WHERE to_regclass(t) IS NOT NULL"
    (names,) = connection.execute(there, ([*tables],)).fetchone() or (None,)
    return connection.execute(sql.SQL(query), {"tables": names or []}).fetchall()
