"""Pages of observations, in order of time and then station, each beginning where the one before ended."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from toolkit.api.parameters import Period, ValueSelection
from toolkit.api.problems import wrong
from toolkit.api.rows import SECONDS, Clock, filtered, joined, pieces, selected, too_large
from toolkit.flagging.readings import FlaggedReadings
from toolkit.store import Store

Cursor = tuple[int, str]
"""The time and the station of the last observation of a page."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        rows: its observations.
        next: where the next one begins; None for the last.
    """

    rows: FlaggedReadings
    next: str | None


def cursor(text: str | None) -> Cursor | None:
    """What the parameter `cursor` says.

    Raises:
        Problem: it is not one that this service wrote.
    """
    if not text:
        return None
    try:
        time, station = json.loads(base64.urlsafe_b64decode(text.encode()))
        if type(time) is int and isinstance(station, str) and abs(time) < 1 << 40:
            return time, station
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    raise wrong("cursor", text, "follow the link next of the page before; without cursor: the first page")


def _written(last: Cursor) -> str:
    return base64.urlsafe_b64encode(json.dumps(last, separators=(",", ":")).encode()).decode()


def cut(rows: FlaggedReadings, begin: Cursor | None, limit: int) -> Page:
    """A page of rows that are all at hand."""
    names = np.array(rows.stations, dtype=object)[rows.station] if len(rows.time) else np.empty(0, dtype=object)
    order = np.lexsort((names.astype(str), rows.time))
    if begin is not None:
        after = (rows.time[order] > begin[0]) | ((rows.time[order] == begin[0]) & (names[order] > begin[1]))
        order = order[after]
    shown = order[:limit]
    last = (int(rows.time[shown[-1]]), str(names[shown[-1]])) if len(order) > limit else None
    return Page(rows.taken(shown), _written(last) if last else None)


def read(
    store: Store,
    clock: Clock,
    asked: Period,
    wanted: ValueSelection,
    stations: Sequence[str],
    begin: Cursor | None,
    limit: int,
    seconds: float,
) -> Page:
    """A page of the store's observations; where reading takes too long it is short, and the next one goes on.

    Args:
        store: what is read.
        clock: for how long.
        asked: of which time.
        wanted: which columns and flags.
        stations: of which stations; none for all.
        begin: after which observation.
        limit: how many.
        seconds: in about which time there are so many.
    """
    if begin is not None:
        asked = replace(asked, start=max(begin[0], asked.start if asked.start is not None else begin[0]))
    selection = selected(store, asked, stations)
    found, number = [], 0
    if selection is None:
        return Page(joined([], wanted.variables), None)
    for piece in pieces(store, selection, wanted, seconds):
        rows = filtered(piece, wanted)
        if len(rows.time):
            found.append(rows)
            number += len(rows.time)
        if number > limit + (len(found[0].time) if begin else 0) or (clock.late() and number):
            return _short(cut(joined(found, wanted.variables), begin, limit))
        if clock.late():
            raise too_large(f"what takes more than {SECONDS:g} s to find")
    return cut(joined(found, wanted.variables), begin, limit)


def _short(page: Page) -> Page:
    """A page after which there may be more, though it is not full."""
    if page.next or not len(page.rows.time):
        return page
    rows = page.rows
    return replace(page, next=_written((int(rows.time[-1]), rows.stations[int(rows.station[-1])])))
