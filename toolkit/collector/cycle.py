"""One cycle: fetch, then keep."""

from __future__ import annotations

from toolkit.collector.keeper import Keeper, Kept
from toolkit.feed.fetch import Fetched, Fetcher
from toolkit.store import StoreError


def fetch_and_keep(fetcher: Fetcher, keeper: Keeper) -> tuple[Fetched, Kept | StoreError] | None:
    """Fetch the feed and keep what it offers; None if that is nothing new.

    A StoreError that is returned says why the document waits in the spool, or (DocumentRefusedError) why it never will
    be stored.

    Raises:
        FeedError: there is no usable document.
    """
    fetched = fetcher.fetch()
    if fetched is None:
        return None
    try:
        kept: Kept | StoreError = keeper.keep(fetched.body, fetched.date)
    except StoreError as error:
        kept = error
    fetcher.keep(fetched)
    return fetched, kept
