"""The members of a long list in a JSON document, one after the other: memory is that of one, however many there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

from toolkit.feed.errors import UnreadableError
from toolkit.feed.json import PADDING, as_unreadable, whole_number
from toolkit.text import text_in

LONG = 2 << 20
"""A document of more bytes is read member by member; a shorter one at once, so that all of it is looked at first."""

# So many characters are read at once.
_CHUNK = 1 << 20
# What the end of a chunk may cut in two without its looking like the beginning of a text: an escape, a number, a word.
_WORD = 32
_SPACE = re.compile(r"[ \t\n\r]+")
_PADDING = re.compile(f"[{PADDING}]+")
_DECODER = json.JSONDecoder(strict=False)
_LENIENT = json.JSONDecoder(strict=False, parse_int=whole_number)


def members(document: BinaryIO, name: str) -> Iterator[Any] | None:
    """The members of a list that an object, the document, has under a name; None where it cannot be read so.

    Where a document is broken, the members before that have been given out.

    Raises:
        UnreadableError: while it is gone through: the document is not JSON.
    """
    with text_in(document) as text:
        try:
            found = _Reader(text).members(name)
            first = next(found, None)
        except UnreadableError:
            return None
    return None if first is None else _again(document, name)


def _again(document: BinaryIO, name: str) -> Iterator[Any]:
    with text_in(document) as text:
        yield from _Reader(text).members(name)


class _Reader:
    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._buffer, self._at, self._ended = "", 0, False
        self._before = 0  # so many characters were before the buffer

    def members(self, name: str) -> Iterator[Any]:
        """The members of each list of that name in the outermost object."""
        for _ in self._within("{", "}"):
            if not isinstance(key := self._value(), str):
                raise self._wrong("Expecting a name")
            self._expect(":")
            if key == name and self._next() == "[":
                for _ in self._within("[", "]"):
                    yield self._value()
            else:
                self._value()
        if self._next(_PADDING):
            raise self._wrong("Extra data")

    def _within(self, opening: str, closing: str) -> Iterator[None]:
        """Stand at each member of an object or a list, whoever goes through them reads it, and after it."""
        self._expect(opening)
        comma = ""
        while self._next() != closing:
            if comma:
                self._expect(comma)
            yield
            comma = ","
        self._expect(closing)

    def _next(self, skipped: re.Pattern[str] = _SPACE) -> str:
        """The next character that is not to be skipped; empty at the end."""
        while True:
            if found := skipped.match(self._buffer, self._at):
                self._at = found.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _expect(self, character: str) -> None:
        if self._next() != character:
            raise self._wrong(f"Expecting {character!r}")
        self._at += 1

    def _wrong(self, what: str) -> UnreadableError:
        return as_unreadable(self._buffer, json.JSONDecodeError(what, self._buffer, self._at), self._before)

    def _more(self) -> bool:
        """Read on: as much as is there already, so that a long value is not begun anew for each chunk of it."""
        kept = self._buffer[self._at :]
        read = self._text.read(max(_CHUNK, len(kept)))
        self._ended = not read
        self._before += self._at
        self._buffer, self._at = kept + read, 0
        return not self._ended

    def _value(self) -> Any:
        self._next()
        while True:
            try:
                value, end = self._decoded()
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos >= len(self._buffer) - _WORD
                if not (cut and not self._ended and self._more()):
                    raise as_unreadable(self._buffer, error, self._before) from None
            except RecursionError as error:
                raise as_unreadable(self._buffer, error, self._before) from None
            else:
                if end < len(self._buffer) or self._ended:
                    self._at = end
                    return value
                self._more()  # a number may go on

    def _decoded(self) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(self._buffer, self._at)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a number with too many digits for Python
            return _LENIENT.raw_decode(self._buffer, self._at)
