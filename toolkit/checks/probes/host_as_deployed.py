"""Checks that the host's own state is as it was when the service was deployed: what of it explains what fails now.

A host may change: what differs and does no harm is told with a failure that it explains, and else by `--all` alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from toolkit.checks import Finding, Status, check, good
from toolkit.checks.as_deployed import Difference
from toolkit.checks.causes import BACKUP_DISK, DATABASE, DISK, OF_UNITS
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON, CRON_RUN
from toolkit.checks.host.systemd import seconds_since
from toolkit.checks.host_as_deployed import (
    LOADER,
    MANAGER,
    NAMES,
    SESSIONS,
    Subject,
    changes,
    closed_now,
    lowered,
    put_back,
    since,
    trust,
    unmounted,
)
from toolkit.checks.remedies import OnMachine, Remedy, Restart, Sequence, Shell, allow
from toolkit.errors import ToolkitError
from toolkit.times import stored

HOSTS, BUNDLE = Path("/etc/hosts"), Path("/etc/ssl/certs/ca-certificates.crt")
CERTIFICATES = Path("/etc/ssl")
CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
# How long a connection that was open before a change of names or certificates may go on to be used.
OPEN_SECONDS = 60
# How many differences one finding names and takes back.
MOST = 4
# Jobs that are run every few minutes.
_SCHEDULED = ("notify", "healthcheck")
_FEED_FAILS = frozenset(("collection-succeeds", "observations-fresh", "sources-fresh"))
_OF_NAMES = frozenset(("feed-name", "feed-in-time", *_FEED_FAILS))
# Another address of a server is another server.
_OF_ADDRESSES = frozenset((*_OF_NAMES, "feed-connects", "feed-trusted", "feed-answers", "database-server"))
_OF_FOLDERS = frozenset((
    *DATABASE, *DISK, *BACKUP_DISK, "backup-recent", "backup-succeeds", "backup-whole", "database-continues",
    "reports-folder", "places-owned", "files-as-deployed", "spool-usable", *_FEED_FAILS,
))  # fmt: skip
_OF_TRUST = frozenset(("feed-trusted", "feed-connects", "cluster-answers", *_FEED_FAILS))


def _finding(
    said: Iterable[str], remedies: Iterable[Remedy], explains: frozenset[str], restarted: Iterable[str]
) -> Finding:
    told = "; ".join(said)
    return Finding(
        True, f"since the deployment of {stored(since() or 0)} UTC: {told}",
        Sequence(*remedies, Restart(*restarted)), explains=explains,
    )  # fmt: skip


def _files(found: list[Difference], subject: Subject) -> tuple[list[str], list[Remedy]]:
    again = [OnMachine(command) for command in subject.again]
    return [f"{one.path} {one.said}" for one in found], [
        *(put_back(one.path) for one in found),
        *(again if found else []),
    ]


@check(
    id="names-as-deployed", area="feed",
    invariant="Names of servers get addresses as they did when the service was deployed.",
    problem="Names of servers get addresses in another way than when the service was deployed.",
    severity=Status.WARNING, remedy=Shell("cat /etc/hosts /etc/resolv.conf"),
)  # fmt: skip
def names_as_deployed(host: Host) -> Finding | None:
    if not host.deployed or since() is None:
        return None
    found = [one for one in changes(NAMES) if _concerns(host, one) and not _worked_since(host, one.path)][:MOST]
    if not found:
        return good("names get addresses as they did")
    said, remedies = _files(found, NAMES)
    explains = _OF_ADDRESSES if any(one.path == HOSTS for one in found) else _OF_NAMES
    return _finding(said, remedies, explains, ["collector"])


def _concerns(host: Host, one: Difference) -> bool:
    """Whether a change is of a name that the service asks for: of the file of hosts it is that of a line."""
    if one.path != HOSTS or not one.lines:
        return True
    urls = [url for source in host.sources for url in (source.settings.feed_url, source.settings.feed_proxy)]
    asked = {urlsplit(str(url)).hostname for url in [*urls, getattr(host.settings.db, "url", "")] if url}
    return any(asked.intersection(line.split()[1:]) for line in one.lines)


def _job_ran_since(host: Host, path: Path) -> bool:
    """Whether a scheduled job was started after a file was changed, and ended well: programs can be run as it is."""
    with suppress(OSError, ValueError):
        changed = path.lstat().st_ctime
        if host.scheduler == CRON:
            return any(
                one.stat().st_mtime > changed + 1 and one.read_text(encoding="ascii").strip() == "0"
                for one in CRON_RUN.glob("*.code")
            )
        return any(
            host.now - seconds_since("ExecMainStart", unit) > changed + 1
            for unit in filter(None, map(host.unit, (f"weather-{name}.service" for name in _SCHEDULED)))
            if unit["Result"] == "success" and unit["ExecMainExitTimestampMonotonic"] not in {"", "0"}
        )
    return False


def _worked_since(host: Host, path: Path) -> bool:
    """Whether the only feed told something after a file was changed: the change is not why it fails."""
    with suppress(OSError, ToolkitError):
        changed = path.lstat().st_ctime
        came = max((one.time for one in host.log if one.status == "success"), default=None)
        return len(host.sources) == 1 and came is not None and came > changed + OPEN_SECONDS
    return False


@check(
    id="trust-as-deployed", area="feed",
    invariant="The host trusts the authorities that it trusted when the service was deployed.",
    problem="The host trusts others than when the service was deployed, or has no certificates to trust by.",
    severity=Status.WARNING, remedy=OnMachine("update-ca-certificates --fresh"),
)  # fmt: skip
def trust_as_deployed(host: Host) -> Finding | None:
    if not host.deployed or since() is None:
        return None
    trusted = trust(host.sources)
    found = [one for one in changes(trusted) if not _worked_since(host, one.path)][:MOST]
    if not found:
        return good("the host trusts whom it trusted")
    said, remedies = _files(found, trusted)
    said = [_certificates(one) if one.path == BUNDLE else text for one, text in zip(found, said, strict=True)]
    if any(one.path.suffix == ".crt" and one.path != BUNDLE for one in found):
        remedies.append(OnMachine("update-ca-certificates"))
    return _finding(said, remedies, _OF_TRUST, ["collector"])


def _certificates(one: Difference) -> str:
    with suppress(OSError):
        return f"{BUNDLE} is another, and has {BUNDLE.read_bytes().count(CERTIFICATE)} certificates"
    return f"{one.path} {one.said}"


@check(
    id="mounts-as-deployed", area="disk",
    invariant="The file systems of the service's folders are mounted as they were when the service was deployed.",
    problem="A file system that a folder of the service was on is not mounted.",
    severity=Status.WARNING, remedy=Shell("findmnt"),
)  # fmt: skip
def mounts_as_deployed(host: Host) -> Finding | None:
    """Of those that fstab(5) has others say so."""
    if not host.deployed or since() is None or "INVOCATION_ID" in os.environ:
        return None
    found = [(place, what, kind) for place, what, kind in unmounted() if host.not_mounted(place) != place]
    if not found:
        return good("the file systems are mounted that were")
    said = [f"{place} is not mounted, where {what} ({kind}) was" for place, what, kind in found]
    remedies = [OnMachine("mount -t {} {} {}", kind, what, place) for place, what, kind in found]
    return _finding(said, remedies, _OF_FOLDERS, host.services or ["collector"])


@check(
    id="system-as-deployed", area="service",
    invariant="What the system gives to every program is as it was when the service was deployed.",
    problem="The system gives programs something else than when the service was deployed.",
    severity=Status.WARNING, remedy=OnMachine("systemd-delta"),
)  # fmt: skip
def system_as_deployed(host: Host) -> Finding | None:
    if not host.deployed or since() is None:
        return None
    said: list[str] = []
    remedies: list[Remedy] = []
    for subject in (LOADER, SESSIONS if host.scheduler == CRON else MANAGER):
        its, mends = _files([one for one in changes(subject) if not _job_ran_since(host, one.path)][:MOST], subject)
        said, remedies = said + its, remedies + mends
    closed = closed_now()
    for path, now, was in closed:
        said.append(f"{path} is {now}, and was {was}")
        remedies.append(allow(was.rpartition(" ")[2], path, OnMachine))
    for name, value, before in lowered():
        said.append(f"{name} is {value}, and was {before}")
        remedies.append(OnMachine("sysctl -q -w {}", f"{name}={before}"))
    if not said:
        return good("the system is as it was")
    explains = OF_UNITS
    if any(path.is_relative_to(CERTIFICATES) for path, *_ in closed):
        explains |= _OF_TRUST
    return _finding(said[:MOST], remedies, explains, host.services or ["collector"])
