"""Keeping what a host has collected within bounds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from toolkit.errors import ToolkitError, reason
from toolkit.settings import Settings
from toolkit.store import Selection, Store

DAY = 86400
# Between two steps a collector that waits gets its turn.
PAUSE_SECONDS = 0.05


class Removed(NamedTuple):
    """How much was removed, or would be."""

    observations: int
    log_lines: int
    reports: int


def maintain(store: Store, settings: Settings, now: float, dry_run: bool) -> Removed:
    """Remove what is older than the settings keep, refresh statistics, give free space back.

    Args:
        store: open for writing.
        settings: how long what is kept.
        now: seconds since the epoch.
        dry_run: only count observations and reports.

    Raises:
        ToolkitError: not all of it could be done; what is removed is removed.
    """
    folder = Path(settings.reports)
    reports = [
        path
        for pattern, days in (("*.json", settings.report_days), ("*.html", settings.page_days))
        if days
        for path in sorted(folder.glob(pattern))
        if path.stat().st_mtime < now - days * DAY
    ]
    before = now - settings.data_days * DAY if settings.data_days else 0.0
    if dry_run:
        return Removed(store.count(Selection(end=before - 1)), 0, len(reports))
    log_before = now - settings.log_days * DAY if settings.log_days else 0.0
    observations, log_lines = store.remove_before(before, log_before, _pause)
    for report in reports:
        _remove(report)
    store.tidy(_pause)
    return Removed(observations, log_lines, len(reports))


def _pause() -> None:
    time.sleep(PAUSE_SECONDS)


def _remove(report: Path) -> None:
    try:
        report.unlink()
    except OSError as error:
        raise ToolkitError(f"cannot remove {report}: {reason(error)}") from error
