"""Bringing observations from a file into the store."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from toolkit import clock, times
from toolkit.archive import reading
from toolkit.errors import ToolkitError, reason
from toolkit.feed.document import Document, Observation, Station
from toolkit.quality.admission import admit
from toolkit.store import Store, Stored, StoreError

# A transaction so short that a collector on the same database hardly waits.
BATCH = 5000
ATTEMPTS = 5


@dataclass
class Imported:
    """What an import did.

    Attributes:
        stored: rows by what became of them.
        left_out: rows and values that could not be taken, by reason.
        first: the row in which each reason was met first.
    """

    stored: Stored = field(default_factory=lambda: Stored(0, 0, 0))
    left_out: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)

    def miss(self, reason: str, number: int) -> None:
        """Count a row that could not be taken."""
        self.left_out[reason] += 1
        self.first.setdefault(reason, number)


def import_file(
    store: Store,
    path: Path,
    to_epoch: reading.ToEpoch,
    replace: bool,
    advance: Callable[[int], None] = lambda _: None,
) -> Imported:
    """Store every row of a file that can be read; `advance` hears of rows as they are done.

    Raises:
        ToolkitError: the file cannot be read at all, or the store cannot take it; what was stored before stays.
    """
    done = Imported()
    with _said(path):
        newest = store.newest()
        present = clock.at_least(time.time(), times.from_stored(newest).timestamp() if newest else None)
        stations = {station.station_id: station for station in reading.stations(path)}
        for batch in _batches(path, to_epoch, done):
            seen = {one.station_id for one in batch}
            told = [stations.get(name, Station(name, None, None, None, None, None)) for name in sorted(seen)]
            document = admit(Document(told, batch), present)
            stored = _add(store, document, replace)
            done.stored = Stored(*(a + b for a, b in zip(done.stored, stored, strict=True)))
            done.left_out += document.left_out
            advance(len(batch))
    return done


def _batches(path: Path, to_epoch: reading.ToEpoch, done: Imported) -> Iterator[list[Observation]]:
    batch: dict[tuple[int, str], Observation] = {}
    for number, row in reading.rows(path):
        try:
            one = reading.observation(row, to_epoch)
        except ValueError as error:
            done.miss(str(error), number)
            continue
        if batch.setdefault((one.time, one.station_id), one) is not one:
            done.miss("a second row of the same time and station", number)
        if len(batch) >= BATCH:
            yield list(batch.values())
            batch = {}
    if batch:
        yield list(batch.values())


def _add(store: Store, document: Document, replace: bool) -> Stored:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return store.add(document, time.time(), replace=replace, status="import")
        except StoreError:  # a collector has it for a moment
            if attempt == ATTEMPTS:
                raise
    raise AssertionError


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ToolkitError(f"cannot read {path}: {reason(error)}") from error
    except (ValueError, sqlite3.Error) as error:
        raise ToolkitError(f"{path} cannot be imported: {error}") from error
