"""Why a PostgreSQL server does not do what is asked: what others changed on it, what it says, what mends that."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from toolkit.address import shown
from toolkit.checks import Finding, Status, bad
from toolkit.checks.database import as_administrator, changed, have_backup
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import SYSTEMD
from toolkit.checks.host.systemd import UNITS
from toolkit.checks.reach import reach
from toolkit.checks.remedies import (
    EditSettings,
    OnController,
    OnMachine,
    Remedy,
    Restart,
    Restore,
    Sequence,
    Then,
    Tool,
)
from toolkit.collector import known_database
from toolkit.database import PostgreSQLDatabase
from toolkit.errors import ToolkitError

# The sockets of the servers of this host; their names end in the port (Debian's folder, libpq's default).
SOCKETS = Path("/var/run/postgresql")
_LOCAL = {"localhost", "127.0.0.1", "::1", ""}
# The unit of a server that a package of this host brought.
SERVER_UNIT = Path("/usr/lib/systemd/system/postgresql.service")


class _Names(NamedTuple):
    """What the setting of the database names, quoted as SQL has names."""

    role: str
    database: str


_Mend = Callable[[_Names], Remedy]


def _sql(*statements: str) -> _Mend:
    return lambda names: as_administrator(*(one.format(*names) for one in statements))


def _reset(*settings: str) -> _Mend:
    """Take settings from whatever they may have been given for."""
    kept_for = ("ROLE {0}", "DATABASE {1}", "ROLE {0} IN DATABASE {1}", "ROLE ALL")
    return _sql(*(f"ALTER {place} RESET {setting}" for setting in settings for place in kept_for))


_NO_ROLE, _EXPIRED = "role .* does not exist", "the password was valid until"
# What a server says (its messages are English unless lc_messages says otherwise), what that means, and what mends it.
_REFUSALS: tuple[tuple[str, str, _Mend], ...] = (
    (
        "Connection refused", "nothing listens there: the server is stopped, or listens elsewhere",
        lambda _names: OnMachine("systemctl start postgresql", note="on the database's server"),
    ),
    (
        "password authentication failed",
        "the password of this host is not that of the server's role, or that has expired or is there no more",
        lambda _names: OnController(),
    ),
    (
        "no password supplied",
        "this host has no password for the server's role: the credential postgresql_password is gone",
        lambda _names: OnController(),
    ),
    (
        "too many connections for role", "the role's CONNECTION LIMIT is reached",
        _sql("ALTER ROLE {0} CONNECTION LIMIT -1"),
    ),
    (
        "too many connections for database", "the database's CONNECTION LIMIT is reached",
        _sql("ALTER DATABASE {1} CONNECTION LIMIT -1"),
    ),
    (
        "too many clients already|remaining connection slots",
        "the server has no connection left (max_connections): others hold them",
        _sql("SELECT usename, datname, client_addr, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC"),
    ),
    (
        "statement timeout",
        "a time limit that others gave the role or the database ends what the service asks",
        _reset("statement_timeout"),
    ),
    ("is not permitted to log in", "the role may not log in", _sql("ALTER ROLE {0} LOGIN")),
    (
        "not currently accepting connections", "the database is closed to connections",
        _sql("ALTER DATABASE {1} ALLOW_CONNECTIONS true"),
    ),
    (
        "permission denied for database", "the role may not connect to the database",
        _sql("GRANT CONNECT, TEMPORARY ON DATABASE {1} TO {0}"),
    ),
    (
        "permission denied for schema", "the role may not use the schema of its tables",
        _sql("ALTER SCHEMA {0} OWNER TO {0}"),
    ),
    (
        "pg_hba.conf", "the server's pg_hba.conf does not let the service log in from here",
        _sql("TABLE pg_hba_file_rules"),
    ),
    (
        _EXPIRED, "the password of the server's role has expired (VALID UNTIL)",
        _sql("ALTER ROLE {0} VALID UNTIL 'infinity'"),
    ),
    (
        _NO_ROLE, "the server has no such role: whoever owns the database was it before, unless it was removed",
        _sql(
            "DO $$ BEGIN EXECUTE (SELECT format($r$ALTER ROLE %I RENAME TO {0}$r$, pg_get_userbyid(datdba)) "
            "FROM pg_database WHERE format($d$\"%s\"$d$, datname) = $d${1}$d$ AND datdba != 10); END $$"
        ),
    ),
    ("database .* does not exist", "the server does not have it", lambda _names: OnController()),
)  # fmt: skip


def imposed_on(host: Host, server: PostgreSQLDatabase) -> Finding | None:
    """The finding of what others put upon the tables of a server; None where there is nothing."""
    from toolkit.store.postgresql import imposed

    found = imposed(server)
    if not found:
        return None
    breaking = [one for one in found if one.breaks]
    severity = None if breaking else Status.WARNING
    found = breaking or found
    said = f"others have changed the database: {', '.join(one.what for one in found)}"
    if owners := [one.away for one in found if one.owners]:
        return bad(said, changed(host, *owners), severity=severity)
    # A database that is set to be read alone refuses also what would undo that.
    statements = ["SET default_transaction_read_only = off", *(one.away for one in found), "SELECT pg_reload_conf()"]
    return bad(said, as_administrator(*statements, database=server.name), severity=severity)


def refused(host: Host, server: PostgreSQLDatabase, said: str) -> Finding:
    """The finding that a server cannot be used.

    Args:
        host: the host that asks.
        server: what the settings name.
        said: what the server, or libpq, said of it.
    """
    if re.search("Connection refused|No such file", said) and (elsewhere := _elsewhere(host, server)):
        return elsewhere
    if "timeout expired" in said:
        return _silent(server, said)
    names = _names(server)
    if "password authentication failed" in said:  # the server says so also of a role that it has not
        said = _by_its_socket(server) or said
    if found := re.search(r"are in the schema (.+): was it renamed", said):
        if found[1] == server.role:
            own = as_administrator(f"ALTER SCHEMA {names.role} OWNER TO {names.role}", database=server.name)
            return bad(f"the role may not use the schema of its tables, {server.role}", own)
        return bad(said, as_administrator(f"ALTER SCHEMA {found[1]} RENAME TO {names.role}", database=server.name))
    if "is empty: the collector" in said and known_database.is_known(host.settings):
        again = Restore() if have_backup(host) else Tool("data new")
        make = f"CREATE SCHEMA IF NOT EXISTS {names.role} AUTHORIZATION {names.role}"
        return bad(
            f"the tables of the database {shown(server.url)} are gone, and there were observations in them",
            Then(as_administrator(make, database=server.name), "on the database's server, then here: {}", again),
        )
    for pattern, why, mend in _REFUSALS:
        if re.search(pattern, said):
            return bad(f"{why}: {said}", mend(names))
    return bad(said)


def _by_its_socket(server: PostgreSQLDatabase) -> str:
    """Why a server of this host takes no password of the role, as its socket tells; empty where that does not."""
    if not _is_here(server) or not (SOCKETS / f".s.PGSQL.{server.port}").is_socket():
        return ""
    from toolkit.store.postgresql_connection import refusal_at

    said = refusal_at(str(SOCKETS), server)
    return said if re.search(f"{_NO_ROLE}|{_EXPIRED}", said) else ""


def not_at_boot(server: PostgreSQLDatabase) -> Finding | None:
    """The finding that a server of this host does not come back with it; None where it does, or is elsewhere."""
    if not _is_here(server) or not SERVER_UNIT.exists():
        return None
    if not SYSTEMD.is_dir() or any(UNITS.glob("*.target.wants/postgresql*.service")):
        return None
    return bad(
        "postgresql.service is disabled: the database does not come back with the host",
        OnMachine("systemctl enable postgresql.service"),
        Status.WARNING,
    )


def _silent(server: PostgreSQLDatabase, said: str) -> Finding:
    """The finding that a server does not answer: its host takes no connection, or its kernel does and it does not."""
    try:
        reach(f"//{urlsplit(server.url).hostname or 'localhost'}:{server.port}")
    except ToolkitError as error:
        return bad(str(error))
    # What is not stopped does not mind.
    return bad(
        "the server takes connections and does not answer: it is stopped (by SIGSTOP or a debugger), or overloaded: "
        f"{said}",
        OnMachine("systemctl kill --signal=SIGCONT 'postgresql@*.service'", note="on the database's server"),
    )


def _is_here(server: PostgreSQLDatabase) -> bool:
    """Whether a server is to be on this host: it has an address of this host's, to which a socket can be bound."""
    name = urlsplit(server.url).hostname or ""
    if name in _LOCAL:
        return True
    with suppress(OSError, UnicodeError):
        family, *_, address = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.bind(address)
            return True
    return False


