"""The gate of a rollout: does the service run with this release, and does it store the feed?

It asks about the release alone. Silent stations, old observations or failed nights were there before it; they are for
the health check to report, and hold up neither a rollout nor a rollback. Nor does a source that could not be collected
before this start either, for a reason of the same kind.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from toolkit.address_template import columns
from toolkit.checks import Status
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import causes, examine
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON
from toolkit.checks.host.systemd import COLLECTOR, seconds_since
from toolkit.checks.targets import target_of
from toolkit.errors import ToolkitError
from toolkit.settings import Loaded
from toolkit.sources import ONLY, Source
from toolkit.store import Logged
from toolkit.times import iso_of

POLL_SECONDS = 1.0
# So much of the log is read for each source.
LINES = 50
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
    cycles: dict[str, list[Logged]] = defaultdict(list)
    with host.store() as store:
        for line in store.log(LINES * len(host.sources)):
            if line.status in {"success", "failed"}:
                cycles[line.source or ONLY].append(line)
    results = [_of_source(host, lines, started) for lines in cycles.values() if _since(lines, started)]
    waiting = [one.name for one in host.sources if _ends_soon(one) and not _since(cycles[one.name], started)]
    if waiting:
        which = "" if waiting == [ONLY] else f" of {', '.join(waiting[:5])}"
        return GateResult(Status.CRITICAL, f"the collector that runs now has not ended a cycle{which} yet")
    if not results:
        return GateResult(Status.WARNING, "no source has told anything since the collector was started")
    return max(results, key=lambda result: result.status)


def _since(lines: list[Logged], started: float) -> bool:
    return bool(lines) and lines[0].time >= int(started)


def _ends_soon(source: Source) -> bool:
    """Whether a cycle ends within a minute: a broker may be silent, and an address for each station takes long."""
    url = source.settings.feed_url
    return url.startswith(("http://", "https://")) and not columns(url)


def _of_source(host: Host, lines: list[Logged], started: float) -> GateResult:
    """Whether a source is stored, by its lines of the log, the newest first; some of them are of this start."""
    now = [line for line in lines if line.time >= int(started)]
    last = now[0]
    name = f"{last.source}: " if last.source not in {None, ONLY} else ""
    if last.status == "success":
        return GateResult(Status.OK, f"{name}the feed was stored at {iso_of(last.time)}: {last.message}")
    before = takewhile(lambda line: line.status == "failed", lines[len(now) :])
    # A release before 1.5.0 does not say of which kind a failure is.
    if any(line.kind in {last.kind, None} for line in before):
        return GateResult(Status.WARNING, f"{name}the feed cannot be collected, as before: {last.message}")
    failed = len(list(takewhile(lambda line: line.status == "failed", now)))
    attempts = "attempt" if failed == 1 else f"{failed} attempts"
    found = examine(host, (BY_ID["collection-succeeds"],))
    return GateResult(
        Status.CRITICAL,
        f"{name}the last {attempts} to collect failed: {last.message}",
        found[0].command if found else "",
    )


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
    return host.now - seconds_since("ActiveEnter", unit)
