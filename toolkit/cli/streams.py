"""Standard input, output and error, whatever they are: a terminal, a pipe, a full disk, closed.

A file or a pipe gets UTF-8 whatever the locale is. A terminal gets what it can show, and nothing that it would take for
a command, unless `rich` draws. What cannot be written is told as any other failure is.
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
    """Standard output takes no more."""


class ReaderLeftError(OutputError):
    """Who read standard output has left (`| head`): there is nothing to say."""

    exit_code = 0


class _Raw(io.FileIO):
    """A stream's file: its first failure is told, and then there is nobody to write for."""

    over = False

    def write(self, data: Any, /) -> int:
        if not self.over:
            try:
                while (written := super().write(data)) is None:  # somebody has made it non-blocking
                    select.select((), (self,), ())
                return written
            except OSError as error:
                self.over = True
                if self.fileno() == 1:
                    self.tell_of(error)
        return len(data)

    def tell_of(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            raise ReaderLeftError("standard output was closed by who read it") from error
        raise OutputError(f"cannot write to standard output: {reason(error)}") from error


class _Text(io.TextIOWrapper):
    """Text for a stream; `drawn` is true while control characters are meant to control a terminal."""

    drawn = False
    guarded = False

    def write(self, text: str, /) -> int:
        return super().write(visible(text) if self.guarded and not self.drawn else text)


def prepare() -> None:
    """Make the three streams of this process fit to be used."""
    for number in range(3):
        _fill(number)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    sys.stdout = _stream(1, sys.stdout)
    sys.stderr = _stream(2, sys.stderr)


def _fill(number: int) -> None:
    """Let no file that is opened later take the place of a stream that is closed."""
    try:
        os.fstat(number)
    except OSError:
        # Closed for output as before: a write to what is open for reading fails in the same way.
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
    """Let control characters through to a terminal meanwhile: it is `rich` that writes them."""
    stream.drawn = True  # type: ignore[attr-defined]
    try:
        yield
    finally:
        stream.drawn = False  # type: ignore[attr-defined]
