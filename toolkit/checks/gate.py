"""A rollout's gate: does the service run, and store the feed, with what the host was given?

It asks about the release. What the weather, the stations, the feed's content or the nights before did is the health
check's to tell: that was so before, and neither a rollout nor a rollback may be held up by it. Of a feed that could not
be collected before this start either, for the same reason, the release is not to blame.
"""

from __future__ import annotations

import os
import re
import time
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from toolkit.checks import Status
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import causes, examine
from toolkit.checks.host import COLLECTOR, Host
from toolkit.errors import ToolkitError
from toolkit.settings import Loaded
from toolkit.times import from_epoch, iso

POLL_SECONDS = 1.0
# What a release brings, what it runs by, and the database as it has to find it.
CHECKED = (
    "release-current", "release-complete", "python-runs", "packages-complete", "settings-readable", "settings-valid",
    "units-present", "cron-table", "collector-running", "collector-responds", "exporter-port", "exporter-enabled",
    "exporter-running", "database-exists", "database-kind", "database-schema", "database-server", "database-readable",
)  # fmt: skip
# A service that does not run, and nothing beside it explains that.
_RUNNING = ("collector-running", "exporter-running")
# Where no collector is to run the gate is left with this.
_FRESH = "observations-fresh"


class Verdict(NamedTuple):
    """How it stands, why, and what to do about it."""

    status: Status
    told: str
    remedy: str = ""

    def __str__(self) -> str:
        """As a monitoring plugin says it."""
        return f"WEATHER {self.status.name} - {self.told}" + (f" (try: {self.remedy})" if self.remedy else "")


def wait(loaded: Loaded, seconds: float) -> Verdict:
    """What the gate says as soon as it opens, or when the time is over."""
    end = time.monotonic() + seconds
    while True:
        verdict = look(Host(loaded))
        if verdict.status <= Status.WARNING or time.monotonic() > end:
            return verdict
        time.sleep(POLL_SECONDS)


def look(host: Host) -> Verdict:
    """What the gate says now."""
    found = causes(examine(host, tuple(BY_ID[name] for name in CHECKED)))
    broken = [one for one in found if one.status is Status.CRITICAL or one.result.check.id in _RUNNING]
    if broken:
        told = "; ".join(one.result.finding.evidence for one in broken)
        return Verdict(Status.CRITICAL, told, broken[0].result.remedy)
    try:
        return _collection(host)
    except ToolkitError as error:
        return Verdict(Status.CRITICAL, str(error))


def _collection(host: Host) -> Verdict:
    """Whether the collector that runs now stores the feed."""
    if not host.contained and "collector" not in host.jobs:
        (fresh,) = examine(host, (BY_ID[_FRESH],))
        return Verdict(fresh.status, fresh.finding.evidence, "" if fresh.finding.well else fresh.remedy)
    started = _started(host)
    if started is None:
        return Verdict(Status.CRITICAL, "the collector does not run", BY_ID["collector-running"].remedy)
    cycles = [line for line in host.log if line.status in {"success", "failed"}]
    now = [line for line in cycles if line.time >= int(started)]
    if not now:
        return Verdict(Status.CRITICAL, "the collector that runs now has not ended a cycle yet")
    if now[0].status == "success":
        return Verdict(Status.OK, f"the feed was stored at {iso(from_epoch(now[0].time))}: {now[0].message}")
    before = takewhile(lambda line: line.status == "failed", cycles[len(now) :])
    if _form(now[0].message) in {_form(line.message) for line in before}:
        return Verdict(Status.WARNING, f"the feed cannot be collected, as before: {now[0].message}")
    failed = len(list(takewhile(lambda line: line.status == "failed", now)))
    attempts = "attempt" if failed == 1 else f"{failed} attempts"
    found = examine(host, (BY_ID["collection-succeeds"],))
    return Verdict(
        Status.CRITICAL, f"the last {attempts} to collect failed: {now[0].message}", found[0].remedy if found else ""
    )


def _form(message: str) -> str:
    """A message without what differs from one time to the next."""
    return re.sub(r"\d+", "0", message)


def _started(host: Host) -> float | None:
    """When the collector that runs was started, in seconds since the epoch; None where none runs."""
    if host.contained:
        # This is its container, or one that was begun with it.
        ticks = int(Path("/proc/1/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        return host.now - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))
    if host.scheduler == "cron":
        return host.kept_by_cron("collector")
    unit = host.unit(COLLECTOR)
    if unit is None or unit["ActiveState"] != "active":
        return None
    return host.now - (time.monotonic() - int(unit["ActiveEnterTimestampMonotonic"] or 0) / 1e6)
