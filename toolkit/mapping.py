"""What a feed calls its fields and in which units it gives them: the setting `feed_fields`, as a value.

Its text is a list of pairs, `temp_out=air_temp [°F], time=obs [%Y%m%d%H%M]`: the name under which a value is stored,
and the name and unit by which the feed gives it. `toolkit.feed.fields` reads documents by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from toolkit.model import Station
from toolkit.text import did_you_mean
from toolkit.units import Conversion, conversions_to
from toolkit.variables import BY_NAME, COLUMNS

STORED = ("station_id", "time", *Station._fields[1:], *COLUMNS)
"""The names under which values are stored, each of which a feed may give."""
VARIABLE, VALUE = "variable", "value"
"""Of a long table, in which each row has one value: what names its variable, and what has the value."""
# The units of a time, besides a pattern of strptime's.
SECONDS, MILLISECONDS = "s", "ms"

# No two of its year, month and day can be taken for one another; with a zone, for patterns that have one.
_SAMPLE_DAY = datetime(2026, 11, 25, tzinfo=UTC)


class MappedField(NamedTuple):
    """One field of a feed.

    Attributes:
        names: what the feed calls it; of several names the first that has a value counts.
        joined: whether the values of all names make one text, with blanks between them, as of a date and a time.
        unit: the unit that the feed gives it in; of a time `s`, `ms`, a pattern of strptime's, the time zone of times
            without an offset, or both. Empty: the stored unit, and for a time seconds since the epoch or ISO 8601.
    """

    names: tuple[str, ...]
    unit: str = ""
    joined: bool = False


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """The fields of a feed.

    Attributes:
        text: the mapping as the setting has it.
        named: the fields that the text names, by the name under which they are stored.
    """

    text: str = ""
    named: Mapping[str, MappedField] = field(default_factory=dict)

    def of(self, stored: str) -> MappedField:
        """The field that a stored value comes from; one that is not mapped has the stored name."""
        return self.named.get(stored) or MappedField((stored,))

    def __str__(self) -> str:
        return self.text


# A name, in quotes where it has a comma, a bracket, a bar or an equals sign in it; a quote in quotes is doubled.
_NAME = r"""(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^"',|\[\]\s](?:(?!\s\+\s)[^,|\[\]])*)"""
_ZONE = re.compile(r"(?:^|\s+)([A-Z]\w+(?:/[\w+-]+)+)$")
_BETWEEN = r"(?:\||(?<=\s)\+(?=\s))"
_PAIR = re.compile(rf"\s*(\w+)\s*=\s*({_NAME}\s*(?:{_BETWEEN}\s*{_NAME}\s*)*)(?:\[([^\]]+)\])?\s*(?:,|$)")


def parse_mapping(text: str) -> FieldMapping:
    """The mapping that a text describes.

    Raises:
        ValueError: the text is no mapping; the message says what is wrong with it and what would be right.
    """
    named: dict[str, MappedField] = {}
    at = 0
    while at < len(text.rstrip(" \t\r\n,")):
        if text[at] in " \t\r\n,":
            at += 1
            continue
        found = _PAIR.match(text, at)
        if not found:
            raise ValueError(_not_a_pair(text[at:]))
        at = found.end()
        stored, theirs, unit = found.groups()
        if stored not in (*STORED, VARIABLE, VALUE):
            hint = did_you_mean(stored, STORED, f"know {', '.join(STORED)}")
            raise ValueError(f"{stored} is not stored; {hint}")
        if stored in named:
            raise ValueError(f"{stored} is given twice")
        names, between = _names(theirs)
        if len(between) > 1:
            raise ValueError(f"{stored} is {theirs.strip()!r}: give names with | or with +, not with both")
        if unit is not None:
            (_require_time if stored == "time" else _require_unit)(stored, unit)
        named[stored] = MappedField(names, unit or "", joined="+" in between)
    if VALUE in named and VARIABLE not in named:
        raise ValueError(f"{VALUE} is of a long table: say by {VARIABLE}= what names a row's variable, too")
    return FieldMapping(text, named)


def units_of(stored: str) -> Mapping[str, Conversion]:
    """The units in which a feed may give a value, with the conversion to the stored unit; none for a text."""
    unit = "m" if stored == "elevation" else BY_NAME[stored].unit if stored in BY_NAME else ""
    return conversions_to(unit) if unit else {}


def _names(text: str) -> tuple[tuple[str, ...], set[str]]:
    """The names of a field, and what stands between them."""
    found = re.findall(rf"({_NAME})\s*({_BETWEEN})?\s*", text)
    return tuple(_unquoted(name.strip()) for name, _ in found), {between for _, between in found} - {""}


def pattern_and_zone(unit: str) -> tuple[str, tzinfo | None]:
    """What the unit of a time says: a pattern, and the zone of times without an offset, None for UTC.

    Raises:
        ValueError: there is no such zone.
    """
    zone = _ZONE.search(unit)
    if not zone:
        return unit, None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # few feeds need it, and the collector's memory is small

    try:
        return unit[: zone.start()], ZoneInfo(zone[1])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {zone[1]!r}: give one such as Europe/Athens") from None


def _unquoted(name: str) -> str:
    quote = name[0]
    return name[1:-1].replace(quote * 2, quote) if quote in "\"'" else name


def _not_a_pair(rest: str) -> str:
    piece = rest.partition(",")[0].strip()
    hint = "" if piece in STORED else "; a name with a comma, a bracket or a bar in it belongs in quotes"
    return f"{piece!r} is not of the form OURS=THEIRS or OURS=THEIRS [UNIT]{hint}"


def _require_unit(stored: str, unit: str) -> None:
    known = units_of(stored)
    if unit not in known:
        raise ValueError(f"{stored} has no unit {unit!r}" + (f": give one of {', '.join(known)}" if known else ""))


def _require_time(stored: str, unit: str) -> None:
    try:
        pattern, zone = pattern_and_zone(unit)
    except ValueError as error:
        raise ValueError(f"{stored} is in {unit!r}: {error}") from None
    if unit in {SECONDS, MILLISECONDS} or (zone and not pattern):
        return
    if "%" not in unit:
        raise ValueError(f"{stored} is in {unit!r}: give s, ms, or a pattern such as %Y-%m-%dT%H:%M")
    if not _tells_the_day(pattern):
        raise ValueError(
            f"{stored} is in {unit!r}: that pattern tells no day of a year; give one such as %Y-%m-%dT%H:%M"
        )


def _tells_the_day(pattern: str) -> bool:
    """Whether a day that is written by a pattern is read by it as the same day."""
    if re.search(r"%[^A-Za-z%]", pattern):  # such as %-d, which Python reads from 3.14 on
        return False
    try:
        return datetime.strptime(_SAMPLE_DAY.strftime(pattern), pattern).replace(tzinfo=UTC) == _SAMPLE_DAY
    except (ValueError, re.error, IndexError):
        return False
