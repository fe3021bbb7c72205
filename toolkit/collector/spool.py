"""Where documents wait, in order, while the store cannot take them.

A folder with a numbered file for each, packed, and whole or not there. When the disk cannot take them either they wait
in memory. Both are bounded: what is given up is the oldest, with an error in the log and a count.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import logging
import os
import re
import zlib
from pathlib import Path
from typing import NamedTuple

from toolkit.errors import ToolkitError, reason
from toolkit.files import sync_folder, write_atomically

log = logging.getLogger(__name__)

MEMORY_BYTES = 8 << 20
_NAME = re.compile(r"(\d{12})\.gz")


class Arrived(NamedTuple):
    """A document as it came.

    Attributes:
        body: the document.
        collected: when it was fetched, by the host's clock, seconds since the epoch.
        present: when that was, as far as host and server know; see `quality.admission`.
    """

    body: bytes
    collected: float
    present: float


class Spool:
    """The documents that wait, and the lock that keeps a second collector away from them and from their store.

    Attributes:
        given_up: how many documents had to be given up since this was last set to 0.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """Open the folder, made if need be.

        Raises:
            ToolkitError: it cannot be made or written, or another collector has it.
        """
        self._folder = folder
        self._limit = limit_bytes
        self._memory: list[tuple[int, bytes]] = []
        self._reason = ""
        self.given_up = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = (folder / "lock").open("a+")
        except OSError as error:
            raise ToolkitError(f"the spool {folder} cannot be used: {reason(error)}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.seek(0)
            other = self._lock.read().strip()
            self._lock.close()
            raise ToolkitError(f"another collector (process {other}) has the spool {folder}: stop it first") from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        for partial in folder.glob(".*"):
            partial.unlink()
        self._disk = {
            int(match[1]): path.stat().st_size for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))
        }

    def close(self) -> None:
        """Let another collector have it. What waits in memory is lost, and said to be."""
        if self._memory:
            log.error("%d documents that no disk would take are lost", len(self._memory))
        self._lock.close()

    def __len__(self) -> int:
        return len(self._disk) + len(self._memory)

    def put(self, arrived: Arrived) -> None:
        """Take a document. It is on the disk when this returns, or in memory if the disk is full or broken."""
        header = json.dumps({"collected": arrived.collected, "present": arrived.present}).encode()
        packed = gzip.compress(header + b"\n" + arrived.body, compresslevel=1, mtime=0)
        number = max([*self._disk, *(number for number, _ in self._memory)], default=0) + 1
        self._memory.append((number, packed))
        self._settle()
        self._bound()

    def oldest(self) -> tuple[int, Arrived] | None:
        """The document that came first, with its number; None when none waits. A damaged one is set aside."""
        self._settle()
        while self._disk:
            number = min(self._disk)
            try:
                return number, _unpack(self._path(number).read_bytes())
            except (OSError, ValueError, EOFError, KeyError, zlib.error) as error:
                log.error("%s is damaged (%s): set aside as .damaged", self._path(number), error)
                self._path(number).rename(self._path(number).with_suffix(".damaged"))
                self._forget(number)
        return (self._memory[0][0], _unpack(self._memory[0][1])) if self._memory else None

    def drop(self, number: int) -> None:
        """The document is stored, for good: it must not come back after a power cut, over newer values."""
        if number in self._disk:
            self._path(number).unlink(missing_ok=True)
            sync_folder(self._folder)
        self._forget(number)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012d}.gz"

    def _forget(self, number: int) -> None:
        self._disk.pop(number, None)
        self._memory = [waiting for waiting in self._memory if waiting[0] != number]

    def _settle(self) -> None:
        """Put on the disk what waits in memory, if the disk takes it again."""
        try:
            while self._memory:
                number, packed = self._memory[0]
                write_atomically(self._path(number), packed)
                self._disk[number] = len(packed)
                del self._memory[0]
            self._reason = ""
        except ToolkitError as error:
            if str(error) != self._reason:
                log.error("%s: documents wait in memory", error)
                self._reason = str(error)

    def _bound(self) -> None:
        """Give up the oldest where more waits than may."""
        while sum(self._disk.values()) > self._limit and len(self._disk) > 1:
            self._give_up(min(self._disk), f"more than {self._limit >> 20} MiB wait in {self._folder}")
        while sum(len(packed) for _, packed in self._memory) > MEMORY_BYTES and len(self._memory) > 1:
            self._give_up(self._memory[0][0], f"more than {MEMORY_BYTES >> 20} MiB wait in memory")

    def _give_up(self, number: int, why: str) -> None:
        log.error("%s: the oldest document is given up", why)
        self.drop(number)
        self.given_up += 1


def _unpack(packed: bytes) -> Arrived:
    header, _, body = gzip.decompress(packed).partition(b"\n")
    times = json.loads(header)
    return Arrived(body, float(times["collected"]), float(times["present"]))
