"""One process at a time: the others are told which it is, and since when."""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit import times
from toolkit.errors import InUseError, ToolkitError, reason
from toolkit.text import one_line

_LARGEST = 400


def take(path: Path, how: int = fcntl.LOCK_EX) -> int:
    """Lock a file, made if need be, until what is returned is closed, or the process ends.

    With LOCK_SH others that take it so may have it as well; the last of them is the one that is named.

    Raises:
        InUseError: another process has it; which, as it wrote there itself.
        OSError: it cannot be.
    """
    # What somebody may have put in its place is not followed, and not waited for.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(0, f"{path} is no file")
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            told = one_line(os.pread(file, _LARGEST, 0).decode("utf-8", "replace"))
            raise InUseError(told or "a process that does not say which") from None
        os.ftruncate(file, 0)
        os.pwrite(file, _who().encode(), 0)
    except BaseException:
        os.close(file)
        raise
    return file


@contextmanager
def writing(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Write into the database whose spool is in a folder; `alone` where it is to be replaced.

    Raises:
        InUseError: another process does what cannot go together; which, and since when.
        ToolkitError: the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take(folder / "writers", fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    except InUseError as other:
        raise InUseError(f"another command is at work in the database ({other}): wait for its end") from None
    except OSError as error:
        raise ToolkitError(f"cannot write to {folder}: {reason(error)}") from error
    try:
        yield
    finally:
        os.close(lock)


def _who() -> str:
    # No option's value: there may be a secret in it.
    words = [word for word in sys.argv[1:] if not word.startswith("-")][:2]
    user = os.geteuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    said = one_line(f"weather-tool {' '.join(words)}", 120)
    return f"{said}, process {os.getpid()} of {name}, since {times.iso(times.now())}"
