"""Seeded mutations of what a feed sends: `make chaos` makes ten times as many as `make test`."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

# How many times as many as `make test` makes.
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
# Where parsers break: ends of ranges, what is no number and looks like one, what is no text, what is a command.
PIECES = (
    b"", b"\x00", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\x1b[31m", b"\x7f", b"\xff\xfe", b"\xed\xa0\x80", b"\xc2",
    b"\xe2\x80\xae", b"\xc2\xb2", b"-1", b"0", b"-0", b"9" * 20, b"9" * 5000, b"1e999", b"NaN", b"Infinity", b"0x10",
    b"2147483648", b"-9223372036854775809", b"\"", b"'", b"\\", b"[", b"]" , b"{", b"}", b"[" * 2000, b"(", b"%s", b"%",
    b"@", b"//", b":", b";", b",", b"=", b" ", b" " * 3000, b"\t", b"<script>", b"null", b"../", b"a" * 70000,
)  # fmt: skip


def flipped(good: bytes, at: random.Random) -> bytes:
    """The same with up to eight bytes that are other ones: what a length leads to stays where it was."""
    data = bytearray(good)
    for _ in range(at.randint(1, 8)):
        data[at.randrange(len(data))] = at.randrange(256)
    return bytes(data)


def mutated(good: bytes, at: random.Random, words: Sequence[bytes] = ()) -> bytes:
    """Some bytes with one to four things wrong: bits, pieces cut out, doubled, moved, or put in.

    Args:
        good: what is made wrong.
        at: which chance.
        words: what may be put in besides PIECES.
    """
    data = bytearray(good)
    for _ in range(at.randint(1, 4)):
        start = at.randint(0, len(data))
        end = min(len(data), start + at.choice((1, 1, 2, 4, 16, 64, 256)))
        match at.randrange(6):
            case 0 if start < len(data):
                data[start] ^= 1 << at.randrange(8)
            case 1:
                del data[start:end]
            case 2:
                data[end:end] = data[start:end] * at.choice((1, 1, 2, 50))
            case 3:
                data[start:end] = at.choice((*PIECES, *words))
            case 4:
                data[start:start] = at.choice((*PIECES, *words))
            case 5:
                piece = data[start:end]
                del data[start:end]
                place = at.randint(0, len(data))
                data[place:place] = piece
            case _:
                data.append(at.randrange(256))
    return bytes(data)
