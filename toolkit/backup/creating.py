"""Making a backup, and reading one back."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from toolkit import __version__, clock, times
from toolkit.backup import packing
from toolkit.backup.folder import PREFIX, Backup, Folder
from toolkit.backup.manifest import SCHEMA, Content, DamagedError, Manifest, last_of
from toolkit.backup.room import SPARE_BYTES, room_for
from toolkit.backup.snapshots import Snapshots, snapshots_of
from toolkit.database import Database, database
from toolkit.errors import ToolkitError, reason
from toolkit.files import free_name
from toolkit.store import StoreError
from toolkit.text import one_line


def create(folder: Folder, named: Database | str) -> Backup:
    """Make a verified backup of a database that may be in use.

    It is a backup only when all of it was read back from the disk and holds what the database held at that moment.

    Raises:
        ToolkitError: there is none; those that were there before are as they were.
    """
    db = database(named)
    its = snapshots_of(db)
    size = its.size_bytes(db)
    with folder.locked():
        began = time.time()
        others, _ = folder.look(began)
        _require_space(folder.path, room_for(size, others))
        copy, packed = folder.scratch("copy"), folder.scratch("packed")
        try:
            held = its.snapshot(db, copy)
            with ThreadPoolExecutor(1) as pool:
                looking = pool.submit(_compare, its, copy, held, f"the database {db}")
                sha256 = packing.pack(copy, packed)
                # The frame's checksum proves that it is the copy which is being compared.
                packing.unpack(packed, Path("/dev/null"), sha256, copy.stat().st_size)
                looking.result()
            moment = times.from_epoch(_dated(began, held, others))
            made = Manifest(
                schema=SCHEMA,
                file=free_name(folder.path, f"{PREFIX}%Y%m%d_%H%M%S{its.ENDING}", moment).name,
                created_at=times.iso(moment),
                host=one_line(platform.node()),
                source=one_line(str(db), 4096),
                sha256=sha256,
                bytes=packed.stat().st_size,
                bytes_unpacked=copy.stat().st_size,
                content=held,
                program_version=__version__,
            )
            return folder.put(made, packed)
        except OSError as error:
            raise ToolkitError(f"cannot write a backup to {folder.path}: {reason(error)}") from error
        finally:
            for left in (copy, packed):
                left.unlink(missing_ok=True)


def _dated(host: float, held: Content, others: Sequence[Backup]) -> float:
    """The date of a backup: the host's clock, or if that is before this release, after everything that is known."""
    if not clock.refuted(host, None):
        return host
    known = [last_of(held), *(one.manifest.created + 1 for one in others), *(one.manifest.last for one in others)]
    return max([clock.RELEASED, *(one for one in known if one is not None)])


def verify(folder: Folder, backup: Backup) -> None:
    """Read all of a backup back, and look at every page of it; the folder is locked by the caller.

    Raises:
        DamagedError: it is not what it was.
        ToolkitError: it cannot be told.
    """
    scratch = folder.scratch("verify")
    try:
        unpack(backup, scratch, every_page=True)
    finally:
        scratch.unlink(missing_ok=True)


def unpack(backup: Backup, to: Path, *, every_page: bool = False) -> None:
    """Put a backup's snapshot into a file, which is byte for byte the one that was verified when the backup was made.

    Args:
        backup: which.
        to: the file.
        every_page: whether every page of it is looked at again.

    Raises:
        DamagedError: it is not what it was.
        ToolkitError: there is no room for it.
    """
    packing.require_size(backup.path, backup.manifest.bytes_unpacked)
    _require_space(to.parent, backup.manifest.bytes_unpacked)
    packing.unpack(backup.path, to, backup.manifest.sha256, backup.manifest.bytes_unpacked)
    _compare(snapshots_of(backup.manifest.source), to, backup.manifest.content, backup.name, every_page=every_page)


def _compare(its: Snapshots, copy: Path, held: Content, what: str, *, every_page: bool = True) -> None:
    try:
        found = its.inspect(copy, every_page=every_page)
    except StoreError as error:
        raise DamagedError(f"{what} is damaged: {error}") from None
    for name, is_, was in zip(Content._fields, found, held, strict=True):
        if is_ != was:
            raise DamagedError(f"{what} is not what was expected: {name} is {is_}, not {was}")


def _require_space(path: Path, needed: float) -> None:
    free = max(0, shutil.disk_usage(path).free - SPARE_BYTES)
    if free < needed:
        raise ToolkitError(
            f"{path} has room for {free / 1e6:,.0f} MB, this needs {needed / 1e6:,.0f} MB: make room first"
        )
