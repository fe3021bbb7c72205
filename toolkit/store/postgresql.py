"""Opening a PostgreSQL database: its schema, and what it lacks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

import psycopg
from psycopg import sql

from toolkit.address import shown
from toolkit.database import PostgreSQLDatabase
from toolkit.store.base import (
    NewerSchemaError,
    StoreError,
    StoreGoneError,
    StoreRefusedError,
    migrations,
)
from toolkit.store.flag_views import ViewDialect, flags_view, observations_qc_view
from toolkit.store.postgresql_connection import connect, translate_errors
from toolkit.store.postgresql_store import PostgreSQLStore
from toolkit.variables import COLUMNS

BUSY_SECONDS = 2

_VIEW_DIALECT = ViewDialect(
    observations="observations AS o",
    station="o.station_id",
    collected="o.collected_at",
    shown="o.{}".format,
    first_symptom="split_part(symptoms, ',', 1)",
    judges="strpos(variables, ',{},') > 0",
)

# The advisory lock that keeps two collectors from migrating at once: any number will do.
_MIGRATING = 0x77746B74


def open_for_writing(db: PostgreSQLDatabase, *, begin: bool = True) -> PostgreSQLStore:
    """See `store.open_for_writing`."""
    place = shown(db.url)
    with translate_errors(place), ExitStack() as opening:
        connection = connect(db.url, BUSY_SECONDS)
        opening.callback(connection.close)
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
            if not begin and not holds_tables(connection):
                raise StoreGoneError(f"the database {place} is empty: its tables are gone")
            connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)")
            version = _version(connection, place) or _empty(connection, place)
            if version < len(migrations("postgresql")):
                bring_up_to_date(connection, version)
        opening.pop_all()
    return PostgreSQLStore(connection, place)


def bring_up_to_date(connection: psycopg.Connection, version: int) -> None:
    """Take the steps from a schema's version to this program's; the caller has the transaction."""
    scripts = migrations("postgresql")
    drop(connection, ())
    for script in scripts[version:]:
        connection.execute(sql.SQL(script))
    connection.execute(sql.SQL(flags_view(_VIEW_DIALECT)))
    connection.execute(sql.SQL(observations_qc_view(_VIEW_DIALECT, COLUMNS)))
    connection.execute("DELETE FROM schema_version")
    connection.execute("INSERT INTO schema_version (version) VALUES (%s)", (len(scripts),))


def drop(connection: psycopg.Connection, tables: Sequence[str]) -> None:
    """Drop the views, and some tables with them."""
    connection.execute("DROP VIEW IF EXISTS observations_qc, flags")
    if tables:
        connection.execute(f"DROP TABLE IF EXISTS {', '.join(tables)}")


def open_for_reading(db: PostgreSQLDatabase, patience: float, *, look: bool = False) -> PostgreSQLStore:  # noqa: ARG001
    """See `store.open_for_reading`."""
    return PostgreSQLStore(connect_for_reading(db, patience), shown(db.url))


# The schema that has tables of ours, where they are not looked for.
_ELSEWHERE = """
SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'schema_version' AND relkind = 'r'
AND relowner = current_user::regrole ORDER BY oid LIMIT 1
"""


def connect_for_reading(db: PostgreSQLDatabase, patience: float) -> psycopg.Connection:
    """A connection whose transactions cannot write, to a database of this program's schema.

    Raises:
        StoreError: see `store.open_for_reading`.
    """
    place = shown(db.url)
    with translate_errors(place), ExitStack() as opening:
        connection = connect(db.url, patience)
        opening.callback(connection.close)
        connection.read_only = True
        version = _version(connection, place) if holds_tables(connection) else 0
        if version < (known := len(migrations("postgresql"))):
            what = f"has schema {version}, older than this program's {known}" if version else "is empty"
            if not version and (elsewhere := connection.execute(_ELSEWHERE).fetchone()):
                raise StoreError(
                    f"the tables of the database {place} are in the schema {elsewhere[0]}: was it renamed?"
                )
            raise StoreError(f"the database {place} {what}: the collector puts it right when it starts")
        opening.pop_all()
    return connection


def schema(db: PostgreSQLDatabase) -> tuple[int | None, int]:
    """See `store.schema`; an empty database that is not in UTF-8 is refused."""
    place = shown(db.url)
    with translate_errors(place), connect(db.url, BUSY_SECONDS) as connection:
        if holds_tables(connection):
            return _version(connection, place), len(migrations("postgresql"))
        _empty(connection, place)
        return None, len(migrations("postgresql"))


def holds_tables(connection: psycopg.Connection) -> bool:
    """Whether the database has this program's tables, of any version."""
    row = connection.execute(
        "SELECT to_regclass('schema_version') IS NOT NULL AND to_regclass('observations') IS NOT NULL"
    ).fetchone()
    return bool(row and row[0])


