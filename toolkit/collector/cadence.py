"""When to ask the feed next: just after its next refresh, so that no refresh is missed and few requests are made."""

from __future__ import annotations

import random

from toolkit.feed.fetch import Fetched

# A refresh is asked for this share of the cadence after it is due: the feed is written, then seen.
GRACE = 0.01
# How many times in a cadence a late refresh is asked for.
ASKED_PER_CADENCE = 20
SHORTEST = 1.0


class FetchSchedule:
    """The delay until the next request, from what the last ones brought.

    A feed that says how long its document stays current (`Cache-Control`) is believed, within a cadence and never so
    that it is asked again within a pause.
    Otherwise the next refresh is due one cadence after the last one, by the server's own `Last-Modified` where it
    gives one: that does not drift.
    """

    def __init__(self, cadence: float, pause: float) -> None:
        self._cadence = cadence
        self._retry = max(SHORTEST, min(pause, cadence / ASKED_PER_CADENCE))
        self._failures = 0

    def after_document(self, fetched: Fetched, now: float) -> float:
        """Seconds to wait after a new document that came at `now`, seconds since the epoch."""
        self._failures = 0
        if fetched.fresh_for is not None:
            return max(self._retry, min(fetched.fresh_for, self._cadence))
        made = fetched.modified if fetched.modified and now - self._cadence < fetched.modified <= now else now
        return max(self._retry, made + self._cadence * (1 + GRACE) - now)

    def after_nothing_new(self) -> float:
        """Seconds to wait when the refresh is late."""
        self._failures = 0
        return self._retry

    def after_failure(self, asked: float = 0) -> float:
        """Seconds to wait after a failure: at first a moment, then twice as long each time, up to half a cadence.

        No two hosts wait the same time. A server that asked for a pause of some seconds gets it.
        """
        delay: float = min(max(SHORTEST, self._cadence / 2), 2 * SHORTEST * 2.0**self._failures)
        self._failures = min(self._failures + 1, 16)
        return asked + delay * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, guards nothing
