"""A remedy is printed for where it is carried out: on a host with systemd or cron, by compose, or by Kubernetes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from toolkit.checks import Check
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.host import Host
from toolkit.checks.remedies import (
    AsRoot,
    EditSettings,
    Logs,
    OfSystemd,
    OnController,
    Remedy,
    Restart,
    Restore,
    Sequence,
    ServiceStatus,
    Shell,
    Start,
    Tool,
)
from toolkit.checks.runbook import page
from toolkit.checks.targets import target_of
from toolkit.settings import load_lenient

JOBS = {
    "collector": {"command": "collect"},
    "exporter": {"command": "metrics --serve"},
    "backup": {"command": "backup create --prune", "schedule": {"hour": 4}},
}
COMPOSE = "cd /opt/weather-containers && podman-compose "
KUBERNETES = "kubectl --namespace weather "
SETTINGS = Path("/etc/weather/weather.env")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Host:
    where = {"compose": "/opt/weather-containers", "kubernetes": "weather"}.get(request.param, "")
    jobs = tmp_path / "jobs.json"
    jobs.write_text(json.dumps({"scheduler": request.param, "place": where, "jobs": JOBS}))
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", jobs)
    return Host(load_lenient())


@pytest.mark.parametrize(
    ("place", "remedy", "expected"),
    [
        ("systemd", Restart("collector"), "systemctl restart weather-collector.service"),
        ("cron", Sequence(Shell("chmod 0600 {}", "x"), Restart("collector")),
         "chmod 0600 x && weather-job --stop collector && weather-job --start collector"),
        ("cron", Start("backup"), "weather-job backup backup create --prune"),
        ("cron", Logs("backup"), "weather-job --log backup"),
        ("compose", Restart("collector"), f"{COMPOSE}restart collector"),
        ("compose", Start("backup"), f"{COMPOSE}exec -T scheduler weather-tool backup create --prune"),
        ("compose", Restore(),
         f"{COMPOSE}stop collector && podman-compose exec -T scheduler weather-tool restore LATEST; "
         "podman-compose start collector"),
        ("compose", AsRoot("chown weather:weather {}", "x"),
         f"{COMPOSE}exec -T --privileged --user root scheduler chown weather:weather x"),
        ("compose", Sequence(Shell("rm x*"), Start("backup")),
         f"{COMPOSE}exec -T scheduler sh -c 'rm x*' && "
         "podman-compose exec -T scheduler weather-tool backup create --prune"),
        ("compose", Sequence(EditSettings("3s/^/# /", SETTINGS), Restart("collector")),
         "cd /opt/weather-containers && sed -i '3s/^/# /' weather.env && podman-compose restart collector"),
        ("compose", OnController(), "ansible-playbook playbooks/containers.yml  # on the controller"),
        ("kubernetes", Start("backup"),
         f"{KUBERNETES}create job --from=cronjob/weather-backup weather-backup-$(date +%s)"),
        ("kubernetes", ServiceStatus("collector"),
         f"{KUBERNETES}logs --tail 50 --selector app.kubernetes.io/component=collector"),
        ("kubernetes", Tool("restore LATEST --drill"),
         f"{KUBERNETES}exec deployment/weather-exporter -- weather-tool restore LATEST --drill"),
        ("kubernetes", Restart("collector", "exporter"),
         f"{KUBERNETES}rollout restart deployment/weather-collector && "
         f"{KUBERNETES}rollout restart deployment/weather-exporter"),
    ],
    indirect=["place"],
)  # fmt: skip
def test_a_remedy_is_said_for_where_it_is_done(place: Host, remedy: Remedy, expected: str) -> None:
    assert remedy.render(target_of(place)) == expected


@pytest.mark.parametrize("place", ["systemd", "cron", "compose", "kubernetes"], indirect=True)
def test_every_check_has_a_remedy_on_every_target_or_nothing_to_look_at(place: Host) -> None:
    target = target_of(place)
    commands = {check: check.remedy.render(target) for check in CHECKS}
    lacking = {check.id for check, command in commands.items() if not command}
    assert lacking == (set() if place.scheduler == "systemd" else {one.id for one in CHECKS if _of_systemd(one)})
    assert not [one for one in commands.values() if place.scheduler != "systemd" and "systemctl" in one]
    # A shell can read all of them.
    script = "\n".join(f"f() {{ {command or ':'}\n}}" for command in commands.values())
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def _of_systemd(check: Check) -> bool:
    of_units = {"units-genuine", "units-hardened", "units-loaded", "bus-answers", "journal-kept"}
    return check.id.startswith("units-a") or check.id in of_units or check.id.endswith(("-timer", "-enabled"))


@pytest.mark.parametrize("place", ["cron", "compose", "kubernetes"], indirect=True)
def test_nothing_is_asked_of_a_systemd_that_is_not_there(place: Host) -> None:
    for check in CHECKS:
        assert "systemctl" not in page(check, target_of(place)), check.id


@pytest.mark.parametrize("place", ["cron"], indirect=True)
def test_half_a_remedy_is_none(place: Host) -> None:
    remedy = Sequence(OfSystemd("systemctl revert {}", "weather-collector.service"), Restart("collector"))
    assert remedy.render(target_of(place)) == ""


@pytest.mark.parametrize("place", ["cron"], indirect=True)
def test_a_files_name_is_no_command(place: Host) -> None:
    name = "/x/a && systemctl stop weather-collector.service"
    assert Sequence(Shell("rm -- {}", Path(name)), Start("collector")).render(target_of(place)) == (
        f"rm -- '{name}' && weather-job --start collector"
    )
