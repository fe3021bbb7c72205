"""The drill: a backup is restored into a scratch database and used; a record of it is kept beside the backups."""

from __future__ import annotations

import time

from toolkit import times
from toolkit.backup import offsite, restoring
from toolkit.backup.drill_record import Drill, keep
from toolkit.backup.folder import Folder
from toolkit.backup.restorer import restorer_of
from toolkit.errors import ToolkitError
from toolkit.settings import Settings
from toolkit.store import open_for_reading


def drill(folder: Folder, name: str, settings: Settings) -> Drill:
    """Restore a backup into a scratch database, run a detection on it, and record the result.

    Raises:
        ToolkitError: the backup cannot be restored, or the off-site copies are not whole. This is recorded, too. If
            another process is at work in the folder, there is no drill, and the record stays as it is.
    """
    with folder.locked():
        began, done = time.monotonic(), Drill()
        try:
            _restore_and_detect(folder, name, settings, done)
            if copies := offsite.configured(settings):
                done.offsite = False
                copies.check()
                done.offsite = True
        except BaseException as error:
            done.wrong = str(error) if isinstance(error, ToolkitError) else "it was ended before it was done"
            raise
        finally:
            done.seconds = round(time.monotonic() - began, 3)
            done.ended_at = times.iso(times.now())
            keep(folder.path, done)
    return done


def _restore_and_detect(folder: Folder, name: str, settings: Settings, done: Drill) -> None:
    from toolkit.detector.run import detect  # numpy takes longer than all else to start

    began = time.monotonic()
    with restoring.chosen(folder, name, settings.db) as backup:
        held = backup.manifest.content
        done.backup, done.backup_at = backup.name, backup.manifest.created_at
        with restorer_of(settings.db).scratch(folder, backup, settings.db) as scratch:
            done.restore_seconds = round(time.monotonic() - began, 3)
            done.observations = held.observations
            if last := backup.manifest.last:
                with open_for_reading(scratch) as store:
                    report = detect(store, settings, last)
                done.anomalies = len(report.anomalies)
