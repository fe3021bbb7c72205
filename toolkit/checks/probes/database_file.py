"""Checks of the database's file: that it is there, is an SQLite database, and is the service user's."""

from __future__ import annotations

import sqlite3
import stat

from toolkit.checks import Finding, Status, bad, check, good, unseen
from toolkit.checks.database import file_of, have_backup, opened, restored, uncovered
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import USER
from toolkit.checks.host.files import fixed, mode_of, owner_of
from toolkit.checks.remedies import AsRoot, AsUser, Restart, Restore, Shell, Tool
from toolkit.collector import known_database


@check(
    id="database-exists", area="database",
    invariant="There is a database, and something in it.",
    problem="The database is missing or empty.",
    severity=Status.CRITICAL, remedy=Restore(),
    caused_by=(
        "places-plain", "data-folder", "disk-data-writable", "settings-known", "collector-enabled", "files-alone",
        "database-named", "units-may-write",
    ),
)  # fmt: skip
def database_exists(host: Host) -> Finding | None:
    if host.on_server:
        return None
    found = host.look(host.db)
    if found and (found.st_size or not stat.S_ISREG(found.st_mode)):
        return good(f"{host.db}, {found.st_size / 1e6:.1f} MB")
    evidence = f"the database {host.db} is empty: 0 bytes" if found else f"there is no database at {host.db}"
    if host.covered(host.db.parent):
        return bad(f"{evidence}: another file system is mounted over {host.db.parent}, and hides it", uncovered(host))
    if have_backup(host):
        return bad(evidence, Restore())
    if known_database.is_known(host.settings):
        return bad(f"{evidence}, and there is no backup", Tool("data new", note="if no copy of it is left anywhere"))
    if host.systemd and host.deployed:
        return bad(evidence, Restart("collector"))
    return bad(evidence, Tool("collect --once"))


@check(
    id="database-owner", area="database",
    invariant="The database is the service user's.",
    problem="The database is not the service user's.",
    severity=Status.CRITICAL, remedy=AsRoot("chown -h weather:weather /var/lib/weather/data/weather_stream.db"),
    caused_by=("service-user", "places-open", "places-plain", "data-folder", "files-alone"),
)  # fmt: skip
def database_owner(host: Host) -> Finding | None:
    if file_of(host) is None or host.user is None:
        return None
    from toolkit.store.sqlite_file import parts_of

    parts = [path for path in parts_of(host.db) if (found := host.look(path)) and found.st_uid != host.user.pw_uid]
    if parts:
        names = ", ".join(f"{path} of {owner_of(path.stat())}" for path in parts)
        return bad(f"not the service user's: {names}", AsRoot("chown -h weather:weather {}", parts))
    return good(f"owned by {USER}")


@check(
    id="database-mode", area="database",
    invariant="The service user may read and write the database.",
    problem="The service user may not read or write the database.",
    severity=Status.CRITICAL, remedy=AsUser("chmod 0600 /var/lib/weather/data/weather_stream.db"),
    caused_by=("database-owner", "files-alone"),
)  # fmt: skip
def database_mode(host: Host) -> Finding | None:
    found = file_of(host)
    if found is None:
        return None
    if not found.st_mode & 0o200 or not found.st_mode & 0o400:
        return bad(
            f"its owner may not read or write {host.db}: mode {mode_of(found)}",
            AsUser("chmod 0600 {}", host.db),
        )
    if flag := fixed(host.db):
        return bad(f"{host.db} is {flag}: not even its owner may write it", Shell("chattr -i -a {}", host.db))
    return good(f"mode {mode_of(found)}")


@check(
    id="database-kind", area="database",
    invariant="The file is an SQLite database of this service.",
    problem="The database's file is no SQLite database, or another program's.",
    severity=Status.CRITICAL, remedy=Restore(),
    caused_by=("database-exists", "database-owner", "database-mode", "files-alone"),
)  # fmt: skip
def database_kind(host: Host) -> Finding | None:
    if file_of(host) is None:
        return None
    from toolkit.store.sqlite_schema import APPLICATION_ID

    with host.db.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            return bad(f"{host.db} is not an SQLite database", restored(host))
    try:
        with opened(host) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            return unseen(f"{host.db}: {error}")
        return bad(f"{host.db} cannot be read: {error}", restored(host))
    if tables and application != APPLICATION_ID:
        return bad(f"{host.db} was made by another program", Tool("settings"))
    return good("a database of this service")
