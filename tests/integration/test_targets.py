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

from lab.kubectl import built

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / ".venv/policy/bin/checkov"
VERSIONS = ("1.31", "1.32", "1.33", "1.34")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("targets")
    playbook = Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [playbook, "tests/integration/targets.yml", "-e", f"lab_folder={folder}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


def manifests(folder: Path, engine: str) -> list[dict[str, Any]]:
    return built(folder / "kubernetes/overlays" / engine)


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
    told = (rendered / "compose.yaml").read_text()
    assert "planted" not in told
    services = yaml.safe_load(told)["services"]
    assert set(services) == {"collector", "exporter", "scheduler", "postgresql", "prometheus"}
    for name in ("collector", "exporter", "scheduler"):
        one = services[name]
        assert (one["read_only"], one["cap_drop"], one["user"]) == (True, ["ALL"], "10001:10001")
        assert one["mem_limit"] == "1g"
        assert one["secrets"] == ["postgresql_password"]


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
    collectors = {}
    for engine in ("sqlite", "postgresql"):
        for one, pod in pods(rendered, engine):
            if one["metadata"]["name"] == "weather-collector":
                collectors[engine] = one["spec"]
            claims = [volume for volume in pod["volumes"] if "persistentVolumeClaim" in volume]
            assert bool(claims) == ("affinity" in pod)
            if claims:  # whoever has one runs where all run that have one, itself among them
                (rule,) = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
                assert rule["topologyKey"] == "kubernetes.io/hostname"
                template = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
                assert (
                    rule["labelSelector"]["matchLabels"].items() <= template["template"]["metadata"]["labels"].items()
                )
    assert (collectors["sqlite"]["replicas"], collectors["sqlite"]["strategy"]) == (1, {"type": "Recreate"})
    assert collectors["postgresql"]["replicas"] == 2


def test_jobs_do_not_overlap_and_end(rendered: Path) -> None:
    for one in manifests(rendered, "sqlite"):
        if one["kind"] == "CronJob":
            spec = one["spec"]
            assert (spec["concurrencyPolicy"], spec["jobTemplate"]["spec"]["activeDeadlineSeconds"]) == ("Forbid", 900)
            assert spec["startingDeadlineSeconds"]


def linted(folder: Path, found: dict[str, list[dict[str, Any]]]) -> subprocess.CompletedProcess[str]:
    """What a policy linter says, without the network."""
    if not CHECKOV.exists():
        pytest.skip("make needs")
    files = []
    for name, one in found.items():
        files += ["--file", str(folder / f"{name}.yaml")]
        Path(files[-1]).write_text(yaml.safe_dump_all(one))
    return subprocess.run(
        ["unshare", "--map-root-user", "--net", CHECKOV, *files, "--framework=kubernetes", "--skip-download", "--compact", "--quiet"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_manifests_keep_the_policies_of_a_linter(rendered: Path, tmp_path: Path) -> None:
    done = linted(tmp_path, {engine: manifests(rendered, engine) for engine in ("sqlite", "postgresql")})
    assert done.returncode == 0, done.stdout


def test_the_linter_sees_a_pod_that_may_do_more(rendered: Path, tmp_path: Path) -> None:
    found = manifests(rendered, "sqlite")
    (pod,) = [pod for one, pod in pods(rendered, "sqlite") if one["metadata"]["name"] == "weather-backup"]
    (job,) = [one for one in found if one["kind"] == "CronJob" and one["metadata"]["name"] == "weather-backup"]
    pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] = False
    job["spec"]["jobTemplate"]["spec"]["template"]["spec"] = pod
    done = linted(tmp_path, {"broken": found})
    assert done.returncode == 1
    assert done.stdout.count("FAILED for resource") == 1
