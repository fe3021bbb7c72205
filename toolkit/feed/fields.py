"""Which of a feed's fields is what, and in which unit: `temp_out=air_temp [°F], time=obs [%Y%m%d%H%M]`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from toolkit.feed.values import is_no_value
from toolkit.model import Station
from toolkit.variables import BY_NAME, COLUMNS

# The factor and what is added after it, to come to the unit of `toolkit.variables`. Exact by definition: the
# international inch and nautical mile, the conventional inch and millimetre of mercury (ISO 80000).
UNITS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "°C": {"°C": (1, 0), "°F": (5 / 9, -160 / 9), "K": (1, -273.15)},
    "cm": {"cm": (1, 0), "mm": (0.1, 0), "m": (100, 0), "in": (2.54, 0)},
    "%": {"%": (1, 0), "1": (100, 0)},
    "hPa": {"hPa": (1, 0), "Pa": (0.01, 0), "kPa": (10, 0), "inHg": (33.86389, 0), "mmHg": (1.333224, 0)},
    "mm": {"mm": (1, 0), "cm": (10, 0), "in": (25.4, 0)},
    "km/h": {"km/h": (1, 0), "m/s": (3.6, 0), "kt": (1.852, 0), "mph": (1.609344, 0)},
    "°": {"°": (1, 0)},
    "W/m²": {"W/m²": (1, 0), "W/m2": (1, 0), "W m-2": (1, 0), "kW/m²": (1000, 0)},
    "m": {"m": (1, 0), "ft": (0.3048, 0)},
}
OURS = ("station_id", "time", *Station._fields[1:], *COLUMNS)
# What is left of a converted value: finer than any station's sensor.
DIGITS = 2
# The NOA network's; fields that are not named have our names.
DEFAULT = "station_id=station_file|fid, time=ts"

# Of which no two of year, month and day could be taken for one another; with a zone, for patterns that have one.
_DAY = datetime(2026, 11, 25, tzinfo=UTC)

Find = Callable[[Mapping[str, Any]], Any]
Convert = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        names: what a feed calls it, the first that is there counts.
        find: how it is found in what a feed says of a station.
        convert: how it comes to our unit; None where it is in it.
        pattern: of a time that is text, as strptime takes it; empty for seconds since the epoch and ISO 8601.
    """

    names: tuple[str, ...]
    find: Find
    convert: Convert | None = None
    pattern: str = ""


class Fields:
    """All fields of a feed.

    Attributes:
        text: how the setting names them.
    """

    def __init__(self, named: Mapping[str, Field], text: str = "") -> None:
        self.text = text
        own = {name: Field((name,), _finder([name])) for name in OURS}
        self._fields = {**own, **named}

    def named(self, ours: str) -> Field:
        """One of them, by our name."""
        return self._fields[ours]


# A name, in quotes where it has a comma, a bracket, a bar or an equals sign in it; a quote in quotes is doubled.
_NAME = r"""(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^"',|\[\]\s][^,|\[\]]*)"""
_PAIR = re.compile(rf"\s*(\w+)\s*=\s*({_NAME}\s*(?:\|\s*{_NAME}\s*)*)(?:\[([^\]]+)\])?\s*(?:,|$)")


def parse_fields(text: str) -> Fields:
    """The fields that a setting names.

    Raises:
        ValueError: what is wrong with it, and what would be right.
    """
    named: dict[str, Field] = {}
    at = 0
    while at < len(text.rstrip(" \t\r\n,")):
        if text[at] in " \t\r\n,":
            at += 1
            continue
        found = _PAIR.match(text, at)
        if not found:
            raise ValueError(_not_a_pair(text[at:]))
        at = found.end()
        ours, theirs, unit = found.groups()
        if ours not in OURS:
            near = get_close_matches(ours, OURS, n=1)
            raise ValueError(
                f"{ours} is not stored; " + (f"did you mean {near[0]}?" if near else f"know {', '.join(OURS)}")
            )
        if ours in named:
            raise ValueError(f"{ours} is given twice")
        names = tuple(_unquoted(name.strip()) for name in re.findall(_NAME, theirs))
        if ours == "time":
            convert: Convert | None = _from_milliseconds if unit == "ms" else None
            named[ours] = Field(names, _finder(names), convert, _pattern(unit))
        else:
            named[ours] = Field(names, _finder(names), _conversion(ours, unit))
    return Fields(named, text)


def _unquoted(name: str) -> str:
    quote = name[0]
    return name[1:-1].replace(quote * 2, quote) if quote in "\"'" else name


def _not_a_pair(rest: str) -> str:
    piece = rest.partition(",")[0].strip()
    hint = "" if piece in OURS else "; a name with a comma, a bracket or a bar in it belongs in quotes"
    return f"{piece!r} is not of the form OURS=THEIRS or OURS=THEIRS [UNIT]{hint}"


def _from_milliseconds(value: float) -> float:
    return value / 1000


def _pattern(unit: str | None) -> str:
    if unit in {None, "s", "ms"}:
        return ""
    if "%" not in str(unit):
        raise ValueError(f"time is in {unit!r}: give s, ms, or a pattern such as %Y-%m-%dT%H:%M")
    if not _tells_the_day(str(unit)):
        raise ValueError(f"time is in {unit!r}: that pattern tells no day of a year; give one such as %Y-%m-%dT%H:%M")
    return str(unit)


def _tells_the_day(pattern: str) -> bool:
    """Whether what a pattern writes is read by it as the same day."""
    try:
        return datetime.strptime(_DAY.strftime(pattern), pattern).replace(tzinfo=UTC) == _DAY
    except (ValueError, re.error, IndexError):
        return False


def _conversion(ours: str, unit: str | None) -> Convert | None:
    if unit is None:
        return None
    known = units_of(ours)
    if unit not in known:
        raise ValueError(f"{ours} has no unit {unit!r}" + (f": give one of {', '.join(known)}" if known else ""))
    factor, added = known[unit]
    return None if (factor, added) == (1, 0) else lambda value: round(value * factor + added, DIGITS)


def units_of(ours: str) -> Mapping[str, tuple[float, float]]:
    """The units in which a feed may give a field: factor and summand that lead to ours; none for text."""
    unit = BY_NAME[ours].unit if ours in BY_NAME else "m" if ours == "elevation" else ""
    return UNITS.get(unit, {unit: (1, 0)} if unit else {})


def _finder(names: Sequence[str]) -> Find:
    """How a field is found: by the first of several names that is there; dots lead into what is nested."""
    if len(names) == 1 and "." not in names[0]:
        (name,) = names
        return lambda said: said.get(name)

    def find(said: Mapping[str, Any]) -> Any:
        for name in names:
            value = said[name] if name in said else _nested(said, name.split("."))
            if not is_no_value(value):
                return value
        return None

    return find


def _nested(said: Any, path: list[str]) -> Any:
    for step in path:
        said = said.get(step) if isinstance(said, dict) else None
    return said
