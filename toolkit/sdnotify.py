"""Tell systemd how the service is: sd_notify(3), a datagram to the socket that it names.

Ten lines instead of a library: those on PyPI are either unkept or need libsystemd's headers on every host.
"""

from __future__ import annotations

import logging
import os
import re
import socket

from toolkit.text import one_line

# A status has words of a feed and of a database in it. Systemd takes one of up to a page.
LINE_LENGTH = 1000

log = logging.getLogger(__name__)


def notify(*lines: str) -> None:
    """Send `READY=1`, `STATUS=…`, `WATCHDOG=1`, `STOPPING=1`; without systemd, nothing happens.

    Each stays one line: a line break in a status would begin another assignment, which systemd would carry out.
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
        # Nobody listens for this moment. Whoever missed a sign of life for long acts by the watchdog.
        log.debug("systemd was not told: %s", error)


def watchdog_seconds() -> float | None:
    """How often systemd wants a sign of life, halved as sd_watchdog_enabled(3) advises; None if it does not."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    return int(limit) / 2e6 if re.fullmatch("[0-9]{1,18}", limit) and int(limit) else None
