"""The content of a document: in memory while it is short, then in a file that has no name and goes with its process."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

# The longest document that is held in memory, in bytes.
IN_MEMORY = 1 << 20
# So much of a longer one is copied at once, in bytes.
CHUNK = 64 << 10

Content = bytes | BinaryIO


class _Content(SpooledTemporaryFile[bytes]):
    def __del__(self) -> None:
        self.close()  # without the warning that nobody did


def new_content(folder: Path | None) -> BinaryIO:
    """An empty one, to be written; when it has become long it is in a folder, by default that for temporary files."""
    return cast("BinaryIO", _Content(max_size=IN_MEMORY, dir=None if folder is None else str(folder)))


def as_file(content: Content) -> BinaryIO:
    """A document as a file, at its beginning."""
    if isinstance(content, bytes):
        return io.BytesIO(content)
    content.seek(0)
    return content


def length_of(content: Content) -> int:
    """How long a document is, in bytes."""
    return len(content) if isinstance(content, bytes) else content.seek(0, io.SEEK_END)
