"""Jobs are declared once: one more appears on all four targets; manifests are what Kubernetes' own schemas say."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from lab.kubectl import built
from toolkit.settings import DECLARATIONS, Origin, load
from toolkit.sources import sources_of

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / ".venv/policy/bin/checkov"
VERSIONS = ("1.31", "1.32", "1.33", "1.34")


def render(folder: Path, values: Mapping[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    """Render the targets with variables as an inventory has them."""
    (folder / "values.yml").write_text(yaml.safe_dump({"lab_folder": str(folder), **values}, allow_unicode=True))
    playbook = Path(sys.executable).parent / "ansible-playbook"
    return subprocess.run(
        [playbook, "tests/integration/targets.yml", "-e", f"@{folder}/values.yml", *options],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("targets")
    done = render(folder, {"weather_feed_url": "https://stations.example.org/latest.geojson"})
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


TRIED: dict[str, Any] = yaml.safe_load((ROOT / "molecule/settings/vars/values.yml").read_text("utf-8"))
HOSTILE = """detect --save '/srv/a b/%Y $HOME "x" \\\\.json' --html"""
SPOKEN = ["detect", "--save", '/srv/a b/%Y $HOME "x" \\\\.json', "--html"]
# What a pod cannot have from a host.
IN_PODS = {
    "weather_feed_stations": "/run/credentials/Stationen ü.csv",
    "weather_feed_ca_file": "/run/credentials/ca.pem",
    "weather_sources_file": "/run/credentials/sources.toml",
    "weather_restic_repository": "sftp:weather@vault.example.org:/srv/restic",
}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every setting at another value than its default, with names that targets take as special."""
    folder = tmp_path_factory.mktemp("changed")
    extra = {"description": "One", "command": HOSTILE, "schedule": {"minute": 3}}
    served = {
        "description": "Another", "command": "metrics --serve",
        "serves": "metrics_address", "probe": "/-/ready", "scales": True,
    }  # fmt: skip
    jobs = {
        "lab_more": {"extra": extra, "served": served},
        "weather_jobs": "{{ weather_default_jobs | combine(lab_more) }}",
    }
    for done in (
        render(folder, {**TRIED, **jobs}, "--skip-tags=kubernetes"),
        render(folder, {**TRIED, **IN_PODS, **jobs}, "--tags=kubernetes"),
    ):
        assert done.returncode == 0, done.stdout[-3000:]
    return folder


def as_text(given: object) -> str:
    """A value of an inventory as weather.env has it."""
    if isinstance(given, list):
        return json.dumps(given, ensure_ascii=False, sort_keys=True)
    return str(int(given)) if isinstance(given, bool) else str(given)


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
        "# Runs detector, sensors, notify, notify-summary, healthcheck, backup, restore-drill, maintenance, network-report, extra, monthly."
        in (rendered / "compose.yaml").read_text()
    )


def test_a_job_of_a_day_of_the_month_is_on_all_targets(rendered: Path) -> None:
    (line,) = [
        line for line in (rendered / "cron").read_text().splitlines() if "weather-job --delay 1800 monthly " in line
    ]
    assert line.startswith("7 6 1 * * root ")
    timer = (rendered / "weather-monthly.timer").read_text()
    assert "OnCalendar=*-*-1 6:7:00\n" in timer
    told = subprocess.run(
        ["systemd-analyze", "calendar", "--base-time=2026-11-26 08:00:00 UTC", "*-*-1 6:7:00"],
        capture_output=True, text=True, check=True, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"},
    ).stdout  # fmt: skip
    assert "Next elapse: Tue 2026-12-01 06:07:00 UTC" in told
    (job,) = [one for one in manifests(rendered, "sqlite") if one["metadata"]["name"] == "weather-monthly"]
    assert job["spec"]["schedule"] == "7 6 1 * *"


def test_a_service_is_what_its_declaration_says_whatever_its_name(changed: Path) -> None:
    told = yaml.safe_load((changed / "compose.yaml").read_text("utf-8"))["services"]["served"]
    assert (told["command"], told["ports"]) == (["metrics", "--serve", "0.0.0.0:9206"], ["127.0.0.2:9206:9206"])
    found = {
        one["kind"]: one for one in manifests(changed, "postgresql") if one["metadata"]["name"] == "weather-served"
    }
    assert set(found) == {"Deployment", "Service", "PodDisruptionBudget"}
    assert found["Deployment"]["spec"]["replicas"] == 2
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["ports"] == [{"name": "metrics", "containerPort": 9206}]
    assert container["readinessProbe"]["httpGet"] == {"path": "/-/ready", "port": "metrics"}
    assert "--serve\n" in (changed / "weather-served.service").read_text()
    assert "--keep served metrics --serve\n" in (changed / "cron").read_text()


