"""What stands in for a cluster and its kubectl where there is none: podman plays the pods, from the same manifests.

    lab/bin/kubectl apply -k FOLDER
    lab/bin/kubectl get pods
    lab/bin/kubectl wait --for=condition=ready pod --selector LABEL
    lab/bin/kubectl exec deployment/NAME -- COMMAND...
    lab/bin/kubectl create job --from=cronjob/NAME JOB
    lab/bin/kubectl wait --for=condition=complete job/JOB
    lab/bin/kubectl scale deployment/NAME --replicas=0
    lab/bin/kubectl rollout restart deployment/NAME
    lab/bin/kubectl logs --selector LABEL
    lab/bin/kubectl delete namespace NAME

Played as they are: the images, commands, users, capabilities, read-only roots, memory and CPU limits, settings, secrets
and volumes of every Deployment and of every CronJob's template. `played` says what is not. Of what is between pods
(Services, NetworkPolicy, affinity, disruption budgets) and of schedules nothing is here.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml

LAB_NAME = os.environ.get("LAB_NAME", "weather-lab")
VOLUMES = f"weather-lab={LAB_NAME}"
STATE = Path(__file__).parents[1] / ".lab" / f"{LAB_NAME}-cluster.json"
COMPONENT = "app.kubernetes.io/component"

Manifest = dict[str, Any]


class KubectlError(Exception):
    """What was asked for cannot be done; the message says why."""


def built(folder: Path) -> list[Manifest]:
    """What kustomize builds of a folder: resources, of one namespace."""
    told = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    found: list[Manifest] = []
    for name in told["resources"]:
        path = folder / name
        found += built(path) if path.is_dir() else [one for one in yaml.safe_load_all(path.read_text()) if one]
    for one in found:
        if one["kind"] != "Namespace":
            one["metadata"]["namespace"] = told["namespace"]
    return found


def played(name: str, template: Manifest) -> Manifest:
    """A pod as podman plays it.

    - podman would open a container's ports on the machine: they are left out; a pod is reached at its address.
    - podman 4.3 drops the words of a probe's command but the first: `ready` makes the probes instead.
    - podman takes an emptyDir for a volume of that name, of all pods: each gets one of its own.
    - podman knows no optional secret: it is left out.
    """
    spec = json.loads(json.dumps(template["spec"]))
    dropped = {volume["name"] for volume in spec["volumes"] if volume.get("secret", {}).get("optional")}
    names = {volume["name"]: f"{name}-{volume['name']}" for volume in spec["volumes"] if "emptyDir" in volume}
    spec["volumes"] = [
        {**volume, "name": names.get(volume["name"], volume["name"])}
        for volume in spec["volumes"]
        if volume["name"] not in dropped
    ]
    for container in spec["containers"]:
        for unused in ("ports", "livenessProbe", "readinessProbe"):
            container.pop(unused, None)
        container["volumeMounts"] = [
            {**mount, "name": names.get(mount["name"], mount["name"])}
            for mount in container["volumeMounts"]
            if mount["name"] not in dropped
        ]
    labels = {**template["metadata"]["labels"], "weather-cluster": LAB_NAME, "weather-pod": name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def provide(claim: str, image: str) -> None:
    """A volume as a cluster's storage makes it: root's, open to fsGroup, with the lost+found of its file system."""
    if _podman("volume", "exists", claim, check=False).returncode == 0:
        return
    _podman("volume", "create", "--label", VOLUMES, claim)
    # podman gives a volume to the user of the first container that mounts it.
    _podman("run", "--rm", "--network=none", f"--volume={claim}:/mnt", "--entrypoint=/bin/true", image)
    folder = Path(_podman("volume", "inspect", "--format={{.Mountpoint}}", claim).stdout.strip())
    (folder / "lost+found").mkdir(mode=0o700)
    os.chown(folder, 0, 10001)
    folder.chmod(0o2775)


def apply(folder: Path) -> None:
    """Bring what runs to what is written."""
    wanted, before = built(folder), _state()
    STATE.write_text(json.dumps(wanted), encoding="utf-8")
    changed = _named(wanted, "ConfigMap") != _named(before, "ConfigMap")
    for one in _named(wanted, "Deployment").values():
        name, template = one["metadata"]["name"], one["spec"]["template"]
        was = _named(before, "Deployment").get(name, {}).get("spec", {}).get("template")
        if template == was and _pods(f"{COMPONENT}={template['metadata']['labels'][COMPONENT]}"):
            print(f"deployment.apps/{name} unchanged")
            continue
        _end(template)
    if changed:
        for name in _named(wanted, "ConfigMap"):
            _podman("volume", "rm", "--force", name, check=False)
    for one in _named(wanted, "Deployment").values():
        if not _pods(f"{COMPONENT}={one['spec']['template']['metadata']['labels'][COMPONENT]}"):
            _begin(one["metadata"]["name"], one["spec"]["template"])
            print(f"deployment.apps/{one['metadata']['name']} configured")


def _begin(name: str, template: Manifest) -> None:
    for volume in template["spec"]["volumes"]:
        if claim := volume.get("persistentVolumeClaim", {}).get("claimName"):
            provide(claim, template["spec"]["containers"][0]["image"])
    documents = [*_named(_state(), "ConfigMap").values(), played(name, template)]
    with NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump_all(documents, file)
        _podman("kube", "play", f"--network={LAB_NAME}", file.name)


def _end(template: Manifest) -> None:
    for pod in _pods(f"{COMPONENT}={template['metadata']['labels'][COMPONENT]}"):
        _podman("pod", "stop", "--time", str(template["spec"]["terminationGracePeriodSeconds"]), pod["Id"])
        _podman("pod", "rm", "--force", pod["Id"])


def ready(selector: str, seconds: float) -> None:
    """Wait until the readiness probes of pods are content, made as the kubelet makes them."""
    end = time.monotonic() + seconds
    for template in [one["spec"]["template"] for one in _named(_state(), "Deployment").values()]:
        labels, (container,) = template["metadata"]["labels"], template["spec"]["containers"]
        if "readinessProbe" not in container or not _matches(labels, selector):
            continue
        while not (said := _probe(container, labels))[0]:
            if time.monotonic() > end:
                raise KubectlError(f"{labels[COMPONENT]} is not ready: {said[1]}")
            time.sleep(1)


def _probe(container: Manifest, labels: dict[str, str]) -> tuple[bool, str]:
    probe = container["readinessProbe"]
    pods = _pods(f"{COMPONENT}={labels[COMPONENT]}")
    if not pods:
        return False, "no pod"
    if "exec" in probe:
        done = _podman("exec", _container(pods[0]), *probe["exec"]["command"], check=False)
        return done.returncode == 0, done.stdout + done.stderr
    (port,) = [one["containerPort"] for one in container["ports"] if one["name"] == probe["httpGet"]["port"]]
    infra = json.loads(_podman("pod", "inspect", pods[0]["Id"]).stdout)["InfraContainerID"]
    shown = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    address = _podman("container", "inspect", f"--format={shown}", infra).stdout.strip()
    try:
        with urllib.request.urlopen(f"http://{address}:{port}{probe['httpGet']['path']}", timeout=5):
            return True, ""
    except OSError as error:
        return False, str(error)


def create_job(cronjob: str, name: str) -> None:
    """Begin what a CronJob begins."""
    _begin(name, _of("CronJob", cronjob)["spec"]["jobTemplate"]["spec"]["template"])
    print(f"job.batch/{name} created")


def complete(name: str, seconds: float) -> None:
    """Wait until a job has ended well, and take its pod away."""
    (pod,) = _pods(f"weather-pod={name}")
    container = _container(pod)
    try:
        code = _podman("wait", container, timeout=seconds).stdout.strip()
    except subprocess.TimeoutExpired:
        raise KubectlError(f"timed out waiting for {name}") from None
    print(_podman("logs", container).stdout, end="")
    _podman("pod", "rm", "--force", pod["Id"])
    if code != "0":
        raise KubectlError(f"job {name} failed: exit code {code}")


def _exec(name: str, command: list[str]) -> None:
    labels = _of("Deployment", name)["spec"]["template"]["metadata"]["labels"]
    pods = _pods(f"{COMPONENT}={labels[COMPONENT]}")
    if not pods:
        raise KubectlError(f"no pod of {name} runs")
    sys.exit(subprocess.run(["podman", "exec", _container(pods[0]), *command], check=False).returncode)


def _begin_anew(name: str, replicas: int | None) -> None:
    template = _of("Deployment", name)["spec"]["template"]
    _end(template)
    if replicas != 0:
        _begin(name, template)


def _wait(awaited: str, name: str, args: argparse.Namespace) -> None:
    if awaited == "condition=complete":
        complete(name, args.timeout)
    elif awaited == "condition=ready":
        ready(args.selector, args.timeout)
    elif _pods(args.selector):  # the lab's scale waits for their end
        raise KubectlError(f"pods of {args.selector} still run")


def _show(args: argparse.Namespace, *, logs: bool) -> None:
    for pod in _pods(args.selector):
        if logs:
            subprocess.run(["podman", "logs", "--tail", args.tail, _container(pod)], check=True)
        else:
            print(pod["Name"], pod["Status"])


def _main(arguments: list[str]) -> None:
    arguments, inside = _cut(arguments, "--")
    parser = argparse.ArgumentParser(prog="kubectl")
    parser.add_argument("words", nargs="+")
    parser.add_argument("--namespace", "-n")
    parser.add_argument("-k", type=Path)
    parser.add_argument("--from", dest="source", default="")
    parser.add_argument("--for", dest="awaited", default="")
    parser.add_argument("--selector", "-l", default="")
    parser.add_argument("--replicas", type=int)
    parser.add_argument("--tail", default="-1")
    parser.add_argument("--timeout", type=lambda text: float(text.removesuffix("s")), default=120.0)
    args = parser.parse_intermixed_args(arguments)
    name = args.words[-1].rpartition("/")[2]
    commands: dict[str, Callable[[], None]] = {
        "apply": lambda: apply(args.k),
        "get": lambda: _show(args, logs=False),
        "exec": lambda: _exec(name, inside),
        "create": lambda: create_job(args.source.partition("/")[2], name),
        "scale": lambda: _begin_anew(name, args.replicas),
        "rollout": lambda: _begin_anew(name, None),
        "wait": lambda: _wait(args.awaited, name, args),
        "logs": lambda: _show(args, logs=True),
        "delete": _delete,
    }
    if args.words[0] not in commands:
        raise KubectlError(f"the lab's kubectl knows {', '.join(commands)}")
    commands[args.words[0]]()


def _delete() -> None:
    """Everything of it, volumes as well."""
    for pod in _pods(""):
        _podman("pod", "rm", "--force", "--time", "2", pod["Id"])
    # Also those of a run that died, of which nothing is written here.
    _podman("volume", "prune", "--force", "--filter", f"label={VOLUMES}")
    for name in _named(_state(), "ConfigMap"):
        _podman("volume", "rm", "--force", name, check=False)
    STATE.unlink(missing_ok=True)


def _cut(words: list[str], at: str) -> tuple[list[str], list[str]]:
    place = words.index(at) if at in words else len(words)
    return words[:place], words[place + 1 :]


def _state() -> list[Manifest]:
    return list(json.loads(STATE.read_text(encoding="utf-8"))) if STATE.exists() else []


def _named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def _of(kind: str, name: str) -> Manifest:
    found = _named(_state(), kind)
    if name not in found:
        raise KubectlError(f"there is no {kind} {name}; there are: {', '.join(found)}")
    return found[name]


def _matches(labels: dict[str, str], selector: str) -> bool:
    return all(labels.get(part.partition("=")[0]) == part.partition("=")[2] for part in selector.split(",") if part)


def _pods(selector: str) -> list[Manifest]:
    told = _podman("pod", "ps", f"--filter=label=weather-cluster={LAB_NAME}", "--format=json").stdout
    found = json.loads(told or "[]") or []
    return [pod for pod in found if _matches(pod["Labels"], selector)]


def _container(pod: Manifest) -> str:
    told = json.loads(_podman("pod", "inspect", pod["Id"]).stdout)
    (found,) = [one["Name"] for one in told["Containers"] if one["Id"] != told["InfraContainerID"]]
    return str(found)


def _podman(*words: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(["podman", *words], capture_output=True, text=True, check=False, timeout=timeout)
    if check and done.returncode:
        raise KubectlError(f"podman {' '.join(words[:3])}: {done.stderr.strip()}")
    return done


if __name__ == "__main__":
    try:
        _main(sys.argv[1:])
    except KubectlError as wrong:
        sys.exit(f"kubectl: {wrong}")
