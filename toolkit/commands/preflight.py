"""`weather-tool preflight`: whether this release could run here, before it does; it changes nothing."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sqlite3
from contextlib import closing
from pathlib import Path

import toolkit
from toolkit import __version__
from toolkit.errors import ToolkitError
from toolkit.kinds import is_postgresql
from toolkit.settings import Loaded
from toolkit.store.base import migrations

EXAMPLES = ("weather-tool preflight",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.epilog = (
        "Imports every part of the release, reads the settings, and rehearses what would become of the database's\n"
        "schema on an empty copy. Exit code 1 where the release cannot run here."
    )


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Rehearse."""
    parts = _imported()
    now, after = schema(loaded.settings.db)
    if args.json:
        told = {"release": __version__, "modules": parts, "schema": {"now": now, "after": after}}
        print(json.dumps(told))
        return 0
    becomes = "there is no database yet" if now is None else f"schema {now} stays" if now == after else (
        f"schema {now} becomes {after}"
    )  # fmt: skip
    print(f"{__version__} could run here: {parts} modules imported, the settings can be used, {becomes}")
    return 0


def _imported() -> int:
    """Import every module; how many.

    Raises:
        ToolkitError: one cannot be imported.
    """
    names = [one.name for one in pkgutil.walk_packages(toolkit.__path__, "toolkit.") if one.name != "toolkit.__main__"]
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise ToolkitError(f"{name} cannot be imported: {type(error).__name__}: {error}") from error
    return len(names)


def schema(db: str) -> tuple[int | None, int]:
    """The schema that a database has (None: there is none), and that which this release would bring it to.

    Raises:
        ToolkitError: this release cannot use it.
    """
    if is_postgresql(db):
        from toolkit.store import postgresql

        return postgresql.version_of(db), len(migrations("postgresql"))
    from toolkit.store import sqlite_schema
    from toolkit.store.sqlite import only_looking

    path = Path(db)
    if not path.exists() or not path.stat().st_size:
        return None, sqlite_schema.VERSION
    try:
        with closing(sqlite3.connect(only_looking(path), uri=True, timeout=5)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            made = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")]
    except sqlite3.Error as error:
        raise ToolkitError(f"the database {db} cannot be read: {error}") from error
    if version > sqlite_schema.VERSION:
        raise ToolkitError(f"the database {db} has schema {version}, this release knows up to {sqlite_schema.VERSION}")
    if version < sqlite_schema.VERSION:
        _rehearse(made, version)
    return version, sqlite_schema.VERSION


def _rehearse(made: list[str], version: int) -> None:
    from toolkit.store import sqlite_schema

    try:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            for sql in made:
                if not sql.startswith("CREATE TABLE sqlite_"):
                    copy.execute(sql)
            copy.execute(f"PRAGMA user_version = {version}")
            copy.execute("BEGIN")
            sqlite_schema.migrate(copy)
    except sqlite3.Error as error:
        raise ToolkitError(f"the step from schema {version} to {sqlite_schema.VERSION} fails: {error}") from error