def _names(server: PostgreSQLDatabase) -> _Names:
    return _Names(*('"{}"'.format(one.replace('"', '""')) for one in (server.role, server.name)))


def _elsewhere(host: Host, server: PostgreSQLDatabase) -> Finding | None:
    """The finding that nothing listens where the settings say, on this host; and what does listen, and where."""
    if not _is_here(server):
        return None
    if (SOCKETS / f".s.PGSQL.{server.port}").is_socket():
        return bad(
            f"the PostgreSQL server of this host listens at no address (listen_addresses): {shown(server.url)} cannot "
            "be reached",
            Sequence(
                as_administrator("ALTER SYSTEM SET listen_addresses = 'localhost'"),
                OnMachine("systemctl restart postgresql"),
                Restart("collector"),
            ),
        )
    ports = sorted({int(path.name.rpartition(".")[2]) for path in SOCKETS.glob(".s.PGSQL.*[0-9]")} - {server.port})
    if not ports:
        return bad(
            f"no PostgreSQL server runs on this host: {shown(server.url)} cannot be reached",
            Sequence(OnMachine("systemctl start postgresql"), Restart("collector")),
        )
    there = urlsplit(server.url).netloc
    here = f"{there.removesuffix(f':{server.port}')}:{ports[0]}"
    return bad(
        f"PostgreSQL listens at port {ports[0]} of this host, and WEATHER_DB names {server.port}: {shown(server.url)}",
        Sequence(
            EditSettings(f"/^WEATHER_DB=/s|//{there}/|//{here}/|", host.settings_file),
            Restart(*(host.services or ["collector"])),
        ),
    )
