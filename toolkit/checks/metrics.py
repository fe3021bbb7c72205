"""Checks of the exporter."""

from __future__ import annotations

import socket
from functools import partial

from toolkit.checks import Check, Finding, Status, bad, good
from toolkit.checks.host import Host
from toolkit.checks.mending import quoted
from toolkit.checks.service import _enabled, _running

UNIT = "weather-exporter.service"
ANSWER_SECONDS = 1.0


def _address(host: Host) -> tuple[str, int]:
    name, _, port = host.settings.metrics_address.rpartition(":")
    name = name.strip("[]")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name), int(port)  # noqa: S104


def _answers(host: Host) -> Finding | None:
    unit = host.unit(UNIT)
    if unit is None or unit["ActiveState"] != "active":
        return None
    try:
        with socket.create_connection(_address(host), ANSWER_SECONDS) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
            answer = connection.recv(64)
    except OSError as error:
        return bad(f"{host.settings.metrics_address} does not answer: {error}")
    if b" 200 " not in answer:
        return bad(f"{host.settings.metrics_address} is not the exporter: {answer[:40].decode(errors='replace')!r}")
    return good(f"http://{host.settings.metrics_address}/metrics answers")


def _port(host: Host) -> Finding | None:
    unit = host.unit(UNIT)
    if unit is None or (unit["ActiveState"] == "active" and unit["SubState"] == "running"):
        return None
    name, port = _address(host)
    try:
        socket.create_connection((name, port), ANSWER_SECONDS).close()
    except OSError:
        return _bound(host, name) or good(f"port {port} is free")
    return bad(f"another program has {host.settings.metrics_address}, where the exporter is to serve")


def _bound(host: Host, name: str) -> Finding | None:
    """What is wrong with the address, where it is none of this host."""
    try:
        family, *_, address = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.bind(address)
    except OSError as error:
        file = quoted(host.settings_file)
        return bad(
            f"WEATHER_METRICS_ADDRESS={host.settings.metrics_address} is no address of this host: {error.strerror}",
            f"sed -i '/^WEATHER_METRICS_ADDRESS=/s/^/# /' {file} && systemctl restart {UNIT}",
        )
    return None


_UNITS = (
    "release-current", "python-runs", "packages-complete", "units-present", "units-genuine", "units-as-deployed",
    "units-start", "units-hardened", "settings-valid",
)  # fmt: skip

CHECKS = (
    Check(
        "exporter-port", "metrics", "The exporter's port is its own.", Status.WARNING, _port,
        "ss -ltnp  # stop what has the port, then: systemctl restart weather-exporter.service",
    ),
    Check(
        "exporter-enabled", "metrics", "The exporter comes back with the host.", Status.WARNING,
        partial(_enabled, UNIT), f"systemctl enable --now {UNIT}", ("units-present",),
    ),
    Check(
        "exporter-running", "metrics", "The exporter runs.", Status.WARNING, partial(_running, UNIT),
        f"systemctl restart {UNIT}", ("exporter-enabled", "exporter-port", *_UNITS),
    ),
    Check(
        "exporter-answers", "metrics", "The exporter answers.", Status.WARNING, _answers,
        f"systemctl restart {UNIT}", ("exporter-running", "exporter-enabled"),
    ),
)  # fmt: skip
