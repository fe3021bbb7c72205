"""What the checks say of services that listen, put to real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firewall import seen
from toolkit.checks import Finding
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.host import Host
from toolkit.checks.serving import API
from toolkit.checks.targets import Systemd
from toolkit.settings import load_lenient
from toolkit.store.base import Logged

RUNS = {"ActiveState": "active", "SubState": "running"}
DOWN = {"ActiveState": "failed", "SubState": "failed"}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def host_of(listener: socket.socket, unit: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    """A host on which systemd says this of the API's unit."""
    environ = {
        "WEATHER_ENV_FILE": str(tmp_path / "none"),
        "WEATHER_API_ADDRESS": f"0.0.0.0:{listener.getsockname()[1]}",
    }
    monkeypatch.setattr(Host, "unit", lambda _self, _name: unit)
    monkeypatch.setattr(Host, "ask", lambda _self, *_: "")
    return Host(load_lenient(environ=environ))


def said(finding: Finding | None) -> str:
    assert finding
    return finding.evidence


@pytest.mark.parametrize(
    ("answer", "ok", "says"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True, "answers"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False, "answers, and cannot read the store"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False, "is not the HTTP API: 'SSH-2.0-OpenSSH_9.2'"),
        (b"", False, "is not the HTTP API"),
    ],
)
def test_who_answers_is_told_from_who_does_not(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: bytes, ok: bool, says: str
) -> None:
    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(100).startswith(b"GET /health HTTP/1.0\r\n")
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    finding = API.answers(host_of(listener, RUNS, monkeypatch, tmp_path))
    thread.join()
    assert finding
    assert finding.ok is ok
    assert says in said(finding)


def test_a_port_that_another_program_has_is_named(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    host = host_of(listener, DOWN, monkeypatch, tmp_path)
    assert said(API.port_is_its_own(host)).startswith("another program has 0.0.0.0:")
    port = listener.getsockname()[1]
    monkeypatch.setenv("LISTENING_SEEN_BY_ROOT", f"22 17 sshd -D\n{port} {2**30} /usr/sbin/night --watch")
    host = host_of(listener, DOWN, monkeypatch, tmp_path)
    found = API.port_is_its_own(host)
    assert said(found).startswith(f"process {2**30} (/usr/sbin/night --watch) has 0.0.0.0:")
    assert found
    assert found.remedy
    assert found.remedy.render(Systemd()) == f"kill {2**30} && systemctl restart weather-api.service"
    listener.close()
    assert said(API.port_is_its_own(host)).endswith("is free")


def test_a_service_that_is_starting_has_its_own_port(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unit = {"ActiveState": "activating", "SubState": "start", "MainPID": "4711"}
    port = listener.getsockname()[1]
    monkeypatch.setenv("LISTENING_SEEN_BY_ROOT", f"{port} 4711 weather-tool api")
    assert "it is starting" in said(API.port_is_its_own(host_of(listener, unit, monkeypatch, tmp_path)))
    monkeypatch.setenv("LISTENING_SEEN_BY_ROOT", f"{port} 4712 nginx")
    assert "process 4712 (nginx)" in said(API.port_is_its_own(host_of(listener, unit, monkeypatch, tmp_path)))
    unit["SubState"] = "auto-restart"
    monkeypatch.delenv("LISTENING_SEEN_BY_ROOT")
    assert "another program has" in said(API.port_is_its_own(host_of(listener, unit, monkeypatch, tmp_path)))


def test_where_there_is_no_such_job_nothing_is_asked(tmp_path: Path) -> None:
    host = Host(load_lenient(environ={"WEATHER_ENV_FILE": str(tmp_path / "none")}))
    assert API.answers(host) is API.port_is_its_own(host) is None


def test_a_service_that_works_since_its_last_start_is_not_told_to_die_again_and_again(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entered = f"{time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6 - 20e6:.0f}"
    unit = {
        **RUNS,
        "LoadState": "loaded",
        "NRestarts": "4",
        "Result": "success",
        "ActiveEnterTimestampMonotonic": entered,
    }
    host = host_of(listener, unit, monkeypatch, tmp_path)
    logged: list[Logged] = []
    host.once("log", lambda: logged)
    finding = BY_ID["collector-running"].probe(host)
    assert said(finding) == "weather-collector.service was restarted 4 times, last 20 seconds ago"
    logged += [Logged(host.now - 5, "failed", 0, 0, "the feed answers 500")]
    assert "has been running" in said(BY_ID["collector-running"].probe(host))
    unit["SubState"] = "auto-restart"
    assert said(BY_ID["collector-running"].probe(host)).endswith("4 times so far")


@pytest.mark.parametrize(
    ("hook", "rule", "ours"),
    [
        ("input", "tcp dport {port} drop", True),
        ("input", "iifname lo tcp dport 1000-65535 reject with tcp reset", True),
        ("output", "ip daddr 127.0.0.1 tcp dport {{ 80, {port} }} drop", True),
        ("input", "tcp dport 22 drop", False),
        ("input", "udp dport {port} drop", False),
        ("input", "iifname eth0 tcp dport {port} drop", False),
        ("input", "ip saddr 192.0.2.9 tcp dport {port} drop", False),
        ("forward", "tcp dport {port} drop", False),
    ],
)
def test_a_rule_of_the_hosts_firewall_that_refuses_what_comes_is_named_and_taken_away(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hook: str, rule: str, ours: bool
) -> None:
    host = host_of(listener, RUNS, monkeypatch, tmp_path)
    rule = rule.format(port=listener.getsockname()[1])
    monkeypatch.setenv("SEEN_BY_ROOT", seen(hook, rule)[0])
    listener.close()
    found = API.answers(host)
    assert ("a rule of this host's firewall refuses what comes to it: " in said(found)) is ours
    if found and ours:
        assert found.remedy
        delete = found.remedy.render(Systemd()).removeprefix("nft ")
        assert "dport" not in seen(hook, rule, delete)[1]
