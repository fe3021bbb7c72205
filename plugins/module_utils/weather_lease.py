"""Who changes this host: one run of a playbook at a time. A lease, for a run may die without a word."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# In /run, which is root's: a host that boots is nobody's.
PATH = Path("/run/weather-rollout")
# For how long a run that says nothing more keeps others away. What it does to a host between two words is shorter.
LASTS_SECONDS = 3600


def holder() -> dict[str, Any]:
    """The run that changes this host; empty for none."""
    try:
        return _valid(PATH.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def hold(run: dict[str, Any], gone: str) -> dict[str, Any]:
    """Take the lease, or go on with it; returns the other run that has it, empty if this one has it now.

    Args:
        run: who asks; its `id` tells runs apart.
        gone: the id of a run that is known to have died.
    """
    with _opened() as file:
        found = _valid(file.read())
        if found and found["id"] not in {run["id"], gone}:
            return found
        since = found["since"] if found.get("id") == run["id"] else time.time()
        _write(file, json.dumps({**run, "since": since, "renewed": _now()}))
    return {}


def free(run: dict[str, Any]) -> None:
    """End the lease of this run; another's stays."""
    if holder().get("id") == run["id"]:
        with _opened() as file:
            if _valid(file.read()).get("id") == run["id"]:
                _write(file, "")


def told(found: dict[str, Any]) -> str:
    """Who has this host, since when, and what to do: one line."""
    since, ends = (
        time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
        for moment in (found["since"], time.time() + found["renewed"] + LASTS_SECONDS - _now())
    )
    return (
        f"{found['who']} changes this host by {found['what']} since {since}: wait for it. "
        f"Should that run be dead, the host is free at {ends}, or at once by: rm {PATH}"
    )


def _now() -> float:
    """Seconds since the host booted: nobody sets that clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _valid(text: str) -> dict[str, Any]:
    try:
        found = dict(json.loads(text))
        age = _now() - found["renewed"]
    except (ValueError, TypeError, KeyError):
        return {}
    return found if 0 <= age < LASTS_SECONDS else {}


@contextmanager
def _opened() -> Iterator[Any]:
    """The file, while nobody else looks at it or writes it."""
    number = os.open(PATH, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(number, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _write(file: Any, text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()
