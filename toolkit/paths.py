"""What the settings require of a machine: folders that the service writes, files that it reads, ports.

What a target provides derives from it: folders, the paths that units may write, volumes, network policies.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from toolkit.broker import PORTS as BROKER_PORTS
from toolkit.database import PostgreSQLDatabase
from toolkit.kinds import ADDRESS
from toolkit.push import protocol_of
from toolkit.settings import DECLARATIONS, Settings, spool_folder
from toolkit.sources import Source

# These folders are the service's whatever the settings say. STATE has the spool if the database is on a server.
STATE = "/var/lib/weather/data"
LOGS = "/var/log/weather"
SECRETS = {"compose": "/run/secrets", "kubernetes": "/run/credentials"}
CONTAINERS = frozenset(SECRETS)
LOWEST_PORT = 1024
HTTP_PORTS = {"http": 80, "https": 443}
PORTS = {**HTTP_PORTS, **BROKER_PORTS}
# Settings of a feed that name a file.
_OF_FEED = ("feed_stations", "feed_ca_file")

# Folders in which the service must not write, with the reason.
_GONE = "what is there is gone after a restart"
_SYSTEM = "it is the system's"
_NOT_TO_WRITE = {
    "/bin": _SYSTEM, "/boot": _SYSTEM, "/dev": _SYSTEM, "/etc": _SYSTEM, "/lib": _SYSTEM, "/lib64": _SYSTEM,
    "/proc": _SYSTEM, "/sbin": _SYSTEM, "/sys": _SYSTEM, "/usr": _SYSTEM, "/opt/weather": "it is the release's",
    "/run": _GONE, "/tmp": _GONE, "/var/run": _GONE,  # noqa: S108 - refused
    "/var/tmp": "the system removes what is old there", "/root": "only root may enter it",  # noqa: S108 - refused
}  # fmt: skip
_UNSEEN = "units do not see it (ProtectHome=, PrivateTmp=)"
# Folders that the sandbox of a unit hides (templates/systemd/service.j2), or that the service may not enter.
_NOT_TO_READ = {
    "systemd": dict.fromkeys(("/home", "/root", "/run/user", "/tmp", "/var/tmp"), _UNSEEN),  # noqa: S108
    "cron": {"/root": "only root may enter it"},
}
# Folders that other programs use, too. The role would give them to the service alone.
_SHARED = frozenset({
    "/", "/home", "/media", "/mnt", "/opt", "/srv", "/var", "/var/backups", "/var/cache", "/var/lib",
    "/var/lib/weather", "/var/log", "/var/log/weather", "/var/mail", "/var/opt", "/var/spool", "/var/www",
})  # fmt: skip


class Folder(NamedTuple):
    """A folder that the service writes.

    Attributes:
        path: where it is.
        setting: the name of the setting that names it.
        mode: its mode, as Ansible and chmod take it.
        holds: patterns for the names of the service's files in it.
    """

    path: str
    setting: str
    mode: str
    holds: tuple[str, ...]


def folders(settings: Settings) -> dict[str, Folder]:
    """The folders of the service, by their content; `spool` only if it is not within the folder of the data."""
    file = settings.db.file
    data = STATE if file is None else str(file.parent)
    files = ("*",) if file is None else tuple(f"{mark}{_as_pattern(file.name)}*" for mark in ("", "."))
    found = {"data": Folder(data, "db", "0700", files)}
    spool = spool_folder(settings)
    if not spool.is_relative_to(data):
        found["spool"] = Folder(str(spool), "spool", "0700", ("*",))
    found["reports"] = Folder(settings.reports, "reports", "0750", ("report_*", "index.html", ".report_*"))
    backups = ("weather_*", ".weather_*", "drill.json", "offsite.json", "replaced-*", ".lock")
    found["backups"] = Folder(settings.backups, "backups", "0700", backups)
    return found


def _as_pattern(name: str) -> str:
    return re.sub(r"([\\*?\[])", r"\\\1", name)


def volumes(settings: Settings) -> dict[str, str]:
    """The paths at which a container has its volumes, by the volume's name."""
    found = {name: one.path for name, one in folders(settings).items()}
    reports = found.pop("reports")
    return {**found, "logs": LOGS if Path(reports).is_relative_to(LOGS) else reports}


def files(settings: Settings, sources: Sequence[Source] = ()) -> dict[str, str]:
    """The files that the service reads, by what names them: a setting, or a source's field.

    Args:
        settings: valid by themselves.
        sources: those that the deployment lists, and writes into a file of its own; none where it lists none.
    """
    named = {name: getattr(settings, name) for name in (*_OF_FEED, *(() if sources else ("sources_file",)))}
    for one in sources:
        named |= {
            f"sources: {one.name}: {name.removeprefix('feed_')}": getattr(one.settings, name) for name in _OF_FEED
        }
    return {name: path for name, path in named.items() if path}


