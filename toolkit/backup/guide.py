"""Backups that the guide's script made: `weather_YYYYMMDD_HHMMSS.db.gz`, a database packed by gzip."""

from __future__ import annotations

import gzip
import logging
import os
import re
import shutil
import sqlite3
import stat
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from toolkit.archive import reading
from toolkit.archive.importing import import_file
from toolkit.archive.localtime import LocalTimes, host_zone, zone_named
from toolkit.backup import creating
from toolkit.backup.folder import SCRATCH, Backup, Folder
from toolkit.backup.manifest import DamagedError
from toolkit.backup.packing import CHUNK, Bounded, written
from toolkit.backup.room import SPARE_BYTES
from toolkit.backup.sqlite.snapshot import bound
from toolkit.errors import ToolkitError, reason
from toolkit.store import open_for_writing

ENDING = ".db.gz"
_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL", re.IGNORECASE)
logger = logging.getLogger(__name__)


@contextmanager
def converted(folder: Folder, name: Path, zone: str | None) -> Iterator[Backup]:
    """A backup of this program with the same content, for as long as the context lasts.

    The guide's collector wrote its host's local time. A database of this program that was packed in the same way has
    UTC, and stays as it is.

    Args:
        folder: where it is, unless `name` has a folder in it; scratch goes there.
        name: of the packed database.
        zone: the name of that host's time zone; None is this host's.

    Raises:
        DamagedError: it is not whole.
        ToolkitError: it cannot be read, or is no weather database.
    """
    path = name if len(name.parts) > 1 else folder.path / name
    with TemporaryDirectory(prefix=SCRATCH, dir=folder.path) as scratch:
        found, ours = Path(scratch, "found.db"), Path(scratch, "ours.db")
        _unpack(path, found)
        _require_sound(path, found)
        if reading.is_ours(found):
            ours = found
        else:
            named = zone_named(zone) if zone else host_zone()
            logger.info("%s: its times are taken for those of %s; --timezone says otherwise", path.name, named.key)
            with open_for_writing(str(ours)) as store:
                done = import_file(store, found, replace=False, local=LocalTimes(named))
            if done.left_out:
                counted = ", ".join(f"{number} x {why}" for why, number in sorted(done.left_out.items()))
                logger.warning("%s: left out: %s", path.name, counted)
            if not any(done.stored):
                raise ToolkitError(f"{path} holds no observation")
        made = creating.create(Folder(str(Path(scratch, "backups"))), str(ours))
        yield replace(made, manifest=replace(made.manifest, file=path.name))


def _unpack(path: Path, to: Path) -> None:
    free = max(0, shutil.disk_usage(to.parent).free - SPARE_BYTES)
    try:
        with path.open("rb") as packed:
            if not stat.S_ISREG(os.fstat(packed.fileno()).st_mode):
                raise ToolkitError(f"{path} is no file")
            with gzip.open(packed, "rb") as content, written(to) as file:
                shutil.copyfileobj(
                    content, Bounded(file, free, f"{path} unpacks to more than there is room for"), CHUNK
                )
    except FileNotFoundError:
        raise ToolkitError(f"there is no backup {path}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DamagedError(f"{path} is damaged: {error}") from None
    except OSError as error:
        raise ToolkitError(f"cannot read {path}: {reason(error)}") from error


def _require_sound(path: Path, found: Path) -> None:
    """Verify a database that anybody may have made, without running anything in it.

    Raises:
        DamagedError: it is not whole, or no weather database.
    """
    try:
        ours = reading.is_ours(found)
        with closing(sqlite3.connect(f"{found.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            bound(connection)
            rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
            tables = [name for name, sql in rows if not _VIRTUAL.match(str(sql))]
            if not ours and not {"stations", "observations"} <= {*tables}:
                raise DamagedError(f"{path} holds no weather database: it has no tables stations and observations")
            (result,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if not ours:
                connection.execute("SELECT time, station_id FROM observations LIMIT 1")
                connection.execute("SELECT station_id FROM stations LIMIT 1")
    except sqlite3.Error as error:
        raise DamagedError(f"{path} holds no weather database that can be read: {error}") from None
    if result != "ok":
        raise DamagedError(f"{path} is damaged: {' '.join(str(result).split())}")
