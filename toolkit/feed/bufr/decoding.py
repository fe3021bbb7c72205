"""The values of a message of BUFR.

A few bytes can stand for any number of values: parts that are repeated, and subsets that are alike. `Effort` bounds how
many are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from toolkit.feed.bufr.messages import BrokenError, Message
from toolkit.feed.bufr.surface import WANTED
from toolkit.feed.bufr.template import BROKEN, TOO_MUCH, Part, Repeated, Value, template

Said = list[tuple[str, float | str | None]]
"""What a subset says: elements that are wanted, in order, with their values; None for a missing one."""

# Of a number in a compressed message: how many bits, or bytes of text, it has in each subset.
INCREMENT_WIDTH = 6


class Effort:
    """How many more parts of messages are looked at."""

    def __init__(self, parts: int) -> None:
        self.left = parts

    def spend(self, parts: int) -> None:
        """Look at parts.

        Raises:
            BrokenError: these are too many.
        """
        if parts > self.left:
            raise BrokenError(TOO_MUCH)
        self.left -= parts


def subsets(message: Message, effort: Effort) -> Iterator[Said]:
    """What each subset says.

    Raises:
        BrokenError: a message cannot be read, or no further.
    """
    if message.compressed:
        columns = _Columns(message, effort)
        columns.read(_template(message.descriptors, message.version))
        yield from columns.subsets()
    else:
        rows, merged = _Rows(message.data, effort), _merged(message.descriptors, message.version)
        for _ in range(message.subsets):
            said: Said = []
            rows.read(merged, said)
            yield said


@lru_cache(maxsize=16)
def _template(descriptors: tuple[str, ...], version: int) -> tuple[Part, ...]:
    return template(descriptors, version, WANTED)


@lru_cache(maxsize=16)
def _merged(descriptors: tuple[str, ...], version: int) -> tuple[Part, ...]:
    return _joined(_template(descriptors, version))


def _joined(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The same parts, those that follow one another and are not wanted as one; only where they are not compressed."""
    found: list[Part] = []
    for one in parts:
        part = one
        if isinstance(part, Repeated):
            inner = _joined(part.parts)
            part = Repeated(part.times, part.width, inner)
            if part.times and len(inner) == 1 and isinstance(inner[0], Value) and not inner[0].name:
                part = Value("", part.times * inner[0].width)
        last = found[-1] if found else None
        if isinstance(part, Value) and not part.name and isinstance(last, Value) and not last.name:
            found[-1] = Value("", last.width + part.width)
        else:
            found.append(part)
    return tuple(found)


def _number(raw: int, part: Value) -> float | None:
    if raw == (1 << part.width) - 1 and part.width > 1:
        return None
    number = raw + part.reference
    value: float = number / 10**part.scale if part.scale > 0 else number * 10.0**-part.scale
    return value


def _text(raw: int, width: int) -> str | None:
    return raw.to_bytes(width // 8, "big").decode("latin-1").strip("\xff\0 ") or None


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._end = 8 * len(data)
        self.at = 0

    def take(self, width: int) -> int:
        found = self.peek(self.at, width)
        self.at += width
        return found

    def peek(self, at: int, width: int) -> int:
        end = at + width
        if end > self._end:
            raise BrokenError(BROKEN)
        return int.from_bytes(self._data[at >> 3 : (end + 7) >> 3], "big") >> (-end & 7) & ((1 << width) - 1)

    def skip(self, width: int) -> None:
        self.at += width
        if self.at > self._end:
            raise BrokenError(BROKEN)


class _Rows:
    """The values of a message that is not compressed."""

    def __init__(self, data: bytes, effort: Effort) -> None:
        self._bits = _Bits(data)
        self._effort = effort

    def read(self, parts: tuple[Part, ...], said: Said) -> None:
        self._effort.spend(len(parts) + 1)
        bits = self._bits
        for part in parts:
            if isinstance(part, Repeated):
                times = part.times or bits.take(part.width)
                only = part.parts[0]
                if len(part.parts) == 1 and isinstance(only, Value) and not only.name:
                    bits.skip(times * only.width)
                    continue
                for _ in range(times):
                    self.read(part.parts, said)
            elif not part.name:
                bits.skip(part.width)
            elif part.is_text:
                said.append((part.name, _text(bits.take(part.width), part.width)))
            else:
                said.append((part.name, _number(bits.take(part.width), part)))


class _Column(NamedTuple):
    """The values of one element in all subsets.

    Attributes:
        part: the element.
        least: the least number, to which that of a subset is added.
        at: where the numbers of the subsets begin, in bits.
        width: the width of each, in bits; 0 if they are alike.
    """

    part: Value
    least: int
    at: int
    width: int


class _Columns:
    """The values of a message that is compressed."""

    def __init__(self, message: Message, effort: Effort) -> None:
        self._bits = _Bits(message.data)
        self._effort = effort
        self._subsets = message.subsets
        self._columns: list[_Column] = []

    def read(self, parts: tuple[Part, ...]) -> None:
        self._effort.spend(len(parts) + 1)
        for part in parts:
            if isinstance(part, Repeated):
                times = part.times
                if not times:
                    times = self._bits.take(part.width)
                    if self._bits.take(INCREMENT_WIDTH):
                        raise BrokenError(BROKEN)  # subsets of different lengths cannot be compressed
                for _ in range(times):
                    self.read(part.parts)
                continue
            least = self._bits.take(part.width)
            width = self._bits.take(INCREMENT_WIDTH) * (8 if part.is_text else 1)
            if part.name:
                self._columns.append(_Column(part, least, self._bits.at, width))
            self._bits.skip(width * self._subsets)

    def subsets(self) -> Iterator[Said]:
        self._effort.spend(self._subsets * (len(self._columns) + 1))
        alike = [None if width else _value(part, least) for part, least, _, width in self._columns]
        for subset in range(self._subsets):
            yield [
                (column.part.name, self._of(column, subset) if column.width else value)
                for column, value in zip(self._columns, alike, strict=True)
            ]

    def _of(self, column: _Column, subset: int) -> float | str | None:
        raw = self._bits.peek(column.at + subset * column.width, column.width)
        if column.part.is_text:
            return _text(raw, column.width)
        if raw == (1 << column.width) - 1:
            return None
        return _number(column.least + raw, column.part)


def _value(part: Value, raw: int) -> float | str | None:
    return _text(raw, part.width) if part.is_text else _number(raw, part)
