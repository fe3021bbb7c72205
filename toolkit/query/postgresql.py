"""PostgreSQL: one SELECT in a read-only transaction that is rolled back, of functions that only compute.

A read-only transaction keeps tables as they are, but functions can do more than that: end other sessions, take locks,
read and write files, change settings, reach other servers. So the server is asked, before anything is run, which
functions the statement calls, by itself and in the views that it reads. Those that PostgreSQL calls volatile, for they
may have side effects, are refused, and so are those that are neither PostgreSQL's own nor an extension's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import psycopg
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.string import TextLoader

from toolkit.address import shown
from toolkit.database import PostgreSQLDatabase
from toolkit.query import RefusedError, Row, TooLongError
from toolkit.store import PATIENCE_SECONDS
from toolkit.store.postgresql import connect_for_reading
from toolkit.store.postgresql_connection import reason_of, translate_errors

# How many rows are fetched at once: what they take in memory is bounded.
ROWS_AT_ONCE = 500
# Types whose values are not read as the text that PostgreSQL writes.
_AS_VALUES = {"bool", "int2", "int4", "int8", "oid", "float4", "float8", "bytea"}
# Volatile functions that change nothing.
_HARMLESS = [
    "random", "clock_timestamp", "gen_random_uuid", "pg_database_size", "pg_indexes_size", "pg_relation_size",
    "pg_table_size", "pg_total_relation_size",
]  # fmt: skip

# The view is never read: the server has resolved all names in it, and shows it as a tree of nodes.
_VIEW = "CREATE TEMPORARY VIEW asked AS SELECT COUNT(*) FROM ({}\n) AS asked"
# What the statement would do besides reading tables: call functions, and read foreign tables. Functions that read a
# table or run a query that a text names are refused, for it could be a view with any functions. What has a lower number
# than 16384 was there before the first user (FirstNormalObjectId).
_DOES = r"""
WITH RECURSIVE views AS (
    SELECT 'pg_temp.asked'::regclass::oid AS oid
    UNION
    SELECT found[1]::oid FROM views JOIN pg_rewrite ON ev_class = views.oid AND ev_type = '1',
    LATERAL regexp_matches(ev_action::text, ':relid (\d+)', 'g') AS found
), called AS (
    SELECT DISTINCT found[1]::oid AS oid FROM views JOIN pg_rewrite ON ev_class = views.oid AND ev_type = '1',
    LATERAL regexp_matches(ev_action::text, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') AS found
)
SELECT 'call ' || p.proname || '()' FROM called JOIN pg_proc AS p USING (oid)
WHERE p.provolatile = 'v' AND NOT p.proname = ANY (%s) OR p.proname ~ '_to_xml|^ts_(stat|rewrite)$'
OR p.oid >= 16384 AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
)
UNION ALL
SELECT 'read ' || c.relname || ', a table of another server' FROM views JOIN pg_class AS c USING (oid)
WHERE c.relkind NOT IN ('r', 'p', 'v', 'm')
ORDER BY 1 LIMIT 1
"""


@contextmanager
def answering(db: PostgreSQLDatabase, asked: str, seconds: float) -> Iterator[tuple[Sequence[str], Iterator[Row]]]:
    """See `Engine`."""
    place = shown(db.url)
    with translate_errors(place), closing(connect_for_reading(db, PATIENCE_SECONDS)) as connection:
        connection.read_only = False  # until the functions are known
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        _read_as_text(connection)
        with _translate_refusals(), connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(f"{max(1, int(seconds * 1000))}ms"))
            connection.execute("SET LOCAL row_security = off")  # a policy would call its functions
            # Several statements, or another one than SELECT, are errors of syntax: the extended protocol takes one.
            statement = asked.rstrip().removesuffix(";")
            connection.execute(_VIEW.format(statement).encode(), prepare=True)
            does = connection.execute(_DOES, (_HARMLESS,)).fetchone()
            if does:
                raise RefusedError(f"data query only reads, and this SQL would {does[0]}")
            connection.execute("SET TRANSACTION READ ONLY")
            with connection.cursor("answer") as cursor:
                cursor.itersize = ROWS_AT_ONCE
                cursor.execute(statement.encode())
                yield [column.name for column in cursor.description or ()], cursor


class _Time(TextLoader):
    """A time as SQLite has it: `YYYY-MM-DD HH:MM:SS`, which is UTC."""

    def load(self, data: Buffer) -> str:
        return str(super().load(data)).removesuffix("+00")


class _Number(Loader):
    """A numeric as a number, or as text where that would lose digits."""

    def load(self, data: Buffer) -> float | str:
        text = bytes(data).decode()
        if len(text) > 16:
            return text
        return float(text) if "." in text or text.endswith(("N", "y")) else int(text)


def _read_as_text(connection: psycopg.Connection) -> None:
    """Read values as the text that PostgreSQL writes, but numbers and bytes: Python has no `infinity` of a date."""
    for kind in connection.adapters.types:
        if kind.name not in _AS_VALUES:
            connection.adapters.register_loader(kind.oid, TextLoader)
        if kind.array_oid:
            connection.adapters.register_loader(kind.array_oid, TextLoader)
    connection.adapters.register_loader("timestamptz", _Time)
    connection.adapters.register_loader("numeric", _Number)


@contextmanager
def _translate_refusals() -> Iterator[None]:
    """Tell what is the statement's fault from what is the database's."""
    try:
        yield
    except psycopg.errors.QueryCanceled:
        raise TooLongError from None
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise RefusedError(f"data query only reads: {reason_of(error)}") from None
    except psycopg.errors.OutOfMemory:
        raise MemoryError from None
    except psycopg.Error as error:
        # libpq had no memory for a row; then it may also return one result too many.
        if error.sqlstate is None and (isinstance(error, psycopg.InternalError) or "out of memory" in str(error)):
            raise MemoryError from None
        # Its syntax, what it may do, its values, what cannot be done (PostgreSQL's manual, appendix A).
        if (error.sqlstate or "")[:2] in {"42", "22", "0A", "54"}:
            raise RefusedError(f"the SQL cannot be run: {reason_of(error)}") from None
        raise
