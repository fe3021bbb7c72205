"""PostgreSQL's own programs, pg_dump and pg_restore: which of them is run, how, and whether it fits the server."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryDirectory
from typing import IO, Any

import psycopg

from toolkit.errors import ToolkitError, reason
from toolkit.store.postgresql_connection import password
from toolkit.text import one_line

# Where Debian's packages postgresql-client-N put them: N/bin/NAME.
INSTALLED = Path("/usr/lib/postgresql")
WRAPPER = "pg_wrapper"
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class OldClientError(ToolkitError):
    """pg_dump is older than the server, of which it then makes no dump.

    Attributes:
        package: the package of Debian's or of PostgreSQL's own archive that has one that fits.
    """

    def __init__(self, client: int, server: int) -> None:
        self.package = f"postgresql-client-{server}"
        super().__init__(
            f"pg_dump is of PostgreSQL {client} and the server of {server}: it makes no dump of a newer server; "
            f"apt-get install {self.package}"
        )


class ProgramError(ToolkitError):
    """A program of PostgreSQL's is there and cannot be run.

    Attributes:
        program: its file.
    """

    def __init__(self, program: str, error: OSError) -> None:
        self.program = program
        super().__init__(f"{program} cannot be run: {reason(error)}")


def require_fitting(connection: psycopg.Connection) -> int:
    """Make sure that pg_dump can dump a server's databases; returns pg_dump's major version.

    Raises:
        OldClientError: it is older than the server.
        ToolkitError: it is not installed, or does not run.
    """
    said = run(["pg_dump", "--version"], dict(os.environ))
    found = _VERSION.search(said)
    if not found:
        raise ToolkitError(f"pg_dump --version says {one_line(said, 80)}")
    server = connection.info.server_version // 10000
    if int(found[1]) < server:
        raise OldClientError(int(found[1]), server)
    return int(found[1])


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
        ToolkitError: it is not installed, or cannot be run.
    """
    all_streams: dict[str, Any] = {**dict.fromkeys(("stdin", "stdout", "stderr"), DEVNULL), **streams}
    program = _found(command[0])
    try:
        began = Popen([program, *command[1:]], env=environment, **all_streams)  # noqa: S603
    except OSError as error:
        raise ProgramError(program, error) from error
    with began as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def _found(name: str) -> str:
    """The program of a name: of Debian's versions the newest, which works with every older server and dump.

    Debian's own command runs the version of this host's cluster, whichever server it is to talk to.
    """
    found = shutil.which(name)
    if found and Path(found).resolve().name != WRAPPER:
        return found
    versions = [path for path in INSTALLED.glob(f"*/bin/{name}") if path.parts[-3].isdecimal()]
    if not versions:
        raise ToolkitError(f"{name} is not installed: apt-get install postgresql-client")
    return str(max(versions, key=lambda path: int(path.parts[-3])))
