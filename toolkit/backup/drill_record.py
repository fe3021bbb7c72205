"""What came of the last rehearsal of a restore: a file beside the backups."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from toolkit.errors import ToolkitError, reason
from toolkit.files import write_atomically

SCHEMA = "weather-toolkit/drill/1"
FILE = "drill.json"


@dataclass(slots=True)
class Drill:
    """What came of a rehearsal.

    Attributes:
        schema: of this record.
        ended_at: when it ended, ISO 8601 in UTC.
        backup: which backup; None if there was none.
        backup_at: when that one was made, ISO 8601 in UTC.
        restore_seconds: how long it took until the backup was a database that can be used, all of it looked at.
        seconds: how long the rehearsal took in all.
        observations: how many the database held.
        anomalies: how many a detection found in its last hours; None if there were no observations.
        offsite: whether the off-site copies are whole; None if there are none to be kept.
        wrong: why the backup cannot be relied on; None if it can.
    """

    schema: str = SCHEMA
    ended_at: str = ""
    backup: str | None = None
    backup_at: str | None = None
    restore_seconds: float | None = None
    seconds: float = 0.0
    observations: int | None = None
    anomalies: int | None = None
    offsite: bool | None = None
    wrong: str | None = None


def keep(folder: Path, drill: Drill) -> None:
    """Write it down, in the place of the one before.

    Raises:
        ToolkitError: it cannot be written.
    """
    write_atomically(folder / FILE, json.dumps(asdict(drill), indent=1, ensure_ascii=False) + "\n")


def last(folder: Path) -> Drill | None:
    """The last rehearsal; None if there was none.

    Raises:
        ToolkitError: its record cannot be read.
    """
    try:
        return Drill(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ToolkitError(f"cannot read {folder / FILE}: {reason(error)}") from error
    except (ValueError, TypeError) as error:
        raise ToolkitError(f"{folder / FILE} is not the record of a drill: {error}") from None
