"""Checks of the host's clock, which every stored time is compared with; the rule is in docs/clocks.md."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from toolkit import clock, times
from toolkit.checks import Finding, Status, bad, check, good, unseen
from toolkit.checks.feed_time import served, stations_time
from toolkit.checks.host import Host
from toolkit.checks.host_as_deployed import kept, put_back
from toolkit.checks.remedies import OnMachine, Tool
from toolkit.durations import humanize
from toolkit.errors import ToolkitError

# How far the host's clock may be off: servers' clocks are right to the second, and an answer takes no longer.
TOLERANCE_SECONDS = 120
# The host's time zone, how the file of one begins (tzfile(5)), and where that of UTC is.
ZONE, OF_ZONES, UTC = Path("/etc/localtime"), b"TZif", Path("/usr/share/zoneinfo/UTC")


@check(
    id="clock-after-release", area="clock",
    invariant="The host's clock is not before this release was made.",
    problem="The host's clock is before this release was made.",
    severity=Status.CRITICAL, remedy=OnMachine("timedatectl set-ntp true"),
    caused_by=("clock-right", "clock-synchronised"),
)  # fmt: skip
def clock_after_release(host: Host) -> Finding:
    if host.now < clock.RELEASED:
        return bad(f"this host's clock says {times.stored(host.now)} UTC, and this release is newer than that")
    return good("it is after this release was made")


@check(
    id="clock-right", area="clock",
    invariant="The host's clock agrees with the feed server's.",
    problem="The host's clock does not agree with the feed server's.",
    severity=Status.CRITICAL, remedy=OnMachine("timedatectl set-ntp true"),
    caused_by=("clock-synchronised",), on_feed=True,
)  # fmt: skip
def clock_right(host: Host) -> Finding | None:
    if not any(one.is_told and not one.failure("fetched") for one in host.feeds):
        return None
    date = served(*host.feeds)
    if date is None:
        with suppress(ToolkitError):
            stations = stations_time(*host.feeds)
            if stations is not None and clock.ahead(stations, host.now):
                return bad(f"this host's clock is {humanize(stations - host.now)} behind that of the feed's stations")
        return unseen("the feed's server does not tell its time")
    off = host.now - date
    if abs(off) > TOLERANCE_SECONDS:
        with suppress(ToolkitError):
            stations = stations_time(*host.feeds)
            if stations is not None and date + TOLERANCE_SECONDS < stations < host.now + TOLERANCE_SECONDS:
                return bad(
                    f"the feed server's clock is {humanize(off)} behind this host's, and {humanize(stations - date)} "
                    "behind the times of its own stations",
                    Tool("data latest", note="to be told to who runs the feed: this host's clock is right"),
                    Status.WARNING,
                )
        return bad(f"this host's clock is {humanize(abs(off))} {'ahead of' if off > 0 else 'behind'} the feed server's")
    return good(f"within {humanize(max(abs(off), 1))} of the feed server's")


@check(
    id="clock-synchronised", area="clock",
    invariant="The host's clock is kept right by a time service.",
    problem="No time service keeps the host's clock right.",
    severity=Status.WARNING, remedy=OnMachine("timedatectl timesync-status"),
)  # fmt: skip
def clock_synchronised(host: Host) -> Finding | None:
    if not host.systemd:
        return None
    text = host.ask("timedatectl", "show")
    shown = dict(line.partition("=")[::2] for line in text.splitlines())
    if shown.get("CanNTP") != "yes":
        if shown.get("NTPSynchronized") == "yes":
            return good("synchronised")
        return unseen("this host has no time service of its own (a container has its machine's clock)")
    if shown.get("NTP") != "yes":
        return bad("time synchronisation is switched off", OnMachine("timedatectl set-ntp true"))
    if shown.get("NTPSynchronized") != "yes":
        return bad("the clock is not synchronised: no time server answers")
    return good("synchronised")


@check(
    id="time-zone", area="clock",
    invariant="The host's time zone is one.",
    problem="The host's time zone is none: programs take UTC for it, and timers run at other hours.",
    severity=Status.WARNING, remedy=OnMachine("timedatectl list-timezones"),
)  # fmt: skip
def time_zone(host: Host) -> Finding | None:
    if not host.deployed or not os.path.lexists(ZONE):
        return None  # which means UTC
    try:
        whole = ZONE.read_bytes()[:4] == OF_ZONES
    except OSError:
        whole = False
    if whole:
        return good(f"{ZONE} is a time zone")
    if not UTC.exists():
        return bad(
            f"{UTC.parent}, which has the time zones, is {'empty' if UTC.parent.is_dir() else 'gone'}: {ZONE} leads "
            "to none",
            OnMachine("apt-get install --yes --reinstall tzdata"),
        )
    was = kept(ZONE)
    remedy = put_back(ZONE) if was.is_symlink() and was.readlink().exists() else OnMachine("ln -sf {} {}", UTC, ZONE)
    leads = f"points at {ZONE.readlink()}, where no time zone is" if ZONE.is_symlink() else "is no time zone"
    return bad(f"{ZONE} {leads}", remedy)
