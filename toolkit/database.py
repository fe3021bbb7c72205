"""The database that the setting `db` names, as a value that knows its engine.

An engine offers its parts in modules of its name, which `part_of` finds: `toolkit.store.ENGINE` opens a database,
`toolkit.backup.ENGINE` makes snapshots and restores them, `toolkit.query.ENGINE` answers SQL. People call an engine by
its `label`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class SQLiteDatabase:
    """A file of this machine."""

    engine: ClassVar[str] = "sqlite"
    label: ClassVar[str] = "SQLite"
    file: Path

    def __str__(self) -> str:
        return str(self.file)


@dataclass(frozen=True, slots=True)
class PostgreSQLDatabase:
    """A database on a server."""

    engine: ClassVar[str] = "postgresql"
    label: ClassVar[str] = "PostgreSQL"
    schemes: ClassVar[tuple[str, ...]] = ("postgresql://", "postgres://")
    default_port: ClassVar[int] = 5432
    file: ClassVar[None] = None
    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def port(self) -> int:
        """The server's TCP port."""
        return urlsplit(self.url).port or self.default_port

    @property
    def role(self) -> str:
        """The login role; empty where the address does not name it."""
        return unquote(urlsplit(self.url).username or "")

    @property
    def name(self) -> str:
        """The database's name on the server: libpq's default is the role's."""
        return unquote(urlsplit(self.url).path.lstrip("/")) or self.role


Database = SQLiteDatabase | PostgreSQLDatabase
"""A database; `str` gives it as the setting has it. `file` is None for one that is on a server."""

FORMS = "the path of an SQLite file, or postgresql://USER@HOST/DATABASE"
"""What a text may be that names a database."""


def database(named: Database | str) -> Database:
    """The database that a text names, which is a valid setting; a database is itself."""
    if not isinstance(named, str):
        return named
    return PostgreSQLDatabase(named) if named.startswith(PostgreSQLDatabase.schemes) else SQLiteDatabase(Path(named))


def part_of(module: str, of: Database) -> Any:
    """The module for the database's engine, whose name stands in the place of `{}`: of `toolkit.store.{}`, say."""
    return import_module(module.format(of.engine))
