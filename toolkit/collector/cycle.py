"""One cycle of the collector: fetch the feed, then store its document."""

from __future__ import annotations

from typing import Protocol

from toolkit.collector.ingester import Ingester, IngestResult
from toolkit.content import as_file
from toolkit.feed.errors import FeedError
from toolkit.feed.fetch import Fetched
from toolkit.store import StoreError


class Fetches(Protocol):
    """What brings the documents of a source."""

    @property
    def shown(self) -> str:
        """The address without secrets, for people."""

    @property
    def receives(self) -> bool:
        """Whether what is not acknowledged comes again before anything else does, for others send it."""

    def fetch(self) -> Fetched | None:
        """What is new; None if nothing is.

        Raises:
            FeedError: there is no usable document.
        """

    def acknowledge(self, document: Fetched) -> None:
        """The document that was fetched last is stored or in the spool."""


def fetch_and_ingest(fetcher: Fetches, ingester: Ingester) -> tuple[Fetched, IngestResult | StoreError] | None:
    """Fetch the feed and store its document.

    Returns:
        The document with what became of it: a StoreError if it waits in the spool, a DocumentRefusedError if it was set
        aside. None if the feed has no new document.

    Raises:
        FeedError: there is no usable document.
    """
    fetched = fetcher.fetch()
    if fetched is None:
        return None
    try:
        result: IngestResult | StoreError = ingester.ingest(as_file(fetched.content), fetched.date)
    except StoreError as error:
        result = error
    except FeedError:
        if fetcher.receives:
            fetcher.acknowledge(fetched)
        raise
    fetcher.acknowledge(fetched)
    return fetched, result
