"""SQLite's schema and its versions: forward only, each step in one transaction.

A migration is a file `NNNN_name.sql`; the database says in `PRAGMA user_version` which was the last one.
"""

from __future__ import annotations

import sqlite3

from toolkit.store.base import migrations
from toolkit.store.encoding import TRIGGERS_SQL, VIEW_SQL

APPLICATION_ID = 0x77746B74  # "wtkt": file(1) and a restore can tell our database from another

_MIGRATIONS = migrations("sqlite")
VERSION = len(_MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database, also an empty one, to this program's schema. The caller holds the write transaction."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    connection.execute("DROP VIEW IF EXISTS observations")
    for script in _MIGRATIONS[version:]:
        for statement in _statements(script):
            connection.execute(statement)
    for statement in (VIEW_SQL, *TRIGGERS_SQL):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _statements(script: str) -> list[str]:
    """The script's statements one by one: executescript would commit the transaction that it is to run in."""
    found: list[str] = []
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found
