"""The collector as a service: a thread for each source, and the main one, which watches over them until the end."""

from __future__ import annotations

import logging
import resource
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import NoReturn

from toolkit.collector.feed import documents_of, is_received, reader_of, rhythm_of
from toolkit.collector.ingester import Ingester
from toolkit.collector.shared_store import SharedStore
from toolkit.collector.source_collector import SourceCollector
from toolkit.collector.spool import MEMORY_BYTES, Spool, waiting
from toolkit.deadline import expire_all, wait_for
from toolkit.errors import ToolkitError
from toolkit.sdnotify import notify, until_stopped, watchdog_seconds
from toolkit.settings import Settings, spool_folder
from toolkit.sources import ONLY, Source, spool_of

log = logging.getLogger(__name__)

# How often the threads are looked at where systemd has no watchdog.
LOOK_SECONDS = 60.0
# A source that works for so long without getting on hangs: a fetch takes a minute at most, and a name as long again.
HANGS_SECONDS = 120.0
# How long threads that store are waited for when the service stops. What they have not stored is fetched again.
STOP_SECONDS = 3.0
# Sources begin one after the other: a hundred at once would want as many connections.
APART_SECONDS = 0.01
# Of what is no source any more, documents of any size are stored.
LARGEST_MIB = 1 << 20


def ingester_of(source: Source, store: SharedStore, number: int = 1, *, once: bool = False) -> Ingester:
    """What stores the documents of a source.

    Args:
        source: of which source.
        store: of all sources.
        number: of the sources that share what the settings allow the spool.
        once: whether the process ends with this cycle, so that what waits in memory would be lost.

    Raises:
        UsageError: the settings of the source do not fit one another.
        ToolkitError: the spool cannot be used.
    """
    settings = source.settings
    limit = max(1 << 20, (settings.spool_mib << 20) // number)
    reader = reader_of(settings)
    # What a broker or the inbox of the receiver has stays there until it is stored, or in the spool, on the disk.
    memory = 0 if once or is_received(settings) else MEMORY_BYTES
    spool = Spool(spool_of(source), limit, settings.feed_max_mib << 20, memory)
    return Ingester(store, spool, reader, source.name)


def serve(sources: Sequence[Source], store: SharedStore, settings: Settings) -> None:
    """Collect until SIGTERM or SIGINT. The caller holds the lock of the spool.

    Raises:
        UsageError: the settings of a source do not fit one another.
        StoreRefusedError: the store belongs to another program or to a newer release.
    """
    _use_one_arena()
    _allow_descriptors()
    with until_stopped() as wait, _threads() as threads:
        if error := store.open():
            log.warning("%s; documents wait in the spool until it is well", error)
        status = _Status()
        for source in sources:
            cadence, pause = rhythm_of(source.settings)
            collector = SourceCollector(
                source.name if len(sources) > 1 else "",
                documents_of(source, spool_of(source), threads.wait),
                ingester_of(source, store, len(sources)),
                cadence,
                pause,
                threads.wait,
                status.report,
            )
            status.collectors.append(collector)
            log.info("%s%s", collector.begins, f"collecting every {cadence:g} s" if pause else "receiving")
        for source, ingester in _left_over(sources, settings, store):
            status.collectors.append(SourceCollector(source.name, None, ingester, 0, 0, threads.wait, status.report))
        notify("READY=1")
        status.report()
        for place, collector in enumerate(status.collectors):
            threads.start(collector, place * APART_SECONDS)
        _watch(status.collectors, threads, wait)


def _allow_descriptors() -> None:
    """Have as many open files as the system allows: a fetch has four, and the usual limit is for 250 at once."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _use_one_arena() -> None:
    """Have the C library take memory for all threads from one place: of a hundred threads that saves 8 MB.

    That is glibc's `mallopt(M_ARENA_MAX, 1)`; another C library has no such places, or no `mallopt`.
    """
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(-8, 1)


def _left_over(sources: Sequence[Source], settings: Settings, store: SharedStore) -> Iterator[tuple[Source, Ingester]]:
    """What is no source any more and has documents in the spool, with what stores them."""
    folder = spool_folder(settings)
    present = {one.name for one in sources}
    for name in sorted({ONLY if path.parent == folder else path.parent.name for path in waiting(folder)} - present):
        source = Source(name, replace(settings, feed_max_mib=LARGEST_MIB))
        try:
            ingester = ingester_of(source, store)
        except ToolkitError as error:
            log.warning(
                "%s is no source any more, and the documents of it that wait stay in the spool: %s", name, error
            )
            continue
        log.warning("%s is no source any more: the documents of it that wait are stored", name)
        yield source, ingester


def _watch(collectors: Sequence[SourceCollector], threads: _Threads, wait: Callable[[float], None]) -> NoReturn:
    """Tell the watchdog that the threads are alive, as long as they are.

    Raises:
        ToolkitError: one has ended.
    """
    interval = min(watchdog_seconds() or LOOK_SECONDS, LOOK_SECONDS)
    while True:
        if ended := threads.ended():
            raise ToolkitError(f"the thread of the source {ended} has ended: the error is above")
        hanging = [one.name or ONLY for one in collectors if one.busy_seconds() > HANGS_SECONDS]
        if hanging:
            log.error("the source %s does not get on: the watchdog is to begin anew", hanging[0])
        else:
            notify("WATCHDOG=1")
        wait(interval)


class _Status:
    """The status of all sources, for systemd."""

    def __init__(self) -> None:
        self.collectors: list[SourceCollector] = []

    def report(self) -> None:
        """Tell systemd what is wrong, if anything is, otherwise what the last cycle brought that brought something."""
        wrong = [outages for one in self.collectors if (outages := one.outages())]
        told = [part for parts in wrong for part in parts]
        if told and len(self.collectors) > 1:
            number = len(self.collectors)
            told.insert(0, f"{number - len(wrong)} of {number} sources are well")
        notify("STATUS=" + ("; ".join(told) or max(self.collectors, key=lambda one: one.last_at).last))


class _Threads:
    """The threads of the sources."""

    def __init__(self, stopped: socket.socket) -> None:
        self._stopped = stopped
        self._threads: dict[SourceCollector, threading.Thread] = {}

    def wait(self, seconds: float) -> bool:
        """Wait for some seconds, at most until the service stops; returns whether it does."""
        return wait_for(self._stopped, seconds)

    def start(self, collector: SourceCollector, after: float) -> None:
        """Start the thread of a source, which begins after some seconds."""

        def run() -> None:
            if not self.wait(after):
                collector.run()

        # A daemon: a name that cannot be resolved for minutes does not keep the service from stopping.
        thread = threading.Thread(target=run, name=collector.name or ONLY, daemon=True)
        self._threads[collector] = thread
        thread.start()

    def ended(self) -> str:
        """The name of one that has ended and should not have; empty if there is none."""
        return next((one.name for one in self._fetching() if not one.is_alive()), "")

    def join(self) -> None:
        """Wait for the threads, for a few seconds in all."""
        expire_all()
        fetching = self._fetching()
        for thread in fetching:
            thread.join(STOP_SECONDS / len(fetching))
        for collector, thread in self._threads.items():
            if not thread.is_alive():
                collector.close()

    def _fetching(self) -> list[threading.Thread]:
        return [thread for collector, thread in self._threads.items() if collector.fetches]


@contextmanager
def _threads() -> Iterator[_Threads]:
    """The threads of the sources; they are stopped at the end."""
    stopped, stop = socket.socketpair()
    threads = _Threads(stopped)
    try:
        yield threads
    finally:
        stop.shutdown(socket.SHUT_WR)
        threads.join()
