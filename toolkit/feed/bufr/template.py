"""A template of BUFR: what a subset consists of, with its sequences expanded and its operators applied."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from toolkit.feed.bufr.messages import BrokenError
from toolkit.feed.bufr.tables import Tables, tables

# The most parts of a template: that of the longest sequence of table D has 1,600.
PARTS = 10_000
# How deep sequences and replications lie in one another.
DEPTH = 30
# The elements that say how often what follows them is repeated.
FACTORS = {"031000", "031001", "031002"}
# The significance of associated fields has none itself.
SIGNIFICANCE = "031021"
# Operators for what is said about the values before them, such as their quality; each has descriptors of its own.
ABOUT = {"222000", "223000", "224000", "225000", "232000", "235000", "236000", "237000"}

UNKNOWN = "BUFR message with a descriptor that is not in WMO's tables"
OTHER = "BUFR message with an operator that is not read"
BROKEN = "BUFR message that is broken"
TOO_MUCH = "BUFR message with more in it than is read"


class Value(NamedTuple):
    """An element.

    Attributes:
        name: its descriptor; empty if nobody wants it.
        width: in bits.
        scale, reference: see `tables.Element`.
        is_text: whether it is characters.
    """

    name: str
    width: int
    scale: int = 0
    reference: int = 0
    is_text: bool = False


class Repeated(NamedTuple):
    """Parts that are repeated.

    Attributes:
        times: how often; 0 if the data say it.
        width: of the number in the data that says how often, in bits.
        parts: what is repeated.
    """

    times: int
    width: int
    parts: tuple[Part, ...]


Part = Value | Repeated


@dataclass(frozen=True)
class _Operators:
    """What applies to the elements that follow.

    Attributes:
        width, scale: added to those of numbers.
        more: 207YYY.
        text: the width of texts in bits; 0 for the table's.
        local: the width of the next descriptor, which may be unknown, in bits; 0 for none.
        associated: the widths in bits of fields before each element.
        wanted: whether values are the station's, not about other values.
    """

    width: int = 0
    scale: int = 0
    more: int = 0
    text: int = 0
    local: int = 0
    associated: tuple[int, ...] = ()
    wanted: bool = True


def template(descriptors: Sequence[str], version: int, wanted: Collection[str]) -> tuple[Part, ...]:
    """The parts of a subset, by a version of the tables; those elements have a name that are wanted.

    Raises:
        BrokenError: it cannot be known what the data consist of.
    """
    return tuple(_Expansion(tables(version), wanted).parts(descriptors))


class _Expansion:
    def __init__(self, by: Tables, wanted: Collection[str]) -> None:
        self._tables = by
        self._wanted = wanted
        self._now = _Operators()
        self._left = PARTS

    def parts(self, descriptors: Sequence[str], depth: int = 0) -> list[Part]:
        if depth > DEPTH:
            raise BrokenError(BROKEN)
        found: list[Part] = []
        at = 0
        while at < len(descriptors):
            name = descriptors[at]
            at += 1
            self._left -= 1
            if self._left < 0:
                raise BrokenError(TOO_MUCH)
            if self._now.local:
                found.append(Value("", self._now.local))
                self._now = replace(self._now, local=0)
            elif name[0] == "0":
                found.extend(self._element(name))
            elif name[0] == "3":
                sequence = self._tables.sequences.get(name)
                if sequence is None:
                    raise BrokenError(UNKNOWN)
                found.extend(self.parts(sequence, depth + 1))
            elif name[0] == "2":
                found.extend(self._operator(name))
            else:
                repeated, at = self._repeated(name, descriptors, at, depth)
                found.append(repeated)
        return found

    def _repeated(self, name: str, descriptors: Sequence[str], at: int, depth: int) -> tuple[Part, int]:
        many, times, width = int(name[1:3]), int(name[3:]), 0
        if not times:
            factor = descriptors[at] if at < len(descriptors) else ""
            if factor not in FACTORS:
                raise BrokenError(OTHER if factor[:3] == "031" else BROKEN)
            width = self._tables.elements[factor].width
            at += 1
        if not many or at + many > len(descriptors):
            raise BrokenError(BROKEN)
        before = self._now
        parts = self.parts(descriptors[at : at + many], depth + 1)
        if not parts:
            raise BrokenError(OTHER)
        # They are expanded once: what they leave behind must be what they began with.
        if replace(self._now, wanted=before.wanted) != before:
            raise BrokenError(OTHER)
        return Repeated(times, width, tuple(parts)), at + many

    def _element(self, name: str) -> list[Part]:
        element, now = self._tables.elements.get(name), self._now
        if element is None:
            raise BrokenError(UNKNOWN)
        width, scale, reference = element.width, element.scale, element.reference
        if element.is_text:
            width = now.text or width
        elif name[:3] != "031":
            width += now.width + (now.more and (10 * now.more + 2) // 3)
            scale += now.scale + now.more
            reference *= 10**now.more
        if width < 0:
            raise BrokenError(BROKEN)
        shown = name if now.wanted and name in self._wanted else ""
        found: list[Part] = [Value("", bits) for bits in now.associated if name[:3] != "031"]
        return [*found, Value(shown, width, scale, reference, bool(element.is_text))]

    def _operator(self, name: str) -> list[Part]:
        operator, number = name[:3], int(name[3:])
        now = self._now
        if operator == "201":
            self._now = replace(now, width=number and number - 128)
        elif operator == "202":
            self._now = replace(now, scale=number and number - 128)
        elif operator == "204":
            self._now = replace(now, associated=(*now.associated, number) if number else now.associated[:-1])
        elif operator == "205":
            return [Value("", 8 * number, is_text=True)]
        elif operator == "206":
            self._now = replace(now, local=number)
        elif operator == "207":
            self._now = replace(now, more=number)
        elif operator == "208":
            self._now = replace(now, text=8 * number)
        elif name in ABOUT:
            self._now = replace(now, wanted=False)
        else:
            raise BrokenError(OTHER)
        return []
