"""PostgreSQL's part of a backup: a snapshot by pg_dump or by COPY, and the check that all of it can be read."""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from subprocess import PIPE
from typing import IO

import psycopg

from toolkit.address import shown
from toolkit.backup.manifest import Content
from toolkit.backup.postgresql import rows as rows_alone
from toolkit.backup.postgresql import timescale
from toolkit.backup.postgresql.programs import client, require_fitting, run, started
from toolkit.database import PostgreSQLDatabase
from toolkit.errors import ToolkitError
from toolkit.store import StoreError
from toolkit.store.base import migrations
from toolkit.store.postgresql_connection import connect, translate_errors
from toolkit.text import one_line

ENDING = ".dump.zst"
VERSION = len(migrations("postgresql"))
PATIENCE_SECONDS = 30.0
TABLES = (
    "schema_version", "stations", "observations", "newest", "collection_log", "counters", "anomalies", "rejected",
    "incidents", "incident_stations", "incident_history", "maintenance", "outbox", "runs",
    "detector_flags", "judged", "accounts", "sessions", "station_history", "sensor_health",
    "station_places", "station_sensors", "daily", "summarised", "sources",
)  # fmt: skip
# The size of a row as COPY writes it, in bytes.
LARGEST_ROW = 16 << 20
_LARGEST_VERSION = 8
_COPY = re.compile(rb'COPY (?:(?:"(?:[^"]|"")+"|\w+)\.)?(\w+) \(([\w", ]+)\) FROM stdin;\n')
logger = logging.getLogger(__name__)
# The entries that pg_dump writes for this program's tables.
_ENTRY = re.compile(
    r"\d+; \d+ \d+ (TABLE DATA|TABLE|CONSTRAINT|INDEX|SEQUENCE SET|SEQUENCE OWNED BY|SEQUENCE|DEFAULT) \S+ (\w+) "
)


def by_what(db: PostgreSQLDatabase) -> str:
    """By what snapshots of a database are made, in words.

    Raises:
        StoreError: the database cannot be asked.
        ToolkitError: pg_dump is needed, and is not there, or too old for the server.
    """
    with translate_errors(shown(db.url)), connect(db.url, PATIENCE_SECONDS) as connection:
        if timescale.hypertables(connection, TABLES):
            return "COPY: TimescaleDB keeps the observations in chunks"
        version, server = require_fitting(connection), connection.info.server_version // 10000
        return f"pg_dump of PostgreSQL {version}; the server is of {server}"


def size_bytes(db: PostgreSQLDatabase) -> int:
    """How large a snapshot will be at most: text takes no more than the tables and their indexes.

    Raises:
        StoreError: the database cannot be asked.
        ToolkitError: pg_dump is needed, and is not there, or too old for the server.
    """
    with translate_errors(shown(db.url)), connect(db.url, PATIENCE_SECONDS) as connection:
        if chunked := timescale.hypertables(connection, TABLES):
            in_chunks = timescale.size_bytes(connection, chunked)
        else:
            require_fitting(connection)
            in_chunks = 0
        size = connection.execute(
            "SELECT SUM(pg_total_relation_size(to_regclass(t))) FROM unnest(%s::text[]) t",
            [[name for name in TABLES if name not in chunked]],
        )
        (found,) = size.fetchone() or (0,)
        return int(found or 0) + in_chunks


