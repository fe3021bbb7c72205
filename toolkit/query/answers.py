"""Answers as text: JSON as sqlite-utils writes it, CSV as an export is, cells of a table."""

from __future__ import annotations

import csv
import json
import math
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from toolkit.archive.spreadsheet import guarded
from toolkit.query import Answer


def cells(answer: Answer) -> list[list[str]]:
    """The rows as text, `-` for no value."""
    return [["-" if one is None else str(_plain(one)) for one in row] for row in answer.rows]


def write_csv(answer: Answer, file: TextIO) -> None:
    """Write a header and the rows. Text is `guarded`: a person opens the file in a spreadsheet."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([guarded(name) for name in answer.columns])
    writer.writerows(
        [guarded(plain) if isinstance(plain := _plain(one), str) else plain for one in row] for row in answer.rows
    )


def write_json(answer: Answer, file: TextIO) -> None:
    """Write an array with an object for each row."""
    file.write("[" + ",\n ".join(_objects(answer)) + "]\n")


def write_ndjson(answer: Answer, file: TextIO) -> None:
    """Write an object for each row, each on a line of its own."""
    file.writelines(f"{one}\n" for one in _objects(answer))


FORMS: Mapping[str, Callable[[Answer, TextIO], None]] = {"csv": write_csv, "json": write_json, "ndjson": write_ndjson}


def _objects(answer: Answer) -> list[str]:
    names = answer.unique_columns()
    return [
        json.dumps(dict(zip(names, map(_as_json, row), strict=True)), ensure_ascii=False, allow_nan=False)
        for row in answer.rows
    ]


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$base64": True, "encoded": b64encode(value).decode("ascii")}
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)  # NaN, Infinity: JSON has no numbers for them
    return value


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
