"""Checks of the units that are always up or run by timers."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from toolkit.checks import Check, Finding, Status, bad, good, unseen
from toolkit.checks.host import ANSIBLE, COLLECTOR, CRON, CRON_RUN, CRON_TABLE, UNITS, Host, long
from toolkit.checks.systemd_words import how

# Of WatchdogSec: a loop that gave no sign of life for this part of it hangs.
SILENT_PART = 0.6
RESTARTS = 3
STARTING_SECONDS = 120


def _enabled(name: str, host: Host) -> Finding | None:
    unit = host.unit(name)
    if unit is None or unit["LoadState"] == "not-found":
        return None
    if unit["LoadState"] == "masked" or unit["UnitFileState"].startswith("masked"):
        lost = Path(unit["FragmentPath"] or UNITS / name)
        if (UNITS / name).is_symlink():
            return bad(f"{name} is masked, by a link in the place of its unit", f"rm {lost}  # then site.yml again")
        return bad(f"{name} is masked", f"systemctl unmask {name} && systemctl enable --now {name}")
    if unit["UnitFileState"] not in {"enabled", "enabled-runtime", "static"}:
        return bad(f"{name} is {unit['UnitFileState'] or 'not enabled'}: it does not come back with the host")
    return good(f"{name} is {unit['UnitFileState']}")


def _cron_table(host: Host) -> Finding | None:
    if host.scheduler != CRON:
        return None
    try:
        table = CRON_TABLE.read_text(encoding="utf-8")
    except FileNotFoundError:
        return bad(f"there is no {CRON_TABLE}: nothing runs")
    missing = [name for name in host.jobs if f"weather-job --keep {name} " not in table and f"{name} " not in table]
    if missing:
        return bad(f"{CRON_TABLE} lacks {', '.join(missing)}")
    return good(f"{CRON_TABLE} has {len(host.jobs)} jobs")


def _cron_runs(host: Host) -> Finding | None:
    if host.scheduler != CRON:
        return None
    for file in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):
            if file.read_text(encoding="utf-8").strip() in {"cron", "crond"}:
                return good("cron runs")
    return bad("no cron runs: no job is begun")


def _running(name: str, host: Host) -> Finding | None:
    if host.scheduler == CRON:
        return _kept_up(name.removeprefix("weather-").removesuffix(".service"), host)
    unit = host.unit(name)
    if unit is None or unit["LoadState"] != "loaded":
        return None
    state = f"{unit['ActiveState']} ({unit['SubState']})"
    if unit["SubState"] == "auto-restart" or (
        unit["ActiveState"] == "activating" and int(unit["NRestarts"] or 0) >= RESTARTS
    ):
        return bad(f"{name} dies and is restarted, {unit['NRestarts']} times so far ({how(unit)})")
    if unit["ActiveState"] == "activating":
        return good(f"{name} is starting")
    if unit["ActiveState"] != "active":
        return bad(f"{name} is {state}: {how(unit)}")
    up = time.monotonic() - int(unit["ActiveEnterTimestampMonotonic"] or 0) / 1e6
    if int(unit["NRestarts"] or 0) >= RESTARTS and up < STARTING_SECONDS and not _stored_since(host, name, up):
        return bad(f"{name} was restarted {unit['NRestarts']} times, last {long(up)} ago ({how(unit)})")
    return good(f"{name} has been running for {long(up)}")


def _stored_since(host: Host, name: str, up: float) -> bool:
    """Whether it does its work: a collector that stored since it was started has got over what ended it before."""
    if name != COLLECTOR:
        return up > STARTING_SECONDS / 4
    with suppress(Exception):  # the checks of the database meet it again
        return any(one.time >= host.now - up and one.status != "failed" for one in host.log[:5])
    return False


def _kept_up(name: str, host: Host) -> Finding | None:
    if name not in host.jobs:
        return None
    started = host.kept_by_cron(name)
    mend = f"weather-job --start {name}"
    if (CRON_RUN / f"{name}.stopped").exists():
        return bad(f"{name} was stopped", mend)
    if started is None:
        return bad(f"{name} does not run: /var/log/weather/{name}.log", mend)
    return good(f"{name} has been running for {long(max(host.now - started, 0))}")


def _responds(host: Host) -> Finding | None:
    unit = host.unit(COLLECTOR)
    if unit is None or unit["ActiveState"] != "active" or not int(unit["MainPID"] or 0):
        return None
    state = _process_state(int(unit["MainPID"]))
    if state in {"T", "t"}:
        return bad(f"process {unit['MainPID']} is stopped (by SIGSTOP or a debugger)")
    limit = _seconds(unit["WatchdogUSec"])
    silent = time.monotonic() - int(unit["WatchdogTimestampMonotonic"] or 0) / 1e6
    if limit and int(unit["WatchdogTimestampMonotonic"] or 0) and silent > limit * SILENT_PART:
        return bad(f"it has given no sign of life for {long(silent)}")
    return good(unit["StatusText"] or "it gives signs of life")


def _seconds(text: str) -> float:
    """Systemd's `3min`, `1h 30min`, `45s` or microseconds."""
    if text.isdecimal():
        return int(text) / 1e6
    units = {"h": 3600, "min": 60, "s": 1, "ms": 0.001, "us": 1e-6}
    total = 0.0
    for part in text.split():
        number = part.rstrip("abcdefghijklmnopqrstuvwxyz")
        total += float(number or 0) * units.get(part[len(number) :], 0)
    return total


