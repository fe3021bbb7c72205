"""Text in CSV that a spreadsheet shows and does not execute, and that an import reads as it was.

A cell that begins with `=`, `+`, `-` or `@` is a formula for a spreadsheet, and where it separates cells by semicolons
so is what follows one. An apostrophe before it makes it text (OWASP, CSV injection). A text that has one there already
gets another, so that taking one off restores every text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")

# Spreadsheets take the wide forms of East Asian keyboards for the same.
_FORMULA = "=+\\-@\t\r\n＝＋－＠"
_TO_GUARD = re.compile(rf"(^|[;,\t])(?='*[{_FORMULA}])")
_GUARDED = re.compile(rf"(^|[;,\t])'(?='*[{_FORMULA}])")


def guarded(text: str) -> str:
    """A text as it is written into a cell."""
    return _TO_GUARD.sub(r"\1'", text)


def unguarded(row: Mapping[str, Value]) -> dict[str, Value | str]:
    """A row of such cells as it was."""
    return {
        name: _GUARDED.sub(r"\1", cell) if isinstance(cell, str) and "'" in cell else cell for name, cell in row.items()
    }
