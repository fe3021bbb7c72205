"""Reports that stations push, as text: on each line one, in the form of a query string.

The receiver has taken the key out of each, and has added `station_id`, where the report does not say it, and
`received`, the time at which it came, in seconds since the epoch.
"""

from __future__ import annotations

from typing import BinaryIO
from urllib.parse import parse_qsl

from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError
from toolkit.feed.table import lines_in
from toolkit.text import text_in

# The longest report in characters, and the most fields of one.
LENGTH = 8192
MOST = 300


def take(document: BinaryIO, entries: Entries) -> None:
    """Take the stations and observations of a document.

    Raises:
        NoStationError: no report has a station id.
    """
    number = 0
    with text_in(document) as text:
        for line in filter(str.strip, lines_in(text)):
            number += 1
            if len(line) > LENGTH:
                entries.leave_out("report too long")
                continue
            try:
                said = dict(parse_qsl(line.strip(), max_num_fields=MOST, errors="replace"))
            except ValueError:
                entries.leave_out("report of too many fields")
                continue
            if said.get("dateutc") == "now":
                del said["dateutc"]
            entries.take(said)
    if not entries.any_station:
        raise NoStationError(f"the feed holds no station: {number} reports, none with a station id")
