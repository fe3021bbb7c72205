"""A limit for the whole time that something with sockets takes, in any thread.

Time-outs of sockets do not limit a server that sends letter by letter. Here the sockets in use are shut when the time
is over, and whatever waits for them ends with an error.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_current = threading.local()
_all: set[Deadline] = set()


def wait_for(file: socket.socket, seconds: float) -> bool:
    """Wait until there is something to be read, for at most some seconds; returns whether there is.

    It is used where `threading.Event.wait` would do: that one's clock is not the one that libfaketime sets in tests.
    """
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))


def pause(seconds: float) -> None:
    """Do nothing for some seconds; `time.sleep` fails under libfaketime."""
    select.poll().poll(max(0.0, seconds) * 1000)


class Deadline:
    """The sockets that are shut at a time."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._over = False

    @property
    def left(self) -> float:
        """How many seconds are left."""
        return 0.0 if self._over else max(0.0, self._end - time.monotonic())

    def watch(self, connected: socket.socket) -> None:
        """Shut this connection, too, when the time is over.

        Raises:
            TimeoutError: it is over.
        """
        # A duplicate: TLS takes the connection out of its socket.
        duplicate = connected.dup()
        with self._lock:
            self._sockets.append(duplicate)
            over = self._over
        if over:
            self.expire()
            raise TimeoutError

    def expire(self) -> None:
        """Shut the connections now."""
        with self._lock:
            self._over = True
            for one in self._sockets:
                with suppress(OSError):  # it is not connected any more
                    one.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        """Watch the connections no more: they were closed, and the other side is told of that only now."""
        with self._lock:
            for one in self._sockets:
                one.close()
            self._sockets.clear()


def expire_all() -> None:
    """Let the time of every thread be over."""
    for one in list(_all):
        one.expire()


def current() -> Deadline | None:
    """The deadline of this thread; None where there is none."""
    return getattr(_current, "deadline", None)


@contextmanager
def within(seconds: float) -> Iterator[Deadline]:
    """What is done within has some seconds; whoever opens a connection in this thread has it watched by `current`."""
    limit, before = Deadline(seconds), current()
    ended, end = socket.socketpair()

    def expire_late() -> None:
        if not wait_for(ended, limit.left):
            limit.expire()

    waiting = threading.Thread(target=expire_late, name="deadline", daemon=True)
    with ended, end:
        waiting.start()
        _current.deadline = limit
        _all.add(limit)
        try:
            yield limit
        finally:
            end.shutdown(socket.SHUT_WR)
            waiting.join()
            _current.deadline = before
            limit.forget()
            _all.discard(limit)
