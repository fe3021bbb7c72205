"""The collector as a service: cycle after cycle until it is told to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from toolkit.collector.cadence import FetchSchedule
from toolkit.collector.cycle import fetch_and_ingest
from toolkit.collector.ingester import Ingester, IngestResult
from toolkit.collector.outage import Outage
from toolkit.errors import ToolkitError
from toolkit.feed.errors import RetryLaterError
from toolkit.feed.fetch import Fetcher
from toolkit.sdnotify import notify, until_stopped, watchdog_seconds
from toolkit.store import DocumentRefusedError, StoreError, StoreRefusedError
from toolkit.times import iso, now

log = logging.getLogger(__name__)

# After how many seconds a store that failed is tried again, at first and at most.
STORE_RETRY_SECONDS = (1.0, 30.0)


def serve(fetcher: Fetcher, ingester: Ingester, cadence: float, pause: float) -> None:
    """Collect until SIGTERM or SIGINT.

    Raises:
        StoreRefusedError: the store belongs to another program or to a newer release.
    """
    with until_stopped() as wait:
        _Service(fetcher, ingester, cadence, pause, wait).run()


class _Service:
    """The loop: the next fetch and the next attempt to empty the spool each have a time at which they are due."""

    def __init__(
        self, fetcher: Fetcher, ingester: Ingester, cadence: float, pause: float, wait: Callable[[float], None]
    ) -> None:
        self._fetcher = fetcher
        self._wait = wait
        self._ingester = ingester
        self._schedule = FetchSchedule(cadence, pause)
        self._cadence = cadence
        self._feed_outage = Outage("trying again until it is well")
        self._store_outage = Outage("documents wait in the spool until it is well")
        self._retry = STORE_RETRY_SECONDS[0]
        self._last = "Waiting for the first document"

    def run(self) -> None:
        self._open()
        notify("READY=1")
        self._report_status()
        log.info("collecting every %g s", self._cadence)
        fetch_due, drain_due = 0.0, 0.0
        while True:
            if self._ingester.waiting and time.monotonic() >= drain_due:
                drain_due = time.monotonic() + self._drain()
            if time.monotonic() >= fetch_due:
                fetch_due = time.monotonic() + self._cycle()
            self._report_status()
            self._wait_until(min(fetch_due, drain_due) if self._ingester.waiting else fetch_due)

    def _wait_until(self, due: float) -> None:
        """Wait, and tell the watchdog meanwhile that the loop is alive. A cycle that hangs does not tell it."""
        interval = watchdog_seconds()
        while True:
            notify("WATCHDOG=1")
            left = due - time.monotonic()
            if left <= 0:
                return
            self._wait(min(left, interval) if interval else left)

    def _open(self) -> None:
        try:
            self._ingester.open()
        except StoreRefusedError:
            raise
        except StoreError as error:
            self._store_outage.failed(error)

    def _drain(self) -> float:
        """Store the documents of the spool; returns after how many seconds to try again."""
        try:
            self._stored(self._ingester.drain())
        except DocumentRefusedError as error:
            self._refused(error)
        except StoreError as error:
            return self._not_stored(error)
        return 0

    def _cycle(self) -> float:
        """Run one cycle; returns after how many seconds the next is due."""
        try:
            brought = fetch_and_ingest(self._fetcher, self._ingester)
        except ToolkitError as error:
            return self._not_fetched(error)
        self._feed_outage.ended()
        if brought is None:
            return self._schedule.after_nothing_new()
        fetched, result = brought
        if isinstance(result, DocumentRefusedError):
            self._refused(result)
        elif isinstance(result, StoreError):
            self._not_stored(result)
        else:
            self._stored(result)
        return self._schedule.after_document(fetched, time.time())

    def _not_fetched(self, error: ToolkitError) -> float:
        self._feed_outage.failed(error)
        # If the store fails as well, that is reported when a document is to be stored.
        with suppress(StoreError):
            self._ingester.log_failure(str(error), time.time())
        return self._schedule.after_failure(error.seconds if isinstance(error, RetryLaterError) else 0)

    def _refused(self, error: DocumentRefusedError) -> None:
        self._last = f"{iso(now())}: {error}"
        with suppress(StoreError):
            self._ingester.log_failure(str(error), time.time())

    def _stored(self, result: IngestResult) -> None:
        self._store_outage.ended()
        self._retry = STORE_RETRY_SECONDS[0]
        self._last = f"{iso(now())}: {result}"
        log.info("%s", result)

    def _not_stored(self, error: StoreError) -> float:
        self._store_outage.failed(error)
        self._retry = min(self._retry * 2, STORE_RETRY_SECONDS[1])
        return self._retry

    def _report_status(self) -> None:
        """Tell systemd the status: the outages if there are any, otherwise the last cycle."""
        waiting = f"{self._ingester.waiting} documents wait in the spool" if self._ingester.waiting else ""
        parts = (str(self._feed_outage), str(self._store_outage), waiting)
        notify("STATUS=" + "; ".join([part for part in parts if part] or [self._last]))
