"""The targets: what runs the service, each with its commands. A target is one class.

Commands of cron are for the host. Those of compose and Kubernetes are for the machine that podman-compose or kubectl
is called on, and reach into a container that is up also while the collector is down.
"""

from __future__ import annotations

import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path

from toolkit.checks.host import Host
from toolkit.checks.host.deployment import COMPOSE, CRON, KUBERNETES, USER, Job, copy_of
from toolkit.checks.quoting import quoted
from toolkit.checks.runs_as import As
from toolkit.errors import ToolkitError

# A command of these characters needs no shell in the container.
_PLAIN = re.compile(r"[\w./:=+, -]*")
TAIL = 50


class Target(ABC):
    """How jobs are handled. Each method returns commands; none means that there is nothing of the kind here."""

    playbook = "site.yml"

    @abstractmethod
    def start(self, job: str) -> list[str]:
        """Start a service, or run a scheduled job now."""

    @abstractmethod
    def stop(self, job: str) -> list[str]:
        """Stop a service."""

    @abstractmethod
    def restart(self, jobs: tuple[str, ...]) -> list[str]:
        """Restart services."""

    @abstractmethod
    def logs(self, job: str, lines: int | None) -> list[str]:
        """Show what a job has logged."""

    @abstractmethod
    def all_services(self) -> list[str]:
        """Show how every job stands."""

    @abstractmethod
    def all_timers(self) -> list[str]:
        """Show when every job is run."""

    def status(self, job: str) -> list[str]:
        """Show how a service stands."""
        return self.logs(job, None)

    def shell(self, command: str, runs_as: As) -> list[str]:
        """Run a command of the shell."""
        return [f"runuser -u {USER} -- {command}" if runs_as is As.SERVICE else command]

    def of_systemd(self, _command: str) -> list[str]:
        """Run a command that is about units."""
        return []

    def restore(self, command: str) -> list[str]:
        """Restore a backup, with no collector at work meanwhile."""
        return [command]

    def edit_settings(self, script: str, file: Path) -> list[str]:
        """Change the settings. Where they are as deployed, what was deployed is wrong, and its copy is changed, too."""
        return [f"sed -i {quoted(script, file, *_same_copy(file))}"]

    def joined(self, commands: list[str]) -> str:
        """Commands as one line of the shell."""
        return " && ".join(commands)


class Systemd(Target):
    """A host with systemd."""

    def start(self, job: str) -> list[str]:
        return [f"systemctl start {_service(job)}"]

    def stop(self, job: str) -> list[str]:
        return [f"systemctl stop {_service(job)}"]

    def restart(self, jobs: tuple[str, ...]) -> list[str]:
        return [f"systemctl restart {' '.join(map(_service, jobs))}"]

    def status(self, job: str) -> list[str]:
        return [f"systemctl status {_service(job)}"]

    def logs(self, job: str, lines: int | None) -> list[str]:
        return [f"journalctl -u {_service(job)}" + (f" -n {lines} --no-pager" if lines else "")]

    def all_services(self) -> list[str]:
        return ["systemctl status 'weather-*'"]

    def all_timers(self) -> list[str]:
        return ["systemctl list-timers --all 'weather-*'"]

    def of_systemd(self, command: str) -> list[str]:
        return [command]


def _same_copy(file: Path) -> list[Path]:
    """The copy that the role keeps of a file which is as it was deployed."""
    copy = copy_of(file)
    try:
        return [copy] if copy.read_bytes() == file.read_bytes() else []
    except OSError:
        return []


def _service(job: str) -> str:
    return f"weather-{job}.service"


class _Scheduled(Target):
    """A target that has no units: what starting a job means depends on whether it is scheduled."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self._jobs = jobs

    def _command_of(self, name: str) -> str | None:
        """The command of a scheduled job; None of a service that is always up."""
        job = self._jobs.get(name)
        return None if job is None or job.is_service else job.command


class Cron(_Scheduled):
    """A host with cron, on which weather-job keeps services up."""

    def start(self, job: str) -> list[str]:
        command = self._command_of(job)
        return [f"weather-job --start {job}" if command is None else f"weather-job {job} {command}"]

    def stop(self, job: str) -> list[str]:
        return [f"weather-job --stop {job}"]

    def restart(self, jobs: tuple[str, ...]) -> list[str]:
        return [command for job in jobs for command in (*self.stop(job), *self.start(job))]

    def logs(self, job: str, lines: int | None) -> list[str]:  # noqa: ARG002 - as declared
        return [f"weather-job --log {job}"]

    def all_services(self) -> list[str]:
        return [f"ps -o pid,etime,args -u {USER}"]

    def all_timers(self) -> list[str]:
        return ["cat /etc/cron.d/weather"]


class _Here(str):
    """A command that has to be called in compose's folder."""

    __slots__ = ()


