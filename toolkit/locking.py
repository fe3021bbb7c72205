"""Locks that let one process work at a time; others get an error that names it and says since when it works."""

from __future__ import annotations

import fcntl
import logging
import os
import pwd
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from toolkit import times
from toolkit.errors import InUseError, ToolkitError, reason
from toolkit.text import one_line

_LARGEST = 400

_T = TypeVar("_T")

log = logging.getLogger(__name__)


def take(path: Path, how: int = fcntl.LOCK_EX) -> int:
    """Lock a file until the returned descriptor is closed or the process ends; the file is made if it does not exist.

    Several processes may hold the lock with LOCK_SH; the error names the last of them.

    Raises:
        InUseError: another process holds it; the message is what that process wrote into the file.
        OSError: the file cannot be opened or is no regular file.
    """
    # A link that somebody put in its place is not followed, a pipe is not waited for.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(0, f"{path} is no file")
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = one_line(os.pread(file, _LARGEST, 0).decode("utf-8", "replace"))
            raise InUseError(holder or "a process that does not say which") from None
        os.ftruncate(file, 0)
        os.pwrite(file, _who().encode(), 0)
    except BaseException:
        os.close(file)
        raise
    return file


@contextmanager
def held(path: Path, busy: str, how: int = fcntl.LOCK_EX, *, patience: float = 0) -> Iterator[None]:
    """Hold the lock of a file, whose folder is made if it does not exist.

    Args:
        path: the file.
        busy: what is said of another process that holds it.
        how: see `take`.
        patience: for how many seconds the end of that process is waited for.

    Raises:
        InUseError: another process holds the lock; the message says which, and since when.
        ToolkitError: the folder cannot be written.
    """

    def attempt() -> int:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return take(path, how)
        except InUseError as other:
            raise InUseError(f"{busy} ({other}): wait for its end") from None
        except OSError as error:
            raise ToolkitError(f"cannot write to {path.parent}: {reason(error)}") from error

    lock = patiently(attempt, patience)
    try:
        yield
    finally:
        os.close(lock)


def patiently(attempt: Callable[[], _T], patience: float) -> _T:
    """Do what another process may keep from being done; each second anew, until that one is done or patience is over.

    Args:
        attempt: raises InUseError, which names the other process, as long as that one is at work.
        patience: in seconds.

    Raises:
        InUseError: the other process is still at work.
    """
    from toolkit.deadline import pause  # sockets are rarely needed here

    end = time.monotonic() + patience
    told = False
    while True:
        try:
            return attempt()
        except InUseError as error:
            if time.monotonic() >= end:
                raise
            if not told:
                log.info("%s: for at most %.0f s", error, patience)
            told = True
        pause(1)


def writing(folder: Path, *, alone: bool = False) -> AbstractContextManager[None]:
    """Hold the lock for writing into the database whose spool is in a folder; see `held`.

    Args:
        folder: the spool.
        alone: whether no other process may write meanwhile: the database is to be replaced.
    """
    how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    return held(folder / "writers", "another command is at work in the database", how)


def _who() -> str:
    # Without the values of options: there may be a secret in one.
    words = [word for word in sys.argv[1:] if not word.startswith("-")][:2]
    user = os.geteuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    command = one_line(f"weather-tool {' '.join(words)}", 120)
    return f"{command}, process {os.getpid()} of {name}, since {times.iso(times.now())}"
