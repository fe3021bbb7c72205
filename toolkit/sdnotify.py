"""Report the state of a service to systemd: sd_notify(3), a datagram to the socket that it names.

It is ten lines; the libraries on PyPI are either unmaintained or need the headers of libsystemd on every host.
"""

from __future__ import annotations

import logging
import os
import re
import socket

from toolkit.text import one_line

# The longest line. Text of a feed or of a database may be part of a status; systemd accepts up to a page of memory.
LINE_LENGTH = 1000

log = logging.getLogger(__name__)


def notify(*lines: str) -> None:
    """Send `READY=1`, `STATUS=…`, `WATCHDOG=1`, `STOPPING=1`; without systemd, nothing happens.

    Each stays one line: after a line break in a status systemd would read another assignment.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto("\n".join(one_line(line, LINE_LENGTH) for line in lines).encode(), address)
    except OSError as error:
        # systemd does not listen at this moment. If it misses many, its watchdog restarts the service.
        log.debug("systemd was not told: %s", error)


def watchdog_seconds() -> float | None:
    """Seconds between two notifications of the watchdog: half its limit (sd_watchdog_enabled(3)); None if it is off."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    return int(limit) / 2e6 if re.fullmatch("[0-9]{1,18}", limit) and int(limit) else None
