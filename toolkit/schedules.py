"""The schedules of `weather_jobs`: whether a job is due, and when it is next; and which jobs are not to be missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from toolkit.errors import ToolkitError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Every month has this day.
LAST_DAY = 28
# Further away no schedule's next run is.
_FARTHEST = timedelta(days=32)
# Without which of them a host that collects into a database of its own goes without what.
_NEEDED = {
    "detector": "nothing is judged", "healthcheck": "nobody is told when it fails", "backup": "nothing is backed up",
    "maintenance": "nothing old is removed",
}  # fmt: skip


def lacking(jobs: Iterable[str]) -> str:
    """What a host with these jobs goes without that collects into a database of its own; empty for nothing."""
    names = set(jobs)
    return ", ".join(f"{what} ({job})" for job, what in _NEEDED.items() if "collector" in names and job not in names)


def is_due(schedule: Mapping[str, Any], at: datetime) -> bool:
    """Whether a schedule of `weather_jobs` names this minute.

    Args:
        schedule: minute, hour and weekday as cron has them (a number, `*`, `*/5`; Sun to Sat), and the day of the
            month, a number; `*` where not given.
        at: local time.

    Raises:
        ToolkitError: a field is none of these.
    """
    weekday = str(schedule.get("weekday", "*"))
    if weekday != "*" and weekday not in DAYS:
        raise ToolkitError(f"weekday {weekday!r} of a schedule is none of {', '.join(DAYS)}")
    return (
        _names(schedule.get("minute", "*"), at.minute)
        and _names(schedule.get("hour", "*"), at.hour)
        and day_of_month(schedule) in {None, at.day}
        and weekday in {"*", DAYS[at.weekday()]}
    )


def day_of_month(schedule: Mapping[str, Any]) -> int | None:
    """The day of the month on which a schedule of `weather_jobs` runs; None for every day.

    Raises:
        ToolkitError: it is no such day, or there is a weekday as well.
    """
    if "day" not in schedule:
        return None
    day = str(schedule["day"])
    if not (day.isascii() and day.isdecimal() and 1 <= int(day) <= LAST_DAY):
        raise ToolkitError(
            f"day {day!r} of a schedule is no day that every month has: give a number from 1 to {LAST_DAY}"
        )
    if "weekday" in schedule:
        # cron would run the job on either of them, and systemd where both are true.
        raise ToolkitError(f"day {day!r} of a schedule is given with a weekday: take one of them away")
    return int(day)


def _names(wanted: object, value: int) -> bool:
    text = str(wanted)
    if text == "*":
        return True
    step = text.removeprefix("*/")
    if not step.isdecimal() or (step != text and step == "0"):
        raise ToolkitError(f"{text!r} of a schedule is no number, * or */NUMBER")
    return value % int(step) == 0 if step != text else value == int(text)


def next_run(schedule: Mapping[str, Any], now: datetime) -> datetime | None:
    """The first minute after `now` that a schedule names; None where it names none, such as an hour 25.

    Args:
        schedule: as of `is_due`.
        now: local time.

    Raises:
        ToolkitError: a field is none of those that a schedule can have.
    """
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    end = minute + _FARTHEST
    while minute < end:
        if is_due(schedule, minute):
            return minute
        if not is_due({**schedule, "hour": "*", "minute": "*"}, minute):
            minute = minute.replace(hour=0, minute=0) + timedelta(days=1)
        elif not is_due({**schedule, "minute": "*"}, minute):
            minute = minute.replace(minute=0) + timedelta(hours=1)
        else:
            minute += timedelta(minutes=1)
    return None