def test_the_api_scales_where_the_database_is_a_server_and_is_asked_without_it(rendered: Path) -> None:
    for engine, replicas in (("sqlite", 1), ("postgresql", 2)):
        found = {one["kind"]: one for one in manifests(rendered, engine) if one["metadata"]["name"] == "weather-api"}
        assert set(found) == {"Deployment", "Service", "PodDisruptionBudget"}
        assert found["Deployment"]["spec"]["replicas"] == replicas
        (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
        assert container["args"] == ["api", "0.0.0.0:9106"]
        # A database that does not answer is no reason to begin the API anew.
        for probe in ("livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"] == {"path": "/metrics", "port": "api"}
        (monitor,) = [one for one in manifests(rendered, engine) if one["kind"] == "ServiceMonitor"]
        assert [one["port"] for one in monitor["spec"]["endpoints"]] == ["metrics", "api", "receiver"]


def test_the_receiver_is_added_by_one_line_and_has_the_keys_alone(rendered: Path) -> None:
    unit = (rendered / "weather-receiver.service").read_text()
    assert "/weather-tool receive\n" in unit
    assert "LoadCredential=api_tokens" not in unit
    # Who serves beyond the host is no less confined than the API.
    api = (rendered / "weather-api.service").read_text()
    assert unit.partition("# What it may touch")[2] == api.partition("# What it may touch")[2]
    assert "weather-job --keep receiver receive\n" in (rendered / "cron").read_text()
    told = yaml.safe_load((rendered / "compose.yaml").read_text("utf-8"))["services"]["receiver"]
    assert (told["command"], told["ports"]) == (["receive", "0.0.0.0:9107"], ["127.0.0.1:9107:9107"])
    (pod,) = [pod for one, pod in pods(rendered, "sqlite") if one["metadata"]["name"] == "weather-receiver"]
    assert pod["containers"][0]["readinessProbe"]["httpGet"] == {"path": "/metrics", "port": "receiver"}


def test_members_of_a_cluster_reach_one_another_and_nobody_else_does(rendered: Path) -> None:
    members = {"detector", "cluster-scheduler", "cluster-worker"}
    found = manifests(rendered, "postgresql")
    policies = {one["metadata"]["name"]: one["spec"] for one in found if one["kind"] == "NetworkPolicy"}
    cluster = policies["weather-cluster"]
    (expression,) = cluster["podSelector"]["matchExpressions"]
    assert (expression["operator"], {*expression["values"]}) == ("In", members)
    ports = [{"protocol": "TCP", "port": 8786}, {"protocol": "TCP", "port": 8800, "endPort": 8999}]
    assert cluster["ingress"] == [{"from": [{"podSelector": cluster["podSelector"]}], "ports": ports}]
    assert cluster["egress"] == [{"to": [{"podSelector": cluster["podSelector"]}], "ports": ports}]
    assert 8786 not in [one["port"] for one in policies["weather"]["ingress"][0]["ports"]]
    deployed = {one["metadata"]["name"]: one["spec"] for one in found if one["kind"] == "Deployment"}
    assert deployed["weather-cluster-worker"]["replicas"] == 8
    assert deployed["weather-cluster-scheduler"]["replicas"] == 1
    (container,) = deployed["weather-cluster-scheduler"]["template"]["spec"]["containers"]
    assert container["args"] == ["cluster", "scheduler", "0.0.0.0:8786"]
    # The units of members get the certificate, and those beyond them do not.
    units = {file.stem for file in rendered.glob("weather-*.service") if "cluster_tls" in file.read_text()}
    assert units == {f"weather-{name}" for name in members}


def test_words_of_a_command_are_the_same_on_all_targets(changed: Path) -> None:
    line = next(line for line in (changed / "cron").read_text().splitlines() if " extra " in line)
    # What cron hands to sh: up to a percent sign that has no backslash before it, without those backslashes.
    assert shlex.split(line.replace("\\%", "%"))[8:] == SPOKEN
    assert line.count("%") == line.count("\\%") == 1
    unit = (changed / "weather-extra.service").read_text()
    assert (
        r"""ExecStart=/opt/weather/current/bin/weather-tool detect --save "/srv/a b/%%Y $$HOME \"x\" \\\\.json" --html"""
        in unit
    )
    (pod,) = [pod for one, pod in pods(changed, "sqlite") if one["metadata"]["name"] == "weather-extra"]
    assert pod["containers"][0]["args"] == SPOKEN


def test_no_path_of_a_setting_is_written_twice(rendered: Path) -> None:
    assert (
        "weather-job detector detect --end NOW --allow-short-history --save --html\n" in (rendered / "cron").read_text()
    )


def test_every_setting_is_tried_at_another_value_than_its_default() -> None:
    """Who adds a setting adds a value to molecule/settings/vars/values.yml, for a host and for what is rendered here."""
    assert set(TRIED) == {declared.variable.lower() for declared in DECLARATIONS.values()}
    for declared in DECLARATIONS.values():
        given = TRIED[declared.variable.lower()]
        text = as_text(given)
        assert declared.kind.parse(text) != declared.kind.parse(declared.default), declared.name


def test_the_program_reads_what_the_inventory_says(changed: Path) -> None:
    loaded = load(environ={"WEATHER_ENV_FILE": str(changed / "weather.env")})
    for name, declared in DECLARATIONS.items():
        given = TRIED[declared.variable.lower()]
        text = as_text(given)
        assert loaded.origins[name].text == text
        assert loaded.origins[name].place != "default"


def test_a_shell_reads_it_the_same(changed: Path) -> None:
    told = subprocess.run(
        ["sh", "-c", '. "$0"; printf "%s|%s|%s" "$WEATHER_DB" "$WEATHER_REPORTS" "$WEATHER_BACKUPS"', changed / "weather.env"],
        capture_output=True, text=True, check=True, env={"HOME": "/other"},
    )  # fmt: skip
    assert told.stdout.split("|") == [TRIED["weather_db"], TRIED["weather_reports"], TRIED["weather_backups"]]


def folders_of(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        "data": str(Path(values["weather_db"]).parent),
        "spool": values["weather_spool"],
        "reports": values["weather_reports"],
        "backups": values["weather_backups"],
    }


def test_units_may_write_where_the_settings_say(changed: Path) -> None:
    backup = writable(changed / "weather-backup.service")
    assert set(folders_of(TRIED).values()) <= backup
    assert f"-{TRIED['weather_restic_repository']}" in backup
    assert writable(changed / "weather-collector.service") == backup - {
        TRIED["weather_backups"], f"-{TRIED['weather_restic_repository']}",
    }  # fmt: skip


def writable(unit: Path) -> set[str]:
    """ReadWritePaths= as systemd reads it: in double quotes a backslash takes the next letter as it is."""
    (line,) = re.findall(r"(?m)^ReadWritePaths=(.+)$", unit.read_text("utf-8"))
    return {word.replace("%%", "%") for word in shlex.split(line)}


def test_compose_has_volumes_where_the_settings_say(changed: Path) -> None:
    told = yaml.safe_load((changed / "compose.yaml").read_text("utf-8"))
    folders = folders_of(TRIED)
    folders["logs"] = folders.pop("reports")
    assert set(told["volumes"]) == {*folders, "postgresql", "prometheus"}
    # As compose reads it: two dollar signs are one, one is a variable.
    mounts = [mount.replace("$$", "$") for mount in told["services"]["scheduler"]["volumes"]]
    assert {f"{name}:{path}" for name, path in folders.items()} <= set(mounts)
    for name in ("weather_feed_stations", "weather_feed_ca_file"):
        assert f"{TRIED[name]}:{TRIED[name]}:ro" in mounts
    assert f"{TRIED['weather_restic_repository']}:{TRIED['weather_restic_repository']}" in mounts
    exporter, api = told["services"]["exporter"], told["services"]["api"]
    assert exporter["command"] == ["metrics", "--serve", "0.0.0.0:9206"]
    assert exporter["ports"] == ["127.0.0.2:9206:9206"]
    assert (api["command"], api["ports"]) == (["api", "0.0.0.0:9207"], ["127.0.0.2:9207:9207"])


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_pods_have_volumes_where_the_settings_say(changed: Path, engine: str) -> None:
    folders = folders_of(TRIED)
    folders["logs"] = folders.pop("reports")
    for _, pod in pods(changed, engine):
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounts = {one["name"]: one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
        assert set(mounts) == volumes
        if "backups" in mounts:
            assert folders.items() <= mounts.items()
    claims = {one["metadata"]["name"] for one in manifests(changed, engine) if one["kind"] == "PersistentVolumeClaim"}
    assert claims == {f"weather-{name}" for name in folders if engine == "sqlite" or name in {"logs", "backups"}}
    for one in manifests(changed, engine):
        if one["kind"] != "ServiceMonitor":
            kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
        if one["kind"] == "ConfigMap":
            (changed / "pods.env").write_text(one["data"]["weather.env"])
    loaded = load(environ={"WEATHER_ENV_FILE": str(changed / "pods.env")})
    assert str(loaded.settings.db) == TRIED["weather_db"]


def test_pods_may_go_where_the_settings_say(changed: Path) -> None:
    (policy,) = [
        one
        for one in manifests(changed, "sqlite")
        if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == "weather"
    ]
    out = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert out == {53, 80, 443, 8443, 3128, 9206}
    (inside,) = [rule for rule in policy["spec"]["egress"] if rule["ports"] == [{"protocol": "TCP", "port": 9206}]]
    assert inside["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "exporter"
    assert policy["spec"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": port} for port in (9206, 9207)]}]


def test_what_a_target_cannot_give_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    done = render(tmp_path, {"weather_feed_ca_file": "/etc/ssl/own.pem"}, "--tags=kubernetes")
    assert done.returncode
    assert "weather_feed_ca_file='/etc/ssl/own.pem': pods have no file of a host" in " ".join(done.stdout.split())
    assert not (tmp_path / "kubernetes").exists()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"station": "volos", "judged": False}, "missing required arguments: reason"),
        ({"station": "volos", "variables": ["temp"], "judged": False, "reason": "x"}, "temp"),
        ({"station": "volos", "limits": 0.5, "reason": "x"}, "entry 1 (volos): limits: give a number from 1 to 100"),
    ],
)
def test_a_wrong_exception_is_refused_before_anything_is_written(tmp_path: Path, entry: object, says: str) -> None:
    done = render(tmp_path, {"weather_exceptions": [entry]}, "--tags=kubernetes")
    assert done.returncode
    assert says in " ".join(done.stdout.split())
    assert not (tmp_path / "kubernetes").exists()


