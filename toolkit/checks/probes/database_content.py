"""Checks of what is in the database's file: its schema, its shape, its pages, and that nothing of a backup is lost."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator

from toolkit.checks import Finding, Status, bad, check, good, unseen
from toolkit.checks.as_deployed import difference, mended
from toolkit.checks.database import by_the_release, changed, file_of, have_backup, opened, restored
from toolkit.checks.host import Host
from toolkit.checks.remedies import EditSettings, Remedy, Restart, Restore, Sequence, Shell, Start, Stop, Tool
from toolkit.checks.server_faults import imposed_on
from toolkit.database import PostgreSQLDatabase, database
from toolkit.store.selection import Selection
from toolkit.times import from_stored
from toolkit.variables import BY_NAME

# How long all pages may be read for; a database that takes longer is read whole by every backup.
LOOK_SECONDS = 1.5
# How long a checkpoint is given to write what it has said in the header.
CHECKPOINT_SECONDS = 0.2
# How much of a file may be free pages before it is worth making it smaller.
FREE_BYTES = 64 << 20
# `PRAGMA auto_vacuum` of a database that gives free pages back bit by bit.
_INCREMENTAL = 2
# The database holds at least this part of what a backup holds: a person may have removed a station.
LEAST_PART = 0.75
MOST_COUNTED, MOST_COUNTED_AT_ONCE = 5_000_000, 100_000
# How many observations are looked at one by one: an hour of a network of 3,000 stations.
NEWEST_ROWS = 20_000
# Stations that observations are of, or are said to be of, and that are not there.
_LOST = (
    "SELECT station FROM newest WHERE station NOT IN (SELECT number FROM stations) "
    "AND EXISTS (SELECT 1 FROM observation AS o WHERE o.time = newest.time AND o.station = newest.station)"
)
_GONE = f"SELECT COUNT(*) FROM ({_LOST})"


@check(
    id="database-schema", area="database",
    invariant="The database's schema is the one that this release knows.",
    problem="The database's schema is not the one of this release.",
    severity=Status.CRITICAL, remedy=Restart("collector"), caused_by=("packages-whole", "database-kind"),
)  # fmt: skip
def database_schema(host: Host) -> Finding | None:
    if file_of(host) is None:
        return None
    from toolkit.store.sqlite_schema import VERSION

    try:
        with opened(host) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError as error:
        return unseen(f"{host.db}: {error}")
    if tables and version < 1:
        return bad("the database has tables, and no version of their schema", restored(host))
    if version > VERSION:
        known = _of_known_schema(host, VERSION)
        return bad(
            f"the database has schema {version}, this release knows up to {VERSION}: a newer one has written it",
            Restore(known) if known else Shell("ls -t /opt/weather/releases"),
        )
    if version < VERSION:
        return bad(f"the database has schema {version}, this release's is {VERSION}: it was not brought up to date")
    return good(f"schema {version}")


def _of_known_schema(host: Host, version: int) -> str | None:
    """The newest backup that this release can restore; None without one."""
    if not have_backup(host):
        return None
    return next((one.name for one in host.backups[0] if one.manifest.content.schema_version <= version), None)


@check(
    id="database-shape", area="database",
    invariant="Tables, keys, views and triggers are those that this program makes.",
    problem="The database's tables, keys, views or triggers are not those that this program makes.",
    severity=Status.CRITICAL, remedy=Restore(), caused_by=("database-kind", "database-schema", "database-server"),
)  # fmt: skip
def database_shape(host: Host) -> Finding | None:
    more: list[str] = []
    mends: Remedy | None = None
    if isinstance(host.settings.db, PostgreSQLDatabase):
        from toolkit.store.postgresql import differences as lacking

        wrong = lacking(host.settings.db)
    elif file_of(host) is None:
        return None
    else:
        from toolkit.store.sqlite_schema import VERSION, differences, mendable, renamed

        try:
            with opened(host) as connection:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                wrong, more = differences(connection) if version == VERSION else ([], [])
                if wrong and mendable(connection):
                    wrong = [f"table {name} is called {now}" for name, now in renamed(connection).items()] or wrong
                    code = f"from toolkit.store.sqlite_schema import mend; mend({str(host.db)!r})"
                    mends = Sequence(by_the_release(host, code), Restart("collector"))
        except sqlite3.DatabaseError as error:
            return unseen(f"{host.db}: {error}")
    if not wrong and isinstance(host.settings.db, PostgreSQLDatabase) and (put := imposed_on(host, host.settings.db)):
        return put
    runs = [name for name in more if name.startswith(("trigger ", "view "))]
    if wrong:
        return bad(f"the database is not as this program makes it: {', '.join(wrong)}", mends or restored(host))
    if runs:
        away = (
            f'DROP {kind.upper()} "{name}"' for kind, _, name in (one.replace('"', '""').partition(" ") for one in runs)
        )
        return bad(
            f"the database has {', '.join(runs)}, which this program did not make",
            Sequence(changed(host, *away), Restart("collector")),
        )
    if more:
        return bad(
            f"the database has {', '.join(more)}, which this program did not make", severity=Status.WARNING,
        )  # fmt: skip
    return good("its tables, keys and views are as this program makes them")


@check(
    id="database-journal", area="database",
    invariant="Readers and the collector do not wait for one another.",
    problem="Whoever reads the database keeps the collector from storing.",
    severity=Status.WARNING, remedy=Restart("collector"), caused_by=("database-kind",),
)  # fmt: skip
def database_journal(host: Host) -> Finding | None:
    found = file_of(host)
    if found is None or found.st_size < 100:
        return None
    with host.db.open("rb") as file:
        header = file.read(100)
    if header[18:20] != b"\x02\x02":
        return bad("the database has no write-ahead log: who reads it keeps the collector from storing")
    return good("it has a write-ahead log")


@check(
    id="database-compact", area="database",
    invariant="The database is not mostly empty pages.",
    problem="Most of the database's file is empty pages.",
    severity=Status.WARNING, remedy=Start("maintenance"),
    caused_by=("database-kind", "database-log", "maintenance-timer", "maintenance-succeeds"),
)  # fmt: skip
def database_compact(host: Host) -> Finding | None:
    if file_of(host) is None:
        return None
    try:
        with opened(host) as connection:
            free, pages, size, vacuum = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("freelist_count", "page_count", "page_size", "auto_vacuum")
            )
    except sqlite3.DatabaseError as error:
        return unseen(f"{host.db}: {error}")
    if free * size > FREE_BYTES and free > pages / 2:
        seen = f"{free * size >> 20} of {pages * size >> 20} MiB of the database are free pages"
        if vacuum == _INCREMENTAL:
            return bad(seen)
        code = f"import sqlite3; sqlite3.connect({str(host.db)!r}).executescript('PRAGMA auto_vacuum = 2; VACUUM')"
        return bad(
            f"{seen}, and it does not give them back bit by bit",
            Sequence(Stop("collector"), by_the_release(host, code), Start("collector")),
        )
    return good(f"{free * size / 1e6:.1f} MB of it are free")


@check(
    id="database-named", area="database",
    invariant="WEATHER_DB names the database that the backups are of.",
    problem="WEATHER_DB names another database than the one that the backups are of, which is still there.",
    severity=Status.CRITICAL, remedy=Tool("backup list"), caused_by=("settings-known", "settings-once"),
)  # fmt: skip
def database_named(host: Host) -> Finding | None:
    if not host.deployed or not have_backup(host):
        return None
    source = host.backups[0][0].manifest.source
    if source == str(host.settings.db):
        return good("the newest backup is of it")
    other = database(source).file
    if host.on_server or other is None or not other.exists():
        return good("the backups are of another database than WEATHER_DB names now")
    change = f'/^WEATHER_DB=/d;$a WEATHER_DB="{source}"'
    again: Remedy = Sequence(EditSettings(change, host.settings_file), Restart(*(host.services or ["collector"])))
    edited = difference(host.settings_file)
    if edited and edited.lines and all(line.startswith("WEATHER_DB=") for line in edited.lines):
        again = mended(host, host.settings_file)
    return bad(
        f"the newest backup is of {source}, which is still there, and WEATHER_DB names {host.settings.db}", again
    )


def _few_continue(host: Host) -> Finding | None:
    """The same where that is counted at once."""
    return _holds(host, MOST_COUNTED_AT_ONCE)


@check(
    id="database-continues", area="database",
    invariant="The database holds what the backups hold.",
    problem="The database has lost what the backups hold.",
    severity=Status.CRITICAL, remedy=Tool("backup list"),
    caused_by=("database-named", "database-exists", "database-kind", "database-shape"), costly=True,
    glance=_few_continue,
)  # fmt: skip
def database_continues(host: Host) -> Finding | None:
    return _holds(host, MOST_COUNTED)


def _holds(host: Host, most_counted: int) -> Finding | None:
    if not host.deployed or (not host.on_server and file_of(host) is None) or not have_backup(host):
        return None
    backups, source = host.backups[0], str(host.settings.db)
    if backups[0].manifest.source != source:
        return good("the backups are of another database")
    if host.settings.data_days:
        return good("old observations are removed: their number says nothing")
    most = max(backups, key=lambda one: one.manifest.content.observations if one.manifest.source == source else 0)
    held = most.manifest.content
    if held.observations > most_counted:
        return unseen("too many observations to be counted now")
    with host.store() as store:
        number = store.count(Selection(end=from_stored(held.last).timestamp() if held.last else 0))
    if number < held.observations * LEAST_PART:
        return bad(
            f"the database holds {number:,} observations of the time until {held.last} UTC, and the backup {most.name} "
            f"{held.observations:,}",
            Restore(most.name),
        )
    return good(f"it holds what is in the backup {most.name}")


def _of_full_length(host: Host) -> Finding | None:
    """Whether the database's file is as long as its own header says, which a copy that was cut short is not."""
    if file_of(host) is None or _lacks(host) <= 0:
        return None
    time.sleep(CHECKPOINT_SECONDS)  # of a checkpoint that is at work the header is written first
    if (lacks := _lacks(host)) <= 0:
        return None
    return bad(f"{host.db} is damaged: {lacks:,} bytes are missing at its end", restored(host))


