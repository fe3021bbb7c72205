"""Processes, by what the kernel shows of them to everybody."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
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


def unit_of(pid: int) -> str:
    """The service of the system that a process belongs to; empty where it belongs to none."""
    try:
        text = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.findall(r"/system\.slice/(?:.*/)?([\w@.:-]+\.service)", text)
    return found[-1] if found else ""


def named(pid: int, command: str) -> str:
    """A process, as people are told of it."""
    unit = unit_of(pid)
    return f"process {pid} ({command})" + (f" of {unit}" if unit else "")


class Holder(NamedTuple):
    """A process that holds a lock: its number, its command line, and the numbers of those that it began."""

    pid: int
    command: str
    children: list[int]


def foreign_holders(pids: Iterable[int]) -> list[Holder]:
    """Of the processes that hold a lock those that are not the service's own."""
    found = []
    for pid in dict.fromkeys(pids):
        command = " ".join(words_of(pid))
        # A process that is gone has handed its lock on to one that it began, as flock(1) in a script of ours does.
        if command and not any(name in command for name in ("weather-tool", "weather-job", "toolkit")):
            found.append(Holder(pid, command, _children(pid)))
    return found


def _children(pid: int) -> list[int]:
    """The processes that a process has begun, and those that they have: all may hold what it holds."""
    family = {pid}
    for one in sorted(processes(), key=lambda one: one.ticks):
        if one.parent in family:
            family.add(one.pid)
    return sorted(family - {pid})


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped, by SIGSTOP or a debugger."""
    found = process(pid)
    return found is not None and found.state in {"T", "t"}
