"""Checks that the collector runs and works, and that the other jobs' last runs ended well."""

from __future__ import annotations

import socket
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good, unseen
from toolkit.checks.causes import JOB
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON, CRON_RUN
from toolkit.checks.host.processes import foreign_holders, is_stopped
from toolkit.checks.host.systemd import COLLECTOR, seconds_since
from toolkit.checks.remedies import AllServices, Enable, OfSystemd, Restart, Sequence, Shell, Start
from toolkit.checks.unit_states import enabled, last_run, running
from toolkit.durations import humanize
from toolkit.errors import reason

BUS = Path("/run/dbus/system_bus_socket")
BUS_SECONDS = 1.0
# A loop that gave no sign of life for this part of WatchdogSec hangs.
SILENT_PART = 0.6

# Jobs with checks of their own; of the health check's what it finds is told.
_CHECKED = {"detector", "maintenance", "backup", "restore-drill", "healthcheck"}
_FILES = ("database-owner", "database-mode", "data-folder", "spool-usable", "database-schema", "database-kind")


@check(
    id="bus-answers", area="service",
    invariant="The system bus answers, by which the service user asks systemd.",
    problem="The system bus does not answer: how units stand cannot be told.",
    severity=Status.CRITICAL, remedy=OfSystemd("systemctl start dbus.socket dbus.service"),
)  # fmt: skip
def bus_answers(host: Host) -> Finding | None:
    if not host.systemd:
        return None
    with socket.socket(socket.AF_UNIX) as bus:
        bus.settimeout(BUS_SECONDS)
        try:
            bus.connect(str(BUS))
        except OSError as error:
            return bad(f"the system bus, {BUS}, does not answer: {reason(error)}")
    return good("the system bus answers")


@check(
    id="collector-enabled", area="service",
    invariant="The collector comes back when the host is started.",
    problem="The collector does not come back when the host is started.",
    severity=Status.CRITICAL, remedy=Enable("collector"), caused_by=("units-present",),
)  # fmt: skip
def collector_enabled(host: Host) -> Finding | None:
    return enabled(COLLECTOR, host)


@check(
    id="collector-running", area="service",
    invariant="The collector runs, and does not die again and again.",
    problem="The collector does not run, or dies again and again.",
    severity=Status.CRITICAL, remedy=Restart("collector"),
    caused_by=("collector-enabled", "cron-table", "cron-runs", "files-alone", *JOB, *_FILES), is_of_last_run=True,
)  # fmt: skip
def collector_running(host: Host) -> Finding | None:
    return running(COLLECTOR, host)


@check(
    id="collector-responds", area="service",
    invariant="The collector's loop turns: it is not stopped and does not hang.",
    problem="The collector is stopped or hangs.",
    severity=Status.CRITICAL, remedy=Restart("collector"), caused_by=("units-genuine", "units-as-deployed"),
)  # fmt: skip
def collector_responds(host: Host) -> Finding | None:
    if host.scheduler == CRON:
        stopped = host.stopped.get("collector")
        return bad(f"process {stopped} is stopped (by SIGSTOP or a debugger)") if stopped else None
    unit = host.unit(COLLECTOR)
    if unit is None or unit["ActiveState"] != "active" or not int(unit["MainPID"] or 0):
        return None
    if is_stopped(int(unit["MainPID"])):
        return bad(f"process {unit['MainPID']} is stopped (by SIGSTOP or a debugger)")
    limit = _seconds(unit["WatchdogUSec"])
    silent = seconds_since("Watchdog", unit)
    if limit and int(unit["WatchdogTimestampMonotonic"] or 0) and silent > limit * SILENT_PART:
        return bad(f"it has given no sign of life for {humanize(silent)}")
    return good(unit["StatusText"] or "it gives signs of life")


def _seconds(text: str) -> float:
    """A length of time as systemd writes it: `3min`, `1h 30min`, `45s`, or a number of microseconds."""
    if text.isdecimal():
        return int(text) / 1e6
    units = {"h": 3600, "min": 60, "s": 1, "ms": 0.001, "us": 1e-6}
    total = 0.0
    for part in text.split():
        number = part.rstrip("abcdefghijklmnopqrstuvwxyz")
        total += float(number or 0) * units.get(part[len(number) :], 0)
    return total


