"""Tell systemd how the service is: sd_notify(3), a datagram to the socket that it names.

Ten lines instead of a library: those on PyPI are either unkept or need libsystemd's headers on every host.
"""

from __future__ import annotations

import os
import socket


def notify(*lines: str) -> None:
    """Send `READY=1`, `STATUS=…`, `WATCHDOG=1`, `STOPPING=1`; without systemd, nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.sendto("\n".join(lines).encode(), address)


def watchdog_seconds() -> float | None:
    """How often systemd wants a sign of life, halved as sd_watchdog_enabled(3) advises; None if it does not."""
    limit = os.environ.get("WATCHDOG_USEC")
    return int(limit) / 2e6 if limit else None
