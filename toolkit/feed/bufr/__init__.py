"""A feed in BUFR (WMO-No. 306, FM 94): reports of surface stations, in one message or many.

`messages` finds the messages, `template` says what their subsets consist of, by WMO's `tables`, `decoding` reads the
values, and `surface` knows what they mean.
"""

from __future__ import annotations

from typing import BinaryIO

from toolkit.feed.bufr.decoding import Effort, subsets
from toolkit.feed.bufr.messages import BrokenError, messages, opened
from toolkit.feed.bufr.surface import fields
from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError, UnreadableError
from toolkit.text import one_line

# Of table A: surface data of land and of sea.
SURFACE = {0, 1}
# How many parts of messages are looked at in one document, and how many more for each of its bytes. A report of SYNOP
# has 60, in 180 bytes where it is not compressed.
PARTS, PARTS_PER_BYTE = 5_000_000, 4


def parse(document: BinaryIO, entries: Entries) -> None:
    """Take the stations and observations of a document, under the names and in the units of the store.

    Raises:
        UnreadableError: there is no message in it.
        NoStationError: no message has a report of a surface station.
    """
    number = 0
    effort = Effort(PARTS)
    for message in messages(document):
        number += 1
        if message is None:
            entries.leave_out("BUFR message that is cut off")
            continue
        effort.left += PARTS_PER_BYTE * len(message)
        try:
            content = opened(message)
            if content.category not in SURFACE:
                entries.leave_out("BUFR message of other data than a surface station's")
                continue
            for said in subsets(content, effort):
                entries.take(fields(said))
        except BrokenError as error:
            entries.leave_out(str(error))
    if not number:
        document.seek(0)
        beginning = document.read(40).decode("latin-1")
        raise UnreadableError(f"the feed is not BUFR: it begins with {one_line(beginning, 40)!r}")
    if not entries.any_station:
        raise NoStationError(f"the feed holds no station: {number} messages, none with a report of a surface station")
