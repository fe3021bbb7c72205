"""Writing Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from toolkit.archive.exporting import lacking
from toolkit.archive.exporting.columns import Advance, Column, ExportContent, Piece, columns
from toolkit.model import Station


def write(
    pieces: Iterable[Piece], wanted: ExportContent, _stations: Sequence[Station], path: Path, advance: Advance
) -> None:
    """Write a row group of each piece, so that memory holds one of them; times are timestamps in UTC.

    Raises:
        ToolkitError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise lacking("Parquet", "pyarrow") from None

    kinds = {"value": pa.float64(), "estimate": pa.float64(), "flag": pa.int8(), "test": pa.string()}
    listed = columns(wanted)
    schema = pa.schema(
        [
            ("time", pa.timestamp("s", tz="UTC")),
            ("station_id", pa.string()),
            *((column.name, kinds.get(column.what, pa.string())) for column in listed),
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for piece in pieces:
            readings = piece.readings
            ids = pa.DictionaryArray.from_arrays(readings.station, readings.stations)
            arrays = [pa.array(readings.time), ids, *(_array(pa, piece, column) for column in listed)]
            cast = [array.cast(field.type) for array, field in zip(arrays, schema, strict=True)]
            writer.write_table(pa.table(cast, schema=schema))
            advance(len(readings.time))


def _array(pa: Any, piece: Piece, column: Column) -> Any:
    readings, name = piece.readings, column.variable
    match column.what:
        case "value":
            return pa.array(readings.values[name], from_pandas=True)  # NaN is null
        case "estimate":
            return pa.array(piece.estimates[name], from_pandas=True)
        case "flag":
            return pa.array(readings.flags[name])
        case "test":
            return pa.DictionaryArray.from_arrays(readings.tests[name], [test or None for test in readings.test_names])
        case "words":
            return pa.array(readings.words[column.name], type=pa.string())
