"""What the database holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.checks.host.facts import Facts, fact
from toolkit.settings import spool_folder
from toolkit.sources import sources_of

if TYPE_CHECKING:
    from toolkit.store.base import Logged, Store
    from toolkit.store.sources import SourceState

# How long a check waits for a lock of the database.
LOCK_SECONDS = 0.5
# How many lines of the collection log are read.
LOG_LINES = 200
# Of several sources so many for each of them, of at most so many.
MOST_LOGS = 50


class Database(Facts):
    """The database and the spool in front of it."""

    @fact
    def on_server(self) -> bool:
        """Whether the database is on a server, so that no file of this host is the database."""
        return self.settings.db.file is None

    @fact
    def db(self) -> Path:
        """The database's file; of SQLite alone."""
        return Path(str(self.settings.db))

    @property
    def db_folder(self) -> Path | None:
        """The folder of the database's file; None where it is on a server."""
        return None if self.on_server else self.db.parent

    @fact
    def spool(self) -> Path:
        """Where documents wait."""
        return spool_folder(self.settings)

    @fact
    def newest(self) -> str | None:
        """The time of the newest observation, as it is stored; None where there is no observation.

        Raises:
            StoreError: the database cannot be read.
        """
        with self.store() as store:
            return store.newest()

    @fact
    def latest(self) -> dict[str, int]:
        """The time of each station's newest observation, seconds since the epoch, by station.

        Raises:
            StoreError: the database cannot be read.
        """
        with self.store() as store:
            return store.latest_times()

    @fact
    def owners(self) -> dict[str, str | None]:
        """The source to which each station belongs.

        Raises:
            StoreError: the database cannot be read.
        """
        with self.store() as store:
            return store.sources.owners()

    @fact
    def source_states(self) -> dict[str, SourceState]:
        """How each source does that ever told anything or failed, by name.

        Raises:
            StoreError: the database cannot be read.
        """
        with self.store() as store:
            return {one.name: one for one in store.sources.states()}

    @fact
    def log(self) -> list[Logged]:
        """The last lines of the collection log, the newest first.

        Raises:
            StoreError: the database cannot be read.
        """
        with self.store() as store:
            return store.log(LOG_LINES * min(MOST_LOGS, max(1, len(sources_of(self.settings)))))

    def store(self) -> Store:
        """The database, opened to be read.

        Raises:
            StoreError: it cannot be read.
        """
        from toolkit.store import open_for_reading

        return open_for_reading(self.settings.db, LOCK_SECONDS, look=True)
