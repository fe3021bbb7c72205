"""The collector of one source: cycle after cycle, in a thread of its own, until it is told to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from toolkit.collector.cadence import FetchSchedule
from toolkit.collector.cycle import Documents, fetch_and_ingest
from toolkit.collector.ingester import Ingester, IngestResult
from toolkit.collector.outage import Outage
from toolkit.collector.spool import NotKeptError
from toolkit.errors import ToolkitError
from toolkit.feed.errors import PartialError, RetryLaterError
from toolkit.store import DocumentRefusedError, StoreError
from toolkit.times import iso, now

log = logging.getLogger(__name__)

# After how many seconds a store that failed is tried again, at first and at most.
STORE_RETRY_SECONDS = (1.0, 30.0)


class SourceCollector:
    """The loop: the next fetch and the next attempt to empty the spool each have a time at which they are due.

    Args:
        name: of the source, as messages begin; empty where there is only one.
        addresses: where its documents are; None where there is nothing but a spool to be emptied.
        ingester: stores them.
        cadence, pause: see `FetchSchedule`; in seconds.
        wait: waits for a number of seconds; returns whether to stop.
        report: is called when the state may have changed.

    Attributes:
        begins: the beginning of messages.
        last: what became of the last cycle that brought something.
        last_at: when that was, by the monotonic clock.
    """

    def __init__(
        self,
        name: str,
        addresses: Documents | None,
        ingester: Ingester,
        cadence: float,
        pause: float,
        wait: Callable[[float], bool],
        report: Callable[[], None],
    ) -> None:
        self.name = name
        self._addresses = addresses
        if addresses:
            addresses.advance = self._advance
        self._ingester = ingester
        ingester.advance = self._advance
        self._schedule = FetchSchedule(cadence, pause)
        self._wait = wait
        self._report = report
        self.begins = f"{name}: " if name else ""
        self._feed_outage = Outage("trying again until it is well", self.begins)
        self._store_outage = Outage("documents wait in the spool until it is well", self.begins)
        self._retry = STORE_RETRY_SECONDS[0]
        self.last, self.last_at = "Waiting for the first document", 0.0
        self._busy_since: float | None = None

    def run(self) -> None:
        """Collect until told to stop; without addresses, until the spool is empty."""
        fetch_due, drain_due = 0.0, 0.0
        while True:
            self._advance()
            if self._ingester.waiting and time.monotonic() >= drain_due:
                drain_due = time.monotonic() + self._drain()
            if self._addresses and time.monotonic() >= fetch_due:
                self._advance()
                fetch_due = time.monotonic() + self._cycle(self._addresses)
            self._busy_since = None
            self._report()
            if not self._addresses and not self._ingester.waiting:
                return
            due = [*([fetch_due] if self._addresses else []), *([drain_due] if self._ingester.waiting else [])]
            if self._wait(max(0.0, min(due) - time.monotonic())):
                return

    def busy_seconds(self) -> float:
        """For how long it has worked without getting on; 0 while it waits."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def outages(self) -> list[str]:
        """What is wrong at present, in words."""
        waiting = f"{self._ingester.waiting} documents wait in the spool" if self._ingester.waiting else ""
        if alone := self._ingester.in_memory:
            waiting += (
                f", {alone} of them in memory alone: they are lost if the collector ends before the disk takes them"
            )
        found = [part for part in (str(self._feed_outage), str(self._store_outage), waiting) if part]
        return [self.begins + part for part in found]

    @property
    def fetches(self) -> bool:
        """Whether it fetches; otherwise it ends when its spool is empty."""
        return self._addresses is not None

    def close(self) -> None:
        """Give up the spool, when its thread has ended."""
        self._ingester.__exit__()

    def _advance(self) -> None:
        self._busy_since = time.monotonic()

    def _drain(self) -> float:
        """Store the documents of the spool; returns after how many seconds to try again."""
        try:
            self._stored(self._ingester.drain())
        except DocumentRefusedError as error:
            self._refused(error)
        except StoreError as error:
            return self._not_stored(error)
        except Exception as error:  # a bug, or a disk that fails: other sources go on
            log.exception("%swhat waits in the spool cannot be stored", self.begins)
            return self._not_stored(StoreError(f"an error of this program: {type(error).__name__}: {error}"))
        return 0

    def _cycle(self, addresses: Documents) -> float:
        """Run one cycle; returns after how many seconds the next is due."""
        try:
            brought = fetch_and_ingest(addresses, self._ingester)
        except ToolkitError as error:
            return 0 if self._wait(0) else self._not_fetched(error)
        except Exception as error:  # a bug: other sources go on
            log.exception("%sa cycle failed", self.begins)
            return self._not_fetched(ToolkitError(f"an error of this program: {type(error).__name__}: {error}"))
        if brought is None:
            self._feed_outage.ended()
            return self._schedule.after_nothing_new()
        fetched, result = brought
        if isinstance(result, PartialError):
            self._not_fetched(result)
            return self._schedule.after_document(fetched, time.time())
        self._feed_outage.ended()
        retry = 0.0
        if isinstance(result, DocumentRefusedError):
            self._refused(result)
        elif isinstance(result, NotKeptError):  # it would come again at once
            retry = self._not_stored(result, "trying again until it is well")
        elif isinstance(result, StoreError):
            self._not_stored(result)
        else:
            self._stored(result)
        return max(retry, self._schedule.after_document(fetched, time.time()))

    def _not_fetched(self, error: ToolkitError) -> float:
        self._feed_outage.failed(error)
        # If the store fails as well, that is reported when a document is to be stored.
        with suppress(StoreError):
            self._ingester.log_failure(error, time.time())
        return self._schedule.after_failure(error.seconds if isinstance(error, RetryLaterError) else 0)

    def _refused(self, error: DocumentRefusedError) -> None:
        self.last, self.last_at = f"{iso(now())}: {error}", time.monotonic()
        with suppress(StoreError):
            self._ingester.log_failure(error, time.time())

    def _stored(self, result: IngestResult) -> None:
        self._store_outage.ended()
        self._retry = STORE_RETRY_SECONDS[0]
        self.last, self.last_at = f"{iso(now())}: {self.begins}{result}", time.monotonic()
        log.info("%s%s", self.begins, result)

    def _not_stored(self, error: StoreError, meanwhile: str = "") -> float:
        self._store_outage.failed(error, meanwhile)
        self._retry = min(self._retry * 2, STORE_RETRY_SECONDS[1])
        return self._retry
