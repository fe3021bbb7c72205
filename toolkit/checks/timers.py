"""Checks of the timers: each is enabled, waiting, and will fire."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from toolkit.checks import Check, Finding, Status, bad, good
from toolkit.checks.host import UNITS, Host
from toolkit.checks.mending import quoted
from toolkit.checks.units import Line, changed_back, lines_of
from toolkit.times import from_epoch, iso

# What a timer may be away from its next run: the longest period there is, a week, and a day for delays.
FARTHEST_SECONDS = 8 * 86400


def _timer(job: str, host: Host) -> Finding | None:
    name = f"weather-{job}.timer"
    unit = host.unit(name)
    if unit is None or unit["LoadState"] == "not-found":
        return None
    if unit["LoadState"] == "masked" or unit["UnitFileState"].startswith("masked"):
        if (UNITS / name).is_symlink():
            return bad(
                f"{name} is masked, by a link in the place of its unit", f"rm {UNITS / name}  # then site.yml again"
            )
        return bad(f"{name} is masked", f"systemctl unmask {name} && systemctl enable --now {name}")
    if unit["ActiveState"] != "active":
        return bad(f"{name} is {unit['ActiveState']}: the job does not run")
    if unit["UnitFileState"] not in {"enabled", "enabled-runtime"}:
        return bad(f"{name} is {unit['UnitFileState']}: it does not come back with the host")
    if unit.get("Unit") not in {None, "", f"weather-{job}.service"}:
        return bad(f"{name} starts {unit['Unit']}", changed_back(host, [name], _lines(unit, "Unit")))
    if (wrong := _other_schedule(host, job, unit)) is not None:
        return bad(f"{name} has another schedule than was deployed: {wrong}", _schedule_again(host, job, unit))
    if unit["SubState"] == "running":
        return good("it is running")
    reverted = f"systemctl revert {name} && systemctl daemon-reload && systemctl restart {name}"
    if changed := unit["DropInPaths"]:
        written = re.findall(r"(?m)^OnCalendar=(.+)", (UNITS / name).read_text(encoding="utf-8"))
        if not all(one in unit["TimersCalendar"] for one in written) or unit["TimersCalendar"].count("{") != len(
            written
        ):
            return bad(f"{changed} gives {name} another schedule than was deployed", reverted)
    due = _epoch(unit["NextElapseUSecRealtime"])
    if due is None:
        return bad(f"{name} has no next run", f"systemctl restart {name}")
    if due - host.now > FARTHEST_SECONDS:
        return bad(f"{name} will not fire before {iso(from_epoch(due))}", reverted)
    return good(f"next at {iso(from_epoch(due))}")


def _lines(unit: dict[str, str], key: str) -> list[Line]:
    files = [unit["FragmentPath"], *unit["DropInPaths"].split()]
    return [line for file in files for line in lines_of(Path(file)) if line.key == key]


def _calendar(schedule: dict[str, Any]) -> str:
    """As templates/systemd/timer.j2 writes it."""
    hour, minute = (str(schedule.get(name, "*")).replace("*/", "0/") for name in ("hour", "minute"))
    weekday = f"{schedule['weekday']} " if "weekday" in schedule else ""
    return f"{weekday}*-*-* {hour}:{minute}:00"


def _other_schedule(host: Host, job: str, unit: dict[str, str]) -> str | None:
    """What a timer's own file says of its schedule, where that is not what was deployed; None where it is."""
    schedule = host.jobs[job].schedule
    own = [line.value for line in _lines(unit, "OnCalendar") if str(line.file) == unit["FragmentPath"]]
    return None if schedule is None or own == [_calendar(schedule)] else ", ".join(own) or "none"


def _schedule_again(host: Host, job: str, unit: dict[str, str]) -> str:
    file, calendar = quoted(unit["FragmentPath"]), _calendar(host.jobs[job].schedule or {})
    change = f"/^OnCalendar *=/d;/^\\[Timer\\]/a OnCalendar={calendar}"
    return f"sed -i {quoted(change)} {file} && systemctl daemon-reload && systemctl restart weather-{job}.timer"


def _epoch(text: str) -> float | None:
    """A time as systemd writes it, `Wed 2026-11-25 04:19:33 UTC`; None of `n/a` and of nothing."""
    try:
        return datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _check(job: str, severity: Status, guards: str) -> Check:
    return Check(
        id=f"{job}-timer", area="timers", guards=guards, severity=severity, probe=partial(_timer, job),
        remedy=f"systemctl enable --now weather-{job}.timer", because=("units-present",),
    )  # fmt: skip


CHECKS = (
    _check("detector", Status.WARNING, "A detection run is made every hour."),
    _check("healthcheck", Status.WARNING, "The health of this host is looked at by itself."),
    _check("backup", Status.CRITICAL, "A backup is made every night."),
    _check("restore-drill", Status.WARNING, "A restore is rehearsed every week."),
    _check("maintenance", Status.WARNING, "Old data and reports are removed, and the database is kept in shape."),
)
