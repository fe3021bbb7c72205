"""Checks of the spool, where documents wait while the database cannot take them."""

from __future__ import annotations

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import DATABASE, DISK
from toolkit.checks.host import Host
from toolkit.checks.remedies import ServiceStatus, Shell, give_all
from toolkit.collector.spool import waiting

# A document may wait so long without anything being wrong.
WAIT_SECONDS = 120


@check(
    id="spool-usable", area="database",
    invariant="Documents could wait while the database cannot take them.",
    problem="The service user cannot write to the spool.",
    severity=Status.WARNING, remedy=Shell("ls -la /var/lib/weather/data"),
    caused_by=("service-user", "places-open", "places-plain", "data-folder", "files-alone"),
)  # fmt: skip
def spool_usable(host: Host) -> Finding | None:
    found = host.look(host.spool)
    if found is None or host.user is None or not host.deployed:
        return None
    owner = host.user.pw_uid
    lock = host.look(host.spool / "lock") if found.st_uid == owner else None
    if found.st_uid != owner or found.st_mode & 0o300 != 0o300 or (lock and lock.st_uid != owner):
        return bad(
            f"the service user cannot write to {host.spool}",
            give_all(host.spool, 0o700),
        )
    return good(f"{host.spool}")


@check(
    id="spool-empty", area="database",
    invariant="No document waits for the database.",
    problem="Documents wait for the database.",
    severity=Status.WARNING, remedy=ServiceStatus("collector"),
    caused_by=(
        "places-plain", *DISK, *DATABASE, "database-unlocked", "database-server", "collector-running",
        "collector-enabled", "collector-responds",
    ),
)  # fmt: skip
def spool_empty(host: Host) -> Finding | None:
    documents = waiting(host.spool)
    if not documents:
        return good("no document waits")
    age = host.now - documents[0].stat().st_mtime
    if age < WAIT_SECONDS:
        return good(f"{len(documents)} documents wait for a moment")
    return bad(f"{len(documents)} documents have been waiting in {host.spool}: the database cannot take them")
