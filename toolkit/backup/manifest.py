"""The manifest: a file beside each backup that says what the backup holds."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import NamedTuple

from toolkit import times
from toolkit.errors import ToolkitError, reason
from toolkit.files import read_json
from toolkit.text import one_line

SCHEMA = "weather-toolkit/backup/1"
# A manifest has less than 2 KiB.
LARGEST_BYTES = 64 << 10
LARGEST_NUMBER = 1 << 53

_FILE = re.compile(r"weather_[0-9A-Za-z_-]{1,100}\.[a-z]{1,16}\.zst")
_CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
# A time is mostly as the store writes it, but plain SQL can write others, and they are backed up all the same.
_TIME = re.compile(r".{0,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WORDS = re.compile(r".{0,4096}")


class DamagedError(ToolkitError):
    """A backup is not what it was when it was made."""


class Content(NamedTuple):
    """What a database holds.

    Attributes:
        stations, observations: how many.
        first, last: the times of the oldest and the newest observation, as they are stored; None without any.
        schema_version: of the database.
    """

    stations: int
    observations: int
    first: str | None
    last: str | None
    schema_version: int


def last_of(held: Content) -> float | None:
    """The time of the newest observation, seconds since the epoch; None if there is none that is a time."""
    try:
        return times.from_stored(held.last or "").timestamp()
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup as it was when it was made.

    Attributes:
        schema: of the manifest itself.
        file: the packed database's name.
        created_at: when the snapshot was taken, ISO 8601 in UTC.
        host: where.
        source: the database.
        sha256: of the packed file.
        bytes: the packed file's size.
        bytes_unpacked: the database's size.
        content: what it holds.
        program_version: of the program that made it.
    """

    schema: str
    file: str
    created_at: str
    host: str
    source: str
    sha256: str
    bytes: int
    bytes_unpacked: int
    content: Content
    program_version: str

    @property
    def created(self) -> float:
        """When the snapshot was taken by the host's clock, seconds since the epoch."""
        return times.epoch_of(self.created_at)

    @property
    def last(self) -> float | None:
        """The time of its newest observation; see `last_of`."""
        return last_of(self.content)

    def as_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {**asdict(self), "content": self.content._asdict()}

    def as_text(self) -> str:
        """As JSON, with a checksum of its own: a manifest can rot like what it describes."""
        body = self.as_dict()
        return json.dumps({**body, "checksum": _checksum(body)}, indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> Manifest:
    """Read a manifest. Anybody may have written it, so every field is checked before one is used.

    Raises:
        DamagedError: it cannot be read, or is not as it was written.
    """
    try:
        body = read_json(path, LARGEST_BYTES)
        checksum = body.pop("checksum")
        if body["schema"] != SCHEMA:
            raise DamagedError(
                f"{path.name} is of the form {one_line(repr(body['schema']), 80)}: run the newer release"
            )
        if checksum != _checksum(body) or set(body) != {item.name for item in fields(Manifest)}:
            raise DamagedError(f"{path.name} is not as it was written")
        made = Manifest(**{**body, "content": Content(**body["content"])})
        _require_sound(made)
        return made
    except OSError as error:
        raise DamagedError(f"{path.name} cannot be read as a manifest: {reason(error)}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path.name} cannot be read as a manifest: {one_line(str(error), 200)}") from None


def _require_sound(made: Manifest) -> None:
    """Check every field of a manifest.

    Raises:
        ValueError: one is not what it can be; which.
    """
    held = made.content
    for name, value, form in (
        ("file", made.file, _FILE), ("created_at", made.created_at, _CREATED), ("sha256", made.sha256, _SHA256),
        ("host", made.host, _WORDS), ("source", made.source, _WORDS), ("program_version", made.program_version, _WORDS),
        ("first", held.first or "", _TIME), ("last", held.last or "", _TIME),
    ):  # fmt: skip
        if not form.fullmatch(value) or not value.isprintable():  # no text: a TypeError
            raise ValueError(f"{name} is {value!r}")
    for name, number, least in (
        ("bytes", made.bytes, 1), ("bytes_unpacked", made.bytes_unpacked, 1), ("stations", held.stations, 0),
        ("observations", held.observations, 0), ("schema_version", held.schema_version, 1),
    ):  # fmt: skip
        if type(number) is not int or not least <= number <= LARGEST_NUMBER:
            raise ValueError(f"{name} is {number!r}")
    times.parse(made.created_at)
    if (held.first is None) != (held.observations == 0) or (held.last is None) != (held.observations == 0):
        raise ValueError(f"first is {held.first!r} of {held.observations} observations")


def _checksum(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
