"""One cycle: fetch, then keep."""

from __future__ import annotations

import time

from toolkit import clock
from toolkit.collector.keeper import Keeper, Kept
from toolkit.collector.spool import Arrived
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
    present = clock.present(time.time(), fetched.date, keeper.newest())
    try:
        kept: Kept | StoreError = keeper.keep(Arrived(fetched.body, present, present))
    except StoreError as error:
        kept = error
    fetcher.keep(fetched)
    return fetched, kept
