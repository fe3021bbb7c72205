"""Keeping what a host has collected within bounds."""

from __future__ import annotations

import logging
import stat
import time
from pathlib import Path
from typing import NamedTuple

from toolkit import clock, times
from toolkit.errors import ToolkitError, reason
from toolkit.settings import Settings
from toolkit.store import Selection, Store

DAY = 86400
# Between two steps a collector that waits gets its turn.
PAUSE_SECONDS = 0.05

log = logging.getLogger(__name__)


class Removed(NamedTuple):
    """How much was removed, or would be."""

    observations: int
    log_lines: int
    reports: int


def maintain(store: Store, settings: Settings, now: float, dry_run: bool) -> Removed:
    """Remove what is older than the settings keep, refresh statistics, give free space back.

    Old is what is old beside the newest observation, however far ahead of it the host's clock is.

    Args:
        store: open for writing.
        settings: how long what is kept.
        now: the host's clock, seconds since the epoch.
        dry_run: only count observations and reports.

    Raises:
        DisagreementError: the host's clock is behind what is kept; nothing is removed.
        ToolkitError: not all of it could be done; what is removed is removed.
    """
    reports = _reports(Path(settings.reports))
    newest = _newest(store, reports)
    clock.require_agreement(now, newest)
    present = now if newest is None else min(now, newest + clock.AGREE_SECONDS)
    if newest is not None and now - newest > clock.BELIEVED_SECONDS:
        log.warning("the newest is of %s UTC: ages are reckoned from it, not from the clock", times.stored(newest))
    days = {".json": settings.report_days, ".html": settings.page_days}
    old = [path for path, written in reports if (keep := days[path.suffix]) and written < present - keep * DAY]
    before = present - settings.data_days * DAY if settings.data_days else 0.0
    if dry_run:
        return Removed(store.count(Selection(end=before - 1)), 0, len(old))
    log_before = present - settings.log_days * DAY if settings.log_days else 0.0
    observations, log_lines = store.remove_before(before, log_before, _pause)
    store.tidy(_pause)
    for report in old:
        _remove(report)
    return Removed(observations, log_lines, len(old))


def _reports(folder: Path) -> list[tuple[Path, float]]:
    """Reports and pages with the times at which they were written.

    Left alone is what is no file of its own, and what a host wrote before its clock was set: nobody knows its age.
    """
    found = []
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.html")]):
        try:
            seen = path.lstat()
        except OSError:  # it is being replaced, or not for us to see
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
    time.sleep(PAUSE_SECONDS)


def _remove(report: Path) -> None:
    try:
        report.unlink()
    except OSError as error:
        raise ToolkitError(f"cannot remove {report}: {reason(error)}") from error
