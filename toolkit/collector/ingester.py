"""Getting documents into the store: at once, or by way of the spool when the store cannot take them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from toolkit import clock
from toolkit.collector.shared_store import SharedStore
from toolkit.collector.spool import DAMAGED, REFUSED, RawDocument, Spool
from toolkit.content import as_file
from toolkit.errors import ToolkitError
from toolkit.feed.entries import PART
from toolkit.feed.errors import FeedError, NotAFeedError, UnreadableError
from toolkit.feed.failures import Failures
from toolkit.feed.fetch import Fetched
from toolkit.feed.joining import joined
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
        failed: which of a feed's addresses failed, in words; empty if none did.
    """

    stations: int
    stored: Stored
    left_out: int
    failed: str = ""

    def __add__(self, other: IngestResult) -> IngestResult:
        stored = Stored(*map(sum, zip(self.stored, other.stored, strict=True)))
        failed = other.failed or self.failed
        return IngestResult(self.stations + other.stations, stored, self.left_out + other.left_out, failed)

    def __str__(self) -> str:
        text = f"{self.stations} stations, {self.stored.new} new observations"
        text += f", {self.stored.corrected} corrected" if self.stored.corrected else ""
        text += f", {self.left_out} left out" if self.left_out else ""
        return text + (f"; {self.failed}" if self.failed else "")


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
        """`advance` is called after each part of a document."""
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

    @property
    def in_memory(self) -> int:
        """How many of them are in memory alone, for the disk does not take them."""
        return self._spool.in_memory

    def ingest(self, came: Sequence[Fetched], failures: Failures) -> IngestResult | None:
        """Store documents; when this returns or raises StoreError those that can be read need not be fetched again.

        Small ones are stored in one transaction, a long one in parts, a transaction each. If the store fails in
        between, what is stored stays, and the whole waits in the spool: what is stored once more changes nothing.

        Args:
            came: the documents.
            failures: those that cannot be read are added; what failed is counted as left out, also if none came.

        Returns:
            What became of them; None if none could be read.

        Raises:
            DocumentRefusedError: the store does not take the document, now or ever; it is set aside.
            NotKeptError: they are to come again, for the spool does not take them either.
            StoreError: they wait in the spool.
        """
        taken = _Taken()
        server = max((one.date for one in came if one.date is not None), default=None)
        parts: list[Document] = []

        def store() -> None:
            document = joined(parts)
            parts.clear()
            if not taken.present:
                stations = clock.stations_time((one.station_id, one.time) for one in document.observations)
                taken.present = clock.present(time.time(), server, self._store.newest(), stations)
                if self.waiting:
                    raise _OthersWaitError
            document.left_out.update(failures.taken())
            self._add(admit(document, taken.present), taken.present, taken)

        def take(part: Document) -> None:
            parts.append(part)
            if sum(len(one.observations) for one in parts) >= PART:
                store()

        def put() -> int:
            number = 0
            for one in came:
                if one.url not in failures.unread:
                    raw = RawDocument(one.content, taken.present, taken.present, *self._reader.form, one.station)
                    number = self._spool.put(raw)
            return number

        try:
            with self._store.reading:
                for one in came:
                    self._read(one, take, failures)
                if parts or not came:
                    store()
        except _OthersWaitError:
            put()
            return self.drain()
        except DocumentRefusedError as error:
            number = put()
            if len(came) > 1:  # the others are stored, one by one
                return self.drain()
            self._spool.set_aside(number, REFUSED, str(error))
            raise
        except StoreError:
            put()
            raise
        return taken.result() if taken.stored else None

    def _read(self, one: Fetched, take: Callable[[Document], None], failures: Failures) -> None:
        try:
            _read(self._reader, as_file(one.content), take, one.station)
        except FeedError as error:
            failures.unread.add(one.url)
            if not (one.leads_on and isinstance(error, NotAFeedError)):  # what only says where the data are
                failures.add(one.station, error, later_page=one.page > 1)

    def _stored(self, raw: RawDocument) -> IngestResult:
        """Store a document that waited, by the format and fields that the settings named when it came."""
        form = Form(raw.format, raw.records, raw.fields, raw.prefix)
        reader = self._reader.as_of(form) if raw.format else self._reader
        taken = _Taken()
        _read(
            reader,
            as_file(raw.content),
            lambda part: self._add(admit(part, raw.present), raw.collected, taken),
            raw.station,
        )
        return taken.result()

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
                with self._store.reading:
                    result = self._stored(raw)
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

    def log_failure(self, error: ToolkitError, at: float) -> None:
        """Write a failed cycle into the collection log.

        Raises:
            StoreError: it cannot be written.
        """
        with self._store.used() as store:
            store.log_failure(one_line(str(error)), at, self._source, type(error).__name__)

    def _add(self, part: Document, collected: float, taken: _Taken) -> None:
        if self._spool.given_up:
            part.left_out["document given up, the spool was full"] = self._spool.given_up
        part.left_out.update(self._spool.set_aside_counts)
        with self._store.used() as store:
            owners = self._store.owners(part)
            if taken.begun is None:
                # A source whose stations all belong to others has told of some as well.
                taken.begun = self._source in owners.values() or store.sources.has_told(self._source)
            new = (lambda: store.new_stations(collected, self._source)) if taken.begun else (lambda: None)
            part = bound(part, owners.keys(), self._reader.bounds, new, taken.stations)
            taken.stations.update(one.station_id for one in part.stations)
            self._store.assign(part, self._source)
            taken.stored.append(store.add(part, collected))
            self._store.stored(part)
        self._spool.given_up = 0
        self._spool.set_aside_counts.clear()
        taken.left_out += part.left_out.total()
        self.advance()


class _OthersWaitError(ToolkitError):
    """Older documents are to be stored first."""


class _Taken:
    """What was taken of a document so far.

    Attributes:
        present: seconds since the epoch, by the first part; 0 before it.
        begun: whether the source told of stations before; None before the first part.
        stations: their ids.
        stored: what each part changed.
        left_out: how many values and entries were not stored.
    """

    def __init__(self) -> None:
        self.present = 0.0
        self.begun: bool | None = None
        self.stations: set[str] = set()
        self.stored: list[Stored] = []
        self.left_out = 0

    def result(self) -> IngestResult:
        return IngestResult(len(self.stations), Stored(*map(sum, zip(*self.stored, strict=True))), self.left_out)


def _read(reader: DocumentReader, document: BinaryIO, take_part: Callable[[Document], None], station: str) -> None:
    try:
        reader.read_parts(document, take_part, station)
    except (ToolkitError, OSError):
        raise
    except Exception as error:  # a bug in a reader: a document in the spool must not end every start
        raise UnreadableError(f"the document cannot be read: {type(error).__name__}: {error}") from error
