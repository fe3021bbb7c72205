"""Whether a database was begun before: one that is gone is missed then, and none is made in its place unasked.

The collector notes in its spool which database it stores into. Where the spool is gone as well, say with its disk, a
backup of that database tells the same.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from toolkit.backup.folder import Folder
from toolkit.errors import ToolkitError
from toolkit.files import write_atomically
from toolkit.settings import Settings, spool_folder
from toolkit.store import Store, StoreGoneError, open_for_writing

RESTORE = "weather-tool restore LATEST"
ANEW = "weather-tool data new"


def is_known(settings: Settings) -> bool:
    """Whether there was a database where the settings name one. Another name is another database: it may begin."""
    with suppress(OSError, ValueError):
        if _mark(settings).read_text(encoding="utf-8") == settings.db:
            return True
    with suppress(ToolkitError, OSError):
        return any(one.manifest.source == settings.db for one in Folder(settings.backups).look()[0])
    return False


def open_store(settings: Settings) -> Store:
    """The store, for writing; made where there never was one.

    Raises:
        StoreGoneError: it is gone, or empty, and was not: what a person may do about it.
        StoreError: it cannot be made or written just now.
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
    """Note that there is a database.

    Raises:
        ToolkitError: it cannot be noted.
    """
    with suppress(OSError, ValueError):
        if _mark(settings).read_text(encoding="utf-8") == settings.db:
            return
    write_atomically(_mark(settings), settings.db)


def _mark(settings: Settings) -> Path:
    return spool_folder(settings) / "database"
