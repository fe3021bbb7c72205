"""One cycle of the collector: fetch the feed, then store its document."""

from __future__ import annotations

import io

from toolkit.collector.ingester import Ingester, IngestResult
from toolkit.feed.fetch import Fetched, Fetcher
from toolkit.store import StoreError


def fetch_and_ingest(fetcher: Fetcher, ingester: Ingester) -> tuple[Fetched, IngestResult | StoreError] | None:
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
        result: IngestResult | StoreError = ingester.ingest(io.BytesIO(fetched.body), fetched.date)
    except StoreError as error:
        result = error
    fetcher.acknowledge(fetched)
    return fetched, result
