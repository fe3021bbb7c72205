"""Checks of the timers: each is enabled, is waiting, and will fire when it should."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from toolkit.checks import Check, Finding, Status, bad, check, good
from toolkit.checks.as_deployed import difference, mended
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import copy_of
from toolkit.checks.host.systemd import UNITS, epoch_of
from toolkit.checks.remedies import Enable, OfSystemd, Remedy, Sequence
from toolkit.checks.unit_files import Line, lines_of, restored
from toolkit.times import iso_of

# What moves the times of a timer's runs (systemd.timer(5)).
_MOVES = {"RandomizedDelaySec", "AccuracySec", "OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec"}
# How far away the next run of a timer may be, in days: a month where it runs on a day of the month, otherwise a week; a
# day is added for random delays.
FARTHEST_MONTHLY, FARTHEST = 32, 8


def _timer(job: str, host: Host) -> Finding | None:  # noqa: PLR0912 - one question after another
    name = f"weather-{job}.timer"
    unit = host.unit(name)
    if unit is None or unit["LoadState"] == "not-found":
        return None
    if unit["LoadState"] == "masked" or unit["UnitFileState"].startswith("masked"):
        if (UNITS / name).is_symlink():
            return bad(
                f"{name} is masked, by a link in the place of its unit",
                mended(host, UNITS / name)
                if copy_of(UNITS / name).exists()
                else OfSystemd("rm {}", UNITS / name, note="then site.yml again"),
            )
        return bad(f"{name} is masked", Sequence(OfSystemd("systemctl unmask {}", name), Enable(job, timer=True)))
    if unit["ActiveState"] != "active":
        return bad(f"{name} is {unit['ActiveState']}: the job does not run")
    if unit["UnitFileState"] not in {"enabled", "enabled-runtime"}:
        return bad(f"{name} is {unit['UnitFileState']}: it does not come back with the host")
    if unit.get("Unit") not in {None, "", f"weather-{job}.service"}:
        return bad(f"{name} starts {unit['Unit']}", restored(host, [name], _lines(unit, "Unit")))
    if (wrong := _other_schedule(host, job, unit)) is not None:
        return bad(f"{name} has another schedule than was deployed: {wrong}", _schedule_again(host, job, unit))
    if late := _late(unit):
        return bad(
            f"{late[0].file} gives {name} {late[0].key}={late[0].value}, which was not deployed",
            Sequence(restored(host, [name], late), OfSystemd("systemctl restart {}", name)),
        )
    if unit["SubState"] == "running":
        return good("it is running")
    reverted = Sequence(OfSystemd("systemctl revert {}", name), *_reloaded(name))
    if changed := unit["DropInPaths"]:
        written = re.findall(r"(?m)^OnCalendar=(.+)", (UNITS / name).read_text(encoding="utf-8"))
        if not all(one in unit["TimersCalendar"] for one in written) or unit["TimersCalendar"].count("{") != len(
            written
        ):
            return bad(f"{changed} gives {name} another schedule than was deployed", reverted)
    due = epoch_of(unit["NextElapseUSecRealtime"])
    if due is None:
        return bad(f"{name} has no next run", OfSystemd("systemctl restart {}", name))
    monthly = "day" in (host.jobs[job].schedule or {})
    if due - host.now > (FARTHEST_MONTHLY if monthly else FARTHEST) * 86400:
        return bad(f"{name} will not fire before {iso_of(due)}", reverted)
    return good(f"next at {iso_of(due)}")


def _late(unit: dict[str, str]) -> list[Line]:
    """What drop-ins say that moves the times of a timer's runs, and its own file does not."""
    own = {(line.key, line.value) for line in lines_of(Path(unit["FragmentPath"]))}
    dropped = [line for file in unit["DropInPaths"].split() for line in lines_of(Path(file))]
    return [line for line in dropped if line.key in _MOVES and (line.key, line.value) not in own]


def _lines(unit: dict[str, str], key: str) -> list[Line]:
    files = [unit["FragmentPath"], *unit["DropInPaths"].split()]
    return [line for file in files for line in lines_of(Path(file)) if line.key == key]


def _calendar(schedule: dict[str, Any]) -> str:
    """A schedule as templates/systemd/timer.j2 writes it."""
    hour, minute = (str(schedule.get(name, "*")).replace("*/", "0/") for name in ("hour", "minute"))
    weekday = f"{schedule['weekday']} " if "weekday" in schedule else ""
    return f"{weekday}*-*-{schedule.get('day', '*')} {hour}:{minute}:00"


def _other_schedule(host: Host, job: str, unit: dict[str, str]) -> str | None:
    """The schedule in a timer's own file, where it is not the one that was deployed; None where it is."""
    schedule = host.jobs[job].schedule
    own = [line.value for line in _lines(unit, "OnCalendar") if str(line.file) == unit["FragmentPath"]]
    return None if schedule is None or own == [_calendar(schedule)] else ", ".join(own) or "none"


def _schedule_again(host: Host, job: str, unit: dict[str, str]) -> Remedy:
    if difference(UNITS / f"weather-{job}.timer"):
        return mended(host, UNITS / f"weather-{job}.timer")
    calendar = _calendar(host.jobs[job].schedule or {})
    change = f"/^OnCalendar *=/d;/^\\[Timer\\]/a OnCalendar={calendar}"
    return Sequence(OfSystemd("sed -i {} {}", change, unit["FragmentPath"]), *_reloaded(f"weather-{job}.timer"))


def _reloaded(timer: str) -> tuple[Remedy, Remedy]:
    return OfSystemd("systemctl daemon-reload"), OfSystemd("systemctl restart {}", timer)


def _check(job: str, severity: Status, invariant: str, problem: str) -> Check:
    @check(
        id=f"{job}-timer", area="timers", invariant=invariant, problem=problem, severity=severity,
        remedy=Enable(job, timer=True), caused_by=("units-present", "files-alone"), is_of_last_run=True,
    )  # fmt: skip
    def probe(host: Host) -> Finding | None:
        return _timer(job, host)

    return probe


detector = _check("detector", Status.WARNING, "A detection run is made every hour.", "No detection runs are made.")
healthcheck = _check(
    "healthcheck", Status.WARNING, "The health of this host is looked at by itself.",
    "Nothing looks at the health of this host by itself.",
)  # fmt: skip
backup = _check("backup", Status.CRITICAL, "A backup is made every night.", "No backups are made at night.")
restore_drill = _check(
    "restore-drill", Status.WARNING, "A restore drill is made every week.", "No restore drills are made."
)
maintenance = _check(
    "maintenance", Status.WARNING, "Old data and reports are removed, and the database is kept in shape.",
    "Old data and reports are not removed: no maintenance is made.",
)  # fmt: skip
notify = _check("notify", Status.WARNING, "People are told of incidents.", "People are not told of incidents.")