TABLES = (
    "stations", "observations", "collection_log", "counters", "rejected", "anomalies", "newest", "incidents",
    "incident_stations", "incident_history", "maintenance", "outbox", "runs", "detector_flags", "judged",
    "accounts", "sessions", "station_history", "sensor_health", "daily", "summarised",
    "sources", "station_places", "station_sensors",
)  # fmt: skip
_LACKS = """
SELECT kind || ' ' || name || ' is gone' FROM (VALUES
    ('table', 'stations'), ('table', 'observations'), ('table', 'collection_log'), ('table', 'counters'),
    ('table', 'rejected'), ('table', 'anomalies'), ('table', 'newest'), ('table', 'incidents'),
    ('table', 'incident_stations'), ('table', 'incident_history'), ('table', 'maintenance'), ('table', 'outbox'),
    ('table', 'runs'), ('table', 'detector_flags'), ('table', 'judged'), ('table', 'accounts'), ('table', 'sessions'),
    ('table', 'station_history'), ('table', 'sensor_health'), ('table', 'daily'), ('table', 'summarised'),
    ('table', 'sources'), ('table', 'station_places'), ('table', 'station_sensors'),
    ('view', 'flags'), ('view', 'observations_qc')
) AS wanted (kind, name) WHERE to_regclass(name) IS NULL
UNION ALL
SELECT 'the primary key of ' || name || ' is gone' FROM (VALUES ('stations'), ('observations'), ('counters'))
AS keyed (name) WHERE to_regclass(name) IS NOT NULL
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass(name) AND contype = 'p')
UNION ALL
SELECT 'the column ' || attname || ' of observations is ' || format_type(atttypid, atttypmod)
FROM pg_attribute WHERE attrelid = to_regclass('observations') AND attnum > 0 AND NOT attisdropped
AND atttypid NOT IN ('float8'::regtype, 'text'::regtype, 'timestamptz'::regtype)
UNION ALL
SELECT 'it takes no writes: the server is a standby' WHERE pg_is_in_recovery()
"""


def differences(db: PostgreSQLDatabase) -> list[str]:
    """What the database lacks of this program's schema, and what keeps the service from writing.

    Raises:
        StoreError: it does not answer.
    """
    place = shown(db.url)
    with translate_errors(place), connect(db.url, BUSY_SECONDS) as connection:
        if not holds_tables(connection):
            return []
        return [str(row[0]) for row in connection.execute(_LACKS)]


