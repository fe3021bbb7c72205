"""The addresses of a feed that failed in one cycle, and what follows from that."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from operator import itemgetter

from toolkit.feed.errors import FeedError, PartialError, RetryLaterError

# Of so many it is said which failed, and why.
NAMED = 3
# If more than this share of its addresses fails, the feed fails.
MOST_FAILED = 0.5


class Failures:
    """What failed.

    Attributes:
        asked: how many addresses the feed has; further pages do not count.
        unread: the addresses whose documents could not be read.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.unread: set[str] = set()
        self._number = 0
        self._first: list[tuple[str, FeedError]] = []
        self._cut = False
        self._retry = 0.0
        self._counts: Counter[str] = Counter()

    def add(self, station: str, error: FeedError, *, later_page: bool = False) -> None:
        """An address failed, or a page after the first: then the answer is not complete."""
        self._number += not later_page
        self._cut = self._cut or later_page
        self._counts[error.counted] += 1
        if isinstance(error, RetryLaterError):
            self._retry = max(self._retry, error.seconds)
        # The same ones in each cycle, in whatever order they come.
        insort(self._first, (station, error), key=itemgetter(0))
        del self._first[NAMED:]

    def taken(self) -> Counter[str]:
        """How many there were since this was last called, by reason."""
        counts, self._counts = self._counts, Counter()
        return counts

    @property
    def untaken(self) -> bool:
        """Whether there were any since `taken` was last called."""
        return bool(self._counts)

    @property
    def all(self) -> bool:
        """Whether no address gave anything."""
        return self._number >= self.asked

    def error(self) -> FeedError | None:
        """What is wrong with the feed; None if nothing is, or few of its addresses failed."""
        if not self._first:
            return None
        if self.all and self.asked == 1:
            return self._first[0][1]
        if self.all and self._retry:
            return RetryLaterError(str(self), self._retry)
        if self._cut or self._number > self.asked * MOST_FAILED:
            return PartialError(str(self))
        return None

    def __str__(self) -> str:
        """What failed, in words; empty if nothing did."""
        if not self._first:
            return ""
        named = "; ".join(f"{station}: {error}" if station else str(error) for station, error in self._first)
        if self.asked == 1:
            return f"not all pages came: {named}"
        more = "; …" if self._number > len(self._first) else ""
        return f"{self._number} of {self.asked} addresses failed: {named}{more}"
