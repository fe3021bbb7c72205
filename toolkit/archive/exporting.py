"""Writing observations to a file: CSV, or Parquet."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

from toolkit.archive.spreadsheet import guarded
from toolkit.errors import ToolkitError, reason
from toolkit.model import Observation
from toolkit.times import stored
from toolkit.variables import BY_NAME, COLUMNS

ROWS_PER_GROUP = 100_000

Advance = Callable[[int], None]


def write_csv(observations: Iterable[Observation], file: TextIO, advance: Advance) -> None:
    """Write rows with the names of the table `observations`; times in UTC as `YYYY-MM-DD HH:MM:SS`.

    Text is `guarded`: a person opens the file in a spreadsheet.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(Observation._fields)
    for rows in _groups(observations, 1000):
        writer.writerows(
            (stored(row.time), *(guarded(cell) if isinstance(cell, str) else cell for cell in row[1:])) for row in rows
        )
        advance(len(rows))


def write_parquet(observations: Iterable[Observation], path: Path, advance: Advance) -> None:
    """Write row groups, so that memory holds one of them; times are timestamps in UTC.

    Raises:
        ToolkitError: pyarrow is not installed: it is half as large as all the rest, and hosts seldom need it.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ToolkitError("Parquet needs pyarrow, which is not installed here: export CSV, or install it") from None

    kinds = {"time": pa.timestamp("s", tz="UTC"), "station_id": pa.string()}
    kinds |= {name: pa.float64() if name in BY_NAME else pa.string() for name in COLUMNS}
    schema = pa.schema(list(kinds.items()))
    with pq.ParquetWriter(path, schema) as writer:
        for rows in _groups(observations, ROWS_PER_GROUP):
            columns = dict(zip(Observation._fields, zip(*rows, strict=True), strict=True))
            writer.write_table(pa.table(columns, schema=schema))
            advance(len(rows))


def _groups(observations: Iterable[Observation], size: int) -> Iterator[list[Observation]]:
    rest = iter(observations)
    while group := list(islice(rest, size)):
        yield group


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path to write to, which replaces `path` once everything is written.

    Raises:
        ToolkitError: it cannot be written; what was there before is as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise ToolkitError(f"cannot write {path}: {reason(error)}") from error
    finally:
        partial.unlink(missing_ok=True)
