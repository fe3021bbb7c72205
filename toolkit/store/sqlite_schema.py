"""SQLite's schema and its versions: forward only, each step in one transaction.

A migration is a file `NNNN_name.sql`; the database says in `PRAGMA user_version` which was the last one. The views
`observations`, with its triggers, and `observations_qc` follow from the columns of the table `observation` and are made
anew by every step.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from functools import cache
from importlib import resources

from toolkit.store.base import migrations
from toolkit.store.encoding import shown_sql, view_sql
from toolkit.store.flag_views import ViewDialect, flags_view, observations_qc_view
from toolkit.text import one_line
from toolkit.variables import COLUMNS

APPLICATION_ID = 0x77746B74  # "wtkt": file(1) and a restore can tell our database from another

_MIGRATIONS = migrations("sqlite")
VERSION = len(_MIGRATIONS)
# The last schema whose view was written by hand: a backup of it has exactly that text.
_VIEW_BY_HAND = 4
# The first schema with flags.
_FLAGS = 8
_VIEW_DIALECT = ViewDialect(
    observations="observation AS o JOIN stations AS s ON s.number = o.station",
    station="s.station_id",
    collected="datetime(o.time, o.delay || ' seconds')",
    shown=shown_sql,
    first_symptom="substr(symptoms, 1, instr(symptoms || ',', ',') - 1)",
    judges="instr(variables, ',{},') > 0",
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database, also an empty one, to this program's schema. The caller holds the write transaction."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    _drop_views(connection)
    _make(connection, version, VERSION)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def try_steps(made: list[str], version: int) -> None:
    """Take the steps from a version on an empty copy of a database.

    Args:
        made: the statements that made the database.
        version: its schema.

    Raises:
        sqlite3.Error: a step fails.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        for sql in made:
            if not sql.startswith("CREATE TABLE sqlite_"):
                copy.execute(sql)
        copy.execute(f"PRAGMA user_version = {version}")
        copy.execute("BEGIN")
        migrate(copy)


def differences(connection: sqlite3.Connection, version: int = VERSION) -> tuple[list[str], list[str]]:
    """What a database lacks of a version's schema or has in another form, and what it has besides.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    found, wanted = objects(connection), expected(version)
    wrong = [f"{kind} {name} is gone" for kind, name in wanted if (kind, name) not in found]
    wrong += [
        f"{kind} {one_line(name, 80)} is another one"
        for (kind, name), sql in found.items()
        if " ".join(wanted.get((kind, name), sql).split()) != " ".join(sql.split())
    ]
    return wrong, [f"{kind} {one_line(name, 80)}" for kind, name in found if (kind, name) not in wanted]


def mendable(connection: sqlite3.Connection) -> bool:
    """Whether nothing is wrong with this schema but names of tables and columns, and views: then no row is lost."""
    try:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            for sql in objects(connection).values():
                copy.execute(sql)
            _mend(copy)
            return not differences(copy)[0]
    except sqlite3.Error:
        return False


def mend(file: str) -> None:
    """Give tables and columns their names back, and make views anew: what the doctor has run where that is enough."""
    with closing(sqlite3.connect(file, timeout=20, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        _mend(connection)
        connection.execute("COMMIT")


def _mend(connection: sqlite3.Connection) -> None:
    for name, now in renamed(connection).items():
        connection.execute('ALTER TABLE "{}" RENAME TO {}'.format(now.replace('"', '""'), name))
    # Also where they seem right: SQLite spoils triggers that store what is there already, when it renames their table.
    _drop_views(connection)
    wanted = expected(VERSION)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as right:
        for sql in wanted.values():
            right.execute(sql)
        for name in (name for kind, name in wanted if kind == "table"):
            are, were = (_columns_of(one, name) for one in (connection, right))
            other = [(now, was) for now, was in zip(are, were, strict=False) if now != was]
            if len(are) == len(were) and len(other) == 1:
                now, was = other[0]
                connection.execute('ALTER TABLE {} RENAME COLUMN "{}" TO {}'.format(name, now.replace('"', '""'), was))
    _make_views(connection, VERSION)
    connection.execute("PRAGMA writable_schema = ON")
    for (kind, name), sql in objects(connection).items():
        its = wanted.get((kind, name), sql)
        if its != sql and _plain(its) == _plain(sql):
            connection.execute("UPDATE sqlite_schema SET sql = ? WHERE type = ? AND name = ?", (its, kind, name))
    connection.execute("PRAGMA writable_schema = RESET")


def _columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def renamed(connection: sqlite3.Connection) -> dict[str, str]:
    """What tables of this version's schema are called now: those that are gone, of which one other has the columns."""
    found, wanted = objects(connection), expected(VERSION)
    others = {name: sql for (kind, name), sql in found.items() if kind == "table" and (kind, name) not in wanted}
    names: dict[str, str] = {}
    for name in (name for kind, name in wanted if kind == "table" and (kind, name) not in found):
        its = _plain(wanted["table", name]).partition("(")[2]
        alike = [one for one, sql in others.items() if _plain(sql).partition("(")[2] == its]
        if len(alike) == 1:
            names[name] = alike[0]
    return names


def _plain(sql: str) -> str:
    """A statement without what means nothing: blanks, and the quotes of what was renamed once."""
    return re.sub(r'"(\w+)"', r"\1", " ".join(sql.split()))


@cache
def expected(version: int) -> dict[tuple[str, str], str]:
    """The objects that a database of a version has, with their statements; see `objects`."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _make(connection, 0, version)
        return objects(connection)


def _make(connection: sqlite3.Connection, version: int, wanted: int) -> None:
    """Take the steps from one version to another, then make the views and their triggers."""
    for script in _MIGRATIONS[version:wanted]:
        for statement in _statements(script):
            connection.execute(statement)
    _make_views(connection, wanted)


def _drop_views(connection: sqlite3.Connection) -> None:
    for view in ("observations_qc", "flags", "observations"):
        connection.execute(f"DROP VIEW IF EXISTS {view}")


def _make_views(connection: sqlite3.Connection, wanted: int) -> None:
    if wanted <= _VIEW_BY_HAND:
        view = _statements((resources.files("toolkit.store") / "view_of_schema_4.sql").read_text("utf-8"))
    else:
        view = view_sql(columns(connection))
    if wanted >= _FLAGS:
        view.append(flags_view(_VIEW_DIALECT))
        view.append(observations_qc_view(_VIEW_DIALECT, columns(connection)))
    for statement in view:
        connection.execute(statement)


def columns(connection: sqlite3.Connection, schema: str = "main") -> list[str]:
    """The declared variables' columns that a database has: one of an older schema lacks some."""
    found = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('observation', ?)", (schema,))}
    return [name for name in COLUMNS if name in found]


def objects(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """Tables, indexes, views and triggers, with their statements, but for what SQLite makes itself."""
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
    return {
        (str(kind), str(name)): str(sql)
        for kind, name, sql in rows
        if not (str(name).startswith("sqlite_") and kind in {"table", "index"})
    }


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
