"""What was deployed here: the scheduler, the jobs, the service user, and where the settings are."""

from __future__ import annotations

import json
import os
import pwd
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.checks.host.facts import Facts, fact
from toolkit.checks.host.processes import processes, words_of
from toolkit.errors import ToolkitError, reason
from toolkit.settings import settings_file

CURRENT = Path("/opt/weather/current")
RELEASES = Path("/opt/weather/releases")
# Of releases that need the same packages: each has links to a folder of these.
PACKAGES = Path("/opt/weather/packages")
ETC = Path("/etc/weather")
JOBS_FILE = ETC / "jobs.json"
# Copies of the files that the role wrote, as it wrote them.
COPIES = Path("/opt/weather/as-deployed")
CRON_TABLE = Path("/etc/cron.d/weather")
# Cron, and run-parts(8) for the folders of days and weeks, take no file of another name.
TAKEN_BY_CRON = re.compile(r"[\w-]+", re.ASCII)
# It is there where systemd runs the machine (sd_booted(3)).
SYSTEMD = Path("/run/systemd/system")
CRON_RUN = Path("/run/weather")
CRON_LOGS = Path("/var/log/weather")
USER = "weather"
# The schedulers, besides systemd.
CRON, COMPOSE, KUBERNETES = "cron", "compose", "kubernetes"


def copy_of(path: Path) -> Path:
    """Where the copy of a file is that the role wrote."""
    return COPIES / path.relative_to("/")


class JobsError(ToolkitError):
    """The list of jobs cannot be read."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the service as it was deployed; see `weather_jobs`.

    Attributes:
        name: without `weather-`.
        schedule: minute, hour, day (of the month) and weekday as cron has them; None for a service that is always up.
        command: the arguments of weather-tool.
        network: whether the job connects to anything beyond this host.
        description: for people.
    """

    name: str
    schedule: dict[str, Any] | None
    command: str
    network: bool = False
    description: str = ""

    @property
    def is_service(self) -> bool:
        """Whether it is always up, rather than run at its times."""
        return self.schedule is None


class Deployment(Facts):
    """What the role, or whoever deployed the service, has put here."""

    @fact
    def systemd(self) -> bool:
        """Whether systemd runs this machine, and the service on it."""
        return SYSTEMD.is_dir() and self.scheduler == "systemd"

    @fact
    def scheduler(self) -> str:
        """What runs the jobs: systemd, CRON, or COMPOSE or KUBERNETES, which cannot be seen from inside a container."""
        return self._deployed_value("scheduler", "systemd")

    @fact
    def place(self) -> str:
        """The folder of compose's files, or the namespace in Kubernetes; empty on a host."""
        return self._deployed_value("place", "")

    def _deployed_value(self, name: str, default: str) -> str:
        try:
            return str(json.loads(self._jobs_file.read_text(encoding="utf-8")).get(name, default))
        except (OSError, ValueError, AttributeError):
            return default

    @property
    def _jobs_file(self) -> Path:
        """The list of jobs as it was deployed, whatever was done to it since."""
        copy = copy_of(JOBS_FILE)
        return copy if os.access(copy, os.R_OK) else JOBS_FILE

    @property
    def contained(self) -> bool:
        """Whether this is a container: nothing of its host can be seen."""
        return self.scheduler in {COMPOSE, KUBERNETES}

    @fact
    def deployed(self) -> bool:
        """Whether the role has put the service on this host; in a container none of the role's paths exist."""
        return not self.contained and (RELEASES.is_dir() or ETC.is_dir())

    @fact
    def jobs(self) -> dict[str, Job]:
        """The jobs of this host, by name; empty where no list of them was deployed.

        Raises:
            JobsError: the list cannot be read.
        """
        try:
            deployed = json.loads(self._jobs_file.read_text(encoding="utf-8"))
            return {
                name: Job(
                    name,
                    job.get("schedule"),
                    str(job["command"]),
                    job.get("network") is True,
                    str(job.get("description", "")),
                )
                for name, job in deployed["jobs"].items()
            }
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise JobsError(f"cannot read {JOBS_FILE}: {reason(error)}") from error
        except (ValueError, KeyError, AttributeError) as error:
            raise JobsError(f"{JOBS_FILE} is not as it was written: {error}") from error

    @property
    def services(self) -> list[str]:
        """The names of the jobs that are always up; empty where no list of jobs was deployed."""
        return [name for name, job in self.jobs.items() if job.is_service]

    @fact
    def user(self) -> pwd.struct_passwd | None:
        """The service user."""
        try:
            return pwd.getpwnam(USER)
        except KeyError:
            return None

    @fact
    def seen_by_root(self) -> list[tuple[Path, str]]:
        """What files that only root reads say of the service and its user: /usr/local/bin/weather-tool tells it."""
        lines = os.environ.get("SEEN_BY_ROOT", "").splitlines()
        return [(Path(file), line) for file, _, line in (one.partition("\t") for one in lines) if line]

    @fact
    def compared_by_root(self) -> list[tuple[Path, str]]:
        """How files that only root reads differ from what was deployed: /usr/local/bin/weather-tool compares them."""
        lines = os.environ.get("COMPARED_BY_ROOT", "").splitlines()
        return [(Path(file), said) for file, _, said in (one.partition("\t") for one in lines) if said]

    @fact
    def listening(self) -> list[tuple[int, int, str]]:
        """Who listens at ports that the settings name, as /usr/local/bin/weather-tool saw it as root.

        Each is a port, the number of the process, and its command.
        """
        lines = [line.split(" ", 2) for line in os.environ.get("LISTENING_SEEN_BY_ROOT", "").splitlines()]
        return [(int(words[0]), int(words[1]), words[2]) for words in lines if len(words) == 3]

    @fact
    def settings_file(self) -> Path:
        """Where the settings are."""
        return settings_file(os.environ)

    def kept_by_cron(self, name: str) -> float | None:
        """When a service that cron keeps up was started, seconds since the epoch; None if it does not run.

        Raises:
            PermissionError: this user may not see.
        """
        file = CRON_RUN / f"{name}.pid"
        try:
            group, started = int(file.read_text(encoding="ascii")), file.stat().st_mtime
        except (FileNotFoundError, ValueError):
            return None
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            pass  # it runs, as another user
        return started

    @fact
    def stopped(self) -> dict[str, int]:
        """A stopped process of each job that cron began and that has one, by the job's name."""
        found = {one.pid: one for one in processes()}
        stopped: dict[str, int] = {}
        for one in found.values():
            above = one if one.state in {"T", "t"} else None
            while above:
                words = words_of(above.pid)
                if any(word.endswith("/weather-job") for word in words):
                    stopped.update((name, one.pid) for name in [word for word in words if word in self.jobs][:1])
                    break
                above = found.get(above.parent)
        return stopped
