"""PostgreSQL's part of a backup: a snapshot by pg_dump, and the check that all of it can be read."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryDirectory
from typing import IO, Any

import psycopg

from toolkit.address import shown
from toolkit.backup.manifest import Content
from toolkit.database import PostgreSQLDatabase
from toolkit.errors import ToolkitError
from toolkit.store import StoreError
from toolkit.store.base import migrations
from toolkit.store.postgresql_connection import connect, password, translate_errors
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
# The entries that pg_dump writes for this program's tables.
_ENTRY = re.compile(
    r"\d+; \d+ \d+ (TABLE DATA|TABLE|CONSTRAINT|INDEX|SEQUENCE SET|SEQUENCE OWNED BY|SEQUENCE|DEFAULT) \S+ (\w+) "
)


def size_bytes(db: PostgreSQLDatabase) -> int:
    """How large a snapshot will be at most: text takes no more than the tables and their indexes.

    Raises:
        StoreError: the database cannot be asked, or pg_dump alone is not enough for it.
    """
    with translate_errors(shown(db.url)), connect(db.url, PATIENCE_SECONDS) as connection:
        if connection.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone():
            raise StoreError(
                f"the database {shown(db.url)} has TimescaleDB, whose tables pg_dump does not bring back: "
                "use the server's own backups"
            )
        size = connection.execute(
            "SELECT SUM(pg_total_relation_size(to_regclass(t))) FROM unnest(%s::text[]) t", [[*TABLES]]
        )
        (found,) = size.fetchone() or (0,)
        return int(found or 0)


def snapshot(db: PostgreSQLDatabase, to: Path) -> Content:
    """Dump a database as it is at one moment, and tell what it held at that moment.

    pg_dump's custom format, of the snapshot that a counting transaction exports: no writer waits for it.

    Raises:
        StoreError: it cannot be read, or is no weather database.
        ToolkitError: pg_dump is not there, or too old for the server.
    """
    with translate_errors(shown(db.url)), connect(db.url, PATIENCE_SECONDS) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            content = held(connection)
            (exported,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
            tables = [f"--table={name}" for name in _tables_of(content.schema_version)]
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

    Nothing else of a dump is ever used: pg_restore writes it as SQL, which could say anything.

    Raises:
        StoreError: it cannot be read, or holds something else.
    """
    _require_ours(dump)
    seen = set()
    command = ["pg_restore", "--data-only", "--file=-", str(dump)]
    with client() as environment, started(command, environment, stdout=PIPE) as reading:
        assert reading.stdout  # noqa: S101 - for the type checker
        lines = iter(partial(reading.stdout.readline, LARGEST_ROW), b"")
        for line in lines:
            if not line.startswith(b"COPY "):
                continue
            found = _COPY.fullmatch(line)
            table = found[1].decode() if found else ""
            if not found or table not in TABLES or table in seen:
                raise StoreError(f"{dump.name} has what this program did not write: {_shown(line)}")
            seen.add(table)
            yield table, found[2].decode().replace('"', "").split(", "), _rows(lines, dump)
    if reading.returncode:
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


@contextmanager
def client() -> Iterator[dict[str, str]]:
    """The environment of PostgreSQL's own programs: times in UTC, and the password in a file that only we can read."""
    with TemporaryDirectory(prefix="weather-postgresql-") as folder:
        environment = {**os.environ, "PGTZ": "UTC", "PGCONNECT_TIMEOUT": "10", "PGAPPNAME": "weather-tool"}
        if secret := password():
            file = Path(folder, "pgpass")
            file.touch(mode=0o600)
            file.write_text("*:*:*:*:" + secret.replace("\\", r"\\").replace(":", r"\:") + "\n", encoding="utf-8")
            environment["PGPASSFILE"] = str(file)
        yield environment


def run(command: Sequence[str], environment: dict[str, str]) -> str:
    """Run one of PostgreSQL's programs; returns its standard output.

    Raises:
        ToolkitError: it failed; what it said last.
    """
    with started(command, environment, stdout=PIPE, stderr=PIPE) as process:
        written, errors = process.communicate()
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
        raise ToolkitError(f"{command[0]} failed: {one_line(' '.join(lines[-2:]))}")
    return written.decode("utf-8", "replace")


@contextmanager
def started(command: Sequence[str], environment: dict[str, str], **streams: int | IO[bytes]) -> Iterator[Popen[bytes]]:
    """Start one of PostgreSQL's programs, and end it with the context; streams that are not given are empty.

    Raises:
        ToolkitError: it is not installed.
    """
    if not shutil.which(command[0]):
        raise ToolkitError(f"{command[0]} is not installed: apt-get install postgresql-client")
    all_streams: dict[str, Any] = {**dict.fromkeys(("stdin", "stdout", "stderr"), DEVNULL), **streams}
    with Popen(command, env=environment, **all_streams) as process:  # noqa: S603
        try:
            yield process
        except BaseException:
            process.kill()
            raise
