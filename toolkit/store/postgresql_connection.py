"""Connections to a PostgreSQL server, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from toolkit import credentials
from toolkit.address import without_secrets
from toolkit.credentials import Credential, CredentialError
from toolkit.database import PostgreSQLDatabase
from toolkit.store.base import StoreError
from toolkit.text import one_line

# What others may have set otherwise for the role, the database or the server: time limits of which this program has its
# own, whose rights it has, and how values are written, which psycopg does not read in other forms.
_OWN = (
    "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c datestyle=ISO -c intervalstyle=postgres "
    "-c role=none -c bytea_output=hex -c standard_conforming_strings=on "
    "-c default_transaction_isolation=read\\ committed"
)
# Those that servers have from a version on, as psycopg tells it.
_LATER_LIMITS = {"idle_session_timeout": 140000, "transaction_timeout": 170000}


def connect(url: str, patience: float) -> psycopg.Connection:
    """A connection that gives up within bounds when the server is silent or somebody holds a lock.

    Of what the role, the database or the server has set it keeps what says who may do what; not how long something may
    take, or how values are written.
    """
    options = psycopg.conninfo.conninfo_to_dict(url).get("options")
    connection = psycopg.connect(
        url,
        password=password(),
        autocommit=True,
        connect_timeout=max(2, int(patience)),
        application_name="weather-tool",
        tcp_user_timeout=10_000,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=2,
        options=f"{options} {_OWN}" if options else _OWN,
    )
    limits = [name for name, since in _LATER_LIMITS.items() if connection.info.server_version >= since]
    own = {
        **dict.fromkeys(limits, "0"),
        "timezone": "UTC",
        # Compiling the many short expressions of observations_qc takes longer than all else.
        "jit": "off",
        "lock_timeout": f"{int(patience * 1000)}ms",
    }
    each = sql.SQL(", ").join([sql.SQL("set_config({}, {}, false)").format(*one) for one in own.items()])
    connection.execute(sql.SQL("SELECT {}").format(each))
    return connection


def refusal_at(folder: str, server: PostgreSQLDatabase) -> str:
    """Why a server takes no password of a role, as it says by its socket, where it knows this user by its name."""
    try:
        with psycopg.connect(
            host=folder, port=server.port, user=server.role, dbname=server.name, password="", connect_timeout=2
        ) as connection:
            query = "SELECT rolvaliduntil FROM pg_roles WHERE rolname = current_user AND rolvaliduntil < now()"
            ended = connection.execute(query).fetchone()
    except psycopg.Error as error:
        return reason_of(error)
    return f"the password was valid until {ended[0]}" if ended else ""


def password() -> str | None:
    """The password, where it was handed over; without it libpq looks into ~/.pgpass."""
    try:
        return credentials.read(Credential.POSTGRESQL_PASSWORD)
    except CredentialError as error:
        raise StoreError(str(error)) from error


@contextmanager
def translate_errors(place: str) -> Iterator[None]:
    """Raise what psycopg raises as a StoreError that names the database."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreError(f"the database {place} cannot be used: {reason_of(error)}") from error


def reason_of(error: psycopg.Error) -> str:
    """The first line of what the server or libpq says, without passwords."""
    lines = str(error).strip().splitlines()
    return one_line(without_secrets(lines[0])) if lines else type(error).__name__
