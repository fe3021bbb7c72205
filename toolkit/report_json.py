"""Reports as JSON, a piece at a time: of a large network one has hundreds of megabytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any


def as_json(report: Any) -> Iterator[str]:
    """A dataclass as JSON text that ends with a line: what `json.dumps(asdict(report), indent=1)` returns, in pieces.

    Args:
        report: its fields are what JSON has, dataclasses, and lists of them, of which each entry is a piece.

    Raises:
        ValueError: a number is none, or infinite.
    """
    yield "{"
    for place, (name, value) in enumerate(_members(report).items()):
        yield f"{',' * bool(place)}\n {json.dumps(name)}: "
        if isinstance(value, list) and value:
            for number, entry in enumerate(value):
                yield ("," if number else "[") + "\n  " + _text(entry, 2)
            yield "\n ]"
        else:
            yield _text(value, 1)
    yield "\n}\n"


def _text(value: object, level: int) -> str:
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, default=_members)
    return text.replace("\n", "\n" + " " * level)  # in JSON no text has a line's end in it


def _members(value: Any) -> dict[str, Any]:
    # `class` is a keyword in Python and the name in JSON.
    return {field.name.rstrip("_"): getattr(value, field.name) for field in fields(value)}
