"""The time, as the feed's server and its stations have it."""

from __future__ import annotations

from toolkit import clock
from toolkit.checks.host import Host


def served(host: Host) -> float | None:
    """The time of the feed's server; None if it does not send it, or sends one before this release was made.

    Raises:
        ToolkitError: the feed cannot be fetched.
    """
    date = host.fetched.date
    return None if date is None or date < clock.RELEASED else date


def stations_time(host: Host) -> float | None:
    """The time of the feed's stations; None if there is none.

    Raises:
        ToolkitError: the feed cannot be fetched, or read.
    """
    return clock.stations_time((one.station_id, one.time) for one in host.document.observations)
