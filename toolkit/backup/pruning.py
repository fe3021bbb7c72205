"""Which backups are kept: the newest of each of the last days, weeks and months, as restic and borg keep them."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from toolkit import clock, times
from toolkit.backup.creating import verify
from toolkit.backup.folder import Backup, Damaged, Folder, ahead
from toolkit.backup.manifest import DamagedError
from toolkit.errors import ToolkitError, reason


class Keep(NamedTuple):
    """For how many days, weeks and months (UTC) a backup is kept; periods without a backup do not count."""

    daily: int
    weekly: int
    monthly: int


class Pruned(NamedTuple):
    """The backups that were kept, removed, and left alone because they are damaged or dated in the future."""

    kept: list[Backup]
    removed: list[Backup]
    damaged: list[Backup | Damaged]
    ahead: list[Backup]


_PERIODS: tuple[Callable[[datetime], tuple[int, ...]], ...] = (
    lambda at: (at.year, at.month, at.day),
    lambda at: at.isocalendar()[:2],
    lambda at: (at.year, at.month),
)


def prune(folder: Folder, keep: Keep, *, made: Backup | None = None, dry_run: bool = False) -> Pruned:
    """Remove the backups that need not be kept; the folder is locked by the caller.

    What is damaged or dated in the future counts for nothing and is left for people to look at. Whatever the numbers
    say, the newest that is whole stays, and all of it is read back before another is removed. So does the last one that
    was made: after a restore that discarded observations, or of a new database, it holds less than others do. And so
    does the newest of the schema before the present one, which a release that is gone back to needs.

    Args:
        folder: of the backups.
        keep: how many.
        made: what was verified and made just now, if anything was.
        dry_run: whether nothing is removed.

    Raises:
        ToolkitError: the host's clock is behind what is kept, or the newest cannot be read back; nothing is removed.
    """
    now = time.time()
    whole, wrong = folder.look(now)
    clock.require_agreement(now, newest_known(whole, now))
    damaged: list[Backup | Damaged] = [*wrong]
    while whole and whole[0] != made and not _restorable(folder, whole[0]):
        damaged.append(whole.pop(0))
    future = [one for one in whole[1:] if ahead(one, now)]
    damaged += [one for one in future if not _as_written(one)]
    dated = [one for one in whole if one not in future]
    wanted = kept_of(dated, keep, doubted_after(whole))
    last = made or max(dated, key=lambda one: (one.manifest.created, one.name), default=None)
    kept = [one for one in dated if one in wanted or one in (last, _of_schema_before(dated))]
    removed = [one for one in dated if one not in kept]
    if not dry_run:
        for one in removed:
            folder.remove(one)
    return Pruned(kept, removed, damaged, [one for one in future if one not in damaged])


def _of_schema_before(backups: Sequence[Backup]) -> Backup | None:
    """The newest backup with the latest schema but one; None where all have the same."""
    schemas = sorted({one.manifest.content.schema_version for one in backups})
    return next((one for one in backups if [one.manifest.content.schema_version] == schemas[-2:-1]), None)


def newest_known(backups: Sequence[Backup], now: float) -> float | None:
    """The latest time of an observation in a backup, or of a backup, but for those that are far in the future."""
    known = [moment for one in backups for moment in (one.manifest.last, one.manifest.created) if moment is not None]
    return max((one for one in known if clock.refuted(now, None) or one - now <= clock.BELIEVED_SECONDS), default=None)


def kept_of(backups: Sequence[Backup], keep: Keep, doubted: float = math.inf) -> list[Backup]:
    """Those to be kept, of backups that are whole, the newest first; see `places_kept`."""
    return [backups[place] for place in places_kept([one.manifest.created for one in backups], keep, doubted)]


def places_kept(moments: Sequence[float], keep: Keep, doubted: float) -> list[int]:
    """The places of those to be kept, of moments in seconds since the epoch, the newest first.

    Moments after `doubted` count apart: a clock that is ahead costs none of the days before.
    """
    kept = {0} if moments else set()
    for late in (False, True):
        dates = [(place, times.from_epoch(one)) for place, one in enumerate(moments) if (one > doubted) is late]
        for number, period in zip(keep, _PERIODS, strict=True):
            seen: set[tuple[int, ...]] = set()
            for place, at in dates:
                if period(at) not in seen and len(seen) < number:
                    seen.add(period(at))
                    kept.add(place)
    return sorted(kept)


def doubted_after(backups: Sequence[Backup]) -> float:
    """The time after which the dates of backups are doubted, because the clock may be ahead: a week after all data."""
    return max((one.manifest.last for one in backups if one.manifest.last), default=math.inf) + clock.BELIEVED_SECONDS


def _restorable(folder: Folder, backup: Backup) -> bool:
    try:
        verify(folder, backup)
    except DamagedError:
        return False
    return True


def _as_written(backup: Backup) -> bool:
    """Whether a backup's file has the SHA-256 that its manifest says.

    Raises:
        ToolkitError: it cannot be read.
    """
    try:
        with backup.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == backup.manifest.sha256
    except OSError as error:
        raise ToolkitError(f"cannot read {backup.path}: {reason(error)}") from error
