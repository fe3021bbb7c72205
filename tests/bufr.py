"""Messages of BUFR for tests, written by the toolkit's tables; ecCodes read them as they are meant."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from toolkit.feed.bufr.tables import tables
from toolkit.feed.bufr.template import Part, Repeated, template

VERSION = 36
ALL = frozenset(tables(VERSION).elements)
# What a station says, by descriptor.
REPORT: dict[str, float | str] = {
    "001001": 16, "001002": 733, "001015": "ATHINAI", "004001": 2025, "004002": 11, "004003": 22, "004004": 16, "004005": 0,
    "005001": 37.73, "006001": 23.73, "007030": 28, "012101": 287.05, "012103": 279.25, "013003": 60, "010051": 101640,
    "011001": 30, "011002": 5,
}  # fmt: skip


def message(
    descriptors: Sequence[str], bits: str, subsets: int = 1, compressed: bool = False, category: int = 0
) -> bytes:
    """A message whose section 4 has these bits."""
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0") or "0", 2).to_bytes(-(-len(bits) // 8), "big")
    codes = b"".join(struct.pack(">H", int(one[0]) << 14 | int(one[1:3]) << 8 | int(one[3:])) for one in descriptors)
    sections = (
        struct.pack(">BHHBBBBBBBHBBBBB", 0, 0, 0, 0, 0, category, 0, 0, VERSION, 0, 2025, 11, 22, 16, 0, 0),
        b"\0" + struct.pack(">HB", subsets, 0xC0 if compressed else 0x80) + codes,
        b"\0" + data,
    )
    body = b"".join((len(one) + 3).to_bytes(3, "big") + one for one in sections) + b"7777"
    return b"BUFR" + (len(body) + 8).to_bytes(3, "big") + b"\4" + body


def written(descriptors: Sequence[str], *subsets: Mapping[str, float | str], compressed: bool = False) -> bytes:
    """A message of subsets that say something of these elements, and nothing of others; repetitions are left out."""
    parts = template(descriptors, VERSION, ALL)
    rows = [_numbers(parts, one) for one in subsets]
    if not compressed:
        bits = "".join(f"{number:0{width}b}" for row in rows for number, width in row)
    else:
        bits = "".join(_column([number for number, _ in column], column[0][1]) for column in zip(*rows, strict=True))
    return message(descriptors, bits, len(subsets), compressed)


def _numbers(parts: Sequence[Part], said: Mapping[str, float | str]) -> list[tuple[int, int]]:
    """The number of each element and its width in bits."""
    found = []
    for part in parts:
        if isinstance(part, Repeated):
            found += [(0, part.width)] if not part.times else part.times * _numbers(part.parts, said)
        elif (value := said.get(part.name)) is None:
            found.append(((1 << part.width) - 1, part.width))
        elif isinstance(value, str):
            found.append((int.from_bytes(value.ljust(part.width // 8).encode(), "big"), part.width))
        else:
            found.append((round(value * 10**part.scale) - part.reference, part.width))
    return found


def _column(numbers: Sequence[int], width: int) -> str:
    least, span = min(numbers), max(numbers) - min(numbers)
    if not span:
        return f"{least:0{width}b}{0:06b}"
    if width > 63:  # a text has its whole width in each subset
        return f"{0:0{width}b}{width // 8:06b}" + "".join(f"{number:0{width}b}" for number in numbers)
    increment = (span + 1).bit_length()
    return f"{least:0{width}b}{increment:06b}" + "".join(f"{number - least:0{increment}b}" for number in numbers)
