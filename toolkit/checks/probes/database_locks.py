"""Checks that no process keeps others from the database, by the kernel's list of locks."""

from __future__ import annotations

import os
import time
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.database import as_administrator, file_of
from toolkit.checks.host import Host
from toolkit.checks.host.systemd import COLLECTOR
from toolkit.checks.remedies import Sequence, Shell, Start
from toolkit.database import PostgreSQLDatabase

# The collector folds the log into the database every thousand pages: this is far more than a day of documents.
WAL_BYTES = 64 << 20
# Commits last milliseconds: a process that holds the write lock for longer is not the collector at its work.
HELD_SECONDS = 1.0
# The bytes by which SQLite locks its files: the write lock of the WAL in the -shm file, and the database's own.
_WAL_WRITE_BYTE = 120
_PENDING_BYTE = 1 << 30


@check(
    id="database-unlocked", area="database",
    invariant="No process keeps the collector from storing.",
    problem="A process holds the database's write lock.",
    severity=Status.CRITICAL, remedy=Shell("lslocks --output COMMAND,PID,TYPE,MODE,PATH"),
    caused_by=("collector-responds",),
)  # fmt: skip
def database_unlocked(host: Host) -> Finding | None:
    if isinstance(host.settings.db, PostgreSQLDatabase):
        return _unlocked_server(host.settings.db)
    if file_of(host) is None:
        return None
    first = _holders(host)
    if first:
        time.sleep(HELD_SECONDS)
    held = first & _holders(host)
    if held:
        who = ", ".join(f"process {pid} ({_name(pid)})" for pid in sorted(held))
        return bad(f"{who} holds the database's write lock: nothing can be stored", _end(held))
    return good("nobody holds its write lock for long")


def _unlocked_server(server: PostgreSQLDatabase) -> Finding:
    from toolkit.store.postgresql import holders

    first = holders(server)
    if first:
        time.sleep(HELD_SECONDS)
        last = holders(server)
        if held := sorted(pid for pid in first if last.get(pid) == first[pid]):
            ended = ", ".join(f"pg_terminate_backend({pid})" for pid in held)
            return bad(
                f"{first[held[0]]} on the service's tables: it keeps others from writing, or from tidying up",
                as_administrator(f"SELECT {ended}"),
            )
    return good("no session holds the service's tables for long")


@check(
    id="database-log", area="database",
    invariant="The write-ahead log is folded into the database from time to time.",
    problem="The write-ahead log grows.",
    severity=Status.WARNING, remedy=Start("maintenance"),
    caused_by=("database-unlocked", "collector-responds", "disk-data-space"),
)  # fmt: skip
def database_log(host: Host) -> Finding | None:
    if file_of(host) is None:
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
        fold = Start("maintenance")
        return bad(
            f"the write-ahead log has {size >> 20} MiB and cannot be folded into the database{who}",
            Sequence(_end(readers), fold) if readers else fold,
        )
    return good(f"the write-ahead log has {size / 1e6:.1f} MB")


def _end(processes: set[int]) -> Shell:
    return Shell("kill {}", map(str, sorted(processes)))


def _holders(host: Host) -> set[int]:
    """The processes that keep others from writing."""
    # In the database's file those of its pending byte, and of the 511 after it; in its -shm that of a writer.
    ranges = {host.db: (_PENDING_BYTE, _PENDING_BYTE + 511), _shm(host): (_WAL_WRITE_BYTE, _WAL_WRITE_BYTE)}
    return {
        lock.pid
        for lock in host.locks(*ranges)
        if lock.kind == "WRITE" and lock.first <= ranges[lock.path][1] and lock.last >= ranges[lock.path][0]
    }


def _readers(host: Host) -> set[int]:
    """The processes that keep reading an old snapshot, but for the collector."""
    found = {lock.pid for lock in host.locks(_shm(host)) if lock.kind == "READ" and 123 <= lock.first <= 127}
    collector = host.unit(COLLECTOR)
    return found - {os.getpid(), int((collector or {}).get("MainPID") or 0)}


def _shm(host: Host) -> Path:
    return host.db.with_name(host.db.name + "-shm")


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "?"
