"""Several messages as one document: what a broker sends within a second is stored in one transaction.

Such a document begins with a line that nothing else begins with, then has a line of JSON with the length in bytes and
the station of each message, and the messages one after the other.
"""

from __future__ import annotations

import io
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from toolkit.content import CHUNK, Content, as_file, length_of, new_content
from toolkit.feed.entries import Entries
from toolkit.feed.errors import FeedError, NoStationError, NotAFeedError, UnreadableError

BEGINNING = b"\x00weather-toolkit: messages\n"
# What a document has besides the messages, with the reasons of all that was left out, in bytes at most.
BESIDES = 4 << 10
_REASONS: dict[type[FeedError], str] = {
    UnreadableError: "message that cannot be read",
    NotAFeedError: "message of another kind",
    NoStationError: "message without a station",
}


class Joining:
    """Puts messages into one document, as many as fit.

    Args:
        max_bytes: the largest document.
        folder: where a long one is put; None for that of temporary files.

    Attributes:
        left_out: what was left out besides, by reason.
    """

    def __init__(self, max_bytes: int, folder: Path | None) -> None:
        self._folder = folder
        self._room = max_bytes - BESIDES
        self._bodies = new_content(folder)
        self._messages: list[tuple[int, str]] = []
        self.left_out: Counter[str] = Counter()

    @property
    def number(self) -> int:
        """How many messages are in it."""
        return len(self._messages)

    def add(self, body: Content, station: str) -> bool:
        """Add a message, a document of the source's format; returns whether it fits, otherwise it is not added.

        `station` is the id of the station that it is of, where it does not say one; empty if that is not known.

        Raises:
            OSError: the disk does not take it.
        """
        one = length_of(body), station
        needed = one[0] + len(json.dumps(one)) + len(", ")
        if needed > self._room:
            return False
        shutil.copyfileobj(as_file(body), self._bodies, CHUNK)
        self._room -= needed
        self._messages.append(one)
        return True

    def document(self) -> BinaryIO:
        """The document.

        Raises:
            OSError: the disk does not take it.
        """
        head = {"messages": self._messages, "left_out": dict(self.left_out)}
        made = new_content(self._folder)
        made.write(BEGINNING + json.dumps(head).encode() + b"\n")
        shutil.copyfileobj(as_file(self._bodies), made, CHUNK)
        return made


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
