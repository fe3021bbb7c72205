"""How each job stands: whether it runs, how its last run ended, when the next one is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON, Job
from toolkit.checks.host.systemd import epoch_of
from toolkit.checks.unit_results import outcome_of
from toolkit.errors import ToolkitError
from toolkit.schedules import next_run


class JobRun(NamedTuple):
    """How a job stands. Times are seconds since the epoch; None for what cannot be seen here.

    Attributes:
        name: as in `weather_jobs`.
        description: for people.
        service: whether it is always up, rather than run at its times.
        state: running, waiting for its time, failed, or stopped.
        since: of a service that runs, from when on.
        started, seconds: of the last run that is over: when, and how long it took.
        outcome: why that run failed; empty where it did not.
        next: when the next run is due, without a random delay where no timer says it.
    """

    name: str
    description: str
    service: bool
    state: str | None = None
    since: float | None = None
    started: float | None = None
    seconds: float | None = None
    outcome: str | None = None
    next: float | None = None


def job_runs(host: Host) -> list[JobRun]:
    """How the jobs of a host stand, in the order of `weather_jobs`; of containers only when they are due.

    Raises:
        ToolkitError: the list of jobs, or systemd, cannot be asked.
    """
    return [_stands(host, job, JobRun(name, job.description, job.is_service)) for name, job in host.jobs.items()]


def _stands(host: Host, job: Job, known: JobRun) -> JobRun:
    unit = host.unit(f"weather-{job.name}.service")
    timer = None if job.is_service else host.unit(f"weather-{job.name}.timer")
    if unit is not None:
        return _of_unit(known, unit, timer or {})
    if job.schedule is not None:
        due = None
        with suppress(ToolkitError):  # whoever runs it says so
            due = next_run(job.schedule, datetime.now())  # noqa: DTZ005 - schedules are in local time
        return known._replace(next=due.timestamp() if due else None)
    if host.scheduler != CRON:
        return known
    since = host.kept_by_cron(job.name)
    return known._replace(state="stopped" if since is None else "running", since=since)


def _of_unit(known: JobRun, unit: Mapping[str, str], timer: Mapping[str, str]) -> JobRun:
    began = epoch_of(unit.get("ExecMainStartTimestamp", ""))
    first, last = (
        int(unit.get(f"ExecMain{name}TimestampMonotonic") or 0) for name in ("Start", "Exit")
    )  # microseconds
    over = last > first > 0
    failed = unit["Result"] != "success"
    if unit["ActiveState"] in {"active", "activating", "reloading"}:
        state = "running"
    elif failed:
        state = "failed"
    else:
        state = "waiting" if timer.get("ActiveState") == "active" else "stopped"
    return known._replace(
        state=state,
        since=epoch_of(unit.get("ActiveEnterTimestamp", "")) if known.service and state == "running" else None,
        started=began if over else epoch_of(timer.get("LastTriggerUSec", "")) if state != "running" else None,
        seconds=(last - first) / 1e6 if over else None,
        outcome=(outcome_of(dict(unit)) if failed else "") if over else None,
        next=epoch_of(timer.get("NextElapseUSecRealtime", "")),
    )