def offsite(settings: Settings) -> str:
    """The folder to which off-site copies go; empty if they go to another host, or nowhere."""
    repository = settings.restic_repository or ""
    return "" if ":" in repository else repository


class Address(NamedTuple):
    """Where the service listens: as the setting says, and its port."""

    address: str
    port: int


def addresses(settings: Settings) -> dict[str, Address]:
    """Every address that the service listens at, by the setting that names it."""
    texts = {name: str(getattr(settings, name)) for name, one in DECLARATIONS.items() if one.kind is ADDRESS}
    return {name: Address(text, int(text.rpartition(":")[2])) for name, text in texts.items()}


# The TCP ports at which a cluster's workers listen: the first free ones.
WORKER_PORTS = range(8800, 9000)


def feed_ports(settings: Settings, sources: Sequence[Source] = ()) -> list[int]:
    """The TCP ports from which the feeds are fetched; always those of the web, for they may redirect there."""
    asked = [one.settings for one in sources] or [settings]
    servers = (urlsplit(address) for one in asked for address in (one.feed_url, one.feed_proxy) if address)
    return sorted({*HTTP_PORTS.values(), *(one.port or PORTS[one.scheme] for one in servers if one.hostname)})


def database_port(settings: Settings) -> int:
    """The port of the PostgreSQL server."""
    return PostgreSQLDatabase.default_port if settings.db.file is not None else settings.db.port


def refused(settings: Settings, target: str, sources: Sequence[Source] = ()) -> Iterator[tuple[str, str]]:
    """The settings that do not work on a target: the name of each, with the reason and what would be right.

    Args:
        settings: valid by themselves.
        target: systemd, cron, compose or kubernetes.
        sources: those that the deployment lists.
    """
    written = folders(settings)
    for one in written.values():
        value = str(settings.db) if one.setting == "db" else one.path
        for reason in _not_a_folder(one.path, target):
            yield one.setting, f"{value!r}: {reason}"
    by_path: dict[str, Folder] = {}
    for one in written.values():
        other = by_path.setdefault(one.path, one)
        if other is not one:
            yield one.setting, f"{one.path!r} is the folder of weather_{other.setting}, too: give each one of its own"
    copies = offsite(settings)
    if copies and target == "kubernetes":
        yield "restic_repository", f"{copies!r}: pods have no folder of a host: name sftp:…, s3:…, rest:…"
    elif copies:
        for reason in _not_a_folder(copies, target):
            yield "restic_repository", f"{copies!r}: {reason}"
    yield from _pushed(settings, target, sources)
    for name, path in files(settings, sources).items():
        for reason in _not_readable(path, target):
            yield name, f"{path!r}: {reason}"
    for name, listens in addresses(settings).items():
        if listens.port < LOWEST_PORT:
            yield name, f"{listens.address!r}: ports below {LOWEST_PORT} are root's"
        elif target == "compose" and not _is_number(listens.address):
            yield name, f"{listens.address!r}: give a number such as 127.0.0.1, not a name"


def _pushed(settings: Settings, target: str, sources: Sequence[Source]) -> Iterator[tuple[str, str]]:
    """The sources that stations push to, where the receiver and the collector have no folder in common."""
    urls = {f"sources: {one.name}: url": one.settings.feed_url for one in sources} or {"feed_url": settings.feed_url}
    for name, url in urls.items():
        if target == "kubernetes" and settings.db.file is None and protocol_of(url):
            yield name, f"{url!r}: pods share no folder where the database is a server: use SQLite, or another target"


def _not_a_folder(path: str, target: str) -> Iterator[str]:
    """The reasons why the service can have no folder there."""
    if path in _SHARED:
        yield f"{path} is not the service's alone: give a folder below it, such as {path.rstrip('/')}/weather"
        return
    yield from _odd(path, target)
    hidden = {**_NOT_TO_WRITE, **_NOT_TO_READ.get(target, {})}
    yield from _below(path, hidden, "such as /srv/weather")


def _not_readable(path: str, target: str) -> Iterator[str]:
    """The reasons why the service cannot read a file there."""
    yield from _odd(path, target)
    if target == "kubernetes" and not Path(path).is_relative_to(SECRETS[target]):
        yield f"pods have no file of a host: add a key to the Secret weather and name it {SECRETS[target]}/KEY"
    yield from _below(path, _NOT_TO_READ.get(target, {}), "such as /etc/weather")


def _below(path: str, places: Mapping[str, str], instead: str) -> Iterator[str]:
    above = next((place for place in places if Path(path).is_relative_to(place)), None)
    if above:
        yield f"{above}: {places[above]}: give another folder, {instead}"


def _odd(path: str, target: str) -> Iterator[str]:
    if ".." in Path(path).parts:
        yield "give it without .."
    if target in CONTAINERS and (":" in path or "," in path):
        yield "a path in a container can have neither : nor ,"


def _is_number(address: str) -> bool:
    try:
        ipaddress.ip_address(address.rpartition(":")[0].strip("[]"))
    except ValueError:
        return False
    return True