def _process_state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _memory(host: Host) -> Finding | None:
    unit = host.unit(COLLECTOR)
    if unit is None or unit["ActiveState"] != "active":
        return None
    used, limit = unit["MemoryCurrent"], unit["MemoryMax"]
    if not used.isdecimal() or not limit.isdecimal():
        return unseen("systemd does not count this unit's memory")
    if int(used) > 0.9 * int(limit):
        return bad(f"{int(used) >> 20} of {int(limit) >> 20} MiB are used: it will be killed")
    return good(f"{int(used) >> 20} of {int(limit) >> 20} MiB are used")


def _job_succeeds(name: str, host: Host) -> Finding | None:
    unit = host.unit(f"weather-{name}.service")
    if unit is None or unit["LoadState"] != "loaded":
        return None
    if unit["ActiveState"] == "failed" or unit["Result"] not in {"success", ""}:
        return bad(f"its last run failed: {how(unit)}")
    return good("its last run ended well")


_ROOT = (
    "release-current", "python-runs", "packages-complete", "units-present", "units-genuine", "units-as-deployed",
    "units-start", "units-hardened", "places-plain",
    "places-owned", "settings-valid", "settings-readable", "service-user",
    "disk-data-writable", "disk-data-space", "disk-data-inodes",
)  # fmt: skip
_FILES = ("database-owner", "database-mode", "data-folder", "spool-usable", "database-schema", "database-kind")


def _job_check(name: str, guards: str, because: tuple[str, ...]) -> Check:
    return Check(
        id=f"{name}-succeeds", area="service", guards=guards, severity=Status.WARNING,
        probe=partial(_job_succeeds, name), remedy=f"systemctl start weather-{name}.service", because=because,
        is_of_last_run=True,
    )  # fmt: skip


CHECKS = (
    Check(
        "cron-table", "service", "Every job of this host is in cron's table.", Status.CRITICAL, _cron_table, ANSIBLE,
    ),
    Check(
        "cron-runs", "service", "Cron runs, where it is to run the jobs.", Status.CRITICAL, _cron_runs,
        "service cron start",
    ),
    Check(
        "collector-enabled", "service", "The collector comes back when the host is started.", Status.CRITICAL,
        partial(_enabled, COLLECTOR), f"systemctl enable --now {COLLECTOR}", ("units-present",),
    ),
    Check(
        "collector-running", "service", "The collector runs, and does not die again and again.", Status.CRITICAL,
        partial(_running, COLLECTOR), f"systemctl restart {COLLECTOR}",
        ("collector-enabled", "cron-table", "cron-runs", *_ROOT, *_FILES),
    ),
    Check(
        "collector-responds", "service", "The collector's loop turns: it is not stopped and does not hang.",
        Status.CRITICAL, _responds, f"systemctl restart {COLLECTOR}",
    ),
    Check(
        "collector-memory", "service", "The collector is far from the memory limit of its unit.", Status.WARNING,
        _memory, f"systemctl restart {COLLECTOR}",
    ),
    _job_check("detector", "The last detection run ended well.", (
        *_ROOT, "database-exists", *_FILES, "database-sound", "reports-folder", "disk-logs-space", "observations-fresh",
        "collector-running", "collector-enabled",
    )),
    _job_check("maintenance", "The last maintenance ended well.", (
        *_ROOT, "database-exists", *_FILES, "database-sound", "database-unlocked", "reports-folder",
    )),
)  # fmt: skip
