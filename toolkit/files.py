"""Files that are either whole or not there."""

from __future__ import annotations

import json
import os
import re
import stat
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

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
    """A path in a folder that nothing has yet: of this second by strftime's `form`, or of the next that is free.

    Where `form` does not change from one second to the next its path is taken, free or not.
    """
    path = folder / _filled_in(form, moment)
    while os.path.lexists(path):
        moment += timedelta(seconds=1)
        if (later := folder / _filled_in(form, moment)) == path:
            break
        path = later
    return path


def _filled_in(form: str, moment: datetime) -> str:
    """What strftime makes of a form, the codes alone: it takes no name that is not text."""
    return re.sub(r"%[-_0^#EO:]*[A-Za-z%+]", lambda code: moment.strftime(code[0]), form)


def read_json(path: Path, most: int) -> Any:
    """What a JSON file of at most so many bytes says; what is no file of its own, a link or a pipe, is not read.

    Raises:
        OSError: it cannot be read.
        ValueError: it is something else, too large, not UTF-8, no JSON, or has a number that is none (NaN).
        RecursionError: it is nested too deeply.
    """
    # Without waiting: somebody may have put a pipe in its place.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no file")
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most >> 10} KiB")
    return json.loads(content.decode("utf-8"), parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def sync_folder(path: Path) -> None:
    """Make what was renamed or removed in a folder survive a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
