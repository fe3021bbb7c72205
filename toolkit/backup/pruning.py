"""Which backups are kept: the newest of each of the last days, weeks and months, as restic and borg keep them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from toolkit import times
from toolkit.backup.folder import Backup, Damaged, Folder


class Keep(NamedTuple):
    """How many days, weeks and months (UTC) are to have a backup, counting those that have any."""

    daily: int
    weekly: int
    monthly: int


class Pruned(NamedTuple):
    """What was kept, what was removed, and what is left alone because it is damaged."""

    kept: list[Backup]
    removed: list[Backup]
    damaged: list[Backup | Damaged]


_PERIODS: tuple[Callable[[datetime], tuple[int, ...]], ...] = (
    lambda at: (at.year, at.month, at.day),
    lambda at: at.isocalendar()[:2],
    lambda at: (at.year, at.month),
)


def prune(folder: Folder, keep: Keep, *, dry_run: bool = False) -> Pruned:
    """Remove what is not to be kept; the folder is locked by the caller.

    A damaged backup counts for nothing and is left for people to look at. The newest that is whole stays, whatever the
    numbers say, and is read before another is removed.
    """
    whole, wrong = folder.look()
    damaged: list[Backup | Damaged] = [*wrong]
    while whole and not _as_written(whole[0]):
        damaged.append(whole.pop(0))
    kept = kept_of(whole, keep)
    removed = [one for one in whole if one not in kept]
    if not dry_run:
        for one in removed:
            folder.remove(one)
    return Pruned(kept, removed, damaged)


def kept_of(backups: Sequence[Backup], keep: Keep) -> list[Backup]:
    """Those to be kept, of backups that are whole, the newest first."""
    kept = set(backups[:1])
    for number, period in zip(keep, _PERIODS, strict=True):
        seen: set[tuple[int, ...]] = set()
        for one in backups:
            at = period(times.parse(one.manifest.created_at))
            if at not in seen and len(seen) < number:
                seen.add(at)
                kept.add(one)
    return [one for one in backups if one in kept]


def _as_written(backup: Backup) -> bool:
    with backup.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == backup.manifest.sha256
