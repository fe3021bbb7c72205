"""Checks that cron runs the jobs as they were deployed, where it is what runs them."""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.as_deployed import difference, mended
from toolkit.checks.causes import CLOCK, OF_UNITS
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON, CRON_RUN, CRON_TABLE, SYSTEMD, TAKEN_BY_CRON, Job
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.host.processes import is_stopped, processes, words_of
from toolkit.checks.host.systemd import UNITS
from toolkit.checks.remedies import OnController, OnMachine, Remedy, Sequence, Shell, root_owns
from toolkit.durations import humanize
from toolkit.schedules import next_run

# What has to let root's jobs in (pam(8)).
PAM = Path("/etc/pam.d/cron")
SHADOW = Path("/etc/shadow")
# So many runs that were due, and then some time for the last of them, are missed before it is a fault.
MISSED, GRACE_SECONDS = 2, 120
JOB_COMMAND = "/usr/local/bin/weather-job"
# As templates/cron/weather.j2 writes them.
_ENVIRONMENT = {"SHELL": "/bin/sh", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_HARMLESS = {"MAILTO", "MAILFROM"}
_ASSIGNMENT = re.compile(r"\s*(\w+)\s*=\s*(.*?)\s*")
_FIELDS = re.compile(r"([\d*/,-]+)\s+([\d*/,-]+)\s+([\d*/,-]+)\s+([\w*/,-]+)\s+([\w*/,-]+)\s+(\S+)\s+(\S.*)")
_JOB = re.compile(rf"{JOB_COMMAND} (--keep |--delay \d+ )?([\w-]+) (.*)")


@check(
    id="cron-table", area="service",
    invariant="Cron's table has every job of this host as it was deployed, and cron takes it.",
    problem="Cron's table is not as it was deployed, or cron does not take it.",
    severity=Status.CRITICAL, remedy=OnController(),
)  # fmt: skip
def cron_table(host: Host) -> Finding | None:
    found = _of_table(host) if host.scheduler == CRON else None
    if found and not found.ok and CRON_TABLE.exists() and difference(CRON_TABLE):
        return replace(found, remedy=mended(host, CRON_TABLE))
    return found


def _of_table(host: Host) -> Finding:
    try:
        table, found = CRON_TABLE.read_bytes().decode(errors="replace"), CRON_TABLE.stat()
    except FileNotFoundError:
        if renamed := _renamed():
            return bad(
                f"cron does not take {renamed}, for names of tables have letters, digits, - and _ alone",
                OnMachine("mv -- {} {}", renamed, CRON_TABLE),
            )
        return bad(f"there is no {CRON_TABLE}: nothing runs", mended(host, CRON_TABLE))
    if found.st_uid or found.st_mode & 0o022:
        return bad(
            f"cron does not take {CRON_TABLE}: it is {owner_of(found)}'s, mode {mode_of(found)}",
            root_owns(CRON_TABLE, 0o644),
        )
    if not table.endswith("\n"):
        return bad(f"cron does not take {CRON_TABLE}: its last line has no end", OnMachine("echo >> {}", CRON_TABLE))
    if "\r" in table:  # of an editor of Windows: cron takes it for a part of the shell's name, and of each command
        return bad(
            f"{CRON_TABLE} has carriage returns, with which no job can be begun",
            OnMachine("sed -i {} {}", r"s/\r//g", CRON_TABLE),
        )
    return _lines_wrong(table) or _jobs_wrong(host, table) or good(f"{CRON_TABLE} has {len(host.jobs)} jobs")


def _renamed() -> Path | None:
    """The table under a name that cron does not take."""
    for path in sorted(CRON_TABLE.parent.iterdir()):
        if path.is_file() and not TAKEN_BY_CRON.fullmatch(path.name):
            with suppress(OSError):
                if f" {JOB_COMMAND} --keep " in path.read_text(encoding="utf-8", errors="replace"):
                    return path
    return None


def _lines_wrong(table: str) -> Finding | None:
    """The finding of a line that is none of a job's and does harm; None where there is none."""
    for number, line in enumerate(table.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if assignment := _ASSIGNMENT.fullmatch(line):
            name, value = assignment[1], assignment[2].strip("\"'")
            if name in _HARMLESS or _ENVIRONMENT.get(name) == value:
                continue
            change = f"{number}s|.*|{name}={_ENVIRONMENT[name]}|" if name in _ENVIRONMENT else f"{number}d"
            return bad(f"{CRON_TABLE} gives every job {name}={value}", OnMachine("sed -i {} {}", change, CRON_TABLE))
        if not (fields := _FIELDS.fullmatch(line)) or not all(map(_fits, fields.groups()[:5], _HIGHEST)):
            return bad(
                f"cron does not take {CRON_TABLE}: line {number} is {line[:80]!r}",
                OnMachine("sed -i {} {}", f"{number}d", CRON_TABLE),
            )
    return None


_HIGHEST = (59, 23, 31, 12, 7)


def _fits(field: str, highest: int) -> bool:
    return all(int(number) <= highest for number in re.findall(r"\d+", field))


def _jobs_wrong(host: Host, table: str) -> Finding | None:
    lines = [fields.groups() for line in table.splitlines() if (fields := _FIELDS.fullmatch(line))]
    found: dict[str, list[tuple[str, ...]]] = {}
    for *when, user, command in lines:
        if job := _JOB.fullmatch(command):
            found.setdefault(job[2], []).append((*when, user, (job[1] or "").partition(" ")[0], job[3]))
    wrong = [name for name, job in host.jobs.items() if found.get(name) != [_as_deployed(job)]]
    if not wrong:
        return None
    lacking = [name for name in wrong if name not in found]
    said = f"lacks {', '.join(lacking)}" if lacking else f"has another line than was deployed for {', '.join(wrong)}"
    return bad(f"{CRON_TABLE} {said}", Sequence(*(_written(name, host.jobs[name]) for name in wrong)))


def _as_deployed(job: Job) -> tuple[str, ...]:
    """The fields of a job's line, as templates/cron/weather.j2 writes them: times, user, option and command."""
    words = " ".join(map(shlex.quote, shlex.split(job.command))).replace("%", "\\%")
    if job.schedule is None:
        return (*"*****", "root", "--keep", words)
    minute, hour, day, weekday = (str(job.schedule.get(name, "*")) for name in ("minute", "hour", "day", "weekday"))
    option = "--delay" if "random_delay" in job.schedule else ""
    return (minute, hour, day, "*", weekday, "root", option, words)


def _written(name: str, job: Job) -> Remedy:
    """Write a job's line into the table, in the place of those that are there."""
    *when, user, option, words = _as_deployed(job)
    option = f"--delay {_seconds(job)} " if option == "--delay" else f"{option} " if option else ""
    line = f"{' '.join(when)} {user} {JOB_COMMAND} {option}{name} {words}"
    away = rf"/weather-job \(--keep \|--delay [0-9]* \)\?{name} /d"
    return Sequence(OnMachine("sed -i {} {}", away, CRON_TABLE), OnMachine("printf '%s\\n' {} >> {}", line, CRON_TABLE))


def _seconds(job: Job) -> int:
    """How long a job may be put off: `30min` of its schedule."""
    found = re.fullmatch(r"(\d+)\s*([smh]?)\w*", str((job.schedule or {}).get("random_delay", 0)))
    return int(found[1]) * {"s": 1, "": 1, "m": 60, "h": 3600}[found[2]] if found else 0


@check(
    id="cron-runs", area="service",
    invariant="Cron runs, where it is to run the jobs, and comes back with the host.",
    problem="Cron does not run, or does not come back with the host.",
    severity=Status.CRITICAL, remedy=OnMachine("service cron start"),
)  # fmt: skip
def cron_runs(host: Host) -> Finding | None:
    if host.scheduler != CRON:
        return None
    running = [one.pid for one in processes() if _is_cron(one.pid)]
    if not running:
        if os.path.realpath(UNITS / "cron.service") == os.devnull:
            again = OnMachine("systemctl unmask cron"), OnMachine("systemctl start cron")
            return bad("cron is masked: no job is begun", Sequence(*again))
        return bad("no cron runs: no job is begun")
    if all(map(is_stopped, running)):
        return bad(
            f"cron, process {running[0]}, is stopped (by SIGSTOP or a debugger)",
            Shell("kill -CONT {}", map(str, running)),
        )
    if SYSTEMD.is_dir() and not any(UNITS.glob("*.target.wants/cron*.service")):
        return bad(
            "cron is disabled: it does not come back with the host", OnMachine("systemctl enable cron"), Status.WARNING
        )
    return good("cron runs")


def _is_cron(pid: int) -> bool:
    """Whether a process is cron, and not one that it began to wait for a job: that calls itself CRON or CROND."""
    words = words_of(pid)
    return bool(words) and Path(words[0]).name in {"cron", "crond"}


@check(
    id="cron-begins", area="service",
    invariant="Cron begins the jobs when they are due.",
    problem="Cron runs, and does not begin the jobs when they are due.",
    severity=Status.CRITICAL, remedy=Shell("cat {}; chage --list root; journalctl -u cron -n 20 --no-pager", PAM),
    caused_by=("cron-table", "cron-runs", "command-present", *CLOCK),
)  # fmt: skip
def cron_begins(host: Host) -> Finding | None:
    """By the health check, which is begun every few minutes, and notes its exit code when it ends."""
    job = host.jobs.get("healthcheck")
    if host.scheduler != CRON or job is None or job.schedule is None:
        return None
    for file, said in host.seen_by_root:
        if file == SHADOW:
            again = OnMachine(
                "chage -E -1 root" if said.startswith("the account") else "chage -M -1 -d $(date +%F) root"
            )
            return Finding(False, f"{said}: PAM lets cron begin none of its jobs", again, explains=OF_UNITS)
    with suppress(OSError):
        if re.search(r"(?m)^(account|session|auth)\s.*pam_deny\.so", PAM.read_text(encoding="utf-8", errors="replace")):
            return bad(f"{PAM} denies cron every job", OnMachine("sed -i /pam_deny/d {}", PAM))
    # Cron itself may have been started later than the last run, and the clock set right between them.
    began = [one.started for one in processes() if _is_cron(one.pid)]
    ended = host.look(CRON_RUN / "healthcheck.code")
    last = max([*began, *([ended.st_mtime] if ended else [])], default=host.now)
    due: datetime | None = datetime.fromtimestamp(last)  # noqa: DTZ006 - schedules are in local time
    for _ in range(MISSED):
        due = next_run(job.schedule, due) if due else None
    if due and host.now > due.timestamp() + GRACE_SECONDS:
        return bad(
            f"cron has begun no health check for {humanize(host.now - last)}: PAM may refuse root's jobs, or root's "
            "account may have expired"
        )
    return good("cron begins the jobs")


@check(
    id="cron-folder", area="service",
    invariant="The folder by which cron's jobs know of one another is root's, and can be read.",
    problem="The folder by which cron's jobs know of one another is not root's, or cannot be read.",
    severity=Status.WARNING, remedy=OnMachine("chown -h root:root {}", CRON_RUN),
)  # fmt: skip
def cron_folder(host: Host) -> Finding | None:
    if host.scheduler != CRON or (found := host.look(CRON_RUN)) is None:
        return None
    if found.st_uid or found.st_mode & 0o777 != 0o755:
        return bad(
            f"{CRON_RUN} is {owner_of(found)}'s, mode {mode_of(found)}",
            root_owns(CRON_RUN, 0o755),
        )
    return good(f"{CRON_RUN} is root's")
