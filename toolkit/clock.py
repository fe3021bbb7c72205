"""Whose time is believed where clocks disagree: the rule of docs/clocks.md.

A host without a battery-backed clock starts in 1970, a wrong clock runs years ahead, a server tells any date. What
bears witness is what was kept before: the newest observation, the newest backup, this release itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median_low

from toolkit import times
from toolkit.errors import ToolkitError

# No host that runs this release can be before it. To be moved forward now and then, never past a release's own day.
RELEASED = times.from_stored("2026-11-01 00:00:00").timestamp()
# No time of an observation is outside of these: before the first a logger's clock has lost its battery and begun again
# at 1970, 1980 or 2000; from the second on it is in milliseconds, or noise.
EARLIEST = 978_307_200  # 2001-01-01
LATEST = 4_102_444_800  # 2100-01-01
# A station's clock may be ahead by as much as one refresh of the feed.
AHEAD_SECONDS = 600
# Clocks of feed and host, and the moments at which they are looked at, may differ by this much.
TOLERANCE_SECONDS = 60
# What is kept may be ahead of a right clock by so much; what is more says that the clock is behind.
AGREE_SECONDS = 3600
# A server that is ahead of a host's clock is believed up to here: the host's clock is kept by somebody, too.
BELIEVED_SECONDS = 7 * 86400


class DisagreementError(ToolkitError):
    """The host's clock and what the host has kept disagree."""


def ahead(moment: float, now: float) -> bool:
    """Whether a moment is in the future: it says nothing of an age, and is never taken for fresh."""
    return moment > now + AHEAD_SECONDS + TOLERANCE_SECONDS


def refuted(host: float, newest: float | None) -> bool:
    """Whether a host's clock cannot be right: it is before this release, or long before what the host has kept."""
    return host < RELEASED or (newest is not None and newest - host > BELIEVED_SECONDS + AGREE_SECONDS)


def told(observations: Iterable[tuple[str, float]]) -> float | None:
    """The present as stations tell it: the median of what each told last, for the clock of one may be far off.

    Args:
        observations: stations and times; what is before this release tells nothing of the present.
    """
    last: dict[str, float] = {}
    for station_id, time in observations:
        if time >= RELEASED and time > last.get(station_id, 0):
            last[station_id] = time
    return median_low(last.values()) if last else None


def present(host: float, server: float | None, newest: float | None, stations: float | None = None) -> float:
    """The present when a document arrives: the host's clock, or what is ahead of it and believed.

    Args:
        host: the host's clock, seconds since the epoch.
        server: what the server calls the present; None where it does not say.
        newest: the time of the newest observation that is kept; None without any, or where it cannot be told.
        stations: what the document's stations call the present (`told`): it counts where the server's word does not.
    """
    for word in (server, stations):
        if word is not None and word >= RELEASED and (word - host <= BELIEVED_SECONDS or refuted(host, newest)):
            return max(host, word)
    return host


def at_least(host: float, newest: float | None) -> float:
    """The present where no server is asked: the host's clock, or where that is behind, the newest that is known.

    What is years ahead does not count where the host's clock can be right.
    """
    if newest is None or (newest - host > BELIEVED_SECONDS and host >= RELEASED):
        return max(host, RELEASED)
    return max(host, RELEASED, newest)


def why_not_remove(host: float, newest: float | None) -> str:
    """Why nothing may be removed by age now; empty where it may."""
    said = f"this host's clock says {times.stored(host)} UTC"
    if host < RELEASED:
        return f"{said}, and this release is newer than that"
    if newest is not None and newest - host > AGREE_SECONDS:
        return f"{said}, and the newest that is kept is of {times.stored(newest)} UTC"
    return ""


def require_agreement(host: float, newest: float | None) -> None:
    """Refuse to remove what is old while the host's clock and what is kept disagree.

    Raises:
        DisagreementError: they do.
    """
    if why := why_not_remove(host, newest):
        raise DisagreementError(
            f"nothing is removed: {why}: set the clock right (timedatectl set-ntp true), then try again; "
            "where it is right, what is of the future has to go first: weather-tool doctor"
        )
