"""How a service that listens stands: whether its port is its own, and whether it answers."""

from __future__ import annotations

import socket
from typing import NamedTuple

from toolkit.checks import Finding, bad, good
from toolkit.checks.firewall import refusing
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import COMPOSE, CRON, KUBERNETES
from toolkit.checks.host.processes import named, unit_of
from toolkit.checks.remedies import EditSettings, OnMachine, Restart, Sequence, ended
from toolkit.settings import DECLARATIONS

CONNECT_SECONDS, ANSWER_SECONDS = 1.0, 3.0


class Listener(NamedTuple):
    """A service that listens.

    Attributes:
        job: its name in `weather_jobs`.
        setting: the setting that names its ADDRESS:PORT.
        noun: what people call it.
        path: what it is asked for, to see whether it answers.
    """

    job: str
    setting: str
    noun: str
    path: str

    @property
    def unit(self) -> str:
        """Its unit."""
        return f"weather-{self.job}.service"

    @property
    def variable(self) -> str:
        """The setting, as the settings file has it."""
        return DECLARATIONS[self.setting].variable

    def named(self, host: Host) -> str:
        """The ADDRESS:PORT that the setting names."""
        return str(getattr(host.settings, self.setting))

    def moved_back(self, host: Host) -> Sequence:
        """The remedy that makes it serve at the default address."""
        return Sequence(EditSettings(f"/^{self.variable}=/s/^/# /", host.settings_file), Restart(self.job))

    def address(self, host: Host) -> tuple[str, int]:
        """Where it is reached from this host."""
        name, _, port = self.named(host).rpartition(":")
        name = name.strip("[]")
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name), int(port)  # noqa: S104

    def port_is_its_own(self, host: Host) -> Finding | None:
        """Whether it can have its port, where it does not run."""
        unit = host.unit(self.unit)
        if unit is None or (unit["ActiveState"] == "active" and unit["SubState"] == "running"):
            return None
        name, port = self.address(host)
        try:
            socket.create_connection((name, port), CONNECT_SECONDS).close()
        except OSError:
            return self._refused(host, name, port) or good(f"port {port} is free")
        others = [one.split() for one in host.ask("systemctl", "list-sockets", "--no-legend").splitlines()]
        if holder := next((words[1] for words in others if len(words) > 1 and words[0].endswith(f":{port}")), None):
            return bad(
                f"systemd holds {self.named(host)} for {holder}, where the {self.noun} is to serve",
                Sequence(OnMachine("systemctl disable --now {}", holder), Restart(self.job)),
            )
        holders = [(pid, command) for taken, pid, command in host.listening if taken == port]
        starting = unit["ActiveState"] == "activating" and unit["SubState"] != "auto-restart"
        if starting and all(str(pid) == unit["MainPID"] for pid, _ in holders):
            return good(f"port {port} is its own: it is starting")
        return self._taken(host, holders)

    def _taken(self, host: Host, holders: list[tuple[int, str]]) -> Finding:
        """The finding that another program has the port; root is told which."""
        if not holders:
            return bad(f"another program has {self.named(host)}, where the {self.noun} is to serve")
        pid, command = holders[0]
        end = ended(unit_of(pid), *(number for number, _ in holders))
        said = f"{named(pid, command[:60])} has {self.named(host)}, where the {self.noun} is to serve"
        return bad(said, Sequence(end, Restart(self.job)))

    def _refused(self, host: Host, name: str, port: int) -> Finding | None:
        """The finding that the service may not serve at the address; None where it may."""
        try:
            family, *_, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, socket.SOCK_STREAM) as one:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind(address)
        except OSError as error:
            named = f"{self.variable}={self.named(host)}"
            return bad(f"the service cannot serve at {named}: {error.strerror}", self.moved_back(host))
        return None

    def answers(self, host: Host) -> Finding | None:
        """Whether it answers with the status 200, where it is to run."""
        if host.scheduler == CRON:
            if self.job not in host.jobs or host.kept_by_cron(self.job) is None:
                return None
        elif (unit := host.unit(self.unit)) is None or unit["ActiveState"] != "active":
            return None
        try:
            with socket.create_connection(self.address(host), CONNECT_SECONDS) as connection:
                connection.settimeout(ANSWER_SECONDS)
                connection.sendall(f"GET {self.path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                answer = connection.recv(64)
        except OSError as error:
            said = f"{self.named(host)} does not answer: {error}"
            name, port = self.address(host)
            if found := refusing(host, name, {port}, own=True):
                return bad(f"{said}: a rule of this host's firewall refuses what comes to it: {found[0]}", found[1])
            return bad(said)
        if answer.startswith(b"HTTP/1.") and b" 503 " in answer:
            return bad(f"{self.named(host)} answers, and cannot read the store")
        if b" 200 " not in answer:
            said = answer.partition(b"\r\n")[0].decode(errors="replace")
            return bad(f"{self.named(host)} is not the {self.noun}: {said!r}")
        return good(f"http://{self.named(host)} answers")


EXPORTER = Listener("exporter", "metrics_address", "exporter", "/-/healthy")
API = Listener("api", "api_address", "HTTP API", "/health")
RECEIVER = Listener("receiver", "receiver_address", "receiver", "/metrics")
LISTENERS = (EXPORTER, API, RECEIVER)

SERVICE = "/service"
"""Where the exporter tells what only it sees of the service."""


def service_url(host: Host) -> str:
    """Where the exporter tells of the service; from a container it is reached by its name."""
    name, port = EXPORTER.address(host)
    name = {COMPOSE: EXPORTER.job, KUBERNETES: f"weather-{EXPORTER.job}"}.get(host.scheduler, name)
    return f"http://[{name}]:{port}{SERVICE}" if ":" in name else f"http://{name}:{port}{SERVICE}"
