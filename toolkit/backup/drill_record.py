"""The record of the last drill: a file beside the backups."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from toolkit import times
from toolkit.errors import ToolkitError, reason
from toolkit.files import read_json, write_atomically
from toolkit.text import one_line

SCHEMA = "weather-toolkit/drill/1"
FILE = "drill.json"
LARGEST_BYTES = 64 << 10
LARGEST_NUMBER = 1 << 53


@dataclass(slots=True)
class Drill:
    """The result of a drill.

    Attributes:
        schema: of this record.
        ended_at: when it ended, ISO 8601 in UTC.
        backup: which backup; None if there was none.
        backup_at: when that one was made, ISO 8601 in UTC.
        restore_seconds: how long it took until the backup was a database that can be used, all of it looked at.
        seconds: how long the drill took in all.
        observations: how many the database held.
        anomalies: how many a detection found in its last hours; None if there were no observations.
        offsite: whether the off-site copies are whole; None if there are none to be kept.
        wrong: why the backup cannot be relied on; None if it can be.
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

    @property
    def ended(self) -> float:
        """When it ended, by the host's clock, seconds since the epoch."""
        return times.epoch_of(self.ended_at)


def keep(folder: Path, drill: Drill) -> None:
    """Replace the record.

    Raises:
        ToolkitError: it cannot be written.
    """
    write_atomically(folder / FILE, json.dumps(asdict(drill), indent=1, ensure_ascii=False) + "\n")


def last(folder: Path) -> Drill | None:
    """The record of the last drill; None if there was none.

    Raises:
        ToolkitError: its record cannot be read.
    """
    try:
        drill = Drill(**read_json(folder / FILE, LARGEST_BYTES))
        _require_sound(drill)
        return drill
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ToolkitError(f"cannot read {folder / FILE}: {reason(error)}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise ToolkitError(f"{folder / FILE} is not the record of a drill: {one_line(str(error), 200)}") from None


def _require_sound(drill: Drill) -> None:
    """Look at every field: anybody may have written it.

    Raises:
        ValueError: one is not what it can be; which.
    """
    texts, numbers = (str, type(None)), (int, float, type(None))
    for name, kinds in (
        ("schema", (str,)), ("ended_at", (str,)), ("backup", texts), ("backup_at", texts), ("wrong", texts),
        ("restore_seconds", numbers), ("seconds", (int, float)), ("observations", (int, type(None))),
        ("anomalies", (int, type(None))), ("offsite", (bool, type(None))),
    ):  # fmt: skip
        value = getattr(drill, name)
        if type(value) not in kinds or (isinstance(value, int | float) and not 0 <= value <= LARGEST_NUMBER):
            raise ValueError(f"{name} is {value!r}")
    times.parse(drill.ended_at)
