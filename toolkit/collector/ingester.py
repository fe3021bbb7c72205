"""Getting documents into the store: at once, or by way of the spool when the store cannot take them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from toolkit import clock, times
from toolkit.collector.spool import DAMAGED, REFUSED, RawDocument, Spool
from toolkit.errors import ToolkitError
from toolkit.feed.errors import FeedError, UnreadableError
from toolkit.feed.reader import DocumentReader
from toolkit.model import Document
from toolkit.quality.admission import admit, bound
from toolkit.sdnotify import notify
from toolkit.store import DocumentRefusedError, Store, Stored, StoreError
from toolkit.text import one_line


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of a document.

    Attributes:
        stations: how many stations it describes.
        stored: what it changed in the store.
        left_out: how many values and entries were not stored.
    """

    stations: int
    stored: Stored
    left_out: int

    def __str__(self) -> str:
        text = f"{self.stations} stations, {self.stored.new} new observations"
        text += f", {self.stored.corrected} corrected" if self.stored.corrected else ""
        return text + (f", {self.left_out} left out" if self.left_out else "")


class Ingester:
    """Stores documents in the order in which they came, each once. Leaving the `with` block closes the store."""

    def __init__(self, open_store: Callable[[], Store], spool: Spool, reader: DocumentReader) -> None:
        self._reader = reader
        self._open_store = open_store
        self._spool = spool
        self._store: Store | None = None
        self._known: set[str] = set()
        self._newest: float | None = None

    def __enter__(self) -> Ingester:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._spool.close()

    @property
    def waiting(self) -> int:
        """How many documents wait in the spool."""
        return len(self._spool)

    def open(self) -> Store:
        """The store, opened if it is not open.

        Raises:
            StoreError: it cannot be, now or (StoreRefusedError) ever.
        """
        if self._store is None:
            self._store = self._open_store()
        return self._store

    def _newest_stored(self) -> float | None:
        """The time of the newest observation; while the store cannot be read, the last that is known."""
        if self._store is not None:
            with suppress(StoreError, ValueError):  # ValueError: what is stored is no time
                newest = self._store.newest()
                self._newest = times.from_stored(newest).timestamp() if newest else None
        return self._newest

    def ingest(self, body: bytes, server: float | None) -> IngestResult:
        """Store a document; when this returns or raises StoreError it is safe, and need not be fetched again.

        Args:
            body: the document.
            server: the server's time, seconds since the epoch; None where it does not say.

        Raises:
            FeedError: it is no document of the feed; nothing is kept of it.
            DocumentRefusedError: the store does not take it, now or ever; it is set aside.
            StoreError: it waits in the spool.
        """
        document = _parsed(self._reader, body)
        stations = clock.stations_time((one.station_id, one.time) for one in document.observations)
        present = clock.present(time.time(), server, self._newest_stored(), stations)
        reader = self._reader
        raw = RawDocument(body, present, present, reader.format, reader.records, reader.mapping.text)
        if self.waiting:
            self._spool.put(raw)
            return self.drain()
        try:
            return self._add(admit(document, present), present)
        except DocumentRefusedError as error:
            self._spool.set_aside(self._spool.put(raw), REFUSED, str(error))
            raise
        except StoreError:
            self._spool.put(raw)
            raise

    def _read(self, raw: RawDocument) -> Document:
        """Read a document by the format and fields that the settings named when it came."""
        reader = self._reader.as_of(raw.format, raw.records, raw.fields) if raw.format else self._reader
        return admit(_parsed(reader, raw.body), raw.present)

    def drain(self) -> IngestResult:
        """Store what waits in the spool, in order; returns what became of the last document that was stored.

        What cannot be read or stored, now or ever, is set aside: the documents after it do not wait for it.

        Raises:
            DocumentRefusedError: the last of all was refused.
            StoreError: what is not stored still waits.
        """
        result = IngestResult(0, Stored(0, 0, 0), 0)
        refused: DocumentRefusedError | None = None
        while waiting := self._spool.oldest():
            number, raw = waiting
            try:
                result = self._add(self._read(raw), raw.collected)
            except FeedError as error:
                self._spool.set_aside(number, DAMAGED, str(error))
            except DocumentRefusedError as error:
                refused = error
                self._spool.set_aside(number, REFUSED, str(error))
            else:
                refused = None
                self._spool.remove(number)
            notify("WATCHDOG=1")
        if refused:
            raise refused
        return result

    def log_failure(self, message: str, at: float) -> None:
        """Write a failed cycle into the collection log.

        Raises:
            StoreError: it cannot be written.
        """
        with self._closed_on_failure():
            self.open().log_failure(one_line(message), at)

    def _add(self, document: Document, collected: float) -> IngestResult:
        if self._spool.given_up:
            document.left_out["document given up, the spool was full"] = self._spool.given_up
        document.left_out.update(self._spool.set_aside_counts)
        with self._closed_on_failure():
            document = self._bounded(document, collected)
            stored = self.open().add(document, collected)
        self._known.update(station.station_id for station in document.stations)
        self._spool.given_up = 0
        self._spool.set_aside_counts.clear()
        return IngestResult(len(document.stations), stored, document.left_out.total())

    def _bounded(self, document: Document, collected: float) -> Document:
        """The document without the stations that are more than the settings allow."""
        store = self.open()
        if not self._known.issuperset(station.station_id for station in document.stations):
            self._known = {station.station_id for station in store.stations()}
        return bound(
            document, self._known, self._reader.bounds, lambda: store.new_stations(collected) if self._known else None
        )

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        """Close the store after a failure, so that it is opened anew: the file may have been replaced."""
        try:
            yield
        except StoreError:
            self._close()
            raise

    def _close(self) -> None:
        if self._store is not None:
            self._store.__exit__(None, None, None)
            self._store = None
            self._known = set()


def _parsed(reader: DocumentReader, body: bytes) -> Document:
    try:
        return reader.read(body)
    except ToolkitError:
        raise
    except Exception as error:  # a bug in a reader: a document in the spool must not end every start
        raise UnreadableError(f"the document cannot be read: {type(error).__name__}: {error}") from error
