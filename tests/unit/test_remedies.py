"""Remedies are carried out where the service runs: on a host with systemd or cron, by compose, or by Kubernetes."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from toolkit.checks.catalogue import CHECKS
from toolkit.checks.host import Host
from toolkit.checks.mending import quoted
from toolkit.checks.remedies import in_words
from toolkit.checks.runbook import page
from toolkit.settings import load_lenient

JOBS = {
    "collector": {"command": "collect"},
    "exporter": {"command": "metrics --serve"},
    "backup": {"command": "backup create --prune", "schedule": {"hour": 4}},
}
COMPOSE = "cd /opt/weather-containers && podman-compose "
KUBERNETES = "kubectl --namespace weather "


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Host:
    where = {"compose": "/opt/weather-containers", "kubernetes": "weather"}.get(request.param, "")
    jobs = tmp_path / "jobs.json"
    jobs.write_text(json.dumps({"scheduler": request.param, "place": where, "jobs": JOBS}))
    monkeypatch.setattr("toolkit.checks.host.JOBS_FILE", jobs)
    return Host(load_lenient())


@pytest.mark.parametrize(
    ("place", "remedy", "expected"),
    [
        ("systemd", "systemctl restart weather-collector.service", "systemctl restart weather-collector.service"),
        ("cron", "chmod 0600 x && systemctl restart weather-collector.service",
         "chmod 0600 x && weather-job --stop collector && weather-job --start collector"),
        ("cron", "systemctl start weather-backup.service", "weather-job backup backup create --prune"),
        ("cron", "journalctl -u weather-backup.service -n 20", "weather-job --log backup"),
        ("compose", "systemctl restart weather-collector.service", f"{COMPOSE}restart collector"),
        ("compose", "systemctl start weather-backup.service",
         f"{COMPOSE}exec -T scheduler weather-tool backup create --prune"),
        ("compose", "weather-tool restore LATEST",
         f"{COMPOSE}stop collector && podman-compose exec -T scheduler weather-tool restore LATEST; "
         "podman-compose start collector"),
        ("compose", "chown weather:weather x",
         f"{COMPOSE}exec -T --privileged --user root scheduler chown weather:weather x"),
        ("compose", "rm x* && systemctl start weather-backup.service",
         f"{COMPOSE}exec -T scheduler sh -c 'rm x*' && "
         "podman-compose exec -T scheduler weather-tool backup create --prune"),
        ("compose", "sed -i '3s/^/# /' /etc/weather/weather.env && systemctl restart weather-collector.service",
         "cd /opt/weather-containers && sed -i '3s/^/# /' weather.env && podman-compose restart collector"),
        ("compose", "ansible-playbook site.yml  # on the controller",
         "ansible-playbook playbooks/containers.yml  # on the controller"),
        ("kubernetes", "systemctl start weather-backup.service",
         f"{KUBERNETES}create job --from=cronjob/weather-backup weather-backup-$(date +%s)"),
        ("kubernetes", "systemctl status weather-collector.service",
         f"{KUBERNETES}logs --tail 50 --selector app.kubernetes.io/component=collector"),
        ("kubernetes", "weather-tool restore LATEST --drill",
         f"{KUBERNETES}exec deployment/weather-exporter -- weather-tool restore LATEST --drill"),
    ],
    indirect=["place"],
)  # fmt: skip
def test_a_remedy_is_said_for_where_it_is_done(place: Host, remedy: str, expected: str) -> None:
    assert in_words(place, remedy) == expected


@pytest.mark.parametrize("place", ["cron", "compose", "kubernetes"], indirect=True)
def test_nothing_is_asked_of_a_systemd_that_is_not_there(place: Host) -> None:
    for check in CHECKS:
        # These look at units: they find nothing there.
        if not check.id.startswith("units-") and not check.id.endswith(("-timer", "-enabled", "-port")):
            assert "systemctl" not in page(check, partial(in_words, place)), check.id


@pytest.mark.parametrize("place", ["cron"], indirect=True)
def test_a_files_name_is_no_command(place: Host) -> None:
    name = quoted("/x/a && systemctl stop weather-collector.service")
    assert in_words(place, f"rm -- {name} && systemctl start weather-collector.service") == (
        f"rm -- {name} && weather-job --start collector"
    )
