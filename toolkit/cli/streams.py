"""Standard input, output and error, whatever they are: a terminal, a pipe, a full disk, closed.

Files and pipes get UTF-8, whatever the locale is. A terminal gets text in its own encoding, without control characters
except those that `rich` writes. A failed write is reported as any other failure of a command.
"""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from toolkit.errors import ToolkitError, reason
from toolkit.text import visible


class OutputError(ToolkitError):
    """Standard output cannot be written to."""


class ReaderLeftError(OutputError):
    """The reader of standard output has closed it (`| head`): this is no failure, and nothing is reported."""

    exit_code = 0


class _Raw(io.FileIO):
    """The file of a stream. Its first failure is reported; what is written after that is thrown away."""

    failed = False

    def write(self, data: Any, /) -> int:
        if not self.failed:
            try:
                while (written := super().write(data)) is None:  # another process has made it non-blocking
                    select.select((), (self,), ())
                return written
            except OSError as error:
                self.failed = True
                if self.fileno() == 1:
                    self.report(error)
        return len(data)

    def report(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            raise ReaderLeftError("standard output was closed by who read it") from error
        raise OutputError(f"cannot write to standard output: {reason(error)}") from error


class _Text(io.TextIOWrapper):
    """The text of a stream.

    Attributes:
        guarded: whether it is a terminal, which must get no control characters.
        drawn: whether `rich` is writing, whose control characters are wanted.
    """

    drawn = False
    guarded = False

    def write(self, text: str, /) -> int:
        return super().write(visible(text) if self.guarded and not self.drawn else text)


def prepare() -> None:
    """Set up the three standard streams of this process."""
    for number in range(3):
        _open_if_closed(number)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    sys.stdout = _stream(1, sys.stdout)
    sys.stderr = _stream(2, sys.stderr)


def _open_if_closed(number: int) -> None:
    """Keep a file that is opened later from getting the number of a standard stream that is closed."""
    try:
        os.fstat(number)
    except OSError:
        # Standard output is opened for reading, so that writing to it fails as it does on a closed stream.
        os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
        os.set_inheritable(number, True)


def _stream(number: int, before: TextIO | None) -> TextIO:
    terminal = os.isatty(number)
    encoding = before.encoding if terminal and before is not None else "utf-8"
    stream = _Text(
        io.BufferedWriter(_Raw(number, "w", closefd=False)),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=terminal or number == 2,
        write_through=number == 2 or "PYTHONUNBUFFERED" in os.environ,
    )
    stream.guarded = terminal
    return stream


@contextmanager
def drawing(stream: TextIO) -> Iterator[None]:
    """Let control characters through to a terminal: `rich` writes them within this block."""
    stream.drawn = True  # type: ignore[attr-defined]
    try:
        yield
    finally:
        stream.drawn = False  # type: ignore[attr-defined]
