"""Writing reports into the inbox of their source: those that come within a moment into one file, safe on the disk."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from pathlib import Path

from toolkit.collector.inbox import file_of, waiting
from toolkit.errors import ToolkitError, reason
from toolkit.files import write_atomically
from toolkit.locking import held

# For how long reports are gathered for one file.
GATHER_SECONDS = 0.1
# Then another file is begun, in bytes.
LARGEST = 1 << 20
# What a file takes on a disk is a multiple of this.
BLOCK = 4096
# How often it is looked whether a full inbox has room again.
LOOK_SECONDS = 1.0


class FullError(ToolkitError):
    """The inbox has no room: the collector does not take what is there."""


class Writer:
    """Writes the reports of a source; one process at a time does."""

    def __init__(self, folder: Path, limit: int, disk: Executor) -> None:
        """`limit` is how many bytes may wait; `disk` is one thread, so that files are written in order."""
        self._folder, self._limit, self._disk = folder, limit, disk
        for partial in folder.glob(".*"):  # of one that was ended while it wrote
            with suppress(OSError):
                partial.unlink()
        files = waiting(folder)
        self._number = files[-1][0] if files else 0
        self._used = sum(_taken(size) for _, size in files)
        self._looked = 0.0
        self._lines: list[bytes] = []
        self._written: asyncio.Task[None] | None = None

    async def put(self, line: bytes) -> None:
        """Returns when the report is safe on the disk.

        Raises:
            FullError: too much waits.
            ToolkitError: the disk does not take it.
        """
        if self._written is None:
            self._written = asyncio.create_task(self._write(self._lines))
        self._lines.append(line)
        written = self._written
        if sum(map(len, self._lines)) > LARGEST:
            self._lines, self._written = [], None
        await asyncio.shield(written)

    async def _write(self, lines: list[bytes]) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        if lines is self._lines:
            self._lines, self._written = [], None
        await asyncio.get_running_loop().run_in_executor(self._disk, self._to_disk, b"".join(lines))

    def _to_disk(self, content: bytes) -> None:
        if self._used > self._limit and time.monotonic() >= self._looked + LOOK_SECONDS:
            self._looked = time.monotonic()
            self._used = sum(_taken(size) for _, size in waiting(self._folder))
        if self._used > self._limit:
            raise FullError(
                f"more than {self._limit >> 20} MiB of reports wait in {self._folder}: see to the collector"
            )
        self._number += 1
        write_atomically(file_of(self._folder, self._number), content)
        self._used += _taken(len(content))


@contextmanager
def writer(folder: Path, limit: int, disk: Executor) -> Iterator[Writer]:
    """What writes into a folder, which is made if it does not exist.

    Raises:
        InUseError: another receiver writes there.
        ToolkitError: the folder cannot be used.
    """
    with held(folder / "lock", "another receiver is at work"):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ToolkitError(f"the folder {folder} cannot be written")
        try:
            made = Writer(folder, limit, disk)
        except OSError as error:
            raise ToolkitError(f"the folder {folder} cannot be used: {reason(error)}") from error
        yield made


def _taken(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
