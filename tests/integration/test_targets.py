"""Jobs are declared once: one more appears on all four targets; manifests are what Kubernetes' own schemas say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

VERSIONS = ("1.31", "1.32", "1.33", "1.34")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("targets")
    playbook = Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [playbook, "tests/integration/targets.yml", "-e", f"lab_folder={folder}"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


def manifests(folder: Path, engine: str) -> Iterator[dict[str, Any]]:
    for path in (folder / "kubernetes/base/weather.yaml", *(folder / "kubernetes/overlays" / engine).glob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from (one for one in yaml.safe_load_all(path.read_text()) if one)


def test_one_more_job_appears_on_all_four_targets(rendered: Path) -> None:
    assert "7 */3 * * Mon root /usr/local/bin/weather-job extra data summary\n" in (rendered / "cron").read_text()
    assert "/weather-tool data summary\n" in (rendered / "weather-extra.service").read_text()
    assert "OnCalendar=Mon *-*-* 0/3:7:00\n" in (rendered / "weather-extra.timer").read_text()
    (job,) = [one for one in manifests(rendered, "sqlite") if one["metadata"]["name"] == "weather-extra"]
    assert (job["kind"], job["spec"]["schedule"]) == ("CronJob", "7 */3 * * Mon")
    # In compose the scheduler reads it from jobs.json; what is written there is said beside it.
    assert (
        "# Runs detector, healthcheck, backup, restore-drill, maintenance, extra."
        in (rendered / "compose.yaml").read_text()
    )


def test_a_percent_sign_is_no_line_end_to_cron(rendered: Path) -> None:
    assert r"report_\%Y\%m\%d_\%H\%M\%S.json" in (rendered / "cron").read_text()


def test_compose_confines_what_it_runs(rendered: Path) -> None:
    services = yaml.safe_load((rendered / "compose.yaml").read_text())["services"]
    assert set(services) == {"collector", "exporter", "scheduler", "postgresql", "prometheus"}
    for name in ("collector", "exporter", "scheduler"):
        one = services[name]
        assert (one["read_only"], one["cap_drop"], one["user"]) == (True, ["ALL"], "10001:10001")
        assert one["mem_limit"] == "1g"


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_are_valid(rendered: Path, engine: str, version: str) -> None:
    for one in manifests(rendered, engine):
        if one["kind"] != "ServiceMonitor":  # the operator's own
            kubernetes_validate.validate(one, version, strict=True)


def pods(rendered: Path, engine: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for one in manifests(rendered, engine):
        if one["kind"] == "Deployment":
            yield one, one["spec"]["template"]["spec"]
        elif one["kind"] == "CronJob":
            yield one, one["spec"]["jobTemplate"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_pods_are_within_the_restricted_profile(rendered: Path, engine: str) -> None:
    found = list(pods(rendered, engine))
    assert len(found) == 8
    for _, pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) == {"requests", "limits"}


def test_one_node_has_the_volume_and_one_collector_writes_it(rendered: Path) -> None:
    for one, pod in pods(rendered, "sqlite"):
        if one["metadata"]["name"] == "weather-collector":
            assert (one["spec"]["replicas"], one["spec"]["strategy"]) == (1, {"type": "Recreate"})
            continue
        (rule,) = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert rule["topologyKey"] == "kubernetes.io/hostname"
        assert rule["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == "collector"
    collectors = [one for one, _ in pods(rendered, "postgresql") if one["metadata"]["name"] == "weather-collector"]
    assert collectors[0]["spec"]["replicas"] == 2


def test_jobs_do_not_overlap_and_end(rendered: Path) -> None:
    for one in manifests(rendered, "sqlite"):
        if one["kind"] == "CronJob":
            spec = one["spec"]
            assert (spec["concurrencyPolicy"], spec["jobTemplate"]["spec"]["activeDeadlineSeconds"]) == ("Forbid", 900)
            assert spec["startingDeadlineSeconds"]
