"""Ansible filter: what is wrong with the declarations of jobs (`weather_jobs`), said before a host is touched."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

# See roles/weather/defaults/main.yml.
FIELDS = (
    "description", "command", "schedule", "network", "examines", "writes", "credentials", "serves", "probe", "scales",
)  # fmt: skip
SCHEDULE = ("minute", "hour", "day", "weekday", "random_delay")


def refused_jobs(jobs: Mapping[str, Mapping[str, Any]], project: str) -> list[str]:
    """One sentence for each thing that is wrong.

    Args:
        jobs: by name.
        project: the toolkit's source tree, which knows the settings and the credentials.
    """
    if project not in sys.path:
        sys.path.append(project)
    return [f"weather_jobs: {name}: {wrong}" for name, job in jobs.items() for wrong in _wrong_with(job)]


def lacking_jobs(jobs: Mapping[str, Mapping[str, Any]], project: str) -> str:
    """What a host with these jobs and a database of its own goes without; empty for nothing."""
    if project not in sys.path:
        sys.path.append(project)
    from toolkit.schedules import lacking

    return lacking(jobs)


def _wrong_with(job: Mapping[str, Any]) -> Iterator[str]:
    from toolkit.credentials import Credential
    from toolkit.errors import ToolkitError
    from toolkit.kinds import ADDRESS
    from toolkit.schedules import day_of_month
    from toolkit.settings import DECLARATIONS

    yield from _unknown(job, FIELDS, "field of a job")
    for field in ("description", "command"):
        if not job.get(field):
            yield f"it has no {field}"
    schedule = job.get("schedule")
    if schedule is not None:
        yield from _unknown(schedule, SCHEDULE, "field of a schedule")
        try:
            day_of_month(schedule)
        except ToolkitError as error:
            yield str(error)
    yield from _unknown(job.get("credentials", ()), tuple(Credential), "credential")
    if "serves" in job:
        addresses = tuple(name for name, one in DECLARATIONS.items() if one.kind is ADDRESS)
        yield from _unknown([job["serves"]], addresses, "setting of an address")
    for field in ("serves", "probe", "scales"):
        if field in job and schedule is not None:
            yield f"{field} is of a service, and this job has a schedule: take one of them away"


def _unknown(given: Any, known: tuple[str, ...], what: str) -> Iterator[str]:
    for name in given:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            yield f"{name!r} is no {what}" + (f" (did you mean {near[0]}?)" if near else f": {', '.join(known)}")


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters, by name."""
        return {"weather_refused_jobs": refused_jobs, "weather_lacking_jobs": lacking_jobs}
