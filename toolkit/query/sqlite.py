"""SQLite: a connection that cannot write, and an authorizer that admits nothing but reading.

The file is opened read-only and with `query_only`; functions that views call are those that SQLite calls innocuous; the
authorizer sees everything that a statement would do before it is run. SQLite recommends this for untrusted SQL (its
page "Defense Against The Dark Arts").
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from toolkit.database import SQLiteDatabase
from toolkit.query import RefusedError, Row, TooLongError, TooMuchError
from toolkit.store import PATIENCE_SECONDS
from toolkit.store.sqlite import connect_for_reading
from toolkit.store.sqlite_file import translate_errors

# The longest value, in bytes; a longer one is an error.
VALUE_BYTES = 1 << 20
# Instructions of SQLite's virtual machine between two looks at the clock and at signals.
STEPS = 100_000

_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_DONE = {
    sqlite3.SQLITE_INSERT: "change {}",
    sqlite3.SQLITE_UPDATE: "change {}",
    sqlite3.SQLITE_DELETE: "change {}",
    sqlite3.SQLITE_ATTACH: "open another file",
    sqlite3.SQLITE_DETACH: "close a database",
    sqlite3.SQLITE_PRAGMA: "run PRAGMA {}",
    sqlite3.SQLITE_TRANSACTION: "begin or end a transaction",
    sqlite3.SQLITE_SAVEPOINT: "begin or end a transaction",
    sqlite3.SQLITE_FUNCTION: "call {}()",
}
"""What a statement would do, by the authorizer's code; whatever has none changes the schema."""
_INNOCUOUS = 0x200000  # SQLITE_INNOCUOUS: no side effects, and its result depends on its arguments alone


@contextmanager
def answering(db: SQLiteDatabase, sql: str, seconds: float) -> Iterator[tuple[Sequence[str], Iterator[Row]]]:
    """See `Engine`."""
    deadline = time.monotonic() + seconds
    refused: list[str] = []
    with translate_errors(db.file), closing(connect_for_reading(db, PATIENCE_SECONDS)) as connection:
        _bound(connection, refused)
        connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
        try:
            cursor = connection.execute(sql)
            if cursor.description is None:
                raise RefusedError("the SQL is no query: give a SELECT")
            yield [column[0] for column in cursor.description], cursor
        except (sqlite3.ProgrammingError, sqlite3.Warning) as error:  # several statements, parameters, U+0000
            raise RefusedError(f"the SQL cannot be run: {error}") from None
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            if refused:
                raise RefusedError(f"data query only reads, and this SQL would {refused[0]}") from None
            if code == sqlite3.SQLITE_INTERRUPT:
                raise TooLongError from None
            if code == sqlite3.SQLITE_TOOBIG:
                raise TooMuchError(f"a value in the query has more than {VALUE_BYTES >> 20} MiB") from None
            if code in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_MISMATCH}:
                raise RefusedError(f"the SQL cannot be run: {error}") from None
            raise


def _bound(connection: sqlite3.Connection, refused: list[str]) -> None:
    """Let statements read, and nothing else; `refused` gets what they would have done."""
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {pragma}")
    # What is sorted stays in memory, which is bounded: on the disk it could take the collector's space.
    connection.execute("PRAGMA temp_store = MEMORY")
    # A table-valued function is set up by its first use, which looks to the authorizer like a change of the schema.
    connection.execute("SELECT * FROM json_each('[]'), json_tree('[]')")
    functions = connection.execute("SELECT name FROM pragma_function_list WHERE flags & ?", (_INNOCUOUS,))
    connection.set_authorizer(_authorizer({name for (name,) in functions}, refused))


def _authorizer(functions: set[str], refused: list[str]) -> Callable[..., int]:
    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action in _READS:
            return sqlite3.SQLITE_OK
        function = (second or "").lower()
        # JSON functions read and make text alone; not every version of SQLite calls them innocuous.
        if action == sqlite3.SQLITE_FUNCTION and (function in functions or function.startswith(("json", "->"))):
            return sqlite3.SQLITE_OK
        what = second if action == sqlite3.SQLITE_FUNCTION else first
        what = "the schema" if what in {"sqlite_master", "sqlite_temp_master"} else what
        refused.append(_DONE.get(action, "change the schema").format(what))
        return sqlite3.SQLITE_DENY

    return authorize
