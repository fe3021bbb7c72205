"""Getting documents into the store: at once, or by way of the spool when the store cannot take them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from toolkit import clock, times
from toolkit.collector.spool import DAMAGED, REFUSED, Arrived, Spool
from toolkit.errors import ToolkitError
from toolkit.feed.errors import FeedError, UnreadableError
from toolkit.feed.reader import DocumentReader
from toolkit.model import Document
from toolkit.quality.admission import admit, bound
from toolkit.sdnotify import notify
from toolkit.store import DocumentRefusedError, Store, Stored, StoreError
from toolkit.text import one_line


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a document.

    Attributes:
        stations: how many stations it told of.
        stored: what it changed in the store.
        left_out: how many values and rows could not be taken.
    """

    stations: int
    stored: Stored
    left_out: int

    def __str__(self) -> str:
        text = f"{self.stations} stations, {self.stored.new} new observations"
        text += f", {self.stored.corrected} corrected" if self.stored.corrected else ""
        return text + (f", {self.left_out} left out" if self.left_out else "")


class Keeper:
    """Keeps documents in the order in which they came, each once. Leaving its `with` closes the store."""

    def __init__(self, open_store: Callable[[], Store], spool: Spool, reader: DocumentReader) -> None:
        self._reader = reader
        self._open_store = open_store
        self._spool = spool
        self._store: Store | None = None
        self._known: set[str] = set()
        self._newest: float | None = None

    def __enter__(self) -> Keeper:
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

    def _newest_kept(self) -> float | None:
        """The time of the newest observation, as far as it is known: while the store is away it is that of before."""
        if self._store is not None:
            with suppress(StoreError, ValueError):  # also: what is stored is no time
                newest = self._store.newest()
                self._newest = times.from_stored(newest).timestamp() if newest else None
        return self._newest

    def keep(self, body: bytes, server: float | None) -> Kept:
        """Store a document; when this returns or raises StoreError it is safe, and need not be fetched again.

        Args:
            body: the document.
            server: what its server calls the present; None where it does not say.

        Raises:
            FeedError: it is no document of a feed; nothing is kept.
            DocumentRefusedError: the store does not take it, now or ever; it is set aside.
            StoreError: it waits in the spool.
        """
        document = _parsed(self._reader, body)
        stations = clock.told((one.station_id, one.time) for one in document.observations)
        present = clock.present(time.time(), server, self._newest_kept(), stations)
        arrived = Arrived(body, present, present, self._reader.format, self._reader.mapping.text)
        if self.waiting:
            self._spool.put(arrived)
            return self.drain()
        try:
            return self._add(admit(document, present), present)
        except DocumentRefusedError as error:
            self._spool.aside(self._spool.put(arrived), REFUSED, str(error))
            raise
        except StoreError:
            self._spool.put(arrived)
            raise

    def _read(self, arrived: Arrived) -> Document:
        """What a document says, read as it came: the settings may name another format or other fields by now."""
        reader = self._reader.as_of(arrived.format, arrived.fields) if arrived.format else self._reader
        return admit(_parsed(reader, arrived.body), arrived.present)

    def drain(self) -> Kept:
        """Store what waits in the spool, in order; returns what became of the last document that was stored.

        What cannot be read or stored, now or ever, is set aside: it does not keep back what came after it.

        Raises:
            DocumentRefusedError: the last of all was refused.
            StoreError: what is not stored still waits.
        """
        kept = Kept(0, Stored(0, 0, 0), 0)
        refused: DocumentRefusedError | None = None
        while waiting := self._spool.oldest():
            number, arrived = waiting
            try:
                kept = self._add(self._read(arrived), arrived.collected)
            except FeedError as error:
                self._spool.aside(number, DAMAGED, str(error))
            except DocumentRefusedError as error:
                refused = error
                self._spool.aside(number, REFUSED, str(error))
            else:
                refused = None
                self._spool.drop(number)
            notify("WATCHDOG=1")
        if refused:
            raise refused
        return kept

    def log_failure(self, message: str, at: float) -> None:
        """Note in the store's log that a cycle brought nothing.

        Raises:
            StoreError: it could not be noted.
        """
        with self._closed_on_failure():
            self.open().log_failure(one_line(message), at)

    def _add(self, document: Document, collected: float) -> Kept:
        if self._spool.given_up:
            document.left_out["document given up, the spool was full"] = self._spool.given_up
        document.left_out.update(self._spool.set_aside)
        with self._closed_on_failure():
            document = self._bounded(document, collected)
            stored = self.open().add(document, collected)
        self._known.update(station.station_id for station in document.stations)
        self._spool.given_up = 0
        self._spool.set_aside.clear()
        return Kept(len(document.stations), stored, document.left_out.total())

    def _bounded(self, document: Document, collected: float) -> Document:
        """The document with no more stations than the settings let in."""
        store = self.open()
        if not self._known.issuperset(station.station_id for station in document.stations):
            self._known = {station.station_id for station in store.stations()}
        return bound(
            document, self._known, self._reader.bounds, lambda: store.new_stations(collected) if self._known else None
        )

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        """After a failure the store is opened anew: the file may be another one by then, the server may be back."""
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
    except Exception as error:  # of a document that nobody thought of: one that waits would end every start
        raise UnreadableError(f"the document cannot be read: {type(error).__name__}: {error}") from error
