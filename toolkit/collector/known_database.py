"""Whether the database existed before: one that has disappeared is reported, and no empty one takes its place.

The collector writes into its spool which database it stores into. If the spool has disappeared as well, with its disk
for instance, a backup of that database is the evidence.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.files import write_atomically
from toolkit.settings import Settings, spool_folder
from toolkit.store import Store, StoreGoneError, open_for_writing

RESTORE = "weather-tool restore LATEST"
ANEW = "weather-tool data new"


def is_known(settings: Settings) -> bool:
    """Whether the database that the settings name existed before. A new name is a new database."""
    with suppress(OSError, ValueError):
        if _record_of(settings).read_text(encoding="utf-8") == str(settings.db):
            return True
    # Imported where it is needed: for a database that is gone. The collector's memory is small.
    from toolkit.backup.folder import Folder

    with suppress(ToolkitError, OSError):
        return any(one.manifest.source == str(settings.db) for one in Folder(settings.backups).look()[0])
    return False


def open_store(settings: Settings) -> Store:
    """The store, open for writing; it is made if it never existed.

    Raises:
        StoreGoneError: it has disappeared, or is empty and was not before; the message says what a person can do.
        StoreError: it cannot be made or written at present.
    """
    try:
        return open_for_writing(settings.db, begin=False)
    except StoreGoneError as error:
        if is_known(settings):
            raise StoreGoneError(
                f"{error}, and there were observations in it; none is made in its place unasked. "
                f"To get them back: {RESTORE}; to begin with none: {ANEW}"
            ) from None
    return open_for_writing(settings.db)


def remember(settings: Settings) -> None:
    """Write down that the database exists.

    Raises:
        ToolkitError: it cannot be written down.
    """
    with suppress(OSError, ValueError):
        if _record_of(settings).read_text(encoding="utf-8") == str(settings.db):
            return
    write_atomically(_record_of(settings), str(settings.db))


def _record_of(settings: Settings) -> Path:
    return spool_folder(settings) / "database"
