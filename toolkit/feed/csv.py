"""A feed in CSV: a row for each station or observation."""

from __future__ import annotations

from toolkit.feed import table
from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError, UnreadableError
from toolkit.text import decoded


def parse(body: bytes, entries: Entries) -> None:
    """Take the stations and observations of a document.

    Raises:
        UnreadableError: there is no header with the fields of station and time.
        NoStationError: no row has a station id.
    """
    number = 0
    try:
        for _, row in table.rows(table.lines_of(decoded(body)), *entries.needed):
            number += 1
            if row is None:
                entries.leave_out("not a row")
            else:
                entries.take(row)
    except ValueError as error:
        raise UnreadableError(f"the feed is {error}") from None
    if not entries.stations:
        raise NoStationError(f"the feed holds no station: {number} rows, none with a station id")
