"""Packing by Zstandard: fast enough for a small board, with a checksum of the content in every frame."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import zstandard

from toolkit.backup.manifest import DamagedError
from toolkit.errors import ToolkitError, reason

LEVEL = 3
CHUNK = 1 << 20
# Packing at this level needs 2 MiB; a frame that asks for more than this was not packed here.
LARGEST_WINDOW = 1 << 24
# The largest header of a frame (RFC 8878).
HEADER_BYTES = 18


class _Hashing:
    """A file that is hashed as it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return self._file.write(data)


def pack(source: Path, to: Path) -> str:
    """Pack a file; returns the SHA-256 of what is then on the disk."""
    packer = zstandard.ZstdCompressor(level=LEVEL, threads=-1, write_checksum=True)
    with source.open("rb") as unpacked, to.open("wb") as file:
        hashing = _Hashing(file)
        packer.copy_stream(unpacked, hashing, size=source.stat().st_size)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
        # So that reading it back reads the disk.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return hashing.sha256.hexdigest()


def unpack(packed: Path, to: Path, sha256: str, size: int) -> None:
    """Unpack a file, and make sure that it was packed as its SHA-256 says.

    Raises:
        DamagedError: it is not what was packed, or unpacks to more than `size` bytes.
        ToolkitError: it cannot be read, or there is no room for it.
    """
    digest = hashlib.sha256()
    try:
        file = packed.open("rb")
    except OSError as error:
        raise ToolkitError(f"cannot read {packed}: {reason(error)}") from error
    with file, written(to) as unpacked:
        bounded = Bounded(unpacked, size, f"{packed.name} unpacks to more than the {size} bytes that its manifest says")
        unpacker = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
        writer = unpacker.stream_writer(bounded, closefd=False)  # type: ignore[arg-type]
        while data := _read(file, packed):
            digest.update(data)
            try:
                writer.write(data)
            except zstandard.ZstdError as error:
                raise DamagedError(f"{packed.name} cannot be unpacked: {error}") from None
    if digest.hexdigest() != sha256:
        raise DamagedError(f"{packed.name} is not what was written: its SHA-256 differs from its manifest's")


def require_size(packed: Path, size: int) -> None:
    """Make sure that a packed file's own header says `size` bytes, before room is made for them.

    Raises:
        DamagedError: it says something else, or nothing.
        ToolkitError: it cannot be read.
    """
    try:
        with packed.open("rb") as file:
            said = zstandard.frame_content_size(file.read(HEADER_BYTES))
    except OSError as error:
        raise ToolkitError(f"cannot read {packed}: {reason(error)}") from error
    except zstandard.ZstdError as error:
        raise DamagedError(f"{packed.name} cannot be unpacked: {error}") from None
    if said != size:
        raise DamagedError(f"{packed.name} does not unpack to the {size} bytes that its manifest says")


def _read(file: BinaryIO, packed: Path) -> bytes:
    try:
        return file.read(CHUNK)
    except OSError as error:
        raise DamagedError(f"{packed.name} cannot be read: {reason(error)}") from None


class Bounded:
    """A file that takes a bounded number of bytes."""

    def __init__(self, file: BinaryIO, most: float, otherwise: str) -> None:
        self._file, self._left, self._otherwise = file, most, otherwise

    def write(self, data: bytes) -> int:
        """As a file does.

        Raises:
            DamagedError: it is more.
        """
        self._left -= len(data)
        if self._left < 0:
            raise DamagedError(self._otherwise)
        return self._file.write(data)


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """A file to unpack into.

    Raises:
        ToolkitError: it cannot be written, such as on a full disk: that is not the backup's fault.
    """
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise ToolkitError(f"cannot unpack into {path.parent}: {reason(error)}") from error
