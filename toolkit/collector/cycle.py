"""One cycle: fetch, parse, store."""

from __future__ import annotations

import time
from dataclasses import dataclass

from toolkit.feed.document import Document, parse
from toolkit.feed.fetch import Fetched, Fetcher
from toolkit.store import Store, Stored


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle that brought a document.

    Attributes:
        fetched: the document as it came.
        document: what it says.
        stored: what it changed in the store.
    """

    fetched: Fetched
    document: Document
    stored: Stored

    def __str__(self) -> str:
        text = f"{len(self.document.stations)} stations, {self.stored.new} new observations"
        return text + (f", {self.stored.corrected} corrected" if self.stored.corrected else "")


def run_cycle(fetcher: Fetcher, store: Store) -> Cycle | None:
    """Fetch the feed and store it; None if it offers nothing since the last cycle.

    Raises:
        FeedError: there is no usable document.
        StoreError: it could not be stored; the next cycle fetches it again.
    """
    fetched = fetcher.fetch()
    if fetched is None:
        return None
    document = parse(fetched.body)
    cycle = Cycle(fetched, document, store.add(document, time.time()))
    fetcher.keep(fetched)
    return cycle
