"""Checks of the database: that it is there, ours, whole, free to be written, and in bounds."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from toolkit.checks import Check, Finding, Status, bad, good, unseen
from toolkit.checks.host import COLLECTOR, CURRENT, LOCK_SECONDS, USER, Host, mode_of, owner_of
from toolkit.checks.mending import AS_USER, all_given, quoted
from toolkit.collector import known_database
from toolkit.collector.spool import waiting
from toolkit.store.base import Selection, StoreError
from toolkit.times import from_stored

# Far more than a day of documents: the collector checkpoints every thousand pages.
WAL_BYTES = 64 << 20
# How long a look at all pages may take; a database that is larger is looked at by every backup.
LOOK_SECONDS = 1.5
# Commits last milliseconds: who still holds the write lock after this long is not the collector at its work.
HELD_SECONDS = 1.0
# Where SQLite locks its files: the byte of the WAL's write lock in the -shm file, and the database's own.
_INCREMENTAL = 2
# Of ioctl_iflags(2).
_GET_FLAGS, _IMMUTABLE, _APPEND = 0x80086601, 0x10, 0x20
FREE_BYTES = 64 << 20
# Of what a backup holds the database still has; a person may have removed a station.
LEAST_PART = 0.75
MOST_COUNTED = 5_000_000
_WAL_WRITE_BYTE = 120
_PENDING_BYTE = 1 << 30


def _file(host: Host) -> os.stat_result | None:
    """The database's file, where there is one that is a database at first sight."""
    if host.is_postgresql:
        return None
    found = host.look(host.db)
    return found if found and found.st_size and stat.S_ISREG(found.st_mode) else None


def _exists(host: Host) -> Finding | None:
    if host.is_postgresql:
        return None
    found = host.look(host.db)
    if found and (found.st_size or not stat.S_ISREG(found.st_mode)):
        return good(f"{host.db}, {found.st_size / 1e6:.1f} MB")
    evidence = f"the database {host.db} is empty: 0 bytes" if found else f"there is no database at {host.db}"
    if _have_backup(host):
        return bad(evidence, known_database.RESTORE)
    if known_database.is_known(host.settings):
        return bad(f"{evidence}, and there is no backup", f"{known_database.ANEW}  # if no copy of it is left anywhere")
    if host.systemd and host.deployed:
        return bad(evidence, "systemctl restart weather-collector.service")
    return bad(evidence, "weather-tool collect --once")


def _restore(host: Host) -> str:
    if _have_backup(host):
        return known_database.RESTORE
    return f"mv {quoted(host.db, f'{host.db}.broken')} && {known_database.ANEW}"


def _have_backup(host: Host) -> bool:
    try:
        return bool(host.backups[0])
    except Exception:
        return False


def _owner(host: Host) -> Finding | None:
    if _file(host) is None or host.user is None:
        return None
    from toolkit.store.sqlite import parts_of

    parts = [path for path in parts_of(host.db) if (found := host.look(path)) and found.st_uid != host.user.pw_uid]
    if parts:
        names = ", ".join(f"{path} of {owner_of(path.stat())}" for path in parts)
        return bad(f"not the service user's: {names}", f"chown -h {USER}:{USER} {quoted(*parts)}")
    return good(f"owned by {USER}")


def _mode(host: Host) -> Finding | None:
    found = _file(host)
    if found is None:
        return None
    if not found.st_mode & 0o200 or not found.st_mode & 0o400:
        return bad(
            f"its owner may not read or write {host.db}: mode {mode_of(found)}",
            f"{AS_USER}chmod 0600 {quoted(host.db)}",
        )
    for path in (host.db.parent, host.db):
        if flag := _fixed(path):
            return bad(f"{path} is {flag}: not even its owner may write it", f"chattr -i -a {quoted(path)}")
    return good(f"mode {mode_of(found)}")


