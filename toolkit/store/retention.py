"""Removing what is older than it is to be kept, and keeping the database in shape."""

from __future__ import annotations

import logging
import stat
import threading
from pathlib import Path
from typing import NamedTuple

from toolkit import clock, times
from toolkit.errors import ToolkitError, reason
from toolkit.store import Selection, Store
from toolkit.store.summarising import summarise

DAY = 86400
# Between two steps a collector that waits gets its turn.
PAUSE_SECONDS = 0.05

log = logging.getLogger(__name__)


class Retention(NamedTuple):
    """For how many days each kind of data is kept; 0 is for ever."""

    observations: int
    log: int
    reports: int
    pages: int


class Removed(NamedTuple):
    """How much was removed, or would be."""

    observations: int
    log_lines: int
    reports: int


def maintain(store: Store, reports: Path, keep: Retention, now: float, dry_run: bool) -> Removed:
    """Remove what is older than it is to be kept, and old sessions; refresh statistics, give free space back.

    Ages are counted from the newest observation where the host's clock is far ahead of it.

    Args:
        store: open for writing.
        reports: the folder with detection reports and their pages.
        keep: for how long.
        now: the host's clock, seconds since the epoch.
        dry_run: only count what would be removed.

    Raises:
        DisagreementError: the host's clock is behind what is kept; nothing is removed.
        ToolkitError: not all of it could be done; what is removed is removed.
    """
    files = _reports(reports)
    newest = _newest(store, files)
    clock.require_agreement(now, newest)
    present = now if newest is None else min(now, newest + clock.AGREE_SECONDS)
    if newest is not None and now - newest > clock.BELIEVED_SECONDS:
        log.warning("the newest is of %s UTC: ages are reckoned from it, not from the clock", times.stored(newest))
    days = {".json": keep.reports, ".html": keep.pages}
    old = [path for path, written in files if (most := days[path.suffix]) and written < present - most * DAY]
    before = present - keep.observations * DAY if keep.observations else 0.0
    if dry_run:
        return Removed(store.count(Selection(end=before - 1)), 0, len(old))
    log_before = present - keep.log * DAY if keep.log else 0.0
    observations, log_lines = store.remove_before(before, log_before, _pause)
    with store.transaction():
        store.accounts.end_old(now)
    if keep.observations:
        with store.transaction():
            store.daily.remove_until(int(before) // DAY)
    summarise(store, present, _pause)
    store.tidy(_pause)
    for report in old:
        _remove(report)
    return Removed(observations, log_lines, len(old))


def _reports(folder: Path) -> list[tuple[Path, float]]:
    """Reports and pages with the times at which they were written.

    Links and folders are left alone, and so is what the host wrote before its clock was set: its age is unknown.
    """
    found = []
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.html")]):
        try:
            seen = path.lstat()
        except OSError:  # it is being replaced, or may not be looked at
            continue
        if stat.S_ISREG(seen.st_mode) and seen.st_mtime >= clock.EARLIEST:
            found.append((path, seen.st_mtime))
    return found


def _newest(store: Store, reports: list[tuple[Path, float]]) -> float | None:
    """The time of the newest observation; without any, that of the newest report."""
    newest = store.newest()
    if newest is not None:
        return times.from_stored(newest).timestamp()
    return max((written for _, written in reports), default=None)


def _pause() -> None:
    threading.Event().wait(PAUSE_SECONDS)  # time.sleep fails where libfaketime sets the clock


def _remove(report: Path) -> None:
    try:
        report.unlink()
    except OSError as error:
        raise ToolkitError(f"cannot remove {report}: {reason(error)}") from error
