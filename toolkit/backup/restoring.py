"""A restore: a backup is found and checked, then its engine puts it in the place of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit.backup import guide
from toolkit.backup.folder import Backup, Folder
from toolkit.backup.restorer import Restored, restorer_of
from toolkit.backup.snapshots import snapshots_of
from toolkit.database import Database, database
from toolkit.errors import ToolkitError


def restore(
    folder: Folder, name: str, named: Database | str, *, merge: bool = True, zone: str | None = None
) -> Restored:
    """Put a backup in a database's place; on this host nobody may write there meanwhile.

    Args:
        folder: where the backups are.
        name: which one; see `Folder.find`. Or the path of one that the guide's script made.
        named: the database.
        merge: whether observations of the database that is replaced, which the backup has not, are taken over.
        zone: whose local time the guide's times are.

    Raises:
        ToolkitError: it cannot be done; the database is as it was.
    """
    db = database(named)
    with folder.locked(), chosen(folder, name, db, zone) as backup:
        return restorer_of(db).put(folder, backup, db, merge=merge)


@contextmanager
def chosen(folder: Folder, name: str, db: Database, zone: str | None = None) -> Iterator[Backup]:
    """The backup of a name, if it can be put into the database; the folder is locked by the caller.

    Raises:
        ToolkitError: it is none.
    """
    if name.endswith(guide.ENDING):
        with guide.converted(folder, Path(name), zone) as backup:
            yield _fitting(backup, db)
    else:
        yield _fitting(folder.find(name), db)


def _fitting(backup: Backup, db: Database) -> Backup:
    source, held = database(backup.manifest.source), backup.manifest.content
    if source.engine != db.engine:
        raise ToolkitError(
            f"{backup.name} is of {source.label} and {db} is {db.label}: restore it with --db to where it came from, "
            "then weather-tool data export and import"
        )
    if held.schema_version > (known := snapshots_of(db).VERSION):
        raise ToolkitError(
            f"{backup.name} has schema {held.schema_version}, this program knows up to {known}: run the newer release"
        )
    return backup