def _fixed(path: Path) -> str:
    """Which attribute of the file system keeps a file or folder from being changed; empty for none."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        (flags,) = struct.unpack("l", fcntl.ioctl(file, _GET_FLAGS, struct.pack("l", 0)))
    except OSError:  # a file system without attributes
        return ""
    finally:
        os.close(file)
    return "immutable" if flags & _IMMUTABLE else "append-only" if flags & _APPEND else ""


@contextmanager
def _opened(host: Host) -> Iterator[sqlite3.Connection]:
    from toolkit.store.sqlite import only_looking

    with closing(
        sqlite3.connect(only_looking(host.db), uri=True, timeout=LOCK_SECONDS, isolation_level=None)
    ) as connection:
        yield connection


def _kind(host: Host) -> Finding | None:
    if _file(host) is None:
        return None
    from toolkit.store.sqlite_schema import APPLICATION_ID

    with host.db.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            return bad(f"{host.db} is not an SQLite database", _restore(host))
    try:
        with _opened(host) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError as error:
        return _said(host, error)
    if tables and application != APPLICATION_ID:
        return bad(f"{host.db} was made by another program", "weather-tool settings")
    return good("a database of this service")


def _said(host: Host, error: sqlite3.DatabaseError) -> Finding:
    if isinstance(error, sqlite3.OperationalError):
        return unseen(f"{host.db}: {error}")
    return bad(f"{host.db} cannot be read: {error}", _restore(host))


def _schema(host: Host) -> Finding | None:
    if _file(host) is None:
        return None
    from toolkit.store.sqlite_schema import VERSION

    try:
        with _opened(host) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError as error:
        return unseen(f"{host.db}: {error}")
    if tables and version < 1:
        return bad("the database has tables, and no version of their schema", _restore(host))
    if version > VERSION:
        known = _of_known_schema(host, VERSION)
        return bad(
            f"the database has schema {version}, this release knows up to {VERSION}: a newer one has written it",
            f"weather-tool restore {quoted(known)}" if known else "ls -t /opt/weather/releases",
        )
    if version < VERSION:
        return bad(f"the database has schema {version}, this release's is {VERSION}: it was not brought up to date")
    return good(f"schema {version}")


def _of_known_schema(host: Host, version: int) -> str | None:
    """The newest backup that this release can restore: one of a newer schema may have been made since."""
    if not _have_backup(host):
        return None
    return next((one.name for one in host.backups[0] if one.manifest.content.schema_version <= version), None)


def _shape(host: Host) -> Finding | None:
    more: list[str] = []
    if host.is_postgresql:
        from toolkit.store.postgresql import differences as lacking

        wrong = lacking(host.settings.db)
    elif _file(host) is None:
        return None
    else:
        from toolkit.store.sqlite_schema import VERSION, differences

        try:
            with _opened(host) as connection:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                wrong, more = differences(connection) if version == VERSION else ([], [])
        except sqlite3.DatabaseError as error:
            return unseen(f"{host.db}: {error}")
    runs = [name for name in more if name.startswith(("trigger ", "view "))]
    if wrong:
        return bad(f"the database is not as this program makes it: {', '.join(wrong)}", _restore(host))
    if runs:
        return bad(f"the database has {', '.join(runs)}, which this program did not make", _restore(host))
    if more:
        return bad(
            f"the database has {', '.join(more)}, which this program did not make", severity=Status.WARNING,
        )  # fmt: skip
    return good("its tables, keys and views are as this program makes them")


def _journal(host: Host) -> Finding | None:
    found = _file(host)
    if found is None or found.st_size < 100:
        return None
    with host.db.open("rb") as file:
        header = file.read(100)
    if header[18:20] != b"\x02\x02":
        return bad("the database has no write-ahead log: who reads it keeps the collector from storing")
    return good("it has a write-ahead log")


def _compact(host: Host) -> Finding | None:
    if _file(host) is None:
        return None
    try:
        with _opened(host) as connection:
            free, pages, size, vacuum = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("freelist_count", "page_count", "page_size", "auto_vacuum")
            )
    except sqlite3.DatabaseError as error:
        return unseen(f"{host.db}: {error}")
    if free * size > FREE_BYTES and free > pages / 2:
        said = f"{free * size >> 20} of {pages * size >> 20} MiB of the database are free pages"
        if vacuum == _INCREMENTAL:
            return bad(said)
        code = f"import sqlite3; sqlite3.connect({str(host.db)!r}).executescript('PRAGMA auto_vacuum = 2; VACUUM')"
        return bad(
            f"{said}, and it does not give them back bit by bit",
            f"systemctl stop {COLLECTOR} && {AS_USER}{CURRENT}/bin/python -I -c {quoted(code)} && "
            f"systemctl start {COLLECTOR}",
        )
    return good(f"{free * size / 1e6:.1f} MB of it are free")


def _sound(host: Host) -> Finding | None:
    if _file(host) is None:
        return None
    end = time.monotonic() + LOOK_SECONDS
    try:
        with _opened(host) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict == "ok":
                # An index that lost an entry is no page that cannot be read, but a query that lies.
                (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return unseen(f"too large to be looked at in {LOOK_SECONDS:g} s; every backup looks at all of it")
        return unseen(f"{host.db}: {error}")
    except sqlite3.DatabaseError as error:
        return bad(f"{host.db} is damaged: {error}", _restore(host))
    if verdict != "ok":
        return bad(f"{host.db} is damaged: {' '.join(verdict.split())}", _restore(host))
    return good("every page can be read")


def _unlocked(host: Host) -> Finding | None:
    if _file(host) is None:
        return None
    first = _holders(host)
    if first:
        time.sleep(HELD_SECONDS)
    held = first & _holders(host)
    if held:
        who = ", ".join(f"process {pid} ({_name(pid)})" for pid in sorted(held))
        return bad(f"{who} holds the database's write lock: nothing can be stored", f"kill {' '.join(map(str, held))}")
    return good("nobody holds its write lock for long")


def _holders(host: Host) -> set[int]:
    """Who keeps others from writing, by the kernel's list of locks."""
    from toolkit.store.sqlite import parts_of

    bounds = {
        _inode(path): byte for path, byte in zip(parts_of(host.db), (_PENDING_BYTE, -1, _WAL_WRITE_BYTE), strict=False)
    }
    held = set()
    for line in Path("/proc/locks").read_text(encoding="utf-8").splitlines():
        words = line.replace("-> ", "").split()
        _, _, _, kind, pid, inode, first, last = words[:8]
        byte = bounds.get(int(inode.rpartition(":")[2]))
        if byte is None or byte < 0 or kind != "WRITE" or int(pid) <= 0:
            continue
        end = float("inf") if last == "EOF" else int(last)
        if (byte == _PENDING_BYTE and int(first) <= byte + 511 and end >= byte) or int(first) <= byte <= end:
            held.add(int(pid))
    return held


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return -1


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "?"


