"""A real PostgreSQL server, started by the tests that need one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.ports import free_port

# initdb and postgres refuse to be root.
UNPRIVILEGED = "postgres"


def programs() -> Path:
    """The newest server's programs.

    Raises:
        FileNotFoundError: none is installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    other = shutil.which("postgres")
    if not found and not other:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent if found else Path(other or "").parent


def require_timescaledb() -> None:
    """Skip a test that needs TimescaleDB where it is not installed: no archive that CI reaches has it."""
    if not [*programs().parent.glob("lib/timescaledb.so")]:
        pytest.skip("TimescaleDB is not installed beside PostgreSQL: docs/postgresql.md says how it was tried by hand")


class Server:
    """A cluster of its own in a folder, on a free port of loopback.

    Args:
        folder: a folder that is not there yet.
        bin_folder: the server's programs; None for the newest that is installed.
        settings: of the server, such as `fsync="off"`, where they are not the defaults.
    """

    def __init__(self, folder: Path, bin_folder: Path | None = None, /, **settings: str) -> None:
        folder.mkdir(parents=True)
        self._programs = bin_folder or programs()
        self._data = folder / "data"
        self._log = folder / "log"
        self.port = free_port()
        self.sockets = folder
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(folder),
            **settings,
        }
        if os.geteuid() == 0:
            user = pwd.getpwnam(UNPRIVILEGED)
            os.chown(folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", str(self._data))
        self.start()

    def _run(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), *words]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups", *command]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Start the server; it takes connections when this returns."""
        options = " ".join(f"-c {name}='{value}'" for name, value in self._settings.items())
        self._run("pg_ctl", "start", "-w", "-s", "-D", str(self._data), "-l", str(self._log), "-o", options)

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: `immediate` as a crash would, `fast` as an operator does."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", mode, "-D", str(self._data))

    def database(self, name: str, encoding: str = "UTF8") -> str:
        """Make an empty database; returns what WEATHER_DB would be."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING '{encoding}'")
        if self._settings.get("shared_preload_libraries") == "timescaledb":
            with psycopg.connect(self.url(name)) as connection:
                connection.execute("CREATE EXTENSION timescaledb")
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def copy(self, name: str, new: str) -> str:
        """Copy a database to which nobody is connected; returns what WEATHER_DB would be."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{new}" TEMPLATE "{name}"')
        return self.url(new)

    def dump(self, name: str, file: Path) -> None:
        """Write a database to a file, as pg_dump does."""
        subprocess.run([self._programs / "pg_dump", "-Fc", "-f", file, self.url(name)], check=True)

    def load(self, name: str, file: Path) -> None:
        """Bring what `dump` wrote into an empty database."""
        subprocess.run([self._programs / "pg_restore", "-d", self.url(name), file], check=True)

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"
