"""The spool: where documents wait, in order, while the store cannot take them.

It is a folder with a numbered, compressed file for each document, written atomically; each source of several has one
of its own within it, so that a source that floods takes no room of others. When the disk cannot take them
either, short documents that would not come again wait in memory. Both are bounded: the oldest document is given up
first, logged as an error and counted.

A document that can never be stored is set aside, so that those after it are stored: as `.damaged` if it cannot be
read, as `.refused` if the store does not accept its content. It stays in the folder for a person to look at. What is
set aside is bounded as well; the oldest is removed first.
"""

from __future__ import annotations

import fcntl
import gzip
import io
import json
import logging
import os
import re
import stat
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from toolkit.content import CHUNK, IN_MEMORY, Content, as_file, length_of, new_content
from toolkit.errors import InUseError, ToolkitError, reason
from toolkit.files import sync_folder, write_atomically
from toolkit.sources import ONLY
from toolkit.store import StoreError
from toolkit.text import one_line

log = logging.getLogger(__name__)

MEMORY_BYTES = 8 << 20
DAMAGED, REFUSED = "damaged", "refused"
SET_ASIDE = 100
# Numbers go up by one and never reach this; a file with a higher one is not ours.
LAST = 10**11
LATEST = 253_402_300_800  # the year 10000
HEADER_BYTES = 16 << 10
_NAME = re.compile(rf"(\d{{12}})\.(gz|{DAMAGED}|{REFUSED})")


class NotKeptError(StoreError):
    """A document is neither stored nor in the spool."""


class RawDocument(NamedTuple):
    """A document as it was fetched.

    Attributes:
        content: the document.
        collected: when it was fetched, seconds since the epoch.
        present: the same as `clock.present` determined it; see `quality.admission`.
        format, records, fields, prefix: the feed's format, entries, fields and the prefix of its ids, as the settings
            named them then; empty if an older release wrote the file.
        station: the id of the station that it is of, where the address says that.
    """

    content: Content
    collected: float
    present: float
    format: str = ""
    records: str = ""
    fields: str = ""
    prefix: str = ""
    station: str = ""


def waiting(folder: Path) -> list[Path]:
    """The files of the documents of all sources that wait, the oldest of each first; for whoever has not its lock."""
    found = [*sorted(folder.glob("*.gz")), *sorted(folder.glob("*/*.gz"))]
    return [path for path in found if (name := _NAME.fullmatch(path.name)) and int(name[1]) < LAST]