def _log_bounded(host: Host) -> Finding | None:
    if _file(host) is None:
        return None
    found = host.look(host.db.with_name(host.db.name + "-wal"))
    size = found.st_size if found else 0
    if size > WAL_BYTES:
        readers = _readers(host)
        who = (
            f": process {', '.join(f'{pid} ({_name(pid)})' for pid in sorted(readers))} has read it for long"
            if readers
            else ""
        )
        stop = f"kill {' '.join(map(str, sorted(readers)))} && " if readers else ""
        return bad(
            f"the write-ahead log has {size >> 20} MiB and cannot be folded into the database{who}",
            f"{stop}systemctl start weather-maintenance.service",
        )
    return good(f"the write-ahead log has {size / 1e6:.1f} MB")


def _readers(host: Host) -> set[int]:
    """Who keeps a snapshot, but for the collector."""
    shm = _inode(host.db.with_name(host.db.name + "-shm"))
    found = set()
    for line in Path("/proc/locks").read_text(encoding="utf-8").splitlines():
        words = line.replace("-> ", "").split()
        if int(words[5].rpartition(":")[2]) == shm and words[3] == "READ" and 123 <= int(words[6]) <= 127:
            found.add(int(words[4]))
    collector = host.unit("weather-collector.service")
    return found - {os.getpid(), int((collector or {}).get("MainPID") or 0), 0, -1}


def _continues(host: Host) -> Finding | None:
    """Whether the database is the one that was backed up, and has not lost what is in a backup."""
    if not host.deployed or (not host.is_postgresql and _file(host) is None) or not _have_backup(host):
        return None
    backups = host.backups[0]
    source = backups[0].manifest.source
    if source != host.settings.db:
        if host.is_postgresql or "://" in source or not Path(source).exists():
            return good("the backups are of another database than WEATHER_DB names now")
        change = f'/^WEATHER_DB=/d;$a WEATHER_DB="{source}"'
        return bad(
            f"the newest backup is of {source}, which is still there, and WEATHER_DB names {host.settings.db}",
            f"sed -i {quoted(change)} {quoted(host.settings_file)} && systemctl restart {COLLECTOR}",
        )
    if host.settings.data_days:
        return good("old observations are removed: their number says nothing")
    most = max(backups, key=lambda one: one.manifest.content.observations if one.manifest.source == source else 0)
    held = most.manifest.content
    if held.observations > MOST_COUNTED:
        return unseen("too many observations to be counted now")
    with host.store() as store:
        number = store.count(Selection(end=from_stored(held.last).timestamp() if held.last else 0))
    if number < held.observations * LEAST_PART:
        return bad(
            f"the database holds {number:,} observations of the time until {held.last} UTC, and the backup {most.name} "
            f"{held.observations:,}",
            f"weather-tool restore {most.name}",
        )
    return good(f"it holds what is in the backup {most.name}")


def _server(host: Host) -> Finding | None:
    if not host.is_postgresql:
        return None
    newest = host.newest
    return good(f"it answers; the newest observation is of {newest} UTC" if newest else "it answers")


def _spool(host: Host) -> Finding | None:
    documents = waiting(host.spool)
    if not documents:
        return good("no document waits")
    age = host.now - documents[0].stat().st_mtime
    if age < 120:
        return good(f"{len(documents)} documents wait for a moment")
    return bad(f"{len(documents)} documents have been waiting in {host.spool}: the database cannot take them")


