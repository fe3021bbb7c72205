"""What is made once for all workers of pytest that run side by side."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


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
