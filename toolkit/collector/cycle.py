"""One cycle of the collector: fetch the feed, then store its documents."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from toolkit.collector.ingester import Ingester, IngestResult
from toolkit.collector.spool import NotKeptError
from toolkit.feed.errors import PartialError
from toolkit.feed.failures import Failures
from toolkit.feed.fetch import Fetched
from toolkit.store import Stored, StoreError

Outcome = IngestResult | StoreError | PartialError


class Documents(Protocol):
    """Where the documents of a source come from.

    Attributes:
        advance: is called when something has come.
    """

    advance: Callable[[], None]

    @property
    def shown(self) -> str:
        """The address without secrets, for people."""

    @property
    def single(self) -> bool:
        """Whether there is one address, and answers have one page."""

    def batches(self, failures: Failures) -> Iterator[Sequence[Fetched]]:
        """The new documents, some at once; what failed is added to `failures`.

        Raises:
            FeedError: there is no document, or it is to stop.
        """

    def acknowledge(self, document: Fetched) -> None:
        """The document is stored or in the spool."""


def fetch_and_ingest(addresses: Documents, ingester: Ingester) -> tuple[Fetched, Outcome] | None:
    """Fetch the feed and store its documents.

    Returns:
        The document with what became of it: a StoreError if it waits in the spool, a DocumentRefusedError if it was set
        aside. Of several addresses or pages: what became of all, a PartialError if what came is stored and is not all,
        beside a document that says when the cycle began. None if the feed's only address has no new document.

    Raises:
        FeedError: there is no usable document.
    """
    failures, began = Failures(), time.time()
    last: Fetched | None = None
    result = nothing = IngestResult(0, Stored(0, 0, 0), 0)
    wrong: StoreError | None = None
    came = False
    for batch in addresses.batches(failures):
        try:
            stored = ingester.ingest(batch, failures)
            came = came or stored is not None
            result += stored or nothing
        except StoreError as error:
            wrong, came = error, True
            if isinstance(error, NotKeptError):
                last = batch[-1]
                continue
        for last in batch:
            if last.url not in failures.unread:
                addresses.acknowledge(last)
    failed = failures.error()
    if failed and not came:
        raise failed
    if addresses.single:
        return (last, wrong or result) if last else None
    if failures.untaken and not wrong:
        try:
            result += ingester.ingest([], failures) or nothing
        except StoreError as error:
            wrong = error
    outcome: Outcome = wrong or (failed if isinstance(failed, PartialError) else replace(result, failed=str(failures)))
    return Fetched(b"", None, began, None, {}), outcome
