"""What time it is if the clocks of host, server and stations disagree: the rule of docs/clocks.md.

A host without a battery-backed clock starts in 1970, a wrong clock may be years ahead, and a server may send any date.
They are checked against what is known for certain: the newest observation, the newest backup, the date of this release.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from toolkit import times
from toolkit.errors import ToolkitError

# No host can run this release before this day. To be moved forward now and then, never past the day of a release.
RELEASED = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
# No time of an observation is outside of these: before the first a logger's clock has lost its battery and begun again
# at 1970, 1980 or 2000; from the second on it is in milliseconds, or noise.
EARLIEST = 978_307_200  # 2001-01-01
LATEST = 4_102_444_800  # 2100-01-01
# A station's clock may be ahead by as much as one refresh of the feed.
AHEAD_SECONDS = 600
# The clocks of feed and host, and the moments at which they are read, may differ by this much.
TOLERANCE_SECONDS = 60
# Stored observations may be ahead of a correct clock by this much; if they are more ahead, the clock is behind.
AGREE_SECONDS = 3600
# A server that is ahead of the host's clock by more than this is not believed.
BELIEVED_SECONDS = 7 * 86400


class DisagreementError(ToolkitError):
    """The host's clock disagrees with the newest data on the host."""


def ahead(moment: float, now: float) -> bool:
    """Whether a time is in the future. Then it tells no age, and is never taken for fresh."""
    return moment > now + AHEAD_SECONDS + TOLERANCE_SECONDS


def refuted(host: float, newest: float | None) -> bool:
    """Whether a host's clock must be wrong: it is before this release, or long before the newest observation."""
    return host < RELEASED or (newest is not None and newest - host > BELIEVED_SECONDS + AGREE_SECONDS)


def stations_time(observations: Iterable[tuple[str, float]]) -> float | None:
    """The present according to the stations: the median of their latest times, for one clock may be far off.

    Args:
        observations: ids of stations with times in seconds since the epoch; times before this release are ignored.
    """
    last: dict[str, float] = {}
    for station_id, time in observations:
        if time >= RELEASED and time > last.get(station_id, 0):
            last[station_id] = time
    # The lower median; `statistics` has it, but takes a tenth of the time in which a command starts.
    return sorted(last.values())[(len(last) - 1) // 2] if last else None


def present(host: float, server: float | None, newest: float | None, stations: float | None = None) -> float:
    """The present when a document arrives: the host's clock, or a clock that is ahead of it and believed.

    Args:
        host: the host's clock, seconds since the epoch.
        server: the server's clock; None if it sends none.
        newest: the time of the newest stored observation; None if there is none or it cannot be read.
        stations: the clock of the document's stations (`stations_time`), used if the server's is not believed.
    """
    for other in (server, stations):
        if other is not None and other >= RELEASED and (other - host <= BELIEVED_SECONDS or refuted(host, newest)):
            return max(host, other)
    return host


def at_least(host: float, newest: float | None) -> float:
    """The present without a server: the host's clock, or the newest known time if the clock is behind it.

    A time that is years ahead is ignored unless the host's clock must be wrong.
    """
    if newest is None or (newest - host > BELIEVED_SECONDS and host >= RELEASED):
        return max(host, RELEASED)
    return max(host, RELEASED, newest)


def why_not_remove(host: float, newest: float | None) -> str:
    """Why nothing may be removed by age at present; empty if it may."""
    clock = f"this host's clock says {times.stored(host)} UTC"
    if host < RELEASED:
        return f"{clock}, and this release is newer than that"
    if newest is not None and newest - host > AGREE_SECONDS:
        return f"{clock}, and the newest that is kept is of {times.stored(newest)} UTC"
    return ""


def require_agreement(host: float, newest: float | None) -> None:
    """Refuse to remove old data while the host's clock and the newest data disagree.

    Raises:
        DisagreementError: they do.
    """
    if why := why_not_remove(host, newest):
        raise DisagreementError(
            f"nothing is removed: {why}: set the clock right (timedatectl set-ntp true), then try again; "
            "where it is right, what is of the future has to go first: weather-tool doctor"
        )