# What others put upon the tables, the role, the database and the server, what takes it away, whether the tables'
# owner may do that, and whether the service cannot work until then. A slot that keeps more of the log than max_wal_size
# keeps what the server would have removed.
_IMPOSED = r"""
SELECT 'a trigger ' || tgname || ' on ' || tgrelid::regclass,
    format('DROP TRIGGER %%I ON %%s', tgname, tgrelid::regclass), true, true
FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY (%(tables)s::regclass[]) AND tgname NOT LIKE 'ts\_%%'
UNION ALL
SELECT 'a rule ' || rulename || ' on ' || ev_class::regclass,
    format('DROP RULE %%I ON %%s', rulename, ev_class::regclass), true, true
FROM pg_rewrite WHERE ev_class = ANY (%(tables)s::regclass[]) AND rulename != '_RETURN'
UNION ALL
SELECT 'a constraint ' || conname || ' on ' || conrelid::regclass,
    format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname), true, true
FROM pg_constraint WHERE contype IN ('c', 'x') AND conrelid = ANY (%(tables)s::regclass[])
UNION ALL
SELECT 'row-level security on ' || oid::regclass,
    format('ALTER TABLE %%s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', oid::regclass), true, true
FROM pg_class WHERE relrowsecurity AND oid = ANY (%(tables)s::regclass[])
UNION ALL
SELECT 'another owner of ' || oid::regclass || ' (' || pg_get_userbyid(relowner) || '), who lets no rows be written',
    format('ALTER TABLE %%s.%%I OWNER TO %%I', relnamespace::regnamespace, relname, current_user), false, true
FROM pg_class WHERE oid = ANY (%(tables)s::regclass[]) AND relowner != current_user::regrole AND NOT (
    has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE'))
UNION ALL
SELECT 'no right to read or write ' || oid::regclass || ', which was revoked from its owner',
    format('GRANT ALL ON %%s.%%I TO %%I', relnamespace::regnamespace, relname, current_user), true, true
FROM pg_class WHERE oid = ANY (%(tables)s::regclass[]) AND relowner = current_user::regrole AND NOT (
    has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE')
    AND has_table_privilege(oid, 'DELETE'))
UNION ALL
SELECT 'a column ' || attname || ' of ' || attrelid::regclass || ' that has to have a value, and gets none',
    format('ALTER TABLE %%s ALTER COLUMN %%I DROP NOT NULL', attrelid::regclass, attname), true, true
FROM pg_attribute WHERE attrelid = ANY (%(tables)s::regclass[]) AND attnum > 0 AND NOT attisdropped AND attnotnull
    AND NOT atthasdef AND attidentity = '' AND attname != ALL(%(names)s)
UNION ALL
SELECT 'no index ' || name || ' any more', statement, true, true
FROM unnest(%(indexes)s::text[], %(statements)s::text[]) AS wanted (name, statement) WHERE to_regclass(name) IS NULL
UNION ALL
SELECT 'the setting ' || one || ' for ' || kept_for,
    format('ALTER %%s RESET %%I', kept_for, split_part(one, '=', 1)), false, true
FROM pg_db_role_setting, unnest(setconfig) AS one, concat_ws(
    ' IN ',
    CASE WHEN setrole != 0 THEN format('ROLE %%I', pg_get_userbyid(setrole)) WHEN setdatabase = 0 THEN 'ROLE ALL' END,
    CASE WHEN setdatabase != 0 THEN format('DATABASE %%I', current_database()) END
) AS kept_for
WHERE setrole IN (0, current_user::regrole) AND setdatabase IN (
    0, (SELECT oid FROM pg_database WHERE datname = current_database())
) AND (one ~ '^default_transaction_read_only=on'
    OR (one ~ '^search_path=' AND to_regclass('observations') IS NULL AND NOT
        string_to_array(translate(split_part(one, '=', 2), ' "', ''), ',') && ARRAY[current_user::text, '$user'])
    OR (one ~ '^search_path=' AND setrole != 0))
UNION ALL
SELECT 'the setting synchronous_standby_names=' || setting || ' of the whole server, whose standby does not answer: '
    'whoever writes waits', 'ALTER SYSTEM SET synchronous_standby_names = $$$$', false, true
FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting != '' AND EXISTS (
    SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND state_change < now() - interval '3 s')
UNION ALL
SELECT 'the setting default_transaction_read_only=on of the whole server',
    'ALTER SYSTEM SET default_transaction_read_only = off', false, true
WHERE (SELECT reset_val = 'on' AND source = 'configuration file'
    FROM pg_settings WHERE name = 'default_transaction_read_only')
UNION ALL
SELECT 'the setting ' || name || '=off of the whole server: ' || harm,
    format('ALTER SYSTEM SET %%I = on', name), false, false
FROM pg_settings JOIN (VALUES
    ('fsync', 'a crash of its host may destroy the database'),
    ('full_page_writes', 'a crash of its host may tear pages, unless its file system writes each whole, as ZFS'),
    ('synchronous_commit', 'a crash of its host loses what was stored last'),
    ('autovacuum', 'tables grow, and are read ever more slowly')
) AS harms (name, harm) USING (name) WHERE setting = 'off' AND source = 'configuration file'
UNION ALL
SELECT 'autovacuum off for ' || oid::regclass || ', which grows, and is read ever more slowly',
    format('ALTER TABLE %%s RESET (autovacuum_enabled)', oid::regclass), true, false
FROM pg_class, pg_options_to_table(reloptions)
WHERE oid = ANY (%(tables)s::regclass[]) AND option_name = 'autovacuum_enabled' AND NOT option_value::bool
UNION ALL
SELECT oid::regclass || ' as an unlogged table, which a crash of the server empties',
    format('ALTER TABLE %%s SET LOGGED', oid::regclass), true, false
FROM pg_class WHERE oid = ANY (%(tables)s::regclass[]) AND relpersistence = 'u'
UNION ALL
SELECT format('a transaction of %%s that was prepared at %%s UTC and never ended (two-phase commit)', owner,
    to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')), format('ROLLBACK PREPARED %%L', gid), false, locks
FROM pg_prepared_xacts, LATERAL (SELECT EXISTS (
    SELECT FROM pg_locks AS own JOIN pg_locks AS l USING (virtualtransaction)
    WHERE own.transactionid = transaction AND own.granted AND l.relation = ANY (%(tables)s::regclass[])
    AND l.mode NOT IN ('AccessShareLock', 'RowShareLock'))) AS held (locks)
WHERE database = current_database() AND (locks OR prepared < now() - interval '5 min')
UNION ALL
SELECT format('the replication slot %%s, which nobody reads and for which the server keeps %%s of its log '
    '(a standby of it that is still wanted has to be started instead: without the slot it needs a new base backup)',
    slot_name, pg_size_pretty(kept)),
    format('SELECT pg_drop_replication_slot(%%L)', slot_name), false, false
FROM pg_replication_slots, pg_wal_lsn_diff(
    CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END, restart_lsn) AS kept
WHERE NOT active AND kept > pg_size_bytes(current_setting('max_wal_size'))
"""


