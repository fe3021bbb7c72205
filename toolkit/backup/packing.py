"""Packing by Zstandard: fast enough for a small board, with a checksum of the content in every frame."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import zstandard

from toolkit.backup.manifest import DamagedError

LEVEL = 3
CHUNK = 1 << 20


class _Hashing:
    """A file that is hashed as it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return self._file.write(data)


def pack(source: Path, to: Path) -> str:
    """Pack a file, on the disk when it returns; its SHA-256."""
    packer = zstandard.ZstdCompressor(level=LEVEL, threads=-1, write_checksum=True)
    with source.open("rb") as unpacked, to.open("wb") as file:
        hashing = _Hashing(file)
        packer.copy_stream(unpacked, hashing, size=source.stat().st_size)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
        # What is read back is to come from the disk.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return hashing.sha256.hexdigest()


def unpack(packed: Path, to: Path, sha256: str) -> None:
    """Unpack a file, and make sure that it was packed as its SHA-256 says.

    Raises:
        DamagedError: it is not what was packed.
    """
    digest = hashlib.sha256()
    try:
        with packed.open("rb") as file, to.open("wb") as unpacked:
            writer = zstandard.ZstdDecompressor().stream_writer(unpacked, closefd=False)
            while data := file.read(CHUNK):
                digest.update(data)
                writer.write(data)
    except (OSError, zstandard.ZstdError) as error:
        raise DamagedError(f"{packed.name} cannot be unpacked: {error}") from None
    if digest.hexdigest() != sha256:
        raise DamagedError(f"{packed.name} is not what was written: its SHA-256 differs from its manifest's")
