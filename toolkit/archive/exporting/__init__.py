"""Writing observations to a file: CSV, Parquet, netCDF, or the newest of each station as GeoJSON."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING

from toolkit.archive.exporting.columns import QUALITIES, Advance, ExportContent, Good
from toolkit.errors import ToolkitError, reason
from toolkit.location import without_impossible_place

if TYPE_CHECKING:
    from toolkit.settings import Settings
    from toolkit.store import Selection, Store

__all__ = ["ENDINGS", "FORMATS", "QUALITIES", "TEXT", "ExportContent", "export"]

ENDINGS = {".csv": "csv", ".parquet": "parquet", ".nc": "netcdf", ".geojson": "geojson"}
"""The formats by the endings of files' names: the module `toolkit.archive.exporting.NAME` writes each."""

FORMATS = tuple(ENDINGS.values())
TEXT = ("csv", "geojson")
"""The formats that standard output can have."""


def export(
    store: Store,
    settings: Settings,
    selection: Selection,
    wanted: ExportContent,
    kind: str,
    output: Path | IO[str],
    advance: Advance,
) -> int:
    """Write observations to a file, whole or not at all, or to a stream.

    Args:
        store: whose.
        settings: which stations are neighbours, for estimates.
        selection: which; of GeoJSON the stations alone.
        wanted: which columns, and which values.
        kind: one of FORMATS.
        output: the file; a stream takes text alone.
        advance: hears of observations as they are written.

    Returns:
        How many values were left out because no test has looked at them.

    Raises:
        ToolkitError: the file cannot be written, or what the format needs is not installed.
    """
    from toolkit.archive.exporting import pieces

    stations = [
        without_impossible_place(one)
        for one in store.stations()
        if not selection.stations or one.station_id in selection.stations
    ]
    found = (pieces.newest if kind == "geojson" else pieces.selected)(store, settings, selection, wanted)
    good = Good()
    if wanted.quality == "good":
        found = good.of(found)
    with _opened(output, kind) as to:
        import_module(f"toolkit.archive.exporting.{kind}").write(found, wanted, stations, to, advance)
    return good.not_evaluated


@contextmanager
def _opened(output: Path | IO[str], kind: str) -> Iterator[Path | IO[str]]:
    """What a format is written to: a stream for text, a path otherwise."""
    if not isinstance(output, Path):
        yield output
        return
    with (
        _whole_file(output) as path,
        path.open("w", encoding="utf-8", newline="") if kind in TEXT else nullcontext(path) as to,
    ):
        yield to


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
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


def lacking(what: str, package: str) -> ToolkitError:
    """The error for a format whose package is not installed: it is large, and hosts seldom need it."""
    return ToolkitError(f"{what} needs {package}, which is not installed here: export CSV, or install {package}")
