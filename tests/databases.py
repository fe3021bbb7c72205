"""Asking a database as a client of its own engine does, past the toolkit."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg

from toolkit.database import database


def query(db: str, text: str) -> list[tuple[Any, ...]]:
    """The rows of a query; `db` is a value of WEATHER_DB."""
    if database(db).file is None:
        with psycopg.connect(db, options="-c timezone=UTC") as connection:
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
