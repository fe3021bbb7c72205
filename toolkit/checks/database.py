"""The database's file, opened to be looked at: what the checks of the database share."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager

from toolkit import credentials
from toolkit.checks.host import Host
from toolkit.checks.host.database import LOCK_SECONDS
from toolkit.checks.host.deployment import CURRENT
from toolkit.checks.remedies import OnMachine, Remedy, Restore, Sequence, Shell, Start, Stop, Tool, python
from toolkit.credentials import Credential


def file_of(host: Host) -> os.stat_result | None:
    """The database's file, where SQLite is used and there is a file that is not empty."""
    if host.on_server:
        return None
    found = host.look(host.db)
    return found if found and found.st_size and stat.S_ISREG(found.st_mode) else None


@contextmanager
def opened(host: Host) -> Iterator[sqlite3.Connection]:
    """The database, opened so that nothing of it is changed."""
    from toolkit.store.sqlite_file import only_looking

    with closing(
        sqlite3.connect(only_looking(host.db), uri=True, timeout=LOCK_SECONDS, isolation_level=None)
    ) as connection:
        yield connection


def restored(host: Host) -> Remedy:
    """Put a backup in the place of the database; where there is none, begin a new one and keep what there is.

    What is on a server is left to people.
    """
    if have_backup(host):
        return Restore()
    if host.on_server:
        return Tool("data summary")
    return Sequence(Shell("mv {} {}", host.db, f"{host.db}.broken"), Tool("data new"))


def have_backup(host: Host) -> bool:
    """Whether there is a backup that looks whole."""
    try:
        return bool(host.backups[0])
    except Exception:
        return False


def uncovered(host: Host) -> Remedy:
    """Take away what is mounted over the folder of the database."""
    away = OnMachine("umount {}", host.db.parent)
    return Sequence(*map(Stop, host.services), away, *map(Start, host.services))


def changed(host: Host, *statements: str) -> Remedy:
    """Change rows, or a shape, by SQL."""
    if host.on_server:
        password = 'PGPASSWORD="$(cat {})" ' if credentials.path(Credential.POSTGRESQL_PASSWORD) else ""
        file = [credentials.FOLDER / Credential.POSTGRESQL_PASSWORD] if password else []
        return Shell(f"{password}psql -q {{}} -c {{}}", *file, str(host.settings.db), "; ".join(statements))
    code = f"import sqlite3; sqlite3.connect({str(host.db)!r}, timeout=20).executescript({'; '.join(statements)!r})"
    return by_the_release(host, code)


def by_the_release(host: Host, code: str) -> Remedy:
    """Run a line of Python that may import the toolkit."""
    return python(f"{CURRENT if host.deployed else '.venv'}/bin/python", code)


def as_administrator(*statements: str, database: str = "postgres") -> Remedy:
    """Statements that only an administrator of PostgreSQL may run in a database, each in a transaction of its own."""
    options = " ".join("-c {}" for _ in statements)
    return OnMachine(
        f"runuser -u postgres -- psql -d {{}} {options}", database, *statements, note="on the database's server"
    )
