"""Bounds of this process while it works on what anybody may have written: its time, its memory."""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

MOST_MEMORY = 512 << 20


@contextmanager
def bounded_time(seconds: float, message: str) -> Iterator[None]:
    """End the process, with a message, when the block takes longer.

    It is for a call of a library that cannot be interrupted: one comparison by LIKE can take SQLite hours. Such a call
    lets other threads run.
    """

    def end() -> None:
        print(f"weather-tool: {message}", file=sys.stderr, flush=True)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def bounded_memory(more: int = MOST_MEMORY) -> Iterator[None]:
    """Let the process allocate so many bytes besides what it has: more is a MemoryError, or a library's own error."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data_bytes() + more
    if before[0] != resource.RLIM_INFINITY:
        limit = min(limit, before[0])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _data_bytes() -> int:
    """What counts for RLIMIT_DATA: data and stack, in pages, the sixth number of proc(5)'s statm."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no path of a user's
        return int(file.read().split()[5]) * resource.getpagesize()
