"""Reports that stations push, as text: on each line one, in the form of a query string.

The receiver has taken the key out of each, and has added `station_id`, where the report does not say it, and
`received`, the time at which it came, in seconds since the epoch.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError
from toolkit.text import decoded

# The longest report in characters, and the most fields of one.
LENGTH = 8192
MOST = 300


def take(body: bytes, entries: Entries) -> None:
    """Take the stations and observations of a document.

    Raises:
        NoStationError: no report has a station id.
    """
    lines = [line for line in decoded(body).split("\n") if line.strip()]
    for line in lines:
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
    if not entries.stations:
        raise NoStationError(f"the feed holds no station: {len(lines)} reports, none with a station id")
