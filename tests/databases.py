"""Asking a database as a client of its own engine does, past the toolkit."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import psycopg

from toolkit.database import database
from toolkit.store import sqlite_schema


def query(db: str, text: str) -> list[tuple[Any, ...]]:
    """The rows of a query; `db` is a value of WEATHER_DB."""
    if database(db).file is None:
        # A view of many short expressions takes ten times as long where each is compiled.
        with psycopg.connect(db, options="-c timezone=UTC -c jit=off") as connection:
            return connection.execute(text).fetchall()
    lite = sqlite3.connect(db)
    try:
        return lite.execute(text).fetchall()
    finally:
        lite.close()


def change(db: str, text: str) -> None:
    """Run a statement, for good."""
    if database(db).file is None:
        with psycopg.connect(db) as connection:
            connection.execute(text)
    else:
        lite = sqlite3.connect(db, isolation_level=None)
        lite.execute(text)
        lite.close()


def to_schema(db: str, version: int) -> None:
    """Take an SQLite database back to an earlier schema, as the release of that schema had it."""
    with (
        closing(sqlite3.connect(db, isolation_level=None)) as lite,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as earlier,
    ):
        wanted = sqlite_schema.expected(version)
        for sql in wanted.values():
            earlier.execute(sql)
        there = sqlite_schema.objects(lite)
        for kind, name in sorted(there, key=lambda one: ("trigger", "view", "index", "table").index(one[0])):
            if kind in {"trigger", "view"} or (kind, name) not in wanted:
                lite.execute(f"DROP {kind} IF EXISTS {name}")
            elif kind == "table":
                columns = "SELECT name FROM pragma_table_info(?)"
                for column in {*lite.execute(columns, (name,))} - {*earlier.execute(columns, (name,))}:
                    lite.execute(f"ALTER TABLE {name} DROP COLUMN {column[0]}")
        for (kind, _), sql in wanted.items():
            if kind in {"trigger", "view"}:
                lite.execute(sql)
        lite.execute(f"PRAGMA user_version = {version}")
