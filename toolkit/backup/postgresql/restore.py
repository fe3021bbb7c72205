"""Putting a backup in the place of a PostgreSQL database, by one transaction."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from toolkit import times
from toolkit.address import shown
from toolkit.backup import accounts, creating, flags, incidents, station_places, station_records
from toolkit.backup.folder import Backup, Folder
from toolkit.backup.postgresql import snapshot, timescale
from toolkit.backup.restorer import LATE_SECONDS, Restored
from toolkit.database import PostgreSQLDatabase
from toolkit.files import free_name
from toolkit.model import Station
from toolkit.store import StoreError, open_for_writing
from toolkit.store.base import migrations
from toolkit.store.postgresql import bring_up_to_date, drop, holds_tables
from toolkit.store.postgresql_connection import connect, translate_errors
from toolkit.text import one_line
from toolkit.variables import COLUMNS

# What the name of the database for drills has after that of the live one, beside which it is on the server.
DRILL = "_drill"
# How long a drill waits for those of other hosts.
TURN = "10min"
ROWS_PER_WRITE = 1000
logger = logging.getLogger(__name__)
STATION = (*Station._fields, "first_seen", "last_seen", "source")


def put(folder: Folder, backup: Backup, db: PostgreSQLDatabase, *, merge: bool) -> Restored:
    """See `restorer.Restorer`. What is replaced is kept as a backup of its own.

    Raises:
        ToolkitError: it cannot be done; the database is as it was.
    """
    done = Restored(backup)
    if _is_there(db):
        at = free_name(folder.path, "replaced-%Y%m%d_%H%M%S", times.now())
        creating.create(Folder(str(at)), db)
        done.replaced = at
    done.merged = _run(folder, backup, db, merge=merge and done.replaced is not None)
    with open_for_writing(db) as store:
        store.tidy(lambda: None)
    return done


def undo(folder: Folder, db: PostgreSQLDatabase, replaced: Path) -> None:
    """See `restorer.Restorer`."""
    _run(folder, Folder(str(replaced)).find("LATEST"), db, merge=False)


@contextmanager
def scratch(folder: Folder, backup: Backup, db: PostgreSQLDatabase) -> Iterator[PostgreSQLDatabase]:
    """See `restorer.Restorer`: a database named like the live one, with `_drill` after it, which has to be there."""
    parts = urlsplit(db.url)
    beside = PostgreSQLDatabase(urlunsplit(parts._replace(path=parts.path + DRILL)))
    try:
        _is_there(beside)
    except StoreError as error:
        raise StoreError(f"{error} (a drill needs an empty database {parts.path[1:]}{DRILL})") from None
    # Hosts that share a database share this one, too: one drill at a time.
    with translate_errors(shown(beside.url)), connect(beside.url, snapshot.PATIENCE_SECONDS) as turn:
        turn.execute(sql.SQL("SET lock_timeout TO {}").format(TURN))
        turn.execute("SELECT pg_advisory_lock(1)")
        try:
            _run(folder, backup, beside, merge=False)
            yield beside
        finally:
            _empty(beside)


def _run(folder: Folder, backup: Backup, db: PostgreSQLDatabase, *, merge: bool) -> int:
    """Replace all tables in one transaction; returns how many observations were taken over from the old ones."""
    dump = folder.scratch("dump")
    try:
        creating.unpack(backup, dump)
        with (
            translate_errors(shown(db.url)),
            connect(db.url, snapshot.PATIENCE_SECONDS) as connection,
            connection.transaction(),
        ):
            there, of_stations = (
                _columns(connection, "observations", COLUMNS),
                _columns(connection, "stations", STATION),
            )
            kinds = [
                kind
                for kind in (incidents, flags, accounts, station_records, station_places)
                if merge and _has(connection, kind.TABLES)
            ]
            if merge:
                connection.execute(_take_aside(backup, there, of_stations))
            for kind in kinds:
                connection.execute(sql.SQL(_take_tables_aside(kind.TABLES)))
            version = backup.manifest.content.schema_version
            was = timescale.kept(connection, snapshot.TABLES)
            _make_anew(connection, version)
            timescale.put_intervals_back(connection, was, snapshot.TABLES)
            with closing(snapshot.tables(dump)) as tables:
                for table, columns, rows in tables:
                    if table == "schema_version":
                        deque(rows, 0)  # read and left: the steps write it
                    else:
                        _fill(connection, table, columns, rows)
            _require_all(connection, backup)
            bring_up_to_date(connection, version)
            for lost in timescale.put_policies_back(connection, was, snapshot.TABLES):
                logger.warning("%s: %s is gone with the table that was replaced", shown(db.url), lost)
            connection.execute(accounts.END_SESSIONS)
            for kind in kinds:
                _take_over_tables(connection, kind.take_over("pg_temp.kept_"), kind.TABLES)
            if merge:
                connection.execute("DELETE FROM summarised")  # what is taken over changes days
            return _take_over(connection, there, of_stations) if merge else 0
    except StoreError as error:
        raise StoreError(f"{error}: the database is as it was") from None
    finally:
        dump.unlink(missing_ok=True)


def _make_anew(connection: psycopg.Connection, version: int) -> None:
    """Make the tables of a version as this program makes them, whatever a backup says of them."""
    _drop(connection)
    connection.execute("CREATE TABLE schema_version (version integer NOT NULL)")
    for script in migrations("postgresql")[:version]:
        connection.execute(sql.SQL(script))


def _drop(connection: psycopg.Connection) -> None:
    """Drop all tables of this program.

    Raises:
        StoreError: something depends on them that this program did not make; the transaction is to be ended.
    """
    timescale.require_no_aggregates(connection, snapshot.TABLES)
    try:
        drop(connection, ())
        timescale.drop(connection, snapshot.TABLES)
        drop(connection, snapshot.TABLES)
    except psycopg.errors.DependentObjectsStillExist as error:
        found = one_line((error.diag.message_detail or str(error)).splitlines()[0])
        raise StoreError(f"{found}: keep its definition, drop it, and make it again after the restore") from None


def _fill(connection: psycopg.Connection, table: str, columns: Sequence[str], rows: Iterator[bytes]) -> None:
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        while chunk := b"".join(islice(rows, ROWS_PER_WRITE)):
            copy.write(chunk)
    if "id" in columns:
        _number_on(connection, table)


def _number_on(connection: psycopg.Connection, table: str) -> None:
    """Set the sequence of a table so that its next row gets a number that is free."""
    connection.execute(
        sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), coalesce(MAX(id), 0) + 1, false) FROM {}").format(
            table, sql.Identifier(table)
        )
    )


def _columns(connection: psycopg.Connection, table: str, wanted: Sequence[str]) -> list[str]:
    """The columns that a table of the present database has: one of an older schema lacks some."""
    found = {
        name
        for (name,) in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND NOT attisdropped", (table,)
        )
    }
    return [name for name in wanted if name in found]


def _take_aside(backup: Backup, there: Sequence[str], of_stations: Sequence[str]) -> str:
    """SQL that copies what the present database may have beyond the backup, before its tables are replaced."""
    held, newest = backup.manifest.content, backup.manifest.last
    # A number that is written anew: no text of a manifest becomes SQL.
    last = f"'{'-infinity' if newest is None else times.stored(newest) + '+00'}'::timestamptz"
    # If rows of the past were imported meanwhile, there are more than the backup has, and all of them are compared.
    return f"""
