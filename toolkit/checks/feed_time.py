"""The time, as the servers of feeds and their stations have it."""

from __future__ import annotations

from contextlib import suppress

from toolkit import clock
from toolkit.checks.host.feed import SourceSeen
from toolkit.errors import ToolkitError

# No time zone is farther from UTC.
MOST_HOURS = 14
# An observation comes so late at most, in seconds, and no more than two cadences.
LATE_SECONDS = 1800


def hours_behind(age: float, cadence: float) -> int:
    """By how many whole hours the newest time of a feed is behind what is usual; 0 where it is not by whole ones.

    Args:
        age: of the newest time, by the server's clock, in seconds.
        cadence: how far apart its times are, in seconds.
    """
    hours, late = divmod(age + clock.TOLERANCE_SECONDS, 3600)
    whole = late - clock.TOLERANCE_SECONDS <= min(2 * cadence, LATE_SECONDS)
    return int(hours) if whole and hours <= MOST_HOURS else 0


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
