"""A remedy in the words of who runs the service here. Checks say theirs for systemd.

Cron's are for the host, too. Those of compose and Kubernetes are for the machine that podman-compose or kubectl is
called on, and reach into a container that is up also while there is no collector.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from toolkit.checks.host import COMPOSE, CRON, KUBERNETES, Host, Job
from toolkit.errors import ToolkitError

# What is done to the machine itself, wherever the service runs.
_MACHINE = ("ansible-playbook ", "mount ", "timedatectl", "date ")
# What only root may do.
_ROOT = ("chown ", "install ")
# What is done as the service user: who else is in a container?
_AS_USER = "runuser -u weather -- "
_RESTORE = re.compile(r"weather-tool restore (?!.*--drill)")
# How to look closer at all of it; what only systemd has is left out.
_LOOKS = {
    "systemctl status 'weather-*'": {
        CRON: "ps -o pid,etime,args -u weather",
        COMPOSE: "cd {place} && podman-compose ps",
        KUBERNETES: "kubectl --namespace {place} get pods",
    },
    "systemctl list-timers --all 'weather-*'": {
        CRON: "cat /etc/cron.d/weather",
        COMPOSE: "cat {place}/jobs.json",
        KUBERNETES: "kubectl --namespace {place} get cronjobs",
    },
    "systemd-analyze security 'weather-*'": {},
    "systemd-delta --type=extended": {},
}
_PLAYBOOKS = {COMPOSE: "playbooks/containers.yml", KUBERNETES: "playbooks/kubernetes.yml"}


def in_words(host: Host, remedy: str) -> str:
    """A remedy, as it is carried out where the service of `host` runs; empty where there is no such thing."""
    say = _SAY.get(host.scheduler)
    if say is None:
        return remedy
    if remedy in _LOOKS:
        return _LOOKS[remedy].get(host.scheduler, "").format(place=host.place)
    remedy = remedy.replace("site.yml", _PLAYBOOKS.get(host.scheduler, "site.yml"))
    command, mark, comment = remedy.partition("  # ")
    said = " && ".join(say(host, part) for part in _parts(command))
    if "podman-compose " in said:
        said = f"cd {host.place} && {said}"
    return said + mark + comment


def _parts(command: str) -> list[str]:
    """What && joins, but for what stands in quotes: that may be a file's name."""
    return re.split(r""" && (?=(?:[^'"]|'[^']*'|"[^"]*")*$)""", command)


def _by_cron(host: Host, part: str) -> str:
    verb, name, job = _of_systemd(host, part)
    stop, start = f"weather-job --stop {name}", f"weather-job --start {name}"
    if job and job.schedule is not None:
        start = f"weather-job {name} {job.command}"
    log = f"weather-job --log {name}"
    return {"start": start, "stop": stop, "restart": f"{stop} && {start}", "status": log, "log": log}.get(verb, part)


def _by_compose(host: Host, part: str) -> str:
    inside = "podman-compose exec -T {}scheduler"
    if _RESTORE.match(part):
        return f"podman-compose stop collector && {inside.format('')} {part}; podman-compose start collector"
    verb, name, job = _of_systemd(host, part)
    log = f"podman-compose logs --tail 50 {name}"
    start = f"podman-compose start {name}"
    if job and job.schedule is not None:
        log = "podman-compose logs --tail 50 scheduler"
        start = f"{inside.format('')} weather-tool {job.command}"
    stop, restart = f"podman-compose stop {name}", f"podman-compose restart {name}"
    words = {"start": start, "stop": stop, "restart": restart, "status": log, "log": log}
    if verb:
        return words[verb]
    if _changes_settings(host, part):
        return part.replace(str(host.settings_file), host.settings_file.name)
    return _inside(inside.format("--privileged --user root " if part.startswith(_ROOT) else ""), part)


def _by_kubernetes(host: Host, part: str) -> str:
    kubectl = f"kubectl --namespace {host.place}"
    inside = f"{kubectl} exec deployment/weather-exporter --"
    scale = f"{kubectl} scale deployment/weather-{{}} --replicas={{}}"
    if _RESTORE.match(part):
        if host.is_postgresql:  # which lets nobody write meanwhile
            return f"{inside} {part}"
        gone = f"{kubectl} wait --for=delete pod --selector app.kubernetes.io/component=collector --timeout=60s"
        return f"{scale.format('collector', 0)} && {gone} && {inside} {part}; {scale.format('collector', 1)}"
    verb, name, job = _of_systemd(host, part)
    start = scale.format(name, 1)
    if job and job.schedule is not None:
        start = f"{kubectl} create job --from=cronjob/weather-{name} weather-{name}-$(date +%s)"
    log = f"{kubectl} logs --tail 50 --selector app.kubernetes.io/component={name}"
    restart = f"{kubectl} rollout restart deployment/weather-{name}"
    words = {"start": start, "stop": scale.format(name, 0), "restart": restart, "status": log, "log": log}
    if verb:
        return words[verb]
    if _changes_settings(host, part):
        return f"{kubectl} edit configmap weather"
    return _inside(inside, part)


def _of_systemd(host: Host, part: str) -> tuple[str, str, Job | None]:
    """What is asked of systemd, and of which job; nothing of another command."""
    found = re.match(r"(?:systemctl (start|stop|restart|status)|journalctl -u) weather-([\w-]+)\.service", part)
    if not found:
        return "", "", None
    try:
        job = host.jobs.get(found[2])
    except ToolkitError:
        job = None
    return found[1] or "log", found[2], job


def _changes_settings(host: Host, part: str) -> bool:
    return part.startswith("sed -i ") and part.endswith(f" {host.settings_file}")


def _inside(call: str, part: str) -> str:
    """A command for a container; what only a shell understands is for the container's."""
    if part.startswith(_MACHINE):
        return part
    part = part.removeprefix(_AS_USER)
    return f"{call} {part}" if re.fullmatch(r"[\w./:=+, -]*", part) else f"{call} sh -c {shlex.quote(part)}"


_SAY: dict[str, Callable[[Host, str], str]] = {CRON: _by_cron, COMPOSE: _by_compose, KUBERNETES: _by_kubernetes}
