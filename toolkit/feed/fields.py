"""Finding the values in what a document says of a station, and converting them to the stored units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

from toolkit.feed.values import is_no_value, text_of
from toolkit.mapping import MILLISECONDS, STORED, VALUE, VARIABLE, FieldMapping, MappedField, pattern_and_zone, units_of
from toolkit.variables import COLUMNS

# Decimals of a converted value: finer than any station's sensor.
DIGITS = 2

Find = Callable[[Mapping[str, Any]], Any]
Convert = Callable[[float], float]


class Field(NamedTuple):
    """One field.

    Attributes:
        names: what the feed calls it.
        find: gets its value out of what the feed says of a station; None if there is none.
        convert: to the stored unit; None where the feed gives it in that.
        pattern: of a time that is text, as strptime takes it; empty for seconds since the epoch and ISO 8601.
        zone: of a time that has no offset; None for UTC.
    """

    names: tuple[str, ...]
    find: Find
    convert: Convert | None = None
    pattern: str = ""
    zone: tzinfo | None = None


class Long(NamedTuple):
    """How a row of a long table has its only value: `value` of what `variable` names.

    Attributes:
        variable: finds what the feed calls the variable.
        value: finds the value.
        known: what the feed calls the variables that are stored.
    """

    variable: Find
    value: Find
    known: frozenset[str]


def fields_of(mapping: FieldMapping) -> dict[str, Field]:
    """All fields of a feed, by the name under which their values are stored."""
    return {stored: _field(stored, mapping.of(stored)) for stored in STORED}


def long_of(mapping: FieldMapping) -> Long | None:
    """How a feed's rows have one value each; None if they have a value of each variable."""
    if VARIABLE not in mapping.named:
        return None
    known = frozenset(name for stored in COLUMNS for name in mapping.of(stored).names)
    return Long(_finder(mapping.of(VARIABLE)), _finder(mapping.of(VALUE)), known)


def is_plain(names: Sequence[str]) -> bool:
    """Whether a value is found directly under the only name."""
    return len(names) == 1 and "." not in names[0]


def _field(stored: str, mapped: MappedField) -> Field:
    names, unit = mapped.names, mapped.unit
    find = _finder(mapped)
    if stored != "time":
        return Field(names, find, _conversion(stored, unit))
    if unit == MILLISECONDS:
        return Field(names, find, lambda value: value / 1000)
    pattern, zone = pattern_and_zone(unit)
    return Field(names, find, pattern=pattern if "%" in pattern else "", zone=zone)


def _conversion(stored: str, unit: str) -> Convert | None:
    factor, offset = units_of(stored)[unit] if unit else (1, 0)
    return None if (factor, offset) == (1, 0) else lambda value: round(value * factor + offset, DIGITS)


def _finder(mapped: MappedField) -> Find:
    """Finds the first of several names that has a value, or joins them.

    Dots in a name lead into what is nested, numbers into a list.
    """
    names = mapped.names
    if mapped.joined:
        parts = [_finder(MappedField((name,))) for name in names]

        def join(fields: Mapping[str, Any]) -> str | None:
            texts = [text_of(part(fields)) for part in parts]
            return None if None in texts else " ".join(map(str, texts))

        return join
    if is_plain(names):
        (name,) = names
        return lambda fields: fields.get(name)

    def find(fields: Mapping[str, Any]) -> Any:
        for name in names:
            value = fields[name] if name in fields else _nested(fields, _steps(name))
            if not is_no_value(value):
                return value
        return None

    return find


def _steps(name: str) -> list[str]:
    """What a name with dots leads through; `../` at its beginning belongs to the first step."""
    inner = name.lstrip("./") if name.startswith("../") else name
    first, *others = inner.split(".")
    return [name[: len(name) - len(inner)] + first, *others]


def _nested(value: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and step.isascii() and len(step) < 6 and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
