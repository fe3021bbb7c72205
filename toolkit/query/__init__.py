"""SQL that anybody may have written: it can read the database, within bounds, and do nothing else.

Each engine has a module of its name, with what keeps a statement from changing anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, cast

from toolkit.database import Database, database, part_of
from toolkit.errors import ToolkitError, UsageError
from toolkit.query.bounds import bounded_memory, bounded_time

Row = tuple[str | bytes | float | bool | None, ...]

# The most that an answer holds, in bytes of its text, with eight for a number.
MOST_BYTES = 64 << 20
# How long a statement may take after its time is over, until it is given up.
GRACE_SECONDS = 5.0


class RefusedError(UsageError):
    """The statement would do something else than read, or is no statement at all."""


class TooMuchError(ToolkitError):
    """The answer is too large, or takes too long."""


class TooLongError(TooMuchError):
    """The engine ended the statement, for its time was over."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gives: the names of its columns, and rows of text, bytes, numbers and None."""

    columns: list[str]
    rows: list[Row]

    def unique_columns(self) -> list[str]:
        """The names, each of them once: the second `time` of a join is `time_2`, as sqlite-utils has it."""
        if len({*self.columns}) == len(self.columns):
            return self.columns
        from sqlite_utils.utils import dedupe_keys  # it takes a second to load

        return dedupe_keys(self.columns)


class Engine(Protocol):
    """What a module `toolkit.query.ENGINE` offers."""

    def answering(
        self, db: Any, sql: str, seconds: float
    ) -> AbstractContextManager[tuple[Sequence[str], Iterator[Row]]]:
        """Run one statement, which can only read, for some seconds: the names of its columns, and its rows."""


def ask(named: Database | str, sql: str, *, rows: int, seconds: float) -> Answer:
    """The answer of a database to one statement.

    Args:
        named: the database.
        sql: the statement, in the engine's own SQL.
        rows: how many rows the answer may have.
        seconds: how long it may take. A statement that cannot be interrupted ends the process soon after.

    Raises:
        RefusedError: it does something else than read, or the engine does not understand it.
        TooMuchError: the answer has more rows, more than `MOST_BYTES`, or takes longer.
        StoreError: the database cannot be used.
    """
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise RefusedError("the SQL is not UTF-8") from None
    db = database(named)
    engine = cast(Engine, part_of("toolkit.query.{}", db))
    deadline = time.monotonic() + seconds
    too_long = f"the query took longer than {seconds:g} s: ask for less, or give it more --seconds"
    try:
        with (
            bounded_time(seconds + GRACE_SECONDS, f"{too_long}; it could not be interrupted"),
            bounded_memory(),
            engine.answering(db, sql, seconds) as (columns, found),
        ):
            answer = Answer([*columns], [])
            size = 0
            for row in found:
                size += sum(len(one) if isinstance(one, str | bytes) else 8 for one in row)
                if len(answer.rows) == rows:
                    raise TooMuchError(f"the answer has more than {rows} rows: add LIMIT, or allow more --rows")
                if size > MOST_BYTES:
                    raise TooMuchError(f"the answer has more than {MOST_BYTES >> 20} MiB: ask for less")
                if time.monotonic() > deadline:
                    raise TooMuchError(too_long)
                answer.rows.append(row)
            return answer
    except TooLongError:
        raise TooMuchError(too_long) from None
    except MemoryError:
        raise TooMuchError("the query needs more memory than it may have: ask for less") from None
