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
    """A value, without its quotes, and the number of its line; of several lines with a name the last counts.

    Attributes:
        value: without its quotes.
        line: the number of its line.
        before: the numbers of earlier lines that assign the same name, in vain.
    """

    value: str
    line: int
    before: tuple[int, ...] = ()


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
    found: dict[str, Assignment] = {}
    for number, raw in _lines(path):
        name, value = _assignment(path, number, raw)
        same = found.get(name)
        found[name] = Assignment(value, number, (*same.before, same.line) if same else ())
    return found


def wrong_lines(path: Path) -> list[int]:
    """The numbers of all lines of a file that are no assignments.

    Raises:
        EnvironmentFileError: the file cannot be read.
    """
    wrong = []
    for number, raw in _lines(path):
        try:
            _assignment(path, number, raw)
        except EnvironmentFileError:
            wrong.append(number)
    return wrong


def _lines(path: Path) -> list[tuple[int, bytes]]:
    """The lines that are neither empty nor comments, each with its number."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        why = str(error.strerror)
        raise EnvironmentFileError(f"cannot read the settings in {path}: {why}", why) from error
    return [(number, raw) for number, raw in enumerate(lines, 1) if raw.strip() and raw.strip()[:1] not in b"#;"]


def _assignment(path: Path, number: int, raw: bytes) -> tuple[str, str]:
    try:
        line = raw.decode().strip()
    except UnicodeDecodeError as error:
        why = "it is not UTF-8 text"
        raise EnvironmentFileError(f"{path} line {number}: {why}", why, number) from error
    name, equals, written = line.partition("=")
    value = _unquoted(written)
    if not equals or not name.strip().isidentifier() or value is None:
        why = f'{without_secrets(line)!r} is not of the form NAME="value"'
        raise EnvironmentFileError(f"{path} line {number}: {why}", why, number)
    return name.strip(), value


def _unquoted(written: str) -> str | None:
    """A value without its quotes; None where they are not closed, or something follows them."""
    if written[:1] not in {'"', "'"}:
        return written.strip()
    if double := _DOUBLE.fullmatch(written.strip()):
        return _ESCAPED.sub(r"\1", double[1])
    single = _SINGLE.fullmatch(written.strip())
    return single[1] if single else None
