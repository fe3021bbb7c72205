"""Checks of what the service may do, and who may reach it."""

from __future__ import annotations

import grp
import socket
import struct
from pathlib import Path

from toolkit.checks import Check, Finding, Status, bad, good
from toolkit.checks.host import ANSIBLE, USER, Host
from toolkit.checks.mending import up_again
from toolkit.checks.units import changed_back, wrong_lines

# What every unit of the service has (templates/systemd/service.j2) and a drop-in could take away.
_HARDENED = {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "CapabilityBoundingSet": "", "PrivateUsers": "yes"}
_CONFINES = {*_HARDENED, "SystemCallFilter"}
_LISTENS = "0A"


def _hardened(host: Host) -> Finding | None:
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
            changed_back(host, list(weak), wrong_lines(host, list(weak), _CONFINES)),
        )
    return good(f"{len(services)} units are confined")


def _user(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    if host.user is None:
        return bad(f"there is no user {USER}", _user_again(host))
    try:
        grp.getgrgid(host.user.pw_gid)
    except KeyError:
        return bad(f"the group of {USER} is gone", f"groupadd --system --gid {host.user.pw_gid} {USER}")
    if not host.user.pw_shell.endswith(("nologin", "false")):
        return bad(f"the service user can log in, to {host.user.pw_shell}", f"usermod --shell /usr/sbin/nologin {USER}")
    if host.user.pw_uid == 0:
        return bad(f"the user {USER} is root")
    return good("the service user cannot log in")


def _user_again(host: Host) -> str:
    """The command that makes the user, with the number that owns its files."""
    found = host.look(host.db.parent if not host.is_postgresql else Path(host.settings.backups))
    numbers = f" --uid {found.st_uid}" if found and found.st_uid else ""
    try:
        grp.getgrnam(USER)
        group = ""
    except KeyError:
        group = f"groupadd --system{f' --gid {found.st_gid}' if found and found.st_gid else ''} {USER} && "
    home = f"--home-dir /var/lib/weather --no-create-home --shell /usr/sbin/nologin --gid {USER}"
    services = [f"weather-{name}.service" for name, job in host.jobs.items() if job.schedule is None]
    return f"{group}useradd --system{numbers} {home} {USER}{up_again(*services)}"


def _ports(host: Host) -> Finding | None:
    if host.user is None or host.contained:  # which ports are open is said by who runs the container
        return None
    wide = sorted({port for address, port in _listening(host.user.pw_uid) if address in {"0.0.0.0", "::"}})  # noqa: S104
    if wide:
        asked = host.settings.metrics_address
        evidence = f"the service listens to the whole world on port {', '.join(map(str, wide))}"
        if asked.rpartition(":")[0].strip("[]") in {"0.0.0.0", "::"}:  # noqa: S104
            file = host.settings_file
            return bad(
                f"{evidence}, as WEATHER_METRICS_ADDRESS={asked} asks",
                f"sed -i '/^WEATHER_METRICS_ADDRESS=/s/^/# /' {file} && systemctl restart weather-exporter.service",
            )
        return bad(evidence, "systemctl revert weather-exporter.service && systemctl restart weather-exporter.service")
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


CHECKS = (
    Check(
        "service-user", "security posture", "The service has a user of its own, who cannot log in.", Status.WARNING,
        _user, ANSIBLE,
    ),
    Check(
        "units-hardened", "security posture", "No drop-in takes away what confines the units.", Status.WARNING,
        _hardened, "systemctl revert weather-collector.service", ("units-genuine",),
    ),
    Check(
        "ports-closed", "security posture", "No port of the service is open to the whole world.", Status.WARNING,
        _ports, "ss -ltnp",
    ),
)  # fmt: skip