SOURCES: list[dict[str, Any]] = [
    {"name": "own", "preset": "meteoswiss", "cadence_seconds": 60, "stations": "/run/secrets/own.csv"},
    {
        "name": "other", "url": 'http://192.0.2.7:8088/a?b=\\ü"$HOME"', "format": "csv", "max_mib": 2, "ca_file": None,
        "fields": 'temp_out="T, $x %"',
    },
]  # fmt: skip


def test_a_list_of_sources_is_a_file_on_every_target(tmp_path: Path) -> None:
    in_pods = [{**SOURCES[0], "stations": "/run/credentials/own.csv"}, SOURCES[1]]
    for sources, options in ((SOURCES, "--skip-tags=kubernetes"), (in_pods, "--tags=kubernetes")):
        done = render(tmp_path, {"weather_sources": sources}, options)
        assert done.returncode == 0, done.stdout[-3000:]
    assert 'WEATHER_SOURCES_FILE="/etc/weather/sources.toml"\n' in (tmp_path / "weather.env").read_text()
    settings = load({"sources_file": Origin(str(tmp_path / "sources.toml"), "")}, {}).settings
    own, other = sources_of(settings)
    assert (own.name, own.settings.cadence_seconds, own.settings.feed_format) == ("own", 60, "csv")
    assert other.settings.feed_url == SOURCES[1]["url"]
    mounted = yaml.safe_load((tmp_path / "compose.yaml").read_text("utf-8"))["services"]["collector"]["volumes"]
    assert "./sources.toml:/etc/weather/sources.toml:ro" in mounted
    found = manifests(tmp_path, "sqlite")
    (settings_map,) = [one for one in found if one["kind"] == "ConfigMap"]
    assert tomllib.loads(settings_map["data"]["sources.toml"])["source"][1]["url"] == SOURCES[1]["url"]
    policy = next(one for one in found if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == "weather")
    assert {"protocol": "TCP", "port": 8088} in policy["spec"]["egress"][-1]["ports"]


