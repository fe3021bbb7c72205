"""The inbox of a source that stations push to: a folder beside its spool, with files of reports in their order.

The receiver writes a file, waits for the disk, and only then answers the stations; the collector removes the file when
its reports are stored or in the spool. Either may end at any moment: at worst a file is read twice, which changes
nothing.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from toolkit.errors import reason
from toolkit.feed.failures import Failures
from toolkit.feed.fetch import Fetched
from toolkit.files import sync_folder
from toolkit.sources import Source, spool_of

log = logging.getLogger(__name__)

# The reports of so many bytes are stored at once.
AT_ONCE = 1 << 20
# A file that is larger is not the receiver's.
LARGEST = 16 << 20
_NAME = re.compile(r"(\d{12})\.reports")


def inbox_of(source: Source) -> Path:
    """The folder of a source's reports that are not taken yet."""
    return spool_of(source) / "inbox"


def file_of(folder: Path, number: int) -> Path:
    """The file of a number, which goes up."""
    return folder / f"{number:012d}.reports"


def waiting(folder: Path) -> list[tuple[int, int]]:
    """The number and the size in bytes of each file that waits, in order; none where there is no folder yet."""
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if match := _NAME.fullmatch(entry.name):
                with suppress(FileNotFoundError):  # taken meanwhile
                    found.append((int(match[1]), entry.stat(follow_symlinks=False).st_size))
    return sorted(found)


class Inbox:
    """Takes the reports of an inbox; see `collector.cycle.Documents`.

    Attributes:
        shown: the source's address, for people.
        advance: is called when something has come.
    """

    single = True

    def __init__(self, address: str, folder: Path) -> None:
        self.shown = address
        self.advance: Callable[[], None] = lambda: None
        self._folder = folder
        self._taken: list[int] = []

    def batches(self, failures: Failures) -> Iterator[Sequence[Fetched]]:
        """What has come, in parts."""
        failures.asked = 1
        for numbers in _parts(waiting(self._folder)):
            self.advance()
            if body := b"".join(map(self._read, numbers)):
                self._taken = numbers
                fetched = Fetched(body, None, None, 0, {}, url=f"{self.shown} {numbers[0]}")
                yield [fetched]
                if fetched.url in failures.unread:  # nor can it be ever
                    self.acknowledge(fetched)

    def acknowledge(self, _document: Fetched) -> None:
        """What was taken last is stored or in the spool."""
        try:
            for number in self._taken:
                file_of(self._folder, number).unlink(missing_ok=True)
            sync_folder(self._folder)
        except OSError as error:  # they are taken once more, which changes nothing
            log.error("cannot remove reports from %s, which are stored: %s", self._folder, reason(error))

    def _read(self, number: int) -> bytes:
        """The reports of a file; one that cannot be read is set aside for a person to look at."""
        path = file_of(self._folder, number)
        try:
            # Neither wait for a pipe nor follow a link that somebody put in its place.
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
                    raise OSError(0, "it is no file of reports")
                return file.read()
        except OSError as error:
            log.error("%s: %s; set aside as .damaged", path, reason(error))
            with suppress(OSError):
                path.rename(path.with_suffix(".damaged"))
            return b""


def _parts(files: list[tuple[int, int]]) -> Iterator[list[int]]:
    """The numbers of files that are stored at once."""
    part: list[int] = []
    length = 0
    for number, size in files:
        if part and length + size > AT_ONCE:
            yield part
            part, length = [], 0
        part.append(number)
        length += size
    if part:
        yield part
