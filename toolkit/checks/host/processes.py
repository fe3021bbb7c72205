"""Processes, by what the kernel shows of them to everybody."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process: its number, state, parent and process group."""

    pid: int
    state: str
    parent: int
    group: int


def process(pid: int) -> Process | None:
    """A process by its number; None where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, parent, group = text.rpartition(")")[2].split()[:3]
        return Process(pid, state, int(parent), int(group))
    except (OSError, ValueError):
        return None


def processes() -> Iterator[Process]:
    """All processes."""
    for path in Path("/proc").iterdir():
        if path.name.isdecimal() and (found := process(int(path.name))):
            yield found


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped, by SIGSTOP or a debugger."""
    found = process(pid)
    return found is not None and found.state in {"T", "t"}


def started(pid: int) -> float | None:
    """When a process was started, seconds since the epoch by the present clock; None where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        ticks = int(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
