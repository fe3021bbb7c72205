"""What is wrong with an inventory is said before a host is touched: nobody answers at the hosts' addresses here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def deployed(tmp_path: Path, variables: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """What a dry run says of two hosts that cannot be reached, one of which has these variables."""
    hosts = {"volos": {"ansible_host": "192.0.2.12", **variables}, "zagora": {"ansible_host": "192.0.2.13"}}
    inventory = tmp_path / "fleet.json"
    inventory.write_text(json.dumps({"weather": {"hosts": hosts}}), encoding="utf-8")
    command = ["ansible-playbook", "-i", str(inventory), "playbooks/deploy.yml", "--check", "--diff"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"weather_schedular": "cron"},
            "no variable has this name: weather_schedular (did you mean weather_scheduler?)",
        ),
        (
            {"__weather_credentials": {}},
            "__weather_credentials is internal to the roles, and must not be set: take it out",
        ),
        (
            {"weather_jobs": {"page": {"description": "A page", "command": "report", "shedule": {}}}},
            "weather_jobs: page: 'shedule' is no field of a job (did you mean schedule?)",
        ),
        (
            {"weather_jobs": {"a": {"description": "A", "command": "report", "schedule": {"day": 31}}}},
            "weather_jobs: a: day '31' of a schedule is no day that every month has: give a number from 1 to 28",
        ),
        ({"weather_scheduler": "crond"}, "value of weather_scheduler must be one of: systemd, cron, got: crond"),
        ({"weather_releases_kept": "two"}, "argument 'weather_releases_kept' is of type str"),
        ({"weather_memory": "much"}, "weather_memory=much: give a number of bytes, or with K, M, G or T behind"),
        ({"weather_db": "/home/op/a.db"}, "weather_db='/home/op/a.db': /home: units do not see it"),
        ({"weather_window_hours": 9999}, "weather_window_hours='9999': give a number from 0.5 to 744"),
        ({"weather_feed_url": "ftp://feed"}, "weather_feed_url='ftp://feed': give an http:// or https:// address"),
    ],
)
def test_a_wrong_variable_is_named_and_no_host_is_touched(
    tmp_path: Path, variables: dict[str, object], says: str
) -> None:
    done = deployed(tmp_path, variables)
    assert says in done.stdout + done.stderr
    assert done.returncode == 2
    assert "unreachable=0" in done.stdout
    assert "unreachable=1" not in done.stdout


@pytest.mark.parametrize("database", ["/var/lib/weather/data/a.db", "postgresql://weather@192.0.2.20/weather"])
def test_jobs_that_a_host_needs_and_has_not_are_named(tmp_path: Path, database: str) -> None:
    """Of a server's database other hosts may judge and back up."""
    done = deployed(
        tmp_path,
        {
            "weather_jobs": {"collector": {"description": "It", "command": "collect"}}, "weather_db": database,
            "ansible_ssh_common_args": "-o ConnectTimeout=1",
        },
    )  # fmt: skip
    said = "volos has too few jobs: nothing is judged (detector), nobody is told when it fails (healthcheck), nothing"
    told = " ".join(done.stdout.split())
    assert (said in told) is (not database.startswith("postgresql"))
    assert "zagora has too few" not in told
