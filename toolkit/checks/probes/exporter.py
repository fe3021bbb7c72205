"""Checks of the exporter, which serves the metrics."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import RELEASE
from toolkit.checks.causes import UNIT as UNIT_CAUSES
from toolkit.checks.host import Host
from toolkit.checks.remedies import Enable, OnMachine, Restart, Shell, Then
from toolkit.checks.serving import EXPORTER
from toolkit.checks.unit_states import enabled, running

LOOPBACK = Path("/sys/class/net/lo/flags")
# Of netdevice(7).
_UP = 0x1


@check(
    id="exporter-port", area="metrics",
    invariant="The exporter's port is its own.",
    problem="Another program has the exporter's port, or the address is none of this host.",
    severity=Status.WARNING, remedy=Then(Shell("ss -ltnp"), "stop what has the port, then: {}", Restart("exporter")),
    caused_by=("settings-fit",),
)  # fmt: skip
def exporter_port(host: Host) -> Finding | None:
    return EXPORTER.port_is_its_own(host)


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
    if not flags & _UP:
        return bad("the loopback interface lo is down")
    try:
        with socket.socket() as tried:
            tried.bind(("127.0.0.1", 0))
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            return bad("the loopback interface lo has no address", OnMachine("ip addr add 127.0.0.1/8 dev lo"))
    return good("the loopback interface is up")


@check(
    id="exporter-enabled", area="metrics",
    invariant="The exporter comes back with the host.",
    problem="The exporter does not come back with the host.",
    severity=Status.WARNING, remedy=Enable("exporter"), caused_by=("units-present",),
)  # fmt: skip
def exporter_enabled(host: Host) -> Finding | None:
    return enabled(EXPORTER.unit, host)


@check(
    id="exporter-running", area="metrics",
    invariant="The exporter runs.",
    problem="The exporter does not run.",
    severity=Status.WARNING, remedy=Restart("exporter"),
    caused_by=("exporter-enabled", "exporter-port", *RELEASE, *UNIT_CAUSES, "settings-valid"), is_of_last_run=True,
)  # fmt: skip
def exporter_running(host: Host) -> Finding | None:
    return running(EXPORTER.unit, host)


@check(
    id="exporter-answers", area="metrics",
    invariant="The exporter answers.",
    problem="The exporter does not answer.",
    severity=Status.WARNING, remedy=Restart("exporter"),
    caused_by=("loopback-up", "feed-way", "exporter-running", "exporter-enabled"),
)  # fmt: skip
def exporter_answers(host: Host) -> Finding | None:
    return EXPORTER.answers(host)
