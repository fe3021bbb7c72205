"""The record of a run over past time that is not finished, so that the same command goes on where it ended.

It says which run that is and when it began, and is written once. How far the run got is in the database, where each
window's flags and the time that it judged are committed together: so no power cut, no kill and no restore of a backup
can make the two disagree.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from toolkit.files import read_json, write_atomically
from toolkit.locking import held
from toolkit.store.flags import JudgedTime

NAME, LOCK = "flagging.json", "flagging"
_LARGEST = 1 << 20


def alone(folder: Path) -> AbstractContextManager[None]:
    """Hold the lock that lets one run at a time judge past time; see `locking.held`."""
    return held(folder / LOCK, "past time is being judged already")


def begun(folder: Path, run: Mapping[str, Any]) -> float | None:
    """When the unfinished run began that is the same as `run`, seconds since the epoch; None if there is none."""
    with suppress(OSError, ValueError, RecursionError, TypeError, KeyError):
        record = read_json(folder / NAME, _LARGEST)
        if record["run"] == run:
            return float(record["begun"])
    return None


def begin(folder: Path, run: Mapping[str, Any]) -> None:
    """Write down that a run begins, in the place of any other.

    Raises:
        ToolkitError: it cannot be written.
    """
    write_atomically(folder / NAME, json.dumps({"run": run, "begun": time.time() // 1}))


def finish(folder: Path) -> None:
    """Write down that the run is finished."""
    (folder / NAME).unlink(missing_ok=True)


def reached(judged: Iterable[JudgedTime], start: float, since: float, variables: Collection[str]) -> float:
    """Up to when all of the time after `start` was judged, seconds since the epoch.

    Args:
        judged: in order of time.
        start: the beginning of the run's time.
        since: when the run began; what was judged before that does not count.
        variables: those that it judges.
    """
    until = start
    for one in judged:
        if one.judged_at >= since and one.variables.issuperset(variables) and one.started <= until:
            until = max(until, one.ended)
    return until
