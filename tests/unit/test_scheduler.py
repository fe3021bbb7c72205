from __future__ import annotations

import json
import signal
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import TOOL, Run
from toolkit.errors import ToolkitError
from toolkit.scheduler import after, awaited, seconds
from toolkit.schedules import is_due, next_run

SUNDAY = datetime(2026, 11, 22, 5, 30)  # noqa: DTZ001 - local, as schedules are


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ({}, True),
        ({"minute": 30}, True),
        ({"minute": 5}, False),
        ({"minute": "*/5"}, True),
        ({"minute": "*/7"}, False),
        ({"hour": 5, "minute": 30}, True),
        ({"hour": 4, "minute": 30}, False),
        ({"weekday": "Sun", "hour": 5, "minute": 30, "random_delay": "30min"}, True),
        ({"weekday": "Mon", "hour": 5, "minute": 30}, False),
        ({"day": 22, "hour": 5, "minute": 30}, True),
        ({"day": "22"}, True),
        ({"day": 1, "hour": 5, "minute": 30}, False),
    ],
)
def test_a_schedule_names_its_minutes(schedule: dict[str, object], due: bool) -> None:
    assert is_due(schedule, SUNDAY) is due


@pytest.mark.parametrize(
    ("schedule", "after_days", "at"),
    [
        ({}, 0, "05:31"),
        ({"minute": 5}, 0, "06:05"),
        ({"minute": "*/5"}, 0, "05:35"),
        ({"hour": 5, "minute": 30}, 1, "05:30"),
        ({"hour": 5, "minute": 31}, 0, "05:31"),
        ({"weekday": "Sun", "hour": 5, "minute": 30}, 7, "05:30"),
        ({"weekday": "Mon", "hour": 7, "minute": 2}, 1, "07:02"),
        ({"day": 1, "hour": 15, "minute": 20}, 9, "15:20"),
        ({"day": 22, "hour": 0}, 30, "00:00"),
    ],
)
def test_the_next_run_is_the_first_minute_that_a_schedule_names(
    schedule: dict[str, object], after_days: int, at: str
) -> None:
    due = next_run(schedule, SUNDAY.replace(second=12))
    assert due is not None
    assert (due.date() - SUNDAY.date(), f"{due:%H:%M}") == (timedelta(days=after_days), at)


def test_a_schedule_may_name_no_minute() -> None:
    assert next_run({"hour": 25}, SUNDAY) is None


@pytest.mark.parametrize("schedule", [
        {"minute": "often"}, {"minute": "*/0"}, {"weekday": "Caturday"}, {"day": 31}, {"day": 0}, {"day": "*/2"},
        {"day": "Mon"}, {"day": None}, {"day": 1, "weekday": "Mon"},
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(schedule: dict[str, object]) -> None:
    with pytest.raises(ToolkitError, match=r"of a schedule is"):
        is_due(schedule, SUNDAY)


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(days=-3650), timedelta(days=3650)])
def test_a_clock_that_is_set_brings_neither_silence_nor_a_storm(step: timedelta) -> None:
    minute = SUNDAY + timedelta(minutes=1)
    now = SUNDAY + step
    waited_for = awaited(minute, now)
    assert waited_for - now <= timedelta(minutes=1)
    runs = 0
    while (waited_for := awaited(waited_for, now)) <= now:
        runs, waited_for = runs + 1, after(waited_for, now)
    assert runs == (2 if step > timedelta(0) else 0), "the minute that was waited for, and the present one"
    assert awaited(minute, SUNDAY) == minute


def test_delays_have_units() -> None:
    assert [seconds(text) for text in ("0", "90s", "30min", "1h")] == [0, 90, 1800, 3600]
    with pytest.raises(ToolkitError, match="'soon' is no delay"):
        seconds("soon")


def test_it_runs_until_it_is_told_to_stop(environment: dict[str, str], tmp_path: Path) -> None:
    jobs = {"jobs": {"collector": {"command": "collect"}, "maintenance": {"command": "maintain", "schedule": {}}}}
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    command = [TOOL, "schedule", "--jobs", str(tmp_path / "jobs.json")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert process.stderr.readline().endswith("1 jobs: maintenance\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_file_that_is_no_list_of_jobs_is_named(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "jobs.json"
    wrong.write_text("{}")
    done = run("schedule", "--jobs", str(wrong))
    assert (done.returncode, str(wrong) in done.stderr) == (1, True)
    wrong.write_text('{"jobs": {"a": {"command": "maintain", "schedule": {"minute": "x"}}}}')
    assert "'x' of a schedule" in run("schedule", "--jobs", str(wrong)).stderr
