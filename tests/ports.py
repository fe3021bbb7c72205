"""Ports for the services that tests start."""

from __future__ import annotations

import socket
from contextlib import suppress
from random import SystemRandom

# Below those that the system gives to connections by itself (net.ipv4.ip_local_port_range begins at 32768), one of
# which could take the port before the service does.
_RANGE = range(10_000, 32_000)
# Not `random`, which Hypothesis begins anew for each of its tests.
_random = SystemRandom()


def free_port() -> int:
    """A port of loopback on which nothing listens."""
    while True:
        port = _random.choice(_RANGE)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
