"""Telling systemd something while it does not read."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from toolkit import sdnotify


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket of a systemd that has not read for long: it holds as much as it can."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(60)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as earlier, suppress(BlockingIOError):
            earlier.setblocking(False)
            while True:
                earlier.sendto(b"WATCHDOG=1", path)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        yield systemd


@pytest.mark.usefixtures("full")
def test_a_systemd_that_does_not_read_holds_no_service_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdnotify, "SEND_SECONDS", 0.01)
    telling = threading.Thread(target=sdnotify.notify, args=("STOPPING=1",), daemon=True)
    telling.start()
    telling.join(30)
    assert not telling.is_alive()


def test_what_systemd_reads_late_is_not_lost(full: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdnotify, "SEND_SECONDS", 60)
    telling = threading.Thread(target=sdnotify.notify, args=("READY=1",))
    telling.start()
    while full.recv(100) != b"READY=1":
        pass
    telling.join()
