"""How fast requests may follow one another: a token bucket of one token, and pauses that a server asks for."""

from __future__ import annotations

import time


class Rate:
    """Requests are spread evenly; it is used by one thread.

    Attributes:
        interval: the time from one request to the next, in seconds.
    """

    def __init__(self, per_minute: float) -> None:
        self.interval = 60 / per_minute
        self._next = 0.0

    def delay(self) -> float:
        """After how many seconds the next request may be made."""
        return max(0.0, self._next - time.monotonic())

    def take(self) -> None:
        """A request is made."""
        self._next = max(self._next, time.monotonic()) + self.interval

    def pause(self, seconds: float) -> None:
        """Make none for some seconds."""
        self._next = max(self._next, time.monotonic() + seconds)
