"""The gate of a rollout: does the service run with this release, and does it store the feed?

It asks about the release alone. Silent stations, old observations or failed nights were there before it; they are for
the health check to report, and hold up neither a rollout nor a rollback. Nor does a feed that could not be collected
before this start either, for the same reason.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from toolkit.checks import Status
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import causes, examine
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON
from toolkit.checks.host.systemd import COLLECTOR
from toolkit.checks.targets import target_of
from toolkit.errors import ToolkitError
from toolkit.settings import Loaded
from toolkit.times import iso_of

if TYPE_CHECKING:
    from toolkit.store.base import Logged

POLL_SECONDS = 1.0
# What comes with a release, what it needs to run, and the database that it has to find.
CHECKED = (
    "release-current", "release-complete", "python-runs", "packages-complete", "settings-readable", "settings-valid",
    "units-present", "cron-table", "collector-running", "collector-responds", "exporter-port", "exporter-enabled",
    "exporter-running", "api-port", "api-enabled", "api-running", "database-exists", "database-kind",
    "database-schema", "database-server", "database-readable",
)  # fmt: skip
# They close the gate although they may be mere warnings.
_RUNNING = ("collector-running", "exporter-running", "api-running")
# All that the gate can ask where no collector is to run.
_FRESH = "observations-fresh"


class GateResult(NamedTuple):
    """Whether the gate is open (OK or WARNING), why, and the command that mends what closes it."""

    status: Status
    message: str
    command: str = ""

    def __str__(self) -> str:
        """As a monitoring plugin prints it."""
        return f"WEATHER {self.status.name} - {self.message}" + (f" (try: {self.command})" if self.command else "")


def wait(loaded: Loaded, seconds: float) -> GateResult:
    """The result as soon as the gate opens, or when the time is over."""
    end = time.monotonic() + seconds
    while True:
        result = look(Host(loaded))
        if result.status <= Status.WARNING or time.monotonic() > end:
            return result
        time.sleep(POLL_SECONDS)


def look(host: Host) -> GateResult:
    """The result now."""
    found = causes(examine(host, tuple(BY_ID[name] for name in CHECKED)))
    broken = [one for one in found if one.status is Status.CRITICAL or one.result.check.id in _RUNNING]
    if broken:
        message = "; ".join(one.result.finding.evidence for one in broken)
        return GateResult(Status.CRITICAL, message, broken[0].result.command)
    try:
        return _collection(host)
    except ToolkitError as error:
        return GateResult(Status.CRITICAL, str(error))


def _collection(host: Host) -> GateResult:
    """Whether the collector that runs now stores the feed."""
    if not host.contained and "collector" not in host.jobs:
        (fresh,) = examine(host, (BY_ID[_FRESH],))
        return GateResult(fresh.status, fresh.finding.evidence, "" if fresh.finding.ok else fresh.command)
    started = _started(host)
    if started is None:
        return GateResult(
            Status.CRITICAL, "the collector does not run", BY_ID["collector-running"].remedy.render(target_of(host))
        )
    if len(host.sources) <= 1:
        return _of_one(host, host.log, started)
    # The worst counts; a source that is pushed, or subscribed to, has no cycles.
    found = [
        (one.name, _of_one(host, [line for line in host.log if line.source == one.name], started)) for one in host.feeds
    ]
    if not found:
        return GateResult(Status.OK, f"the collector runs, with {len(host.sources)} sources")
    worst = max(one.status for _, one in found)
    its = [(name, one) for name, one in found if one.status is worst]
    said = "; ".join(f"{name}: {one.message}" for name, one in its[:3])
    return GateResult(worst, f"{len(its)} of {len(found)} sources: {said}", its[0][1].command)


def _of_one(host: Host, log: Sequence[Logged], started: float) -> GateResult:
    """The result of one source, by its lines of the collection log, the newest first."""
    cycles = [line for line in log if line.status in {"success", "failed"}]
    now = [line for line in cycles if line.time >= int(started)]
    if not now:
        return GateResult(Status.CRITICAL, "the collector that runs now has not ended a cycle yet")
    if now[0].status == "success":
        return GateResult(Status.OK, f"the feed was stored at {iso_of(now[0].time)}: {now[0].message}")
    before = takewhile(lambda line: line.status == "failed", cycles[len(now) :])
    if _form(now[0].message) in {_form(line.message) for line in before}:
        return GateResult(Status.WARNING, f"the feed cannot be collected, as before: {now[0].message}")
    failed = len(list(takewhile(lambda line: line.status == "failed", now)))
    attempts = "attempt" if failed == 1 else f"{failed} attempts"
    found = examine(host, (BY_ID["collection-succeeds"],))
    return GateResult(
        Status.CRITICAL, f"the last {attempts} to collect failed: {now[0].message}", found[0].command if found else ""
    )


def _form(message: str) -> str:
    """A message without its numbers, which differ from one time to the next."""
    return re.sub(r"\d+", "0", message)


def _started(host: Host) -> float | None:
    """When the collector that runs was started, in seconds since the epoch; None where none runs."""
    if host.contained:
        # This is its container, or one that was started with it.
        ticks = int(Path("/proc/1/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        return host.now - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))
    if host.scheduler == CRON:
        return host.kept_by_cron("collector")
    unit = host.unit(COLLECTOR)
    if unit is None or unit["ActiveState"] != "active":
        return None
    return host.now - (time.monotonic() - int(unit["ActiveEnterTimestampMonotonic"] or 0) / 1e6)
