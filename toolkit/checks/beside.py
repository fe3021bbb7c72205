"""Checks of what is beside the service: a second collector, another scheduler's leftovers, folders that only grow."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from toolkit.checks import Check, Finding, Status, bad, good
from toolkit.checks.host import COLLECTOR, CRON, CRON_RUN, CRON_TABLE, UNITS, Host
from toolkit.checks.mending import AS_USER, quoted

# Reports are two files an hour, of one schedule; who makes twice as many forgets to remove them.
REPORTS_A_DAY = 48
SPARE_REPORTS = 1000
_OURS = re.compile(
    r"weather-job|weather-backup\.sh|weather-tool\s+(collect|detect|maintain|backup\s+create|backup\s*$)|weather_\w+\.py"
)
# Of what is not the service's own in its folders.
FOREIGN_BYTES = 256 << 20
LOG_BYTES = 1 << 30
REPLACED_DAYS = 30
MOST_REPLACED = 50
MOST_ENTRIES = 50_000


def _alone(host: Host) -> Finding | None:
    if host.contained or "collector" not in host.jobs:
        return None
    others = second_collectors(host)
    if not others:
        return good("no second collector runs")
    pid, command = others[0]
    unit = _unit_of(pid)
    who = f"process {pid} ({command})" + (f" of {unit}" if unit else "")
    mend = f"systemctl disable --now {unit}" if unit and unit != COLLECTOR else f"kill {pid}"
    return bad(f"a second collector runs: {who}", f"{mend} && systemctl restart {COLLECTOR}" if host.jobs else mend)


def second_collectors(host: Host) -> list[tuple[int, str]]:
    """Collectors that are not the one that is to run: their numbers and commands."""
    ours = _own(host)
    return [(pid, command) for pid, command in _collectors() if pid not in ours]


def _own(host: Host) -> set[int]:
    """The collector that is to run, and what began it."""
    if host.scheduler == CRON:
        try:
            first = int((CRON_RUN / "collector.pid").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return {os.getpid()}
        return {pid for pid in _pids() if first in _ancestors(pid)}
    unit = host.unit(COLLECTOR)
    main = int(unit["MainPID"] or 0) if unit else 0
    return {main, os.getpid(), *(pid for pid in _pids() if unit and _unit_of(pid) == COLLECTOR)}


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())


def _ancestors(pid: int) -> set[int]:
    """A process, and those that began it."""
    found: set[int] = set()
    while pid > 1 and pid not in found:
        found.add(pid)
        try:
            pid = int(
                Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
            )
        except (OSError, ValueError, IndexError):
            break
    return found


def _unit_of(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.findall(r"/system\.slice/(?:.*/)?([\w@.:-]+\.service)", text)
    return found[-1] if found else ""


def _collectors() -> Iterator[tuple[int, str]]:
    """Processes that collect for ever, by their command lines: ours, and those of the guide's script."""
    for pid in _pids():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        names = [word.rpartition("/")[2] for word in words if word]
        if not names or names[0] in {"sh", "bash", "sudo", "runuser", "setpriv", "setsid", "vi", "vim", "less", "tail"}:
            continue
        runs = ("weather-tool" in names[:3] or "toolkit" in names[:4]) and "collect" in names
        if (runs and "--once" not in names) or any("weather_collector" in name for name in names[:3]):
            yield pid, " ".join(words)[:80].strip()