def snapshot(db: PostgreSQLDatabase, to: Path) -> Content:
    """Write a database as it is at one moment into a file, and tell what it held at that moment.

    By pg_dump, in its custom format, of the snapshot that a counting transaction exports: no writer waits for it. What
    TimescaleDB keeps in chunks is not dumped with a table's name: then the same transaction writes the rows by COPY.

    Raises:
        StoreError: it cannot be read, or is no weather database.
        ToolkitError: pg_dump is not there, or too old for the server.
    """
    with translate_errors(shown(db.url)), connect(db.url, PATIENCE_SECONDS) as connection:
        chunked = timescale.hypertables(connection, TABLES)
        for one in timescale.left_out(connection, chunked):
            logger.warning("%s: the %s is not of this program: left out of the backup", shown(db.url), one)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            if chunked:
                # Before the first look: a chunk that is compressed or dropped later would be empty for an older look.
                connection.execute(f"LOCK TABLE {', '.join(chunked)} IN ACCESS SHARE MODE")
            content = held(connection)
            names = _tables_of(content.schema_version)
            if chunked:
                rows_alone.write(connection, names, to)
                return content
            (exported,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
            tables = [f"--table={name}" for name in names]
            form = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges", "--strict-names"]
            with client() as environment:
                words = ["pg_dump", *form, *tables, f"--snapshot={exported}", f"--file={to}", f"--dbname={db.url}"]
                run(words, environment)
    return content


def _tables_of(version: int) -> list[str]:
    """The tables that a schema has."""
    steps = "".join(migrations("postgresql")[:version])
    return [name for name in TABLES if name == "schema_version" or f"CREATE TABLE {name} (" in steps]


def inspect(copy: Path, *, every_page: bool = True) -> Content:  # noqa: ARG001 - there is one way to look at a dump
    """What a dump holds, by reading all of it as a restore would.

    Raises:
        StoreError: it cannot be read, or holds something else.
    """
    number = dict.fromkeys(TABLES, 0)
    first = last = version = None
    with closing(tables(copy)) as found:
        for table, columns, rows in found:
            place = columns.index("time") if table == "observations" and "time" in columns else 0
            for row in rows:
                number[table] += 1
                if table == "observations":
                    # All are written with the same offset, so text sorts as time does.
                    at = row.split(b"\t", place + 1)[: place + 1][-1]
                    first, last = min(first or at, at), max(last or at, at)
                elif table == "schema_version":
                    version = int(row) if row.strip().isdigit() and len(row) < _LARGEST_VERSION else None
    if version is None:
        raise StoreError(f"{copy.name} does not say which schema it has")
    span = [at.decode("utf-8", "replace")[:19] if at else None for at in (first, last)]
    return Content(number["stations"], number["observations"], span[0], span[1], version)


def tables(dump: Path) -> Generator[tuple[str, list[str], Iterator[bytes]]]:
    """The tables of a dump: name, columns, and rows as COPY has them, to be read to their end before the next.

    Nothing else of a dump is ever used: its SQL could say anything.

    Raises:
        StoreError: it cannot be read, or holds something else.
    """
    seen = set()
    with _commands(dump) as (reading, others_are_passed_over):
        lines = iter(partial(reading.readline, LARGEST_ROW), b"")
        for line in lines:
            if others_are_passed_over and not line.startswith(b"COPY "):
                continue
            found = _COPY.fullmatch(line)
            table = found[1].decode() if found else ""
            if not found or table not in TABLES or table in seen:
                raise StoreError(f"{dump.name} has what this program did not write: {_shown(line)}")
            seen.add(table)
            yield table, found[2].decode().replace('"', "").split(", "), _rows(lines, dump)


@contextmanager
def _commands(dump: Path) -> Iterator[tuple[IO[bytes], bool]]:
    """The SQL of a dump, from the first table on, and whether it has other commands than COPY, as pg_restore writes."""
    with dump.open("rb") as file:
        if file.read(len(rows_alone.HEADER)) == rows_alone.HEADER:
            yield file, False
            return
    _require_ours(dump)
    command = ["pg_restore", "--data-only", "--file=-", str(dump)]
    with client() as environment, started(command, environment, stdout=PIPE) as process:
        assert process.stdout  # noqa: S101 - for the type checker
        yield process.stdout, True
    if process.returncode:
        raise StoreError(f"{dump.name} cannot be read by pg_restore")


def _rows(lines: Iterator[bytes], dump: Path) -> Iterator[bytes]:
    for line in lines:
        if line == b"\\.\n":
            return
        if not line.endswith(b"\n"):
            raise StoreError(f"{dump.name} has a row of more than {LARGEST_ROW >> 20} MiB")
        yield line
    raise StoreError(f"{dump.name} ends within a table")


def _require_ours(dump: Path) -> None:
    """Check a dump's table of contents.

    Raises:
        StoreError: there is something of another kind or name in it.
    """
    with client() as environment:
        try:
            listed = run(["pg_restore", "--list", str(dump)], environment)
        except ToolkitError as error:
            raise StoreError(f"{dump.name} cannot be read: {error}") from None
    for line in listed.splitlines():
        found = _ENTRY.match(line)
        if not line.startswith(";") and (not found or (found[1].startswith("TABLE") and found[2] not in TABLES)):
            raise StoreError(f"{dump.name} has what this program did not write: {_shown(line.encode())}")


def _shown(line: bytes) -> str:
    return one_line(line.decode("utf-8", "replace"), 80)


def held(connection: psycopg.Connection) -> Content:
    """What a database holds.

    Raises:
        StoreError: it is no weather database.
    """
    there = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    if there != (True,):
        raise StoreError(f"the database {connection.info.dbname} is not one of this service")
    row = connection.execute(
        "SELECT (SELECT COUNT(*) FROM stations), COUNT(*), to_char(MIN(time), 'YYYY-MM-DD HH24:MI:SS'), "
        "to_char(MAX(time), 'YYYY-MM-DD HH24:MI:SS'), (SELECT version FROM schema_version) FROM observations"
    ).fetchone()
    return Content._make(row or ())
