"""What tests share that run side by side: a folder in memory, and what is made once for all workers of pytest."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # commands that tests fork do without it
    import pytest

# What a session holds in memory is less than half of that.
_ROOM = 4 << 30


def _in_memory() -> Path | None:
    folder = Path("/dev/shm")
    try:
        there, lines = os.statvfs(folder), Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    free = next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), 0)
    roomy = min(there.f_bavail * there.f_frsize, free) >= _ROOM
    return folder if roomy and os.access(folder, os.W_OK) else None


MEMORY = _in_memory()
"""A folder in memory, where files are made and removed for less; None where there is no room: where they usually are."""


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The file of this name, which the first worker that needs it makes while others wait: to be copied, not changed.

    Args:
        factory: of this worker's folders.
        name: another one for other content.
        make: makes the file at a path at which there is none.
    """
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of the session
    file, unfinished = folder / name, folder / f"{name}.unfinished"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            unfinished.unlink(missing_ok=True)  # of a worker that failed
            make(unfinished)
            unfinished.rename(file)
    return file
