"""Connections to a PostgreSQL server, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from toolkit import credentials
from toolkit.address import without_secrets
from toolkit.credentials import Credential, CredentialError
from toolkit.store.base import StoreError
from toolkit.text import one_line


def connect(url: str, patience: float) -> psycopg.Connection:
    """A connection that gives up within bounds when the server is silent or somebody holds a lock."""
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
    )
    with connection.transaction():
        connection.execute("SET timezone TO 'UTC'")
        # Compiling the many short expressions of observations_qc takes longer than all else.
        connection.execute("SET jit TO off")
        connection.execute(sql.SQL("SET lock_timeout TO {}").format(f"{int(patience * 1000)}ms"))
    return connection


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
