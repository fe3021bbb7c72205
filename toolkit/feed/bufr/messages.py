"""The messages of BUFR (WMO-No. 306, FM 94, editions 2 to 4): where they are in a file, and their sections."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

CHUNK = 64 * 1024
BEGIN, END = b"BUFR", b"7777"
# Section 0, the shortest sections 1, 3 and 4, and section 5, in bytes.
SHORTEST = 8 + 17 + 7 + 4 + 4


class BrokenError(Exception):
    """A message cannot be read, or no further; the message is the reason to count."""


class Message(NamedTuple):
    """One message.

    Attributes:
        category: the kind of data, by table A.
        version: of the tables by which it is read.
        subsets: how many subsets it has: reports, mostly of a station each.
        compressed: whether a value of all subsets follows the other, instead of a subset the other.
        descriptors: what a subset consists of, each as six digits, FXXYYY.
        data: section 4 without its first four bytes.
    """

    category: int
    version: int
    subsets: int
    compressed: bool
    descriptors: tuple[str, ...]
    data: bytes


def messages(file: BinaryIO) -> Iterator[bytes | None]:
    """The messages of a file, None for one that is cut off. What is between them, as headers of the GTS, is passed."""
    buffer, at = bytearray(), 0

    def filled(wanted: int) -> bool:
        nonlocal at
        if len(buffer) - at < wanted:
            del buffer[:at]
            at = 0
            while len(buffer) < wanted and (more := file.read(CHUNK)):
                buffer.extend(more)
        return len(buffer) - at >= wanted

    while True:
        found = buffer.find(BEGIN, at)
        if found < 0:
            at = max(at, len(buffer) - len(BEGIN) + 1)
            if not filled(len(BEGIN)):
                return
            continue
        at = found
        length = int.from_bytes(buffer[at + 4 : at + 7], "big") if filled(SHORTEST) else 0
        if length >= SHORTEST and filled(length) and buffer[at + length - 4 : at + length] == END:
            yield bytes(buffer[at : at + length])
            at += length
        else:
            yield None
            at += len(BEGIN)


def opened(message: bytes) -> Message:
    """The sections of a message.

    Raises:
        BrokenError: it is of another edition, or a section is longer than the message.
    """
    edition = message[7]
    if not 2 <= edition <= 4:
        raise BrokenError("BUFR message of an edition other than 2, 3 and 4")
    try:
        first, after = _section(message, 8)
        category, version, more = (first[10], first[13], first[9]) if edition == 4 else (first[8], first[10], first[7])
        if more & 0x80:
            _, after = _section(message, after)
        (described, after) = _section(message, after)
        (data, after) = _section(message, after)
        subsets, flags = struct.unpack_from(">HB", described, 4)
    except (IndexError, struct.error):
        raise BrokenError("BUFR message that is broken") from None
    codes = [code for (code,) in struct.iter_unpack(">H", described[7 : len(described) - (len(described) - 7) % 2])]
    # A section of edition 3 is padded to an even length.
    if codes and edition < 4 and codes[-1] == 0:
        codes.pop()
    names = tuple(f"{code >> 14}{code >> 8 & 63:02d}{code & 255:03d}" for code in codes)
    return Message(category, version, subsets, bool(flags & 0x40), names, data[4:])


def _section(message: bytes, at: int) -> tuple[bytes, int]:
    length = int.from_bytes(message[at : at + 3], "big")
    if length < 4 or at + length > len(message) - len(END):
        raise BrokenError("BUFR message that is broken")
    return message[at : at + length], at + length
