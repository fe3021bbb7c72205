"""Reading the rows of a CSV table (RFC 4180, also with other delimiters), even if some of them are broken.

A row is a line; a field in quotes may extend over several lines. A quote that is never closed costs its own row:
reading goes on at the next line.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import TextIO

from toolkit.feed.values import is_no_value
from toolkit.text import one_line

DELIMITERS = ",;\t|"
# The header is within so many lines: a title, a licence or units may be above it.
HEADER_WITHIN = 20
# The longest row, in characters; it is also the csv module's limit for a field.
LENGTH = 128 * 1024
# Over how many lines a field in quotes may extend, and how often that is tried in one table: this keeps the time to
# read a table proportional to its length.
LINES = 20
TRIES = 1000

Row = tuple[int, Mapping[str, str] | None]
"""The number of the line, and the cells by the names of the header; None for a row that cannot be read."""

_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+\s*")


def lines_of(text: str) -> Iterator[str]:
    """The lines of a text, which end with CR, LF or both; Unicode's other line separators are part of a line."""
    return iter(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def lines_in(file: TextIO) -> Iterator[str]:
    """The lines of a file that was opened with universal newlines; a line is cut after the length of a row."""
    while line := file.readline(LENGTH + 2):
        yield line.removesuffix("\n")
        while line[-1] != "\n" and (line := file.readline(LENGTH)):
            pass


def rows(lines: Iterator[str], *needed: Collection[str], padded: bool = False) -> Iterator[Row]:
    """The rows below the header.

    The header is the first line that has a name of each of the groups `needed`. Blank lines and comments are skipped.
    If the delimiter is no comma, a comma in a number is its decimal point. With `padded` a row may be shorter than the
    header.

    Raises:
        ValueError: there is no header; the message is made to follow the words "it is".
    """
    top = list(islice(lines, HEADER_WITHIN))
    for number, line in enumerate(top, start=1):
        for delimiter in DELIMITERS:
            header = [cell.strip() for cell in _cells(line, delimiter) or ()]
            while header and not header[-1]:
                header.pop()
            if all(not names.isdisjoint(header) for names in map(set, needed)):
                found = _records(lines, deque(top[number:]), delimiter, len(header), number)
                return _named(found, header, delimiter, padded)
    wanted = " and ".join("|".join(names) for names in needed)
    raise ValueError(f"no CSV with the fields {wanted}: it begins with {one_line(top[0] if top else '', 60)!r}")


def _named(
    records: Iterable[tuple[int, list[str] | None]], header: list[str], delimiter: str, padded: bool
) -> Iterator[Row]:
    width = len(header)
    for number, cells in records:
        if cells is None:
            yield number, None
            continue
        if not any(cells):
            continue
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            del cells[width:]
        if cells[0].lstrip().startswith("#") and not is_no_value(cells[0]):
            continue
        if padded:
            cells.extend([""] * (width - len(cells)))
        if len(cells) != width:
            yield number, None
            continue
        yield number, dict(zip(header, cells if delimiter == "," else map(_pointed, cells), strict=True))


def _pointed(cell: str) -> str:
    return cell.replace(",", ".") if "," in cell and _DECIMAL_COMMA.fullmatch(cell) else cell


def _records(
    lines: Iterator[str], ahead: deque[str], delimiter: str, width: int, number: int
) -> Iterator[tuple[int, list[str] | None]]:
    """The number and the cells of each row, None if it is broken; the lines in `ahead` come before `lines`."""
    tries = TRIES
    while True:
        line = ahead.popleft() if ahead else next(lines, None)
        if line is None:
            return
        number += 1
        if len(line) > LENGTH:
            yield number, None
        elif '"' not in line:
            yield number, line.split(delimiter)
        elif line.count('"') % 2 == 0:
            yield number, _cells(line, delimiter)
        elif tries:
            cells, more = _over_lines(line, lines, ahead, delimiter, width)
            tries -= cells is None
            yield number, cells
            number += more
        else:
            yield number, None


def _over_lines(
    line: str, lines: Iterator[str], ahead: deque[str], delimiter: str, width: int
) -> tuple[list[str] | None, int]:
    """The cells of a row that extends over further lines, and their number. A line that is a whole row ends it."""
    taken = 0

    def row_lines() -> Iterator[str]:
        nonlocal taken
        yield line + "\n"
        while taken < LINES:
            if taken == len(ahead):
                following = next(lines, None)
                if following is None:
                    return
                ahead.append(following)
            following = ahead[taken]
            if len(following) > LENGTH or len(_cells(following, delimiter, strict=True) or ()) == width:
                return
            taken += 1
            yield following + "\n"

    try:
        cells = next(csv.reader(row_lines(), delimiter=delimiter, skipinitialspace=True, strict=True))
    except (csv.Error, StopIteration):
        return None, 0
    if taken and len(cells) != width:
        return None, 0
    for _ in range(taken):
        ahead.popleft()
    return cells, taken


def _cells(line: str, delimiter: str, strict: bool = False) -> list[str] | None:
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=strict), [])
    except csv.Error:
        return None
