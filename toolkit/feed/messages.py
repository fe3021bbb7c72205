"""Several messages as one document: what a broker sends within a second is stored in one transaction.

Such a document begins with a line that nothing else begins with, then has a line of JSON with the length in bytes and
the station of each message, and the messages one after the other.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import BinaryIO, NamedTuple

from toolkit.feed.entries import Entries
from toolkit.feed.errors import FeedError, NoStationError, NotAFeedError, UnreadableError

BEGINNING = b"\x00weather-toolkit: messages\n"
_REASONS: dict[type[FeedError], str] = {
    UnreadableError: "message that cannot be read",
    NotAFeedError: "message of another kind",
    NoStationError: "message without a station",
}


class Message(NamedTuple):
    """A message.

    Attributes:
        body: a document of the source's format.
        station: the id of the station that it is of, where it does not say one; empty if that is not known.
    """

    body: bytes
    station: str = ""


def joined(messages: Iterable[Message], left_out: Counter[str]) -> bytes:
    """The document of messages, and of what was left out besides, by reason."""
    messages = list(messages)
    head = {"messages": [(len(one.body), one.station) for one in messages], "left_out": dict(left_out)}
    return b"".join((BEGINNING, json.dumps(head).encode(), b"\n", *(one.body for one in messages)))


def parse(document: BinaryIO, entries: Entries, read: Callable[[BinaryIO, Entries], None]) -> None:
    """Take the stations and observations of a document by a format's `read`, also where it is one of messages.

    A message that cannot be read is left out, and counted by reason; the others are taken.

    Raises:
        FeedError: the document is none of messages, and `read` raises it.
    """
    if document.read(len(BEGINNING)) != BEGINNING:
        document.seek(0)
        read(document, entries)
        return
    try:
        head = json.loads(document.readline())
        messages = [(int(length), str(station)) for length, station in head["messages"]]
        entries.left_out.update({str(reason): int(number) for reason, number in head["left_out"].items()})
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise UnreadableError("the messages that came together cannot be told apart") from None
    for length, station in messages:
        entries.of(station)
        try:
            read(io.BytesIO(document.read(max(0, length))), entries)
        except FeedError as error:
            entries.leave_out(_REASONS.get(type(error), "message that cannot be read"))