def _leftovers(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    if host.scheduler == CRON:
        units = sorted(path.name for path in UNITS.glob("weather-*.*") if path.suffix in {".service", ".timer"})
        if units and Path("/run/systemd/system").is_dir():
            return bad(
                f"cron runs the jobs, and systemd has {', '.join(units)} as well",
                f"systemctl disable --now {quoted(*units)}; rm -- {quoted(*(UNITS / name for name in units))}",
            )
        found = _environment_of_table()
        if found:
            return bad(f"{CRON_TABLE} gives every job {', '.join(found)}", f"sed -i '/^WEATHER_/d' {CRON_TABLE}")
    elif host.systemd and CRON_TABLE.exists():
        return bad(f"systemd runs the jobs, and cron does as well: {CRON_TABLE}", f"rm -- {CRON_TABLE}")
    tables = [
        path for folder in ("/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily") for path in _files(Path(folder))
    ]
    for table in (Path("/etc/crontab"), *tables):
        if table != CRON_TABLE and (line := _runs_ours(table)):
            return bad(
                f"{table} runs {line!r} as well", f"mv -- {quoted(table)} {quoted(f'/root/{table.name}.weather')}"
            )
    return good("nothing else runs the service's jobs")


def _environment_of_table() -> list[str]:
    try:
        text = CRON_TABLE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return re.findall(r"(?m)^\s*((?:WEATHER_|LD_|PYTHON|SSL_CERT_|\w+_proxy)\w*\s*=.*)$", text)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []


def _runs_ours(table: Path) -> str:
    try:
        if table.stat().st_size > 1 << 20:
            return ""
        return _named(table.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""


def _named(text: str) -> str:
    """The first line that runs a job of the service; who asks how it is, or exports, is welcome."""
    for line in text.splitlines():
        if not line.lstrip().startswith("#") and _OURS.search(line):
            return line.strip()[:120]
    return ""


def _bounded(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    for look in (_of_reports, _of_data, _of_logs, _of_releases):
        found = look(host)
        if found:
            return found
    return good("no folder grows without a bound")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for _, entry in zip(range(MOST_ENTRIES), entries, strict=False)]
    except OSError:
        return []


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def _of_reports(host: Host) -> Finding | None:
    folder, days = Path(host.settings.reports), host.settings.report_days
    number = len(_entries(folder))
    most = 2 * REPORTS_A_DAY * days + SPARE_REPORTS
    if days and number > most:
        return bad(f"{number:,} files are in {folder}: more than {days} days of reports")
    return None


def _of_data(host: Host) -> Finding | None:
    damaged = [entry.name for entry in _entries(host.spool) if entry.name.endswith((".damaged", ".refused"))]
    if damaged:
        mend = f"{AS_USER}mv -t /var/tmp -- {quoted(*(host.spool / name for name in damaged))}"
        if len(damaged) > 20:
            mend = f"{AS_USER}find {quoted(host.spool)} '(' -name '*.damaged' -o -name '*.refused' ')' -delete"
        return bad(
            f"{len(damaged)} documents in {host.spool} could not be read or stored, and were set aside: {damaged[0]}",
            mend,
        )
    if host.is_postgresql:
        return None
    entries = _entries(host.db.parent)
    replaced = [entry for entry in entries if entry.name.startswith(f"{host.db.name}.replaced-")]
    old = [one for one in replaced if host.now - one.stat(follow_symlinks=False).st_mtime > REPLACED_DAYS * 86400]
    if old or len(replaced) > MOST_REPLACED:
        names = sorted(one.name for one in old or replaced[:-1])
        return bad(
            f"{len(replaced)} databases that a restore replaced are still in {host.db.parent}",
            f"{AS_USER}rm -r -- {quoted(*(host.db.parent / name for name in names))}",
        )
    foreign = [
        one for one in entries if not one.name.lstrip(".").startswith(host.db.name) and _size(one) > FOREIGN_BYTES
    ]
    if foreign:
        return _foreign(host.db.parent, foreign[0])
    return None


def _foreign(folder: Path, entry: os.DirEntry[str]) -> Finding:
    return bad(
        f"{folder / entry.name} has {_size(entry) >> 20} MiB and is not the service's own",
        f"ls -la {quoted(folder / entry.name)}",
    )


def _of_logs(host: Host) -> Finding | None:
    for entry in _entries(Path(host.settings.reports).parent):
        if entry.is_file(follow_symlinks=False) and _size(entry) > LOG_BYTES:
            return _foreign(Path(host.settings.reports).parent, entry)
    backups = Path(host.settings.backups)
    for entry in _entries(backups):
        if not entry.name.lstrip(".").startswith(("weather_", "replaced-", "drill")) and _size(entry) > FOREIGN_BYTES:
            return _foreign(backups, entry)
    return None


def _of_releases(_: Host) -> Finding | None:
    from toolkit.checks.host import CURRENT, RELEASES

    releases = [entry for entry in _entries(RELEASES) if entry.is_dir(follow_symlinks=False)]
    if len(releases) > 12:
        return bad(
            f"{len(releases)} releases are in {RELEASES}: a rollout leaves three",
            f"ls -dt {RELEASES}/*/  # in use: {CURRENT.resolve().name}",
        )
    return None


CHECKS = (
    Check(
        "collector-alone", "service", "No second collector stores into the database or asks the feed.", Status.CRITICAL,
        _alone, "ps -C weather-tool -o pid,user,lstart,args",
    ),
    Check(
        "jobs-alone", "service", "Nothing else runs the service's jobs: no other scheduler, no table of cron's.",
        Status.WARNING, _leftovers, "systemctl list-timers --all 'weather-*'",
    ),
    Check(
        "folders-bounded", "disk", "No folder of the service grows without a bound.", Status.WARNING, _bounded,
        "systemctl start weather-maintenance.service",
        ("disk-data-space", "disk-logs-space", "disk-backups-space", "disk-data-inodes", "disk-logs-inodes",
         "maintenance-timer", "maintenance-succeeds"),
    ),
)  # fmt: skip
