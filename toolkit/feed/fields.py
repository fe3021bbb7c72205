"""Finding the values in what a document says of a station, and converting them to the stored units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from toolkit.feed.values import is_no_value
from toolkit.mapping import MILLISECONDS, STORED, FieldMapping, units_of

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
    """

    names: tuple[str, ...]
    find: Find
    convert: Convert | None = None
    pattern: str = ""


def fields_of(mapping: FieldMapping) -> dict[str, Field]:
    """All fields of a feed, by the name under which their values are stored."""
    return {stored: _field(stored, *mapping.of(stored)) for stored in STORED}


def is_plain(names: Sequence[str]) -> bool:
    """Whether a value is found directly under the only name."""
    return len(names) == 1 and "." not in names[0]


def _field(stored: str, names: tuple[str, ...], unit: str) -> Field:
    find = _finder(names)
    if stored != "time":
        return Field(names, find, _conversion(stored, unit))
    if unit == MILLISECONDS:
        return Field(names, find, lambda value: value / 1000)
    return Field(names, find, pattern=unit if "%" in unit else "")


def _conversion(stored: str, unit: str) -> Convert | None:
    factor, offset = units_of(stored)[unit] if unit else (1, 0)
    return None if (factor, offset) == (1, 0) else lambda value: round(value * factor + offset, DIGITS)


def _finder(names: Sequence[str]) -> Find:
    """Finds the first of several names that has a value; dots in a name lead into what is nested."""
    if is_plain(names):
        (name,) = names
        return lambda fields: fields.get(name)

    def find(fields: Mapping[str, Any]) -> Any:
        for name in names:
            value = fields[name] if name in fields else _nested(fields, name.split("."))
            if not is_no_value(value):
                return value
        return None

    return find


def _nested(value: Any, path: list[str]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
