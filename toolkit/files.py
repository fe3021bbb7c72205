"""Files that are either whole or not there."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from toolkit.errors import ToolkitError, reason


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a power cut, never meets half of it.

    Raises:
        ToolkitError: it cannot be written; what was there before is as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise ToolkitError(f"cannot write {path}: {reason(error)}") from error


def free_name(folder: Path, form: str, moment: datetime) -> Path:
    """A path in a folder that nothing has yet: of this second by strftime's `form`, or of the next that is free."""
    while (path := folder / moment.strftime(form)).exists():
        moment += timedelta(seconds=1)
    return path


def sync_folder(path: Path) -> None:
    """Make what was renamed or removed in a folder survive a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
