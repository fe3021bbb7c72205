"""Putting a backup in the place of an SQLite database that nobody writes."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from toolkit import times
from toolkit.backup import accounts, creating, flags, incidents, station_places, station_records
from toolkit.backup.folder import Backup, Folder
from toolkit.backup.restorer import LATE_SECONDS, Restored
from toolkit.backup.sqlite.snapshot import heard
from toolkit.database import SQLiteDatabase
from toolkit.errors import ToolkitError, reason
from toolkit.files import free_name, sync_folder
from toolkit.model import Station
from toolkit.store import StoreError, open_for_writing
from toolkit.store.sqlite_file import for_reading, parts_of
from toolkit.store.sqlite_schema import VERSION, columns, objects

# A period that cannot be read is halved so often, or until it is this short, and then given up.
DIVIDED = 16
SHORTEST_SECONDS = 3600
# How often another process may write between the checkpoint of the log and the lock.
ATTEMPTS = 5
# Before and after all times that the store takes.
FIRST = 946_684_800
LAST = 4_102_444_800
DAY = 86400


def put(folder: Folder, backup: Backup, db: SQLiteDatabase, *, merge: bool) -> Restored:  # noqa: ARG001 - all is beside it
    """See `restorer.Restorer`.

    Before the last step, a rename, the old database is whole and in its place; after it the new one is.

    Raises:
        ToolkitError: it cannot be done; the database is as it was.
    """
    path = db.file
    if not path.parent.is_dir():
        raise ToolkitError(f"there is no folder {path.parent} to restore into")
    scratch = path.with_name(f".{path.name}.restored")
    try:
        _remove(parts_of(scratch))  # what an interrupted restore left
        _unpack(backup, scratch)
        _end_sessions(scratch)
        done = Restored(backup)
        with _locked(path) as parts:
            if merge and parts:
                _merge(scratch, path, backup, done)
            _write_out(scratch)
            done.replaced = _set_aside(path, parts) if parts else None
            _remove(parts_of(path)[1:])
            scratch.replace(path)
            sync_folder(path.parent)
    except OSError as error:
        raise ToolkitError(f"cannot restore into {path.parent}: {reason(error)}") from error
    finally:
        _remove(parts_of(scratch))
    return done


def undo(folder: Folder, db: SQLiteDatabase, replaced: Path) -> None:  # noqa: ARG001 - all is beside it
    """See `restorer.Restorer`."""
    path = db.file
    _remove(parts_of(path)[1:])
    for part in parts_of(replaced / path.name):
        if part.exists():
            part.replace(path.with_name(part.name))
    replaced.rmdir()
    sync_folder(path.parent)


@contextmanager
def scratch(folder: Folder, backup: Backup, db: SQLiteDatabase) -> Iterator[SQLiteDatabase]:  # noqa: ARG001 - the live one is left alone
    """See `restorer.Restorer`."""
    file = folder.scratch("drill.db")
    try:
        _unpack(backup, file, every_page=True)
        yield SQLiteDatabase(file)
    finally:
        _remove(parts_of(file))


def _unpack(backup: Backup, to: Path, *, every_page: bool = False) -> None:
    creating.unpack(backup, to, every_page=every_page)
    if backup.manifest.content.schema_version < VERSION:
        with open_for_writing(SQLiteDatabase(to)):
            pass  # it is brought up to date


def _end_sessions(new: Path) -> None:
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute(accounts.END_SESSIONS)


def _merge(new: Path, old: Path, backup: Backup, done: Restored) -> None:
    """Take over what the old database has beyond the backup, as far as it can be read."""
    with closing(sqlite3.connect(new.absolute().as_uri(), uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        heard(connection)
        try:
            _require_ours(old)
            connection.execute("ATTACH ? AS old", (f"{old.absolute().as_uri()}?mode=ro",))
            found = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('stations', 'old')")}
            names = ", ".join(name for name in _STATION if name in found)
            connection.execute(
                f"INSERT INTO stations ({names}) SELECT {names} FROM old.stations WHERE true "
                "ON CONFLICT (station_id) DO NOTHING"
            )
            there = columns(connection, "old")
            (version,) = connection.execute("PRAGMA old.user_version").fetchone()
        except (sqlite3.Error, StoreError) as error:
            done.unreadable.append(f"all of it: {error}")
            return
        take = _take_sql(there)
        if there and version == VERSION:  # an older one has fewer
            lacking = [name for name in columns(connection) if name not in there]
            done.unreadable += [f"{name}: its table observation has no column of that name" for name in lacking]
        _count_on(connection)
        for kind in (incidents, flags, accounts, station_records, station_places):
            _take_tables(connection, kind.NOUN, kind.TABLES, kind.take_over("old."), done)
        held, last = backup.manifest.content, backup.manifest.last or FIRST
        first = last - LATE_SECONDS if _nothing_was_imported(connection, held.last, held.observations) else FIRST
        # The old database tells what time it is, not the clock. After that there should be nothing.
        present = max(first, min(LAST, _newest(connection, last) + DAY))
        periods: list[tuple[float, float]] = []
        done.merged = _take(connection, take, first, present, periods, DIVIDED)
        done.merged += _take(connection, take, present, LAST, periods, 0)
        done.unreadable += [f"{times.stored(begin)} to {times.stored(end)} UTC" for begin, end in periods]


def _require_ours(old: Path) -> None:
    """Make sure that the names which are read in the old database are tables: a view could be any query.

    Raises:
        StoreError: it is something else.
        sqlite3.Error: it cannot be read.
    """
    with closing(sqlite3.connect(for_reading(old), uri=True)) as connection:
        kinds = {name: kind for kind, name in objects(connection)}
        for name in (
            "stations",
            "observation",
            "counters",
            *incidents.TABLES,
            *flags.TABLES,
            *accounts.TABLES,
            *station_records.TABLES,
            *station_places.TABLES,
        ):
            if kinds.get(name, "table") != "table":
                raise StoreError(f"{name} is a {kinds[name]}")


def _count_on(connection: sqlite3.Connection) -> None:
    """Take over the counters of the old database, which counted what is merged."""
    # Those of the backup stay if the old ones are damaged, or the old database is from before there were any.
    with suppress(sqlite3.Error):
        connection.execute(
            "INSERT INTO counters (name, label, count) SELECT name, label, count FROM old.counters WHERE true "
            "ON CONFLICT (name, label) DO UPDATE SET count = MAX(count, excluded.count)"
        )


def _take_tables(
    connection: sqlite3.Connection, noun: str, tables: Iterable[str], take_over: Iterable[str], done: Restored
) -> None:
    """Take over what some tables of the old database have, all of it or nothing."""
    there = {name for (name,) in connection.execute("SELECT name FROM old.sqlite_schema")}
    if there.isdisjoint(tables):
        return  # it is from before there were such tables
    try:
        connection.execute("BEGIN")
        for statement in take_over:
            connection.execute(statement)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        done.unreadable.append(f"its {noun}: {error}")


def _nothing_was_imported(connection: sqlite3.Connection, last: str | None, held: int) -> bool:
    """Whether the old database has no more rows than the backup up to its last time."""
    try:
        (count,) = connection.execute("SELECT COUNT(*) FROM old.observation WHERE time <= ?", (last or "",)).fetchone()
    except sqlite3.Error:
        return False
    return bool(count == held)


def _newest(connection: sqlite3.Connection, last: float) -> float:
    """The time of the old database's newest observation; where it cannot be read, of the backup's, or the clock's."""
    with suppress(sqlite3.Error, ValueError):
        (newest,) = connection.execute("SELECT MAX(time) FROM old.observation").fetchone()
        return times.from_stored(newest or "").timestamp()
    return max(last, times.now().timestamp() // 1)


_STATION = (*Station._fields, "first_seen", "last_seen", "source")


def _take_sql(there: Sequence[str]) -> str:
    """SQL that takes over rows of the old database, which has the columns that are `there`.

    Where both have a row, the one that was stored later counts.
    """
    newer = ", ".join(f"{name} = excluded.{name}" for name in (*there, "delay"))
    return f"""
    INSERT INTO observation (time, station, {", ".join(there)}, delay)
    SELECT o.time, n.number, {", ".join(f"o.{name}" for name in there)}, o.delay
    FROM old.observation AS o JOIN old.stations AS s ON s.number = o.station JOIN main.stations AS n USING (station_id)
    WHERE o.time > ? AND o.time <= ?
    ON CONFLICT (time, station) DO UPDATE SET {newer} WHERE excluded.delay > delay
    """


def _take(
    connection: sqlite3.Connection,
    take: str,
    first: float,
    last: float,
    unreadable: list[tuple[float, float]],
    divided: int,
) -> int:
    """Take over the rows after `first` up to `last`; returns how many.

    A period that cannot be read is halved; what is given up is added to `unreadable`.
    """
    try:
        connection.execute("BEGIN")
        taken = connection.execute(take, (times.stored(first), times.stored(last))).rowcount
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if not divided or last - first <= SHORTEST_SECONDS:
            # Two of which the one ends where the other begins are one.
            begin = unreadable.pop()[0] if unreadable and unreadable[-1][1] == first else first
            unreadable.append((begin, last))
            return 0
        middle = (first + last) // 2
        return sum(
            _take(connection, take, *part, unreadable, divided - 1) for part in ((first, middle), (middle, last))
        )
    return taken


def _write_out(db: Path) -> None:
    """Write all of a database to the disk, in one file."""
    if db.with_name(db.name + "-wal").exists():
        with closing(sqlite3.connect(db, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    with db.open("rb") as file:
        os.fsync(file.fileno())
    db.chmod(0o600)


@contextmanager
def _locked(db: Path) -> Iterator[list[Path]]:
    """Keep others from writing into a database until it is replaced: what they stored would be lost.

    What its log holds is written into its file first, if that is possible. Then the file alone is the database, and no
    part of the log can be replayed into another.

    Yields:
        Its files: none if there is no database, all of its parts if it is damaged.

    Raises:
        StoreError: others are at work in it.
    """
    if not db.exists():
        yield []
        return
    parts, log = parts_of(db), db.with_name(db.name + "-wal")
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        try:
            for _ in range(ATTEMPTS):
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                connection.execute("BEGIN IMMEDIATE")
                if not busy and not (log.exists() and log.stat().st_size):
                    parts = [db]
                    break
                connection.execute("ROLLBACK")  # somebody wrote meanwhile, or reads what is in the log
        except sqlite3.Error as error:
            if error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise StoreError(f"the database {db} is in use: stop what uses it first") from None
        else:
            if parts != [db]:
                raise StoreError(f"the database {db} is in use: stop what uses it first")
        yield parts


def _set_aside(db: Path, parts: list[Path]) -> Path:
    """Give the files of a database that is replaced a second name in a folder beside it; returns the folder."""
    at = free_name(db.parent, f"{db.name.replace('%', '%%')}.replaced-%Y%m%d_%H%M%S", times.now())
    at.mkdir(mode=0o700)
    for part in parts:
        if part.exists():
            try:
                os.link(part, at / part.name)
            except PermissionError:  # another user's file: the kernel may refuse (fs.protected_hardlinks)
                shutil.copyfile(part, at / part.name)
    sync_folder(at)
    return at


def _remove(parts: list[Path]) -> None:
    for part in parts:
        part.unlink(missing_ok=True)
