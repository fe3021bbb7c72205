"""What a service and systemd say to each other: its state by sd_notify(3), a datagram, and the signal to stop.

Reporting is ten lines; the libraries on PyPI are either unmaintained or need the headers of libsystemd on every host.
"""

from __future__ import annotations

import logging
import os
import re
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from toolkit.text import one_line

# The longest line. Text of a feed or of a database may be part of a status; systemd accepts up to a page of memory.
LINE_LENGTH = 1000
# How long a notification may wait where systemd does not read: no service hangs on it, least of all when it stops.
SEND_SECONDS = 1.0
# After how long a stop that Python dropped is raised again.
AGAIN_SECONDS = 0.1

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
            to.settimeout(SEND_SECONDS)
            to.sendto("\n".join(one_line(line, LINE_LENGTH) for line in lines).encode(), address)
    except OSError as error:
        # systemd does not listen at this moment. If it misses many, its watchdog restarts the service.
        log.debug("systemd was not told: %s", error)


def watchdog_seconds() -> float | None:
    """Seconds between two notifications of the watchdog: half its limit (sd_watchdog_enabled(3)); None if it is off."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    return int(limit) / 2e6 if re.fullmatch("[0-9]{1,18}", limit) and int(limit) else None


class _Stop(BaseException):
    """SIGTERM or SIGINT came. It is raised wherever the main thread is then, so that even a fetch ends at once."""


@contextmanager
def until_stopped() -> Iterator[Callable[[float], None]]:
    """What is done within ends at once on SIGTERM or SIGINT; what follows is not interrupted by another one.

    Yields:
        What waits for a number of seconds. A signal ends it also where it came a moment before, or to another thread,
        which would not end `time.sleep`; libfaketime, which sets the clock in tests, breaks that besides.
    """
    came: list[str] = []
    again = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal again
        if not came or again:
            again = False
            came.append(signal.Signals(number).name)
            raise _Stop(came[0])

    def dropped(what: sys.UnraisableHookArgs) -> None:
        """Raise the stop again later: Python ignores exceptions in destructors and callbacks, and reports them here."""
        nonlocal again
        if not isinstance(what.exc_value, _Stop):
            hook(what)
            return
        if not insisting.ident:
            insisting.start()
        again = True  # the last step: what is raised in here would be dropped, too

    def insist() -> None:
        while not left.wait(AGAIN_SECONDS):
            signal.pthread_kill(main, signal.SIGTERM)

    def wait(seconds: float) -> None:
        if came and not again:  # somebody caught it
            raise _Stop(came[0])
        if select.select([woken], (), (), seconds)[0]:
            woken.recv(4096)

    left, insisting = threading.Event(), threading.Thread(target=insist, daemon=True)
    main, hook = threading.get_ident(), sys.unraisablehook
    woken, waker = socket.socketpair()
    with woken, waker:
        waker.setblocking(False)
        before = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        sys.unraisablehook = dropped
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, stop)
            yield wait
        except _Stop as stopped:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            notify("STOPPING=1", f"STATUS=Stopping on {stopped}")
            log.info("stopped by %s", stopped)
        finally:
            left.set()
            if insisting.ident:
                insisting.join()
            sys.unraisablehook = hook
            signal.set_wakeup_fd(before)
