"""Checks of what the service may do, and who may reach it."""

from __future__ import annotations

import grp
import os
import pwd
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import USER
from toolkit.checks.host.files import owner_of
from toolkit.checks.remedies import (
    AsRoot,
    OfSystemd,
    OnController,
    Remedy,
    Restart,
    Sequence,
    Shell,
    Start,
    Stop,
    allow,
    put_aside,
)
from toolkit.checks.serving import EXPORTER, LISTENERS
from toolkit.checks.unit_files import restored, wrong_lines

# What confines every unit of the service (templates/systemd/service.j2), and a drop-in could take away.
_HARDENED = {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "CapabilityBoundingSet": "", "PrivateUsers": "yes"}
_CONFINES = {*_HARDENED, "SystemCallFilter"}
# Where accounts are, and what says so.
ACCOUNTS, GROUPS, NAME_SERVICES = Path("/etc/passwd"), Path("/etc/group"), Path("/etc/nsswitch.conf")
# Groups that may become root, or read everything.
_POWERFUL = {"root", "sudo", "wheel", "admin", "disk", "docker", "shadow", "lxd"}
# The state of a listening socket in /proc/net/tcp.
_LISTENS = "0A"


@check(
    id="service-user", area="security posture",
    invariant="The service has a user of its own, who cannot log in.",
    problem="The service user is missing, or may do more than it should.",
    severity=Status.WARNING, remedy=OnController(),
)  # fmt: skip
def service_user(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    if not os.access(ACCOUNTS, os.R_OK):
        return bad(f"{ACCOUNTS} cannot be read: nobody but root has a name", allow("0644", ACCOUNTS))
    named = {name: int(uid) for name, uid in _accounts()}
    if host.user is None and USER in named:
        return _looked_for_elsewhere(f"{ACCOUNTS} has the user {USER}")
    if host.user is None:
        return bad(f"there is no user {USER}", _user_again(host))
    if (old := _owner_of_all(host)) is not None and old != host.user.pw_uid:
        return _renumbered(host, old, named)
    if (group := _group_renumbered(host)) is not None:
        return group
    if left := _left_behind(host):
        numbers = ", ".join(sorted({str(folder.stat().st_uid) for folder in left}))
        return bad(
            f"the owner of {', '.join(map(str, left))} is the number {numbers}, which no account has; "
            f"that of {USER} is {host.user.pw_uid}: was it changed?",
            Sequence(*(AsRoot("chown -hR weather:weather {}", folder) for folder in left), Restart("collector")),
        )
    if same := [name for name, uid in named.items() if uid == host.user.pw_uid and name != USER]:
        return bad(
            f"the account {same[0]} has the number of {USER}, {host.user.pw_uid}, and so all of its rights",
            Shell("sed -i {} {}", f"/^{same[0]}:/d", ACCOUNTS),
        )
    if many := [one.gr_name for one in grp.getgrall() if USER in one.gr_mem and one.gr_name in _POWERFUL]:
        return bad(f"the service user is in the group {many[0]}", Shell("gpasswd --delete {} {}", USER, many[0]))
    if rules := [one for one in host.seen_by_root if "sudoers" in str(one[0])]:
        file, rule = rules[0]
        away = put_aside(file)
        if file.parent.name != "sudoers.d":
            away = Shell("sed -i {} {}", f"/^{re.escape(rule.split()[0])}[[:space:]]/s/^/# /", file)
        return bad(f"the service user may become another by sudo: {rule!r} in {file}", away)
    return _of_its_entry(host, host.user) or good("the service user cannot log in")


def _of_its_entry(host: Host, user: pwd.struct_passwd) -> Finding | None:
    """The finding of what is wrong with the service user's own entry among the accounts."""
    try:
        group = grp.getgrgid(user.pw_gid).gr_name
    except KeyError:
        with suppress(OSError):
            lines = GROUPS.read_text(encoding="utf-8", errors="replace").splitlines()
            if any(line.split(":")[2:3] == [str(user.pw_gid)] for line in lines):
                return _looked_for_elsewhere(f"{GROUPS} has the group of {USER}")
        return bad(f"the group of {USER} is gone", Shell("groupadd --system --gid {} {}", str(user.pw_gid), USER))
    ours = [one for one in grp.getgrall() if one.gr_name == USER]
    folder = host.look(host.settings_file.parent)
    if not ours and folder and folder.st_gid and folder.st_gid == user.pw_gid:
        return bad(
            f"the group of {USER} is called {group}, and the units ask for {USER}: was it renamed?",
            Sequence(Shell("groupmod --new-name {} {}", USER, group), Restart("collector", "exporter", "api")),
        )
    if group != USER and any(USER not in one.gr_mem for one in ours):
        return bad(
            f"the service user is in the group {group}, and not in the group {USER}, whose its settings are",
            Sequence(Shell("usermod --gid {} {}", USER, USER), Restart("collector", "exporter", "api")),
        )
    if not user.pw_shell.endswith(("nologin", "false")):
        return bad(
            f"the service user can log in, to {user.pw_shell}", Shell("usermod --shell /usr/sbin/nologin {}", USER)
        )
    if user.pw_uid == 0:
        return bad(f"the user {USER} is root")
    return None


def _looked_for_elsewhere(said: str) -> Finding:
    """The finding that the host does not look for accounts in its files."""
    change = r"s/^(passwd|group):.*/\1: files/"
    return bad(
        f"{said}, and the host does not look there: {NAME_SERVICES}",
        Sequence(Shell("sed -E -i {} {}", change, NAME_SERVICES), Restart("collector")),
    )


def _accounts() -> Iterator[tuple[str, str]]:
    for line in ACCOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split(":")
        if len(words) > 2 and words[2].isdecimal():
            yield words[0], words[2]


def _owner_of_all(host: Host) -> int | None:
    """The number that owns all of the service's folders; None where they have different owners, or root's."""
    found = set()
    for folder in (Path(host.settings.backups), Path(host.settings.reports), host.spool.parent):
        with suppress(OSError):
            found |= {one.st_uid} if (one := host.look(folder)) else set()
    owner = found.pop() if len(found) == 1 else 0
    return owner or None


def _left_behind(host: Host) -> list[Path]:
    """Folders of the service that belong to no account."""
    folders = [Path(host.settings.reports).parent, Path(host.settings.reports), Path(host.settings.backups)]
    if not host.on_server:
        folders.append(host.db.parent)
    left: list[Path] = []
    for folder in folders:
        with suppress(OSError):
            found = host.look(folder)
            if found and owner_of(found).isdecimal() and folder.parent not in left:
                left.append(folder)
    return left


def _renumbered(host: Host, old: int, named: dict[str, int]) -> Finding:
    assert host.user  # noqa: S101 - for the type checker
    said = f"the number of {USER} is {host.user.pw_uid}, and its files are those of {old}"
    if taken := [name for name, uid in named.items() if uid == old]:
        return bad(f"{said}, which {taken[0]} has")
    services = host.services
    change = Shell("sed -E -i {} {}", rf"s/^{USER}:([^:]*):[0-9]+:/{USER}:\1:{old}:/", ACCOUNTS)
    return bad(said, Sequence(*map(Stop, services), change, *map(Start, services)))


def _group_renumbered(host: Host) -> Finding | None:
    """The finding that the service's group has another number than that of its settings, which no group has."""
    assert host.user  # noqa: S101 - for the type checker
    folder = host.look(host.settings_file.parent)
    if folder is None or not folder.st_gid or folder.st_gid == host.user.pw_gid:
        return None
    number = folder.st_gid
    try:
        grp.getgrgid(number)
    except KeyError:
        said = f"the number of the group {USER} is {host.user.pw_gid}, and its settings are those of {number}"
        # The list of jobs is among what cannot be read.
        return bad(said, Sequence(Shell("groupmod --gid {} {}", str(number), USER), Restart("collector", "exporter")))
    return None


def _user_again(host: Host) -> Remedy:
    """Make the user, with the numbers that own its files."""
    found = host.look(host.db.parent if not host.on_server else Path(host.settings.backups))
    uid = f" --uid {found.st_uid}" if found and found.st_uid else ""
    gid = f" --gid {found.st_gid}" if found and found.st_gid else ""
    other = next((name for name, number in _accounts() if found and int(number) == found.st_uid), None)
    services = host.services
    if other:
        change = Shell("sed -i {} {}", f"s/^{other}:/{USER}:/", ACCOUNTS)
        return Sequence(*map(Stop, services), change, *map(Start, services))
    home = f"--home-dir /var/lib/weather --no-create-home --shell /usr/sbin/nologin --gid {USER}"
    remedies: list[Remedy] = [Shell(f"useradd --system{uid} {home} {USER}")]
    try:
        grp.getgrnam(USER)
    except KeyError:
        remedies.insert(0, Shell(f"groupadd --system{gid} {USER}"))
    if services:
        remedies.append(Restart(*services))
    return Sequence(*remedies)


@check(
    id="units-hardened", area="security posture",
    invariant="No drop-in takes away what confines the units.",
    problem="Something takes away what confines a unit.",
    severity=Status.WARNING, remedy=OfSystemd("systemctl revert weather-collector.service"),
    caused_by=("units-genuine",),
)  # fmt: skip
def units_hardened(host: Host) -> Finding | None:
    services = {name: unit for name, unit in host.units.items() if name.endswith(".service")}
    if not services:
        return None
    weak = {}
    for name, unit in services.items():
        lost = [f"{key}={unit[key] or '(empty)'}" for key, value in _HARDENED.items() if unit.get(key, value) != value]
        if not unit["SystemCallFilter"]:
            lost.append("no SystemCallFilter")
        if lost and unit["LoadState"] == "loaded":
            weak[name] = lost
    if weak:
        name, lost = next(iter(weak.items()))
        by = services[name]["DropInPaths"] or services[name]["FragmentPath"]
        return bad(
            f"{', '.join(weak)} may do more than it needs ({', '.join(lost)}), by {by}",
            restored(host, list(weak), wrong_lines(host, list(weak), _CONFINES)),
        )
    return good(f"{len(services)} units are confined")


@check(
    id="ports-closed", area="security posture",
    invariant="No port of the service is open to the whole world.",
    problem="A port of the service is open to the whole world.",
    severity=Status.WARNING, remedy=Shell("ss -ltnp"),
)  # fmt: skip
def ports_closed(host: Host) -> Finding | None:
    if host.user is None or host.contained:  # which ports are open is said by who runs the container
        return None
    wide = sorted({port for address, port in _listening(host.user.pw_uid) if address in {"0.0.0.0", "::"}})  # noqa: S104
    if wide:
        evidence = f"the service listens to the whole world on port {', '.join(map(str, wide))}"
        listener = next((one for one in LISTENERS if int(one.named(host).rpartition(":")[2]) in wide), EXPORTER)
        named = listener.named(host)
        if named.rpartition(":")[0].strip("[]") in {"0.0.0.0", "::"}:  # noqa: S104
            return bad(f"{evidence}, as {listener.variable}={named} asks", listener.moved_back(host))
        return bad(evidence, Sequence(OfSystemd("systemctl revert {}", listener.unit), Restart(listener.job)))
    return good("no port of the service is open to the whole world")


def _listening(uid: int) -> list[tuple[str, int]]:
    found = []
    for file, family in (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6)):
        for line in Path(file).read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[3] == _LISTENS and int(words[7]) == uid:
                address, _, port = words[1].partition(":")
                found.append((socket.inet_ntop(family, _bytes(address)), int(port, 16)))
    return found


def _bytes(text: str) -> bytes:
    """An address as the kernel prints it: words of four bytes, each in the machine's order."""
    return b"".join(struct.pack("=I", int(text[place : place + 8], 16)) for place in range(0, len(text), 8))
