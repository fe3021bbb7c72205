"""When to fetch the feed next: just after its next refresh, so that none is missed and few requests are made."""

from __future__ import annotations

import random

from toolkit.feed.fetch import Fetched

# A refresh is fetched this share of the cadence after it is due, for it takes the server some time.
GRACE = 0.01
# How often a late refresh is fetched within one cadence.
ATTEMPTS_PER_CADENCE = 20
SHORTEST_SECONDS = 1.0


class FetchSchedule:
    """How long to wait until the next request.

    If the feed says how long its document stays current (`Cache-Control`), the next request is made then, but after at
    least the pause and at most a cadence. Otherwise it is made one cadence after the last refresh, by the server's
    `Last-Modified` where it sends one: that does not drift.

    Args:
        cadence: seconds between two refreshes of the feed.
        pause: seconds that at least are between two requests.
    """

    def __init__(self, cadence: float, pause: float) -> None:
        self._cadence = cadence
        self._retry = max(SHORTEST_SECONDS, min(pause, cadence / ATTEMPTS_PER_CADENCE))
        self._failures = 0

    def after_document(self, fetched: Fetched, now: float) -> float:
        """Seconds to wait after a new document, which came at `now` (seconds since the epoch)."""
        self._failures = 0
        if fetched.fresh_for is not None:
            return max(self._retry, min(fetched.fresh_for, self._cadence))
        made = fetched.modified if fetched.modified and now - self._cadence < fetched.modified <= now else now
        return max(self._retry, made + self._cadence * (1 + GRACE) - now)

    def after_nothing_new(self) -> float:
        """Seconds to wait if the refresh is late: the feed had no new document."""
        self._failures = 0
        return self._retry

    def after_failure(self, requested: float = 0) -> float:
        """Seconds to wait after a failure: two at first, then twice as long each time, up to half a cadence.

        A random part spreads the requests of many hosts. The pause that a server requested, in seconds, comes on top.
        """
        delay: float = min(max(SHORTEST_SECONDS, self._cadence / 2), 2 * SHORTEST_SECONDS * 2.0**self._failures)
        self._failures = min(self._failures + 1, 16)
        return requested + delay * random.uniform(0.75, 1.0)  # noqa: S311 - no secret depends on it
