"""PostgreSQL's part: a snapshot by pg_dump, and a look at whether all of it can be read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryDirectory
from typing import IO, Any

import psycopg

from toolkit.address import shown
from toolkit.backup.manifest import Content
from toolkit.errors import ToolkitError
from toolkit.store import StoreError
from toolkit.store.base import migrations
from toolkit.store.postgresql import connect, password, said

NAME = "PostgreSQL"
ENDING = ".dump.zst"
VERSION = len(migrations("postgresql"))
PATIENCE_SECONDS = 30.0
TABLES = (
    "schema_version", "stations", "observations", "newest", "collection_log", "counters", "anomalies", "rejected",
)  # fmt: skip
CHUNK = 1 << 16


def size_bytes(db: str) -> int:
    """How large a snapshot will be at most: text takes no more than the tables and their indexes.

    Raises:
        StoreError: the database cannot be asked, or pg_dump alone is not enough for it.
    """
    with said(shown(db)), connect(db, PATIENCE_SECONDS) as connection:
        if connection.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone():
            raise StoreError(
                f"the database {shown(db)} has TimescaleDB, whose tables pg_dump does not bring back: "
                "use the server's own backups"
            )
        size = connection.execute(
            "SELECT SUM(pg_total_relation_size(to_regclass(t))) FROM unnest(%s::text[]) t", [[*TABLES]]
        )
        (found,) = size.fetchone() or (0,)
        return int(found or 0)


def snapshot(db: str, to: Path) -> Content:
    """Dump a database as it is at one moment, and tell what it held at that moment.

    pg_dump's custom format, of the snapshot that a counting transaction exports: no writer waits for it.

    Raises:
        StoreError: it cannot be read, or is no weather database.
        ToolkitError: pg_dump is not there, or too old for the server.
    """
    with said(shown(db)), connect(db, PATIENCE_SECONDS) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            content = held(connection)
            (exported,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
            tables = [f"--table={name}" for name in TABLES]
            form = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges", "--strict-names"]
            with client() as environment:
                words = ["pg_dump", *form, *tables, f"--snapshot={exported}", f"--file={to}", f"--dbname={db}"]
                run(words, environment)
    return content


def inspect(copy: Path, *, every_page: bool = True) -> Content:  # noqa: ARG001 - there is one way to look at a dump
    """What a dump holds, by reading all of it as a restore would.

    Raises:
        StoreError: it cannot be read.
    """
    rows = dict.fromkeys(TABLES, 0)
    first = last = version = None
    command = ["pg_restore", "--data-only", "--file=-", str(copy)]
    with client() as environment, started(command, environment, stdout=PIPE) as reading:
        table, place = None, 0
        for line in reading.stdout or ():
            if table is None:
                if line.startswith(b"COPY "):
                    name, _, columns = line[5:].decode().partition(" (")
                    table = name.rpartition(".")[2]
                    place = (
                        columns.partition(")")[0].replace('"', "").split(", ").index("time")
                        if table == "observations"
                        else 0
                    )
            elif line == b"\\.\n":
                table = None
            else:
                rows[table] += 1
                if table == "observations":
                    # All are written with the same offset, so text sorts as time does.
                    at = line.split(b"\t", place + 1)[place]
                    first, last = min(first or at, at), max(last or at, at)
                elif table == "schema_version":
                    version = int(line)
    if reading.returncode or version is None:
        raise StoreError(f"{copy.name} cannot be read by pg_restore")
    span = [at.decode()[:19] if at else None for at in (first, last)]
    return Content(rows["stations"], rows["observations"], span[0], span[1], version)


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


def run(command: Sequence[str], environment: dict[str, str]) -> None:
    """Run one of PostgreSQL's programs.

    Raises:
        ToolkitError: it failed; what it said last.
    """
    with started(command, environment, stderr=PIPE) as process:
        _, errors = process.communicate()
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
        raise ToolkitError(f"{command[0]} failed: {' '.join(lines[-2:])}")


def started(command: Sequence[str], environment: dict[str, str], **streams: int | IO[bytes]) -> Popen[bytes]:
    """One of PostgreSQL's programs as it runs; streams that are not given are empty.

    Raises:
        ToolkitError: it is not installed.
    """
    if not shutil.which(command[0]):
        raise ToolkitError(f"{command[0]} is not installed: apt-get install postgresql-client")
    all_streams: dict[str, Any] = {**dict.fromkeys(("stdin", "stdout", "stderr"), DEVNULL), **streams}
    return Popen(command, env=environment, **all_streams)  # noqa: S603
