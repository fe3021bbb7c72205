"""Processes, by what the kernel shows of them to everybody."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process: its number, state, parent and process group, and when it was started, in ticks since the boot."""

    pid: int
    state: str
    parent: int
    group: int
    ticks: int

    @property
    def started(self) -> float:
        """When it was started, seconds since the epoch by the present clock."""
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME) - self.ticks / os.sysconf("SC_CLK_TCK")
        return time.time() - since_boot


def process(pid: int) -> Process | None:
    """A process by its number; None where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        words = text.rpartition(")")[2].split()
        return Process(pid, words[0], int(words[1]), int(words[2]), int(words[19]))
    except (OSError, ValueError, IndexError):
        return None


def words_of(pid: int) -> list[str]:
    """The words of a process's command line; none where there is no process, or it is the kernel's."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return []
    return text.rstrip("\0").split("\0") if text else []


def processes() -> Iterator[Process]:
    """All processes."""
    for path in Path("/proc").iterdir():
        if path.name.isdecimal() and (found := process(int(path.name))):
            yield found


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped, by SIGSTOP or a debugger."""
    found = process(pid)
    return found is not None and found.state in {"T", "t"}