LOCK TABLE observations, stations IN ACCESS EXCLUSIVE MODE;
CREATE TEMPORARY TABLE kept_stations ON COMMIT DROP AS SELECT {", ".join(of_stations)} FROM stations;
CREATE TEMPORARY TABLE kept_counters ON COMMIT DROP AS SELECT name, label, count FROM counters;
CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT {_row(there)} FROM observations WHERE time > CASE
    WHEN (SELECT COUNT(*) FROM observations WHERE time <= {last}) = {held.observations}
    THEN {last} - interval '{LATE_SECONDS} seconds' ELSE '-infinity' END;
"""


def _take_tables_aside(tables: Mapping[str, Sequence[str]]) -> str:
    """SQL that copies some tables of the present database as they are, before they are replaced."""
    copies = (
        f"CREATE TEMPORARY TABLE kept_{table} ON COMMIT DROP AS SELECT {', '.join(columns)} FROM {table};\n"
        for table, columns in tables.items()
    )
    return f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE;\n" + "".join(copies)


def _has(connection: psycopg.Connection, tables: Iterable[str]) -> bool:
    """Whether the present database has some tables: one of an older schema lacks them."""
    return all(
        connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone() == (True,) for table in tables
    )


def _take_over_tables(
    connection: psycopg.Connection, take_over: Iterable[str], tables: Mapping[str, Sequence[str]]
) -> None:
    """Take over what the copies of some tables of the replaced database have."""
    for statement in take_over:
        connection.execute(sql.SQL(statement))
    for table, columns in tables.items():
        if "id" in columns:
            _number_on(connection, table)


def _require_all(connection: psycopg.Connection, backup: Backup) -> None:
    """Make sure that what was restored is what the manifest says.

    Raises:
        StoreError: it is not; the transaction is to be ended.
    """
    number = backup.manifest.content.observations
    if connection.execute("SELECT COUNT(*) FROM observations").fetchone() != (number,):
        raise StoreError(f"not all of the {number} observations came back")


def _take_over(connection: psycopg.Connection, there: Sequence[str], of_stations: Sequence[str]) -> int:
    names = ", ".join(of_stations)
    connection.execute(
        f"INSERT INTO stations ({names}) SELECT {names} FROM pg_temp.kept_stations ON CONFLICT (station_id) DO NOTHING"
    )
    connection.execute(
        "INSERT INTO counters AS c (name, label, count) SELECT name, label, count FROM pg_temp.kept_counters "
        "ON CONFLICT (name, label) DO UPDATE SET count = greatest(c.count, excluded.count)"
    )
    newer = ", ".join(f"{name} = excluded.{name}" for name in (*there, "collected_at"))
    return connection.execute(
        f"INSERT INTO observations AS o ({_row(there)}) SELECT {_row(there)} FROM pg_temp.kept "
        f"ON CONFLICT (time, station_id) DO UPDATE SET {newer} WHERE excluded.collected_at > o.collected_at"
    ).rowcount


def _row(there: Sequence[str]) -> str:
    return ", ".join(("time", "station_id", *there, "collected_at"))


def _is_there(db: PostgreSQLDatabase) -> bool:
    with translate_errors(shown(db.url)), connect(db.url, snapshot.PATIENCE_SECONDS) as connection:
        return holds_tables(connection)


def _empty(db: PostgreSQLDatabase) -> None:
    with translate_errors(shown(db.url)), connect(db.url, snapshot.PATIENCE_SECONDS) as connection:
        _drop(connection)
