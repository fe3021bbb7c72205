"""The collector as a service: cycle after cycle until it is told to stop."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType

from toolkit.collector.cycle import run_cycle
from toolkit.collector.schedule import Schedule
from toolkit.errors import ToolkitError
from toolkit.feed.fetch import Fetcher
from toolkit.sdnotify import notify, watchdog_seconds
from toolkit.store import Store, StoreError
from toolkit.times import iso, now

log = logging.getLogger(__name__)


class Stop(BaseException):
    """SIGTERM or SIGINT came: raised wherever the service is, so that even a fetch ends at once."""


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    def stop(number: int, _frame: FrameType | None) -> None:
        for also in (signal.SIGTERM, signal.SIGINT):  # once: the way out is not to be interrupted
            signal.signal(also, signal.SIG_IGN)
        raise Stop(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        yield
    except Stop as stopped:
        notify("STOPPING=1", f"STATUS=Stopping on {stopped}")
        log.info("stopped by %s", stopped)


def serve(fetcher: Fetcher, store: Store, cadence: float) -> None:
    """Collect until SIGTERM or SIGINT."""
    with _stopped_by_signals():
        notify("READY=1", "STATUS=Waiting for the first document")
        log.info("collecting every %g s", cadence)
        schedule = Schedule(cadence)
        trouble = _Trouble(store)
        while True:
            _wait(_cycle(fetcher, store, schedule, trouble))


def _cycle(fetcher: Fetcher, store: Store, schedule: Schedule, trouble: _Trouble) -> float:
    """One cycle and how long to wait after it, in seconds."""
    try:
        cycle = run_cycle(fetcher, store)
    except ToolkitError as error:
        trouble.met(error)
        return schedule.after_failure()
    trouble.over()
    if cycle is None:
        return schedule.after_nothing_new()
    log.info("%s", cycle)
    notify(f"STATUS={iso(now())}: {cycle}")
    return schedule.after_document(cycle.fetched, time.time())


def _wait(seconds: float) -> None:
    """Wait, with a sign of life as often as systemd wants one: it comes from this loop, so a hung cycle gives none."""
    interval = watchdog_seconds()
    until = time.monotonic() + seconds
    while True:
        notify("WATCHDOG=1")
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, interval) if interval else left)


class _Trouble:
    """What goes wrong is said once when it begins, once when it changes, and once when it is over."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._forget()

    def _forget(self) -> None:
        self._said = ""
        self._since: datetime | None = None
        self._attempts = 0

    def met(self, error: ToolkitError) -> None:
        message = str(error)
        self._attempts += 1
        self._since = self._since or now()
        if message != self._said:
            log.warning("%s; trying again until it is well", message)
            self._said = message
        notify(f"STATUS={self._attempts} failed attempts since {iso(self._since)}: {message}")
        if not isinstance(error, StoreError):
            try:
                self._store.log_failure(message, time.time())
            except StoreError as also:
                log.warning("and it cannot be noted: %s", also)

    def over(self) -> None:
        if self._since:
            lasted = (now() - self._since).total_seconds()
            log.warning("well again after %.0f s and %d failed attempts: %s", lasted, self._attempts, self._said)
            self._forget()