def _spool_usable(host: Host) -> Finding | None:
    found = host.look(host.spool)
    if found is None or host.user is None or not host.deployed:
        return None
    owner = host.user.pw_uid
    lock = host.look(host.spool / "lock") if found.st_uid == owner else None
    if found.st_uid != owner or found.st_mode & 0o300 != 0o300 or (lock and lock.st_uid != owner):
        return bad(
            f"the service user cannot write to {host.spool}",
            all_given(host.spool, 0o700),
        )
    return good(f"{host.spool}")


def _readable(host: Host) -> Finding | None:
    if not host.is_postgresql and _file(host) is None:
        return None
    try:
        host.newest  # noqa: B018 - asked for what it raises
    except StoreError as error:
        return bad(str(error))
    return good("observations can be read")


_PLACE = ("places-plain", "disk-data-writable", "disk-data-space", "disk-data-inodes", "data-folder")
_BROKEN = (
    "database-exists",
    "database-owner",
    "database-mode",
    "database-kind",
    "database-schema",
    "database-shape",
    "database-sound",
)

CHECKS = (
    Check(
        "database-exists", "database", "There is a database, and something in it.", Status.CRITICAL, _exists,
        "weather-tool restore LATEST", ("places-plain", "data-folder", "disk-data-writable", "settings-known",
                                        "collector-enabled"),
    ),
    Check(
        "database-owner", "database", "The database is the service user's.", Status.CRITICAL, _owner,
        "chown -h weather:weather /var/lib/weather/data/weather_stream.db", ("places-plain", "data-folder"),
    ),
    Check(
        "database-mode", "database", "The service user may read and write the database.", Status.CRITICAL, _mode,
        "runuser -u weather -- chmod 0600 /var/lib/weather/data/weather_stream.db", ("database-owner",),
    ),
    Check(
        "database-kind", "database", "The file is an SQLite database of this service.", Status.CRITICAL, _kind,
        "weather-tool restore LATEST", ("database-exists", "database-owner", "database-mode"),
    ),
    Check(
        "database-schema", "database", "The database's schema is the one that this release knows.", Status.CRITICAL,
        _schema, "systemctl restart weather-collector.service", ("database-kind",),
    ),
    Check(
        "database-shape", "database", "Tables, keys, views and triggers are those that this program makes.",
        Status.CRITICAL, _shape, "weather-tool restore LATEST", ("database-kind", "database-schema", "database-server"),
    ),
    Check(
        "database-journal", "database", "Readers and the collector do not wait for one another.", Status.WARNING,
        _journal, "systemctl restart weather-collector.service", ("database-kind",),
    ),
    Check(
        "database-compact", "database", "The database is not mostly empty pages.", Status.WARNING, _compact,
        "systemctl start weather-maintenance.service",
        ("database-kind", "database-log", "maintenance-timer", "maintenance-succeeds"),
    ),
    Check(
        "database-continues", "database", "The database is the one of the backups, and holds what they hold.",
        Status.CRITICAL, _continues, "weather-tool backup list", ("database-exists", "database-kind", "database-shape"),
        costly=True,
    ),
    Check(
        "database-sound", "database", "Every page of the database can be read.", Status.CRITICAL, _sound,
        "weather-tool restore LATEST", ("database-kind",), costly=True,
    ),
    Check(
        "database-unlocked", "database", "No process keeps the collector from storing.", Status.CRITICAL, _unlocked,
        "lslocks --output COMMAND,PID,TYPE,MODE,PATH", ("collector-responds",),
    ),
    Check(
        "database-log", "database", "The write-ahead log is folded into the database from time to time.",
        Status.WARNING, _log_bounded, "systemctl start weather-maintenance.service",
        ("database-unlocked", "collector-responds", "disk-data-space"),
    ),
    Check(
        "database-server", "database", "The PostgreSQL server answers.", Status.CRITICAL, _server,
        "weather-tool data summary", ("database-password", "packages-complete"),
    ),
    Check(
        "database-readable", "database", "Observations can be read.", Status.CRITICAL, _readable,
        "weather-tool data summary", (*_PLACE, *_BROKEN, "database-unlocked", "database-server", "packages-complete"),
    ),
    Check(
        "spool-usable", "database", "Documents could wait while the database cannot take them.", Status.WARNING,
        _spool_usable, "ls -la /var/lib/weather/data", ("places-plain", "data-folder"),
    ),
    Check(
        "spool-empty", "database", "No document waits for the database.", Status.WARNING, _spool,
        "systemctl status weather-collector.service",
        (*_PLACE, *_BROKEN, "database-unlocked", "database-server", "collector-running", "collector-enabled",
         "collector-responds"),
    ),
)  # fmt: skip
