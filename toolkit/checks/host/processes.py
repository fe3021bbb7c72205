"""Processes, by what the kernel shows of them to everybody."""

from __future__ import annotations

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
