"""Ansible filter: the list of sources (`weather_sources`) as the program reads it, in TOML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

HEADER = "# The sources of observations, as the inventory's weather_sources lists them.\n"


def as_toml(sources: Iterable[Mapping[str, Any]]) -> str:
    """The file of sources (toolkit/sources.py): a table for each, without the fields that have no value."""
    tables = (
        "".join(f"{_word(name)} = {_value(value)}\n" for name, value in one.items() if value is not None)
        for one in sources
    )
    return HEADER + "".join(f"\n[[source]]\n{table}" for table in tables)


def _word(name: str) -> str:
    return name if name.replace("_", "a").isalnum() and name.isascii() else _text(name)


def _value(value: Any) -> str:
    # What is neither is refused by the program, which says where it stands.
    return json.dumps(value) if isinstance(value, bool | int | float) else _text(str(value))


def _text(text: str) -> str:
    # A basic string of TOML is one of JSON, but for U+007F.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters, by name."""
        return {"weather_sources_toml": as_toml}