@check(
    id="collector-memory", area="service",
    invariant="The collector is far from the memory limit of its unit.",
    problem="The collector is about to reach the memory limit of its unit.",
    severity=Status.WARNING, remedy=Restart("collector"),
)  # fmt: skip
def collector_memory(host: Host) -> Finding | None:
    unit = host.unit(COLLECTOR)
    if unit is None or unit["ActiveState"] != "active":
        return None
    used, limit = unit["MemoryCurrent"], unit["MemoryMax"]
    if not used.isdecimal() or not limit.isdecimal():
        return unseen("systemd does not count this unit's memory")
    if int(used) > 0.9 * int(limit):
        return bad(f"{int(used) >> 20} of {int(limit) >> 20} MiB are used: it will be killed")
    return good(f"{int(used) >> 20} of {int(limit) >> 20} MiB are used")


@check(
    id="jobs-end", area="service",
    invariant="No job that is at work stands still, and none is kept from beginning.",
    problem="A job that is at work stands still, or is kept from beginning.",
    severity=Status.WARNING, remedy=AllServices(),
)  # fmt: skip
def jobs_end(host: Host) -> Finding | None:
    """Systemd ends a job after a quarter of an hour; who stops one and forgets it is told at once.

    Under cron a job does not begin while another process holds its lock.
    """
    if host.scheduler == CRON:
        for name, pid in host.stopped.items():
            said = f"{name} is at work, and its process {pid} is stopped (by SIGSTOP or a debugger)"
            return bad(said, Shell("kill -CONT {}", str(pid)))
        for name in host.jobs:
            for pid, command, children in foreign_holders(one.pid for one in host.locks(CRON_RUN / f"{name}.lock")):
                said = f"process {pid} ({command[:60]}) holds the lock of {name}, which cannot begin"
                return bad(said, Sequence(Shell("kill {}", map(str, [pid, *children])), Start(name)))
        return good("nothing but our own holds a job's lock")
    for name, unit in host.units.items():
        if name.endswith(".service") and unit["ActiveState"] == "activating" and is_stopped(int(unit["MainPID"] or 0)):
            return bad(
                f"{name} is at work, and its process {unit['MainPID']} is stopped (by SIGSTOP or a debugger)",
                OfSystemd("systemctl kill --signal=SIGCONT {}", name),
            )
    return good("no job stands still") if host.units else None


@check(
    id="units-at-boot", area="service",
    invariant="The host starts services and timers when it boots.",
    problem="The host would boot without services or without timers.",
    severity=Status.WARNING, remedy=OfSystemd("systemctl set-default multi-user.target"),
)  # fmt: skip
def units_at_boot(host: Host) -> Finding | None:
    if not host.units:
        return None
    default = host.ask("systemctl", "get-default").strip()
    if default in {"rescue.target", "emergency.target", "basic.target", "sysinit.target"}:
        return bad(f"the host boots into {default}, where no service of its is started")
    for target in ("timers.target", "multi-user.target"):
        if "masked" in host.ask("systemctl", "show", "--property=LoadState", target):
            return bad(
                f"{target} is masked: the host would boot without it",
                OfSystemd("systemctl unmask {} && systemctl daemon-reload", target),
            )
    return good(f"the host boots into {default}")


detector_succeeds = check(
    id="detector-succeeds", area="service",
    invariant="The last detection run ended well.",
    problem="The last detection run failed.",
    severity=Status.WARNING, remedy=Start("detector"),
    caused_by=(
        *JOB, "database-exists", *_FILES, "database-sound", "reports-folder", "disk-logs-space", "observations-fresh",
        "collector-running", "collector-enabled", "settings-fit",
    ),
    is_of_last_run=True,
)(last_run("detector"))  # fmt: skip
maintenance_succeeds = check(
    id="maintenance-succeeds", area="service",
    invariant="The last maintenance ended well.",
    problem="The last maintenance failed.",
    severity=Status.WARNING, remedy=Start("maintenance"),
    caused_by=(*JOB, "database-exists", *_FILES, "database-sound", "database-unlocked", "reports-folder"),
    is_of_last_run=True,
)(last_run("maintenance"))  # fmt: skip


@check(
    id="jobs-succeed", area="service",
    invariant="The last runs of the jobs that no other check is for ended well.",
    problem="A job's last run failed.",
    severity=Status.WARNING, remedy=AllServices(),
    caused_by=(
        *JOB, "database-exists", *_FILES, "database-sound", "database-unlocked", "database-server", "reports-folder",
        "people-named", "people-told",
    ),
    is_of_last_run=True,
)  # fmt: skip
def jobs_succeed(host: Host) -> Finding | None:
    others = [name for name, job in host.jobs.items() if not job.is_service and name not in _CHECKED]
    for name in others:
        ended = last_run(name)(host)
        if ended and ended.ok is False:
            return bad(f"{name}: {ended.evidence}", Start(name))
    return good(f"the last runs of {', '.join(others)} ended well") if others else None
