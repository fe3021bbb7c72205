"""Arguments of commands, as a shell takes them: the one place where commands that people are told are quoted."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

Argument: TypeAlias = str | Path | Iterable[str | Path]


def quoted(*arguments: Path | str) -> str:
    """Arguments, quoted where they need it and joined by blanks."""
    return " ".join(_quoted(str(one)) for one in arguments)


def quoted_argument(argument: Argument) -> str:
    """The same of one argument, or of several in one."""
    return quoted(argument) if isinstance(argument, str | Path) else quoted(*argument)


def _quoted(text: str) -> str:
    """As bash takes it; characters that would command a terminal are written as escapes."""
    if text.isprintable():
        return shlex.quote(text)
    plain = (chr(one) if 32 <= one < 127 and chr(one) not in "'\\" else f"\\x{one:02x}" for one in os.fsencode(text))
    return f"$'{''.join(plain)}'"
