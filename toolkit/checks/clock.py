"""Checks of the host's clock: every time that is stored is compared with it. The rule is that of docs/clocks.md."""

from __future__ import annotations

from contextlib import suppress

from toolkit import clock, times
from toolkit.checks import Check, Finding, Status, bad, good, unseen
from toolkit.checks.host import Host, long
from toolkit.errors import ToolkitError

# Servers' clocks are right to the second; an answer takes no longer than this.
TOLERANCE_SECONDS = 120


def served(host: Host) -> float | None:
    """What the feed's server calls the present; None where it does not say, or says what cannot be.

    Raises:
        ToolkitError: the feed cannot be fetched.
    """
    date = host.fetched.date
    return None if date is None or date < clock.RELEASED else date


def stations_time(host: Host) -> float | None:
    """What the feed's stations call the present; None where they tell none.

    Raises:
        ToolkitError: the feed cannot be fetched, or read.
    """
    return clock.stations_time((one.station_id, one.time) for one in host.document.observations)


def _right(host: Host) -> Finding | None:
    try:
        date = served(host)
    except ToolkitError:
        return None
    if date is None:
        with suppress(ToolkitError):
            stations = stations_time(host)
            if stations is not None and clock.ahead(stations, host.now):
                return bad(f"this host's clock is {long(stations - host.now)} behind that of the feed's stations")
        return unseen("the feed's server does not tell its time")
    off = host.now - date
    if abs(off) > TOLERANCE_SECONDS:
        return bad(f"this host's clock is {long(abs(off))} {'ahead of' if off > 0 else 'behind'} the feed server's")
    return good(f"within {long(max(abs(off), 1))} of the feed server's")


def aged(seconds: float) -> str:
    """An age as people say it; a negative one is not young."""
    return f"{long(-seconds)} in the future" if seconds < 0 else f"{long(seconds)} old"


def _after_release(host: Host) -> Finding:
    if host.now < clock.RELEASED:
        return bad(f"this host's clock says {times.stored(host.now)} UTC, and this release is newer than that")
    return good("it is after this release was made")


def _synchronised(host: Host) -> Finding | None:
    if not host.systemd:
        return None
    text = host.ask("timedatectl", "show")
    told = dict(line.partition("=")[::2] for line in text.splitlines())
    if told.get("CanNTP") != "yes":
        if told.get("NTPSynchronized") == "yes":
            return good("synchronised")
        return unseen("this host has no time service of its own (a container has its machine's clock)")
    if told.get("NTP") != "yes":
        return bad("time synchronisation is switched off", "timedatectl set-ntp true")
    if told.get("NTPSynchronized") != "yes":
        return bad("the clock is not synchronised: no time server answers")
    return good("synchronised")


CHECKS = (
    Check(
        "clock-after-release", "clock", "The host's clock is not before this release was made.", Status.CRITICAL,
        _after_release, "timedatectl set-ntp true", ("clock-right", "clock-synchronised"),
    ),
    Check(
        "clock-right", "clock", "The host's clock agrees with the feed server's.", Status.CRITICAL, _right,
        "timedatectl set-ntp true", ("clock-synchronised",), on_feed=True,
    ),
    Check(
        "clock-synchronised", "clock", "The host's clock is kept right by a time service.", Status.WARNING,
        _synchronised, "timedatectl timesync-status",
    ),
)  # fmt: skip
