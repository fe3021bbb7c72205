"""The time, as the servers of feeds and their stations have it."""

from __future__ import annotations

from contextlib import suppress

from toolkit import clock
from toolkit.checks.host.feed import SourceSeen
from toolkit.errors import ToolkitError


def served(*feeds: SourceSeen) -> float | None:
    """The time of the first server that sends it, not one before this release was made; None if none does."""
    for one in feeds:
        with suppress(ToolkitError):
            date = one.fetched.date if one.is_told else None
            if date is not None and date >= clock.RELEASED:
                return date
    return None


def stations_time(*feeds: SourceSeen) -> float | None:
    """The time of the feeds' stations; None if there is none."""
    told = []
    for one in feeds:
        with suppress(ToolkitError):
            told += [(each.station_id, each.time) for each in one.document.observations] if one.is_told else []
    return clock.stations_time(told)
