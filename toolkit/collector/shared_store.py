"""The store of all sources: it is opened when it is needed, and one thread uses it at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from toolkit import times
from toolkit.model import Document
from toolkit.store import Store, StoreError, StoreRefusedError

# How many documents are read at once: that bounds memory, and more is not faster.
READ_AT_ONCE = 2
# For so long after a failure nobody tries to open the store.
PAUSE_SECONDS = 1.0


class SharedStore:
    """A store that several sources store into. Leaving the `with` block closes it.

    Args:
        open_store: opens it.
        order: the names of the sources, that first whose stations no other one takes over.

    Attributes:
        reading: is held while documents are read and stored.
    """

    def __init__(self, open_store: Callable[[], Store], order: Sequence[str] = ()) -> None:
        self._open_store = open_store
        self._rank = {name: place for place, name in enumerate(order)}
        self.reading = threading.BoundedSemaphore(READ_AT_ONCE)
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._failed: StoreError | None = None
        self._failed_at = 0.0
        self._owners: dict[str, str | None] = {}
        self._newest: float | None = None

    def __enter__(self) -> SharedStore:
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that still stores when the service stops ends with the process: what it wrote is not committed.
        if self._lock.acquire(blocking=False):
            with self._lock:
                self._close()
            self._lock.release()

    def open(self) -> StoreError | None:
        """Open the store before it is needed; returns why that fails at present.

        Raises:
            StoreRefusedError: it will fail ever.
        """
        try:
            with self.used():
                return None
        except StoreRefusedError:
            raise
        except StoreError as error:
            return error

    @contextmanager
    def used(self) -> Iterator[Store]:
        """The store, for this thread alone; after a failure it is opened anew: the file may have been replaced.

        Raises:
            StoreError: it cannot be opened, now or (StoreRefusedError) ever; or what the caller does with it fails.
        """
        with self._lock:
            try:
                if self._store is None:
                    self._store = self._open()
                yield self._store
            except StoreError:
                self._close()
                raise

    def _open(self) -> Store:
        """The store, opened. What failed is not tried again at once: sources would wait for one another's attempts."""
        if self._failed and time.monotonic() < self._failed_at + PAUSE_SECONDS:
            raise type(self._failed)(str(self._failed))
        try:
            store = self._open_store()
        except StoreError as error:
            self._failed, self._failed_at = error, time.monotonic()
            raise
        self._failed = None
        return store

    def newest(self) -> float | None:
        """The time of the newest observation; while the store cannot be read, the last that is known."""
        with self._lock:
            if self._store is not None:
                with suppress(StoreError, ValueError):  # ValueError: what is stored is no time
                    newest = self._store.newest()
                    self._newest = times.from_stored(newest).timestamp() if newest else None
            return self._newest

    def owners(self, document: Document) -> dict[str, str | None]:
        """The source of each known station; those of a document that are not known are looked up, for others may be.

        The caller uses the store.
        """
        if not self._owners:
            with self.used() as store:
                self._owners = store.sources.owners()
        if strange := {station.station_id for station in document.stations} - self._owners.keys():
            with self.used() as store:
                self._owners.update(store.sources.owners(strange))
        return self._owners

    def assign(self, document: Document, source: str) -> None:
        """Give a document its source, and leave to other sources the stations that belong to them.

        The caller uses the store.
        """
        owners, rank = self.owners(document), self._rank
        own = rank.get(source, len(rank))
        document.source = source
        document.foreign = frozenset(
            one.station_id
            for one in document.stations
            if (owner := owners.get(one.station_id)) != source and owner in rank and rank[owner] < own
        )
        if document.foreign:
            document.stations = [one for one in document.stations if one.station_id not in document.foreign]

    def stored(self, document: Document) -> None:
        """A document is stored: its stations are known."""
        self._owners.update(dict.fromkeys((one.station_id for one in document.stations), document.source))

    def _close(self) -> None:
        if self._store is not None:
            self._store.__exit__(None, None, None)
            self._store = None
            self._owners = {}