def waiting_by_source(folder: Path) -> Counter[str]:
    """How many documents of each source wait."""
    return Counter(ONLY if one.parent == folder else one.parent.name for one in waiting(folder))


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of the spool, which keeps a second collector away from it and from the store.

    Raises:
        ToolkitError: the folder cannot be made or written, or (InUseError) another collector has it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("a+", encoding="ascii", errors="replace")
    except OSError as error:
        raise ToolkitError(f"the spool {folder} cannot be used: {reason(error)}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            other = one_line(lock.read(20))
            raise InUseError(f"another collector (process {other}) has the spool {folder}: stop it first") from None
        try:
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
        except OSError as error:
            raise ToolkitError(f"the spool {folder} cannot be used: {reason(error)}") from error
        yield


class Spool:
    """The documents of a source that wait.

    Attributes:
        given_up: how many documents had to be given up since this was last set to 0.
        set_aside_counts: how many were set aside since this was last cleared, by the reason that is counted.
    """

    def __init__(
        self, folder: Path, limit_bytes: int, largest: int = 1 << 30, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        """Open the folder; it is made if it does not exist.

        Args:
            folder: of the source.
            limit_bytes: how much may wait on the disk, compressed.
            largest: documents that are larger are damaged, in bytes.
            memory_bytes: how much may wait in memory, compressed; 0 for documents that come again until they are kept.

        Raises:
            ToolkitError: it cannot be made or written.
        """
        self._folder = folder
        self._limit = limit_bytes
        self._largest = largest
        self._memory_limit = memory_bytes
        self._memory: list[tuple[int, bytes]] = []
        self._reason = ""
        self.given_up = 0
        self.set_aside_counts: Counter[str] = Counter()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._disk, self._last = self._found()
        except OSError as error:
            raise ToolkitError(f"the spool {folder} cannot be used: {reason(error)}") from error

    def _found(self) -> tuple[dict[int, int], int]:
        """The sizes in bytes of the documents on the disk, by number, and the highest number in use."""
        for partial in self._folder.glob(".*.gz.*"):  # others write here, too
            with suppress(OSError):  # it is not ours, and does no harm
                partial.unlink()
        found, last = {}, 0
        for path, number, kind in self._files():
            if number < LAST:
                last = max(last, number)
                if kind == "gz":
                    found[number] = path.lstat().st_size
        return found, last

    def _files(self) -> Iterator[tuple[Path, int, str]]:
        for path in sorted(self._folder.iterdir()):
            if match := _NAME.fullmatch(path.name):
                yield path, int(match[1]), match[2]

    def close(self) -> None:
        """Documents that wait in memory are lost if the disk still does not take them, which is logged."""
        self._flush_memory()
        if self._memory:
            log.error("%d documents that no disk would take are lost", len(self._memory))

    def __len__(self) -> int:
        return len(self._disk) + len(self._memory)

    @property
    def in_memory(self) -> int:
        """How many of the documents wait in memory alone: they are lost if the process ends now."""
        return len(self._memory)

    def put(self, raw: RawDocument) -> int:
        """Add a document. When this returns it is on the disk, or in memory if the disk is full or broken.

        Returns:
            The document's number.

        Raises:
            NotKeptError: it is neither, for it may not wait in memory, or is too long to.
        """
        self._last += 1
        number = self._last
        if length_of(raw.content) > IN_MEMORY or not self._memory_limit:
            self._flush_memory()
            self._write(number, raw)
        else:
            self._memory.append((number, b"".join(_packed(raw))))
            self._flush_memory()
        self._enforce_limit()
        return number

    def _write(self, number: int, raw: RawDocument) -> None:
        """Write a document that cannot wait in memory.

        Raises:
            NotKeptError: the disk does not take it.
        """
        try:
            write_atomically(self._path(number), _packed(raw))
            self._disk[number] = self._path(number).stat().st_size
        except (ToolkitError, OSError) as error:
            length = length_of(raw.content)
            size = f"{length >> 20} MiB" if length > IN_MEMORY else f"{length:,} bytes"
            raise NotKeptError(f"{error}: a document of {size} is not kept, and is to come again") from error

    def oldest(self) -> tuple[int, RawDocument] | None:
        """The oldest document, with its number; None if none waits. Those that cannot be read are set aside.

        Raises:
            StoreError: the disk does not take one that is long, unpacked.
        """
        self._flush_memory()
        while self._disk:
            number = min(self._disk)
            try:
                with self._opened(number) as packed:
                    return number, self._unpack(packed)
            except (OSError, ValueError, EOFError, KeyError, TypeError, RecursionError, zlib.error) as error:
                self.set_aside(number, DAMAGED, one_line(str(error)) or type(error).__name__)
        return (self._memory[0][0], self._unpack(io.BytesIO(self._memory[0][1]))) if self._memory else None

    @contextmanager
    def _opened(self, number: int) -> Iterator[BinaryIO]:
        # Neither wait for a pipe nor follow a link that somebody put in its place.
        file = os.open(self._path(number), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(file, "rb") as opened:  # noqa: PTH123 - a descriptor
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise ValueError("it is no file")
            yield opened

    def _unpack(self, packed: BinaryIO) -> RawDocument:
        with gzip.GzipFile(fileobj=packed) as file:
            fields = json.loads(file.readline(HEADER_BYTES))
            collected, present = float(fields["collected"]), float(fields["present"])
            if not (0 <= collected < LATEST and 0 <= present < LATEST):
                raise ValueError("it does not say when it came")
            content, length = new_content(self._folder), 0
            while chunk := file.read(CHUNK):
                length += len(chunk)
                if length > self._largest:
                    raise ValueError(f"it is larger than {self._largest >> 20} MiB")
                self._add(content, chunk)
            self._add(content, b"")
        as_of = (str(fields.get(name, "")) for name in ("format", "records", "fields", "prefix", "station"))
        return RawDocument(content if length > IN_MEMORY else as_file(content).read(), collected, present, *as_of)

    def _add(self, content: BinaryIO, chunk: bytes) -> None:
        try:
            content.write(chunk)
            if not chunk:
                content.flush()
        except OSError as error:
            why = f"{self._folder} does not take a document that waits, unpacked: {reason(error)}"
            raise StoreError(why) from error

    def remove(self, number: int) -> None:
        """Remove a document that is stored. It must not come back after a power cut and replace newer values."""
        if number in self._disk:
            try:
                self._path(number).unlink(missing_ok=True)
                sync_folder(self._folder)
            except OSError as error:
                log.error("cannot remove %s, which is stored: %s", self._path(number), reason(error))
        self._forget(number)

    def set_aside(self, number: int, kind: str, why: str) -> None:
        """Set aside a document that can never be stored, for a person to look at."""
        path = self._path(number)
        self.set_aside_counts[f"document set aside as {kind}"] += 1
        try:
            path.rename(path.with_suffix(f".{kind}"))
            log.error("%s: %s; set aside as .%s", path, why, kind)
        except OSError as error:
            log.error("%s: %s; it cannot be set aside: %s", path, why, reason(error))
        self._forget(number)
        self._enforce_limit_aside()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012d}.gz"

    def _forget(self, number: int) -> None:
        self._disk.pop(number, None)
        self._memory = [waiting for waiting in self._memory if waiting[0] != number]

    def _flush_memory(self) -> None:
        """Write the documents that wait in memory to the disk, as far as it takes them."""
        try:
            while self._memory:
                number, packed = self._memory[0]
                write_atomically(self._path(number), packed)
                self._disk[number] = len(packed)
                del self._memory[0]
            self._reason = ""
        except ToolkitError as error:
            if str(error) != self._reason:
                log.error("%s: documents wait in memory, and are lost if the collector ends before it is well", error)
                self._reason = str(error)

    def _enforce_limit(self) -> None:
        """Give up the oldest documents if more wait than are allowed to."""
        while sum(self._disk.values()) > self._limit and len(self._disk) > 1:
            self._give_up(min(self._disk), f"more than {self._limit >> 20} MiB wait in {self._folder}")
        while sum(len(packed) for _, packed in self._memory) > self._memory_limit and len(self._memory) > 1:
            self._give_up(self._memory[0][0], f"more than {self._memory_limit >> 20} MiB wait in memory")

    def _enforce_limit_aside(self) -> None:
        """Remove the oldest of the documents that were set aside if there are too many, or if they are too large."""
        with suppress(OSError):
            aside = [path for path, _, kind in self._files() if kind != "gz"]
            sizes = [path.lstat().st_size for path in aside]
            while aside and (len(aside) > SET_ASIDE or sum(sizes) > self._limit):
                sizes.pop(0)
                with suppress(OSError):
                    aside.pop(0).unlink()

    def _give_up(self, number: int, why: str) -> None:
        log.error("%s: the oldest document is given up", why)
        self.remove(number)
        self.given_up += 1


def _packed(raw: RawDocument) -> Iterator[bytes]:
    """The content of a document's file, piece by piece: a line that says what it is, and the document."""
    header = {name: value for name, value in raw._asdict().items() if name != "content" and value != ""}
    packing = zlib.compressobj(level=1, wbits=31)
    yield packing.compress(json.dumps(header).encode() + b"\n")
    file = as_file(raw.content)
    while chunk := file.read(CHUNK):
        yield packing.compress(chunk)
    yield packing.flush()
