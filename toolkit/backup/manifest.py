"""What a backup holds, written beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import NamedTuple

from toolkit.errors import ToolkitError

SCHEMA = "weather-toolkit/backup/1"


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

    def as_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {**asdict(self), "content": self.content._asdict()}

    def as_text(self) -> str:
        """As JSON, with a checksum of its own: a manifest can rot like what it describes."""
        body = self.as_dict()
        return json.dumps({**body, "checksum": _checksum(body)}, indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> Manifest:
    """The manifest in a file.

    Raises:
        DamagedError: it cannot be read, or is not as it was written.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        checksum = body.pop("checksum")
        if body["schema"] != SCHEMA:
            raise DamagedError(f"{path.name} is of the form {body['schema']!r}: run the release that wrote it")
        if checksum != _checksum(body) or set(body) != {item.name for item in fields(Manifest)}:
            raise DamagedError(f"{path.name} is not as it was written")
        return Manifest(**{**body, "content": Content(**body["content"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"{path.name} cannot be read as a manifest: {error}") from None


def _checksum(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