def test_a_wrong_list_of_sources_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    done = render(tmp_path, {"weather_sources": [{"url": "http://h/", "fieldz": ""}]}, "--tags=kubernetes")
    assert done.returncode
    told = " ".join(done.stdout.split())
    assert "missing required arguments: name" in told
    assert "fieldz" in told
    assert not (tmp_path / "kubernetes").exists()


def test_compose_confines_what_it_runs(rendered: Path) -> None:
    told = (rendered / "compose.yaml").read_text()
    assert "planted" not in told
    services = yaml.safe_load(told)["services"]
    assert set(services) == {
        "collector",
        "exporter",
        "api",
        "receiver",
        "scheduler",
        "postgresql",
        "prometheus",
        "cluster-scheduler",
        "cluster-worker",
    }
    for name in ("collector", "exporter", "api", "receiver", "scheduler", "cluster-scheduler", "cluster-worker"):
        one = services[name]
        assert (one["read_only"], one["cap_drop"], one["user"]) == (True, ["ALL"], "10001:10001")
        assert one["mem_limit"] == "1g"
        assert one["secrets"] == ["postgresql_password", "api_tokens", "cluster_tls"]


def test_the_unit_of_the_api_gets_its_tokens_and_no_other_does(rendered: Path) -> None:
    having = {
        file.name for file in rendered.glob("weather-*.service") if "LoadCredential=api_tokens:" in file.read_text()
    }
    assert having == {"weather-api.service"}


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
    assert len(found) == 17
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