class Compose(_Scheduled):
    """Containers of podman-compose, in one folder of a machine."""

    playbook = "playbooks/containers.yml"

    def __init__(self, jobs: Mapping[str, Job], folder: str) -> None:
        super().__init__(jobs)
        self._folder = folder

    def start(self, job: str) -> list[str]:
        command = self._command_of(job)
        if command is None:
            return [_Here(f"podman-compose start {job}")]
        return [self._inside(f"weather-tool {command}")]

    def stop(self, job: str) -> list[str]:
        return [_Here(f"podman-compose stop {job}")]

    def restart(self, jobs: tuple[str, ...]) -> list[str]:
        return [_Here(f"podman-compose restart {' '.join(jobs)}")]

    def logs(self, job: str, lines: int | None) -> list[str]:  # noqa: ARG002 - as declared
        # Scheduled jobs are run, and log, in the scheduler's container.
        container = job if self._command_of(job) is None else "scheduler"
        return [_Here(f"podman-compose logs --tail {TAIL} {container}")]

    def all_services(self) -> list[str]:
        return [_Here("podman-compose ps")]

    def all_timers(self) -> list[str]:
        return [f"cat {self._folder}/jobs.json"]

    def shell(self, command: str, runs_as: As) -> list[str]:
        if runs_as is As.MACHINE:
            return [command]
        return [self._inside(_for_container(command), "--privileged --user root " if runs_as is As.ROOT else "")]

    def restore(self, command: str) -> list[str]:
        return [*self.stop("collector"), _Here(f"{self._inside(command)}; podman-compose start collector")]

    def edit_settings(self, script: str, file: Path) -> list[str]:
        return [_Here(f"sed -i {quoted(script, file.name)}")]

    def joined(self, commands: list[str]) -> str:
        line = super().joined(commands)
        return f"cd {self._folder} && {line}" if any(isinstance(one, _Here) for one in commands) else line

    def _inside(self, command: str, options: str = "") -> str:
        return _Here(f"podman-compose exec -T {options}scheduler {command}")


class Kubernetes(_Scheduled):
    """Deployments and cron jobs in one namespace of a cluster."""

    playbook = "playbooks/kubernetes.yml"

    def __init__(self, jobs: Mapping[str, Job], namespace: str, *, on_server: bool) -> None:
        super().__init__(jobs)
        self._kubectl = f"kubectl --namespace {namespace}"
        self._on_server = on_server

    def start(self, job: str) -> list[str]:
        if self._command_of(job) is None:
            return [self._scale(job, 1)]
        return [f"{self._kubectl} create job --from=cronjob/weather-{job} weather-{job}-$(date +%s)"]

    def stop(self, job: str) -> list[str]:
        return [self._scale(job, 0)]

    def restart(self, jobs: tuple[str, ...]) -> list[str]:
        return [f"{self._kubectl} rollout restart deployment/weather-{job}" for job in jobs]

    def logs(self, job: str, lines: int | None) -> list[str]:  # noqa: ARG002 - as declared
        return [f"{self._kubectl} logs --tail {TAIL} --selector app.kubernetes.io/component={job}"]

    def all_services(self) -> list[str]:
        return [f"{self._kubectl} get pods"]

    def all_timers(self) -> list[str]:
        return [f"{self._kubectl} get cronjobs"]

    def shell(self, command: str, runs_as: As) -> list[str]:
        return [command if runs_as is As.MACHINE else self._inside(_for_container(command))]

    def restore(self, command: str) -> list[str]:
        if self._on_server:  # the restore itself keeps others from writing
            return [self._inside(command)]
        gone = f"{self._kubectl} wait --for=delete pod --selector app.kubernetes.io/component=collector --timeout=60s"
        return [self._scale("collector", 0), gone, f"{self._inside(command)}; {self._scale('collector', 1)}"]

    def edit_settings(self, script: str, file: Path) -> list[str]:  # noqa: ARG002 - an operator edits them
        return [f"{self._kubectl} edit configmap weather"]

    def _inside(self, command: str) -> str:
        return f"{self._kubectl} exec deployment/weather-exporter -- {command}"

    def _scale(self, job: str, replicas: int) -> str:
        return f"{self._kubectl} scale deployment/weather-{job} --replicas={replicas}"


def _for_container(command: str) -> str:
    """A command as an argument of exec: its special characters are for a shell in the container."""
    return command if _PLAIN.fullmatch(command) else f"sh -c {shlex.quote(command)}"


def target_of(host: Host) -> Target:
    """The target that a host belongs to."""
    try:
        jobs = host.jobs
    except ToolkitError:
        jobs = {}
    makers: dict[str, Callable[[], Target]] = {
        CRON: lambda: Cron(jobs),
        COMPOSE: lambda: Compose(jobs, host.place),
        KUBERNETES: lambda: Kubernetes(jobs, host.place, on_server=host.on_server),
    }
    return makers.get(host.scheduler, Systemd)()
