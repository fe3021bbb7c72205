"""The record of the last off-site copy: a file beside the backups."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from toolkit.files import read_json, write_atomically
from toolkit.text import one_line

SCHEMA = "weather-toolkit/offsite/1"
FILE = "offsite.json"
LARGEST_BYTES = 64 << 10


class Copied(NamedTuple):
    """Where the last copy went.

    Attributes:
        repository: as it is shown, without secrets.
        id: the repository's own identifier, by which another one in its place is told from it.
        copied_at: when it ended, ISO 8601 in UTC.
    """

    repository: str
    id: str
    copied_at: str


def keep(folder: Path, copied: Copied) -> None:
    """Replace the record.

    Raises:
        ToolkitError: it cannot be written.
    """
    write_atomically(folder / FILE, json.dumps({"schema": SCHEMA, **copied._asdict()}, indent=1) + "\n")


def last(folder: Path, repository: str) -> Copied | None:
    """Where the last copy went, if it went to this repository; None as well where the record cannot be read."""
    with suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
        told = read_json(folder / FILE, LARGEST_BYTES)
        copied = Copied(*(one_line(str(told[name]), 200) for name in Copied._fields))
        return copied if copied.repository == one_line(repository, 200) else None
    return None
