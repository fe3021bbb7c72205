"""A feed in CSV or TSV: a row for each station or observation."""

from __future__ import annotations

from typing import BinaryIO

from toolkit.feed import table
from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError, UnreadableError
from toolkit.text import text_in


def parse(document: BinaryIO, entries: Entries) -> None:
    """Take the stations and observations of a document.

    Raises:
        UnreadableError: there is no header with the fields of station and time.
        NoStationError: no row has a station id.
    """
    number = 0
    try:
        with text_in(document) as text:
            for _, row in table.rows(table.lines_in(text), *entries.needed):
                number += 1
                if row is None:
                    entries.leave_out("not a row")
                else:
                    entries.take(row)
    except ValueError as error:
        raise UnreadableError(f"the feed is {error}") from None
    if not entries.any_station:
        raise NoStationError(f"the feed holds no station: {number} rows, none with a station id")
