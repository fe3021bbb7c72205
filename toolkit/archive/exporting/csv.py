"""Writing CSV, fast: of the values of a column few differ, so each is made a text once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from toolkit.archive.exporting.columns import Advance, Column, ExportContent, Piece, columns
from toolkit.archive.spreadsheet import guarded
from toolkit.model import Station
from toolkit.times import stored

if TYPE_CHECKING:
    from toolkit.archive.exporting.columns import Array

ROWS_AT_ONCE = 20_000


def write(
    pieces: Iterable[Piece], wanted: ExportContent, _stations: Sequence[Station], file: TextIO, advance: Advance
) -> None:
    """Write rows with the names of the view `observations_qc`; times in UTC as `YYYY-MM-DD HH:MM:SS`.

    Text is `guarded`: a person opens the file in a spreadsheet.
    """
    listed = columns(wanted)
    file.write(",".join(["time", "station_id", *(column.name for column in listed)]) + "\n")
    for piece in pieces:
        readings = piece.readings
        ids = [_cell(station_id) for station_id in readings.stations]
        cells = [
            _by_distinct(readings.time, stored),
            _taken(ids, readings.station),
            *(column for one in listed for column in _cells(piece, one)),
        ]
        for start in range(0, len(readings.time), ROWS_AT_ONCE):
            part = [column[start : start + ROWS_AT_ONCE].tolist() for column in cells]
            file.write("\n".join(map(",".join, zip(*part, strict=True))) + "\n")
            advance(len(part[0]))


def _cells(piece: Piece, column: Column) -> Iterator[Array]:
    """The cells of a column. Those of the flag and of its test are one array: they are beside one another."""
    readings, name = piece.readings, column.variable
    match column.what:
        case "value":
            yield _by_distinct(readings.values[name], _number)
        case "estimate":
            yield _by_distinct(piece.estimates[name], _number)
        case "flag":
            tests = [_cell(test) for test in readings.test_names]
            both = [f"{flag},{test}" for flag in range(10) for test in tests]
            yield _taken(both, readings.flags[name].astype("int64") * len(tests) + readings.tests[name])
        case "words":
            texts = {word: _cell(word or "") for word in set(readings.words[column.name])}
            yield _taken([texts[word] for word in readings.words[column.name]], slice(None))


def _by_distinct(values: Array, text: Any) -> Array:
    """The text of each value, made once for those that are the same."""
    import numpy as np

    distinct, places = np.unique(values, return_inverse=True)
    return _taken([text(value) for value in distinct.tolist()], places)


def _taken(texts: list[str], places: Any) -> Array:
    import numpy as np

    found: Array = np.array(texts, dtype=object)[places]
    return found


def _number(value: float) -> str:
    return "" if value != value else repr(value)  # noqa: PLR0124 - NaN alone differs from itself


def _cell(text: str) -> str:
    """A text as a cell: guarded, and in quotes where it needs them."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([guarded(text), ""])
    return line.getvalue()[:-1]
