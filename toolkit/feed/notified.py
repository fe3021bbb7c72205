"""Fetching the data that notifications lead to, from whichever hosts those name."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from toolkit.content import Content
from toolkit.feed.errors import FeedError, TooSlowError, UnreachableError
from toolkit.feed.fetch import Fetcher

# After how many seconds what failed is fetched again; a host that was silent once more after the last is given up.
RETRY_SECONDS = (2.0, 8.0, 30.0)
# Of so many hosts it is remembered that they are silent.
MOST_SILENT = 1000


class GivenUpError(FeedError):
    """The data are not to be had, and are not fetched again."""


class DataHosts:
    """Fetches data from hosts. One that is silent is left alone for a while, so that it does not delay the others.

    Args:
        new_fetcher: makes what fetches an address.
    """

    def __init__(self, new_fetcher: Callable[[str], Fetcher]) -> None:
        self._new_fetcher = new_fetcher
        self._silent: dict[str, tuple[int, float]] = {}

    def get(self, address: str) -> Content:
        """The data at an address.

        Raises:
            FeedError: they cannot be fetched now; GivenUpError: the host has been silent for too long.
        """
        host = urlsplit(address).netloc
        times, until = self._silent.get(host, (0, 0.0))
        if time.monotonic() >= until:
            try:
                fetched = self._new_fetcher(address).fetch(conditional=False)
            except (UnreachableError, TooSlowError):
                pause = RETRY_SECONDS[min(times, len(RETRY_SECONDS) - 1)]
                times, until = times + 1, time.monotonic() + pause
                self._silent.pop(host, None)
                self._silent[host] = times, until
                if len(self._silent) > MOST_SILENT:
                    del self._silent[next(iter(self._silent))]
            except FeedError:
                self._silent.pop(host, None)
                raise
            else:
                self._silent.pop(host, None)
                return fetched.content if fetched else b""
        kind = GivenUpError if times > len(RETRY_SECONDS) else UnreachableError
        raise kind("the host of the data is silent")
