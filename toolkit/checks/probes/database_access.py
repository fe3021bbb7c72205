"""Checks that observations can be read, from a file or from a server."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import DATABASE, DISK
from toolkit.checks.database import file_of
from toolkit.checks.host import Host
from toolkit.checks.probes.way import way_to
from toolkit.checks.remedies import Tool
from toolkit.checks.server_faults import imposed_on, not_at_boot, refused
from toolkit.database import PostgreSQLDatabase
from toolkit.store.base import StoreError


@check(
    id="database-server", area="database",
    invariant="The PostgreSQL server answers, and comes back with the host that it is on.",
    problem="The PostgreSQL server does not answer, or does not come back with the host.",
    severity=Status.CRITICAL, remedy=Tool("data summary"), caused_by=("database-password", "packages-complete"),
)  # fmt: skip
def database_server(host: Host) -> Finding | None:
    if not isinstance(host.settings.db, PostgreSQLDatabase):
        return None
    try:
        newest = host.newest
    except StoreError as error:
        found = None
        with suppress(StoreError):  # it does not let anybody in
            found = imposed_on(host, host.settings.db)
        # What only endangers it is not why it cannot be used.
        found = found if found and found.severity is None else None
        if not found and (server := urlsplit(host.settings.db.url).hostname):
            found = way_to(host, server)
        return found or refused(host, host.settings.db, str(error))
    if disabled := not_at_boot(host.settings.db):
        return disabled
    return good(f"it answers; the newest observation is of {newest} UTC" if newest else "it answers")


@check(
    id="database-readable", area="database",
    invariant="Observations can be read.",
    problem="Observations cannot be read.",
    severity=Status.CRITICAL, remedy=Tool("data summary"),
    caused_by=("places-plain", *DISK, *DATABASE, "database-unlocked", "database-server", "packages-complete"),
)  # fmt: skip
def database_readable(host: Host) -> Finding | None:
    if not host.on_server and file_of(host) is None:
        return None
    try:
        host.newest  # noqa: B018 - asked for what it raises
    except StoreError as error:
        return bad(str(error))
    return good("observations can be read")