def _lacks(host: Host) -> int:
    with host.db.open("rb") as file:
        header = file.read(100)
        size = os.fstat(file.fileno()).st_size
    if len(header) < 100 or header[24:28] != header[92:96]:  # the number of pages is not kept
        return 0
    page = int.from_bytes(header[16:18], "big")
    return int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page) - size


@check(
    id="database-sound", area="database",
    invariant="Every page of the database can be read.",
    problem="The database is damaged.",
    severity=Status.CRITICAL, remedy=Restore(), caused_by=("database-kind", "files-alone"), costly=True,
    glance=_of_full_length,
)  # fmt: skip
def database_sound(host: Host) -> Finding | None:
    if file_of(host) is None:
        return None
    if cut := _of_full_length(host):
        return cut
    end = time.monotonic() + LOOK_SECONDS
    try:
        with opened(host) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
            # Not quick_check: of an index that has lost an entry every page can be read, but queries lack rows.
            (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return unseen(f"too large to be looked at in {LOOK_SECONDS:g} s; every backup looks at all of it")
        return unseen(f"{host.db}: {error}")
    except sqlite3.DatabaseError as error:
        return bad(f"{host.db} is damaged: {error}", restored(host))
    if answer != "ok":
        return bad(f"{host.db} is damaged: {' '.join(answer.split())}", restored(host))
    return good("every page can be read")


@check(
    id="database-consistent", area="database",
    invariant="The rows of the database's tables agree with one another, and hold what can be read.",
    problem="Rows of the database's tables contradict one another, or hold what cannot be read.",
    severity=Status.WARNING, remedy=Start("maintenance"),
    caused_by=(
        "database-kind", "database-schema", "database-shape", "database-continues", "database-sound",
        "observations-not-ahead",
    ),
)  # fmt: skip
def database_consistent(host: Host) -> Finding | None:
    """Look at all stations, and at the newest rows of observations."""
    if file_of(host) is None:
        return None
    end = time.monotonic() + LOOK_SECONDS
    try:
        with opened(host) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
            if connection.execute("PRAGMA user_version").fetchone() != (_version(),):
                return None
            for problem, query, remedy in _contradictions(host):
                (number,) = connection.execute(query).fetchone()
                if number:
                    return bad(f"{number:,} {problem}", remedy)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return unseen(f"too large to be looked at in {LOOK_SECONDS:g} s")
        return unseen(f"{host.db}: {error}")
    except sqlite3.DatabaseError as error:
        return unseen(f"{host.db}: {error}")
    return good("its rows agree with one another")


def _version() -> int:
    from toolkit.store.sqlite_schema import VERSION

    return VERSION


def _contradictions(host: Host) -> Iterator[tuple[str, str, Remedy]]:
    """What can be wrong with rows, the query that counts those of which it is so, and what mends it."""
    newest = f"(SELECT {{}} FROM observation ORDER BY time DESC LIMIT {NEWEST_ROWS})"
    words = " OR ".join(f"{name} >= ''" for name in BY_NAME)  # in SQLite's order texts and blobs follow all numbers
    yield (
        "stations are gone of which observations are there", _GONE,
        Restore() if have_backup(host) else changed(host, f"DELETE FROM observation WHERE station IN ({_LOST})"),
    )  # fmt: skip
    yield (
        "observations have times of another form than this program's, and are in no answer",
        f"SELECT COUNT(*) FROM {newest.format('time')} WHERE datetime(time) IS NOT time",
        changed(
            host, "UPDATE OR REPLACE observation SET time = datetime(time) WHERE datetime(time) IS NOT time AND "
            "datetime(time) IS NOT NULL; DELETE FROM observation WHERE datetime(time) IS NULL",
        ),
    )  # fmt: skip
    yield (
        "observations have words in the place of numbers", f"SELECT COUNT(*) FROM {newest.format('*')} WHERE {words}",
        changed(
            host,
            *(f"UPDATE observation SET {name} = NULL WHERE typeof({name}) IN ('text', 'blob')" for name in BY_NAME),
        ),
    )  # fmt: skip
    yield (
        "lines of the collector's log are of the future, and hide what it does",
        "SELECT COUNT(*) FROM collection_log WHERE timestamp > datetime('now', '+1 hour')",
        changed(host, "DELETE FROM collection_log WHERE timestamp > datetime('now', '+1 hour')"),
    )  # fmt: skip
