"""Writing files atomically, and reading files that somebody else may have written."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from toolkit.errors import ToolkitError, reason


def write_atomically(path: Path, content: str | bytes | Iterable[bytes]) -> None:
    """Write a file atomically: neither a reader nor a power cut ever finds half of it.

    Raises:
        ToolkitError: it cannot be written; the file that was there is unchanged.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            if isinstance(content, str | bytes):
                file.write(content.encode() if isinstance(content, str) else content)
            else:
                file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise ToolkitError(f"cannot write {path}: {reason(error)}") from error


def free_name(folder: Path, form: str, moment: datetime) -> Path:
    """A path in a folder that does not exist yet: named by this second, or by the next one that is free.

    Args:
        folder: where it is to be.
        form: the name, with codes of strftime. If it has none that changes within a second, the path is returned
            whether it exists or not.
        moment: the time from which on a name is looked for.
    """
    path = folder / _filled_in(form, moment)
    while os.path.lexists(path):
        moment += timedelta(seconds=1)
        if (later := folder / _filled_in(form, moment)) == path:
            break
        path = later
    return path


def _filled_in(form: str, moment: datetime) -> str:
    """Replace the codes of strftime alone: it refuses names with surrogates in them."""
    return re.sub(r"%[-_0^#EO:]*[A-Za-z%+]", lambda code: moment.strftime(code[0]), form)


def read_json(path: Path, most: int) -> Any:
    """The content of a JSON file of at most `most` bytes; a link or a pipe is not read.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no regular file, too large, not UTF-8, no JSON, or contains NaN or Infinity.
        RecursionError: it is nested too deeply.
    """
    # O_NONBLOCK: opening a pipe that somebody put in its place must not wait for a writer.
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
    """Write a folder's entries to the disk, so that a rename or removal in it survives a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
