"""Checks that nothing else does the service's work: a second collector, another scheduler, a table of cron's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON, CRON_RUN, CRON_TABLE, SYSTEMD, TAKEN_BY_CRON
from toolkit.checks.host.processes import named, process, unit_of, words_of
from toolkit.checks.host.systemd import COLLECTOR, UNITS
from toolkit.checks.remedies import AllTimers, OnMachine, Restart, Sequence, Shell, ended, put_aside

# Commands that do a job of the service. Others, such as healthcheck or data export, may be run by anybody.
_OURS = re.compile(
    r"weather-job|weather-backup\.sh|weather-tool\s+(collect|detect|maintain|backup\s+create|backup\s*$)|weather_\w+\.py"
)
# The same for sed, which makes comments of them.
_COMMENTED = f"/{_OURS.pattern}/s/^/# /"
LARGEST_TABLE = 1 << 20


@check(
    id="collector-alone", area="service",
    invariant="No second collector stores into the database or fetches the feed.",
    problem="A second collector runs.",
    severity=Status.CRITICAL, remedy=Shell("ps -C weather-tool -o pid,user,lstart,args"),
)  # fmt: skip
def collector_alone(host: Host) -> Finding | None:
    if host.contained or "collector" not in host.jobs:
        return None
    others = second_collectors(host)
    if not others:
        return good("no second collector runs")
    pid, command = others[0]
    end = ended("" if (unit := unit_of(pid)) == COLLECTOR else unit, pid)
    lost = ""
    if host.scheduler == CRON and (other := process(pid)):
        lock = host.look(CRON_RUN / "collector.lock")
        if lock is None or other.started < lock.st_mtime:
            lost = (
                f", begun before {CRON_RUN} was made, where cron's jobs note that they run: was that moved or emptied?"
            )
    return bad(f"a second collector runs: {named(pid, command)}{lost}", Sequence(end, Restart("collector")))


def second_collectors(host: Host) -> list[tuple[int, str]]:
    """Collectors besides the one that is to run: their process ids and commands."""
    ours = _own(host)
    return [(pid, command) for pid, command in _collectors() if pid not in ours]


def _own(host: Host) -> set[int]:
    """The process ids of the collector that is to run, and of what started it."""
    if host.scheduler == CRON:
        try:
            first = int((CRON_RUN / "collector.pid").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return {os.getpid()}
        return {pid for pid in _pids() if first in _ancestors(pid)}
    unit = host.unit(COLLECTOR)
    main = int(unit["MainPID"] or 0) if unit else 0
    return {main, os.getpid(), *(pid for pid in _pids() if unit and unit_of(pid) == COLLECTOR)}


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())


def _ancestors(pid: int) -> set[int]:
    """A process, its parent, and so on."""
    found: set[int] = set()
    while pid > 1 and pid not in found:
        found.add(pid)
        if (running := process(pid)) is None:
            break
        pid = running.parent
    return found


def _collectors() -> Iterator[tuple[int, str]]:
    """Processes that collect for ever, by their command lines: ours, and those of the guide's script."""
    for pid in _pids():
        words = words_of(pid)
        names = [word.rpartition("/")[2] for word in words if word]
        if not names or names[0] in {"sh", "bash", "sudo", "runuser", "setpriv", "setsid", "vi", "vim", "less", "tail"}:
            continue
        runs = ("weather-tool" in names[:3] or "toolkit" in names[:4]) and "collect" in names
        if (runs and "--once" not in names) or any("weather_collector" in name for name in names[:3]):
            yield pid, " ".join(words)[:80].strip()


@check(
    id="jobs-alone", area="service",
    invariant="Nothing else runs the service's jobs: no other scheduler, no other table of cron's.",
    problem="Something else runs the service's jobs as well.",
    severity=Status.WARNING, remedy=AllTimers(),
)  # fmt: skip
def jobs_alone(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    if host.scheduler == CRON:
        units = sorted(path.name for path in UNITS.glob("weather-*.*") if path.suffix in {".service", ".timer"})
        if units and SYSTEMD.is_dir():
            return bad(
                f"cron runs the jobs, and systemd has {', '.join(units)} as well",
                OnMachine("systemctl disable --now {}; rm -- {}", units, [UNITS / name for name in units]),
            )
    elif host.systemd and CRON_TABLE.exists():
        return bad(f"systemd runs the jobs, and cron does as well: {CRON_TABLE}", Shell("rm -- {}", CRON_TABLE))
    tables = [
        path
        for folder in ("/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily")
        for path in _files(Path(folder))
        if TAKEN_BY_CRON.fullmatch(path.name)
    ]
    for table in (Path("/etc/crontab"), *tables):
        if table != CRON_TABLE and (line := _runs_ours(table)):
            return bad(f"{table} runs {line!r} as well", put_aside(table))
    # People's own tables, which only root reads.
    for own, text in host.seen_by_root:
        if "sudoers" not in str(own) and (line := _named(text)):
            return bad(f"{own} runs {line!r} as well", OnMachine("sed -E -i {} {}", _COMMENTED, own))
    for unit in (path for path in _files(UNITS) if path.suffix == ".service" and not path.name.startswith("weather-")):
        if line := _runs_ours(unit):
            names = [one.name for one in (unit.with_suffix(".timer"), unit) if one.exists()]
            away = put_aside(unit, OnMachine)
            return bad(
                f"the unit {unit.name} runs {line!r} as well",
                Sequence(OnMachine("systemctl disable --now {}", names), away, OnMachine("systemctl daemon-reload")),
            )
    return good("nothing else runs the service's jobs")


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []


def _runs_ours(table: Path) -> str:
    try:
        if table.stat().st_size > LARGEST_TABLE:
            return ""
        return _named(table.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""


def _named(text: str) -> str:
    """The first line that does a job of the service; empty for none."""
    for line in text.splitlines():
        if not line.lstrip().startswith("#") and _OURS.search(line):
            return line.strip()[:120]
    return ""