_WORD = re.compile(r"[a-z_]+")
# The statement that makes an index, and its name.
_INDEX = re.compile(r"(?m)^(CREATE INDEX (\w+) [^;]+)")


class Imposed(NamedTuple):
    """Something that others put upon the tables, the role or the database of this program.

    Attributes:
        what: it is, in words.
        away: the statement that takes it away.
        owners: whether the tables' owner may run that; otherwise an administrator has to.
        breaks: whether it keeps the service from working; otherwise it endangers the data or the server.
    """

    what: str
    away: str
    owners: bool
    breaks: bool


def imposed(db: PostgreSQLDatabase) -> list[Imposed]:
    """What others put upon the tables, the role and the database of this program.

    Raises:
        StoreError: it does not answer.
    """
    place = shown(db.url)
    with translate_errors(place), connect(db.url, BUSY_SECONDS) as connection:
        tables = [name for name in TABLES if _is_there(connection, name)]
        schema = "\n".join(migrations("postgresql"))
        indexes = dict(_INDEX.findall(schema)) if len(tables) == len(TABLES) else {}
        known = {
            "tables": tables,
            "names": [*set(_WORD.findall(schema))],
            "indexes": [*indexes.values()],
            "statements": [*indexes],
        }
        return [Imposed._make(row) for row in connection.execute(_IMPOSED, known)]


def _is_there(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])


# Row locks are held by RowExclusiveLock too: of others than this program's own role it tells of an unfinished change.
_HELD = """
SELECT a.pid, coalesce(a.usename, '?'), l.mode FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.granted AND l.relation = ANY (%(tables)s::regclass[]) AND a.pid != pg_backend_pid() AND (
    l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    OR (l.mode = 'RowExclusiveLock' AND a.usename != current_user))
"""


def holders(db: PostgreSQLDatabase) -> dict[int, str]:
    """The sessions that keep others from writing to the tables, and what they hold.

    Raises:
        StoreError: it does not answer.
    """
    place = shown(db.url)
    with translate_errors(place), connect(db.url, BUSY_SECONDS) as connection:
        tables = [name for name in TABLES if _is_there(connection, name)]
        rows = connection.execute(_HELD, {"tables": tables}).fetchall()
        return {int(pid): f"session {pid} of {user} holds a {mode}" for pid, user, mode in rows}


def _empty(connection: psycopg.Connection, place: str) -> int:
    """The version of a database without tables: 0, if its encoding can hold the names of stations."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreRefusedError(
            f"the database {place} has the encoding {encoding}, which backups cannot carry: "
            "make it anew by CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"
        )
    return 0


def _version(connection: psycopg.Connection, place: str) -> int:
    row = connection.execute("SELECT version FROM schema_version").fetchone()
    version: int = row[0] if row else 0
    if version > (known := len(migrations("postgresql"))):
        raise NewerSchemaError(
            f"the database {place} has schema {version}, this program knows up to {known}: run the newer release"
        )
    return version
