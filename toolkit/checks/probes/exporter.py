"""Checks of the exporter, which serves the metrics."""

from __future__ import annotations

import socket
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import RELEASE
from toolkit.checks.causes import UNIT as UNIT_CAUSES
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON
from toolkit.checks.remedies import EditSettings, Enable, OnMachine, Restart, Sequence, Shell, Then
from toolkit.checks.unit_states import enabled, running

UNIT = "weather-exporter.service"
LOOPBACK = Path("/sys/class/net/lo/flags")
# Of netdevice(7).
_UP = 0x1
ANSWER_SECONDS = 1.0


def _address(host: Host) -> tuple[str, int]:
    name, _, port = host.settings.metrics_address.rpartition(":")
    name = name.strip("[]")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name), int(port)  # noqa: S104


@check(
    id="exporter-port", area="metrics",
    invariant="The exporter's port is its own.",
    problem="Another program has the exporter's port, or the address is none of this host.",
    severity=Status.WARNING, remedy=Then(Shell("ss -ltnp"), "stop what has the port, then: {}", Restart("exporter")),
)  # fmt: skip
def exporter_port(host: Host) -> Finding | None:
    unit = host.unit(UNIT)
    if unit is None or (unit["ActiveState"] == "active" and unit["SubState"] == "running"):
        return None
    name, port = _address(host)
    try:
        socket.create_connection((name, port), ANSWER_SECONDS).close()
    except OSError:
        return _bound(host, name, port) or good(f"port {port} is free")
    others = [one.split() for one in host.ask("systemctl", "list-sockets", "--no-legend").splitlines()]
    if unit_of := next((words[1] for words in others if len(words) > 1 and words[0].endswith(f":{port}")), None):
        return bad(
            f"systemd holds {host.settings.metrics_address} for {unit_of}, where the exporter is to serve",
            Sequence(OnMachine("systemctl disable --now {}", unit_of), Restart("exporter")),
        )
    return bad(f"another program has {host.settings.metrics_address}, where the exporter is to serve")


def _bound(host: Host, name: str, port: int) -> Finding | None:
    """The finding that the service may not serve at the address; None where it may."""
    try:
        family, *_, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(address)
    except OSError as error:
        return bad(
            f"the service cannot serve at WEATHER_METRICS_ADDRESS={host.settings.metrics_address}: {error.strerror}",
            Sequence(EditSettings("/^WEATHER_METRICS_ADDRESS=/s/^/# /", host.settings_file), Restart("exporter")),
        )
    return None


@check(
    id="loopback-up", area="metrics",
    invariant="The host reaches itself.",
    problem="The host's loopback interface is down: it does not reach itself.",
    severity=Status.WARNING, remedy=OnMachine("ip link set lo up"),
)  # fmt: skip
def loopback_up(host: Host) -> Finding | None:
    try:
        flags = int(LOOPBACK.read_text(encoding="ascii"), 16)
    except (OSError, ValueError):
        return None
    if host.contained:
        return None
    return good("the loopback interface is up") if flags & _UP else bad("the loopback interface lo is down")


@check(
    id="exporter-enabled", area="metrics",
    invariant="The exporter comes back with the host.",
    problem="The exporter does not come back with the host.",
    severity=Status.WARNING, remedy=Enable("exporter"), caused_by=("units-present",),
)  # fmt: skip
def exporter_enabled(host: Host) -> Finding | None:
    return enabled(UNIT, host)


@check(
    id="exporter-running", area="metrics",
    invariant="The exporter runs.",
    problem="The exporter does not run.",
    severity=Status.WARNING, remedy=Restart("exporter"),
    caused_by=("exporter-enabled", "exporter-port", *RELEASE, *UNIT_CAUSES, "settings-valid"), is_of_last_run=True,
)  # fmt: skip
def exporter_running(host: Host) -> Finding | None:
    return running(UNIT, host)


@check(
    id="exporter-answers", area="metrics",
    invariant="The exporter answers.",
    problem="The exporter does not answer.",
    severity=Status.WARNING, remedy=Restart("exporter"),
    caused_by=("loopback-up", "feed-way", "exporter-running", "exporter-enabled"),
)  # fmt: skip
def exporter_answers(host: Host) -> Finding | None:
    if host.scheduler == CRON:
        if "exporter" not in host.jobs or host.kept_by_cron("exporter") is None:
            return None
    elif (unit := host.unit(UNIT)) is None or unit["ActiveState"] != "active":
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
