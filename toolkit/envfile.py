"""Environment files, in the form that systemd's `EnvironmentFile=` and a shell read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from toolkit.address import without_secrets
from toolkit.errors import UsageError

# Within double quotes a backslash escapes the characters that are special there.
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SINGLE = re.compile(r"'([^']*)'")
_ESCAPED = re.compile(r'\\(["\\$`])')


class Assignment(NamedTuple):
    """A value, without its quotes, and the number of its line."""

    value: str
    line: int


class EnvironmentFileError(UsageError):
    """The file cannot be read, or a line of it is no assignment.

    Attributes:
        reason: what is wrong, without the place.
        line: the number of the line; 0 where the file cannot be read.
    """

    def __init__(self, message: str, reason: str, line: int = 0) -> None:
        super().__init__(message)
        self.reason = reason
        self.line = line


def read(path: Path) -> dict[str, Assignment]:
    """The assignments of a file, by name; none where there is no file.

    Raises:
        EnvironmentFileError: the file cannot be read, or a line of it is no assignment.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = str(error.strerror) if isinstance(error, OSError) else "it is not UTF-8 text"
        raise EnvironmentFileError(f"cannot read the settings in {path}: {why}", why) from error
    found: dict[str, Assignment] = {}
    for number, raw in enumerate(lines, start=1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        name, equals, written = line.partition("=")
        value = _unquoted(written)
        if not equals or not name.strip().isidentifier() or value is None:
            why = f'{without_secrets(line)!r} is not of the form NAME="value"'
            raise EnvironmentFileError(f"{path} line {number}: {why}", why, number)
        found[name.strip()] = Assignment(value, number)
    return found


def _unquoted(written: str) -> str | None:
    """A value without its quotes; None where they are not closed, or something follows them."""
    if written[:1] not in {'"', "'"}:
        return written.strip()
    if double := _DOUBLE.fullmatch(written.strip()):
        return _ESCAPED.sub(r"\1", double[1])
    single = _SINGLE.fullmatch(written.strip())
    return single[1] if single else None
