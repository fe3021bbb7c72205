"""Getting documents into the store: at once, or by way of the spool when the store cannot take them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from toolkit import clock
from toolkit.collector.shared_store import SharedStore
from toolkit.collector.spool import DAMAGED, REFUSED, RawDocument, Spool
from toolkit.errors import ToolkitError
from toolkit.feed.errors import FeedError, UnreadableError
from toolkit.feed.reader import DocumentReader, Form
from toolkit.model import Document
from toolkit.quality.admission import admit, bound
from toolkit.sources import ONLY
from toolkit.store import DocumentRefusedError, Stored, StoreError
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
    """Stores the documents of a source in the order in which they came, each once."""

    def __init__(
        self,
        store: SharedStore,
        spool: Spool,
        reader: DocumentReader,
        source: str = ONLY,
        advance: Callable[[], None] = lambda: None,
    ) -> None:
        """`advance` is called after each document of the spool."""
        self.advance = advance
        self._reader = reader
        self._store = store
        self._spool = spool
        self._source = source

    def __enter__(self) -> Ingester:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    @property
    def waiting(self) -> int:
        """How many documents wait in the spool."""
        return len(self._spool)

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
        present = clock.present(time.time(), server, self._store.newest(), stations)
        reader = self._reader
        raw = RawDocument(body, present, present, *reader.form)
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
        form = Form(raw.format, raw.records, raw.fields, raw.prefix)
        reader = self._reader.as_of(form) if raw.format else self._reader
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
            self.advance()
        if refused:
            raise refused
        return result

    def log_failure(self, message: str, at: float) -> None:
        """Write a failed cycle into the collection log.

        Raises:
            StoreError: it cannot be written.
        """
        with self._store.used() as store:
            store.log_failure(one_line(message), at, self._source)

    def _add(self, document: Document, collected: float) -> IngestResult:
        if self._spool.given_up:
            document.left_out["document given up, the spool was full"] = self._spool.given_up
        document.left_out.update(self._spool.set_aside_counts)
        with self._store.used() as store:
            owners = self._store.owners(document)
            begun = self._source in owners.values()
            document = bound(
                document,
                owners.keys(),
                self._reader.bounds,
                lambda: store.new_stations(collected, self._source) if begun else None,
            )
            self._store.assign(document, self._source)
            stored = store.add(document, collected)
            self._store.stored(document)
        self._spool.given_up = 0
        self._spool.set_aside_counts.clear()
        return IngestResult(len(document.stations) + len(document.foreign), stored, document.left_out.total())


def _parsed(reader: DocumentReader, body: bytes) -> Document:
    try:
        return reader.read(body)
    except ToolkitError:
        raise
    except Exception as error:  # a bug in a reader: a document in the spool must not end every start
        raise UnreadableError(f"the document cannot be read: {type(error).__name__}: {error}") from error
