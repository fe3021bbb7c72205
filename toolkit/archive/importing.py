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
from toolkit.feed.entries import Clock, Entries, utc
from toolkit.model import Bounds, Document
from toolkit.quality.admission import admit
from toolkit.store import Store, Stored, StoreError
from toolkit.text import one_line

# Observations in one transaction: so few that a collector on the same database hardly waits.
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


def import_file(
    store: Store,
    path: Path,
    replace: bool,
    local: Clock = utc,
    bounds: Bounds = Bounds(),
    advance: Callable[[int], None] = lambda _: None,
) -> Imported:
    """Store every row of a file that can be read, by the rules of a feed's entries.

    Args:
        store: where they go.
        path: a CSV file with the columns of `observations`, or an SQLite file with that table.
        replace: whether a value of the file replaces the one that is there; otherwise only gaps are filled.
        local: how a time without an offset is read.
        bounds: how long ids and names may be.
        advance: hears of observations as they are stored.

    Raises:
        ToolkitError: the file cannot be read, or the store cannot take it; what was stored before stays.
    """
    entries = Entries(bounds=bounds, clock=local)
    done = Imported(first=entries.first)
    with _translate_errors(path, done):
        kept = store.newest()
        newest = times.from_stored(kept).timestamp() if kept else None
        try:
            for _ in reading.take(path, entries):
                if len(entries.observations) >= BATCH:
                    advance(_store(store, entries, newest, replace, done))
        finally:  # also where the file is damaged: the rows before that are whole
            advance(_store(store, entries, newest, replace, done))
    return done


def _store(store: Store, entries: Entries, newest: float | None, replace: bool, done: Imported) -> int:
    """Store the entries that were taken and clear them; returns how many observations they were."""
    host = time.time()
    present = clock.at_least(host, newest)
    if clock.refuted(host, newest):
        present = max(present, clock.stations_time((station_id, at) for at, station_id in entries.observations) or 0)
    document = admit(entries.document(), present)
    entries.clear()
    done.left_out += document.left_out
    if document.stations:
        stored = _add(store, document, replace)
        done.stored = Stored(*(a + b for a, b in zip(done.stored, stored, strict=True)))
    return len(document.observations)


def _add(store: Store, document: Document, replace: bool) -> Stored:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return store.add(document, time.time(), replace=replace, status="import")
        except StoreError:  # a collector has it for a moment
            if attempt == ATTEMPTS:
                raise
    raise AssertionError


@contextmanager
def _translate_errors(path: Path, done: Imported) -> Iterator[None]:
    try:
        if not reading.is_file(path):
            raise ToolkitError(f"{path} is no file: give it on standard input, as -")
        yield
    except OSError as error:
        raise ToolkitError(f"cannot read {path}: {reason(error)}") from error
    except (ValueError, OverflowError, sqlite3.Error) as error:
        before = f"; the {sum(done.stored)} rows before are imported" if any(done.stored) else ""
        raise ToolkitError(f"{path} cannot be imported: {one_line(str(error))}{before}") from error
