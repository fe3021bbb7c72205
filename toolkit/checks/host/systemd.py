"""What systemd knows of the service's units, and what other programs of the system answer."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

from toolkit.checks.host.deployment import Deployment, Job
from toolkit.checks.host.facts import fact
from toolkit.errors import ToolkitError
from toolkit.text import one_line

UNITS = Path("/etc/systemd/system")
COLLECTOR = "weather-collector.service"
# How long a program of the system may take: a machine that is busy is not one that is broken.
SYSTEM_SECONDS = 3.5

_PROPERTIES = (
    "Id", "LoadState", "ActiveState", "SubState", "Result", "UnitFileState", "FragmentPath", "DropInPaths",
    "NeedDaemonReload", "NRestarts", "MainPID", "StatusText", "ExecStart", "User", "ExecMainStatus",
    "ActiveEnterTimestampMonotonic", "WatchdogTimestampMonotonic", "WatchdogUSec", "MemoryCurrent", "MemoryMax",
    "NoNewPrivileges", "ProtectSystem", "PrivateUsers", "CapabilityBoundingSet", "SystemCallFilter",
    "Group", "WorkingDirectory", "ReadWritePaths", "RootDirectory", "StandardOutput", "StandardInput",
    "RuntimeDirectory", "LoadCredential", "ConditionResult", "ConditionTimestampMonotonic", "LoadError", "ExecMainCode",
    "Unit",
    "NextElapseUSecRealtime", "LastTriggerUSec", "TimersCalendar", "ExecMainExitTimestampMonotonic",
    "ActiveEnterTimestamp", "ExecMainStartTimestamp", "ExecMainStartTimestampMonotonic",
)  # fmt: skip


class SilentError(ToolkitError):
    """A program of the system does not answer in time."""


class BusError(ToolkitError):
    """A program of the system does not reach the system bus, which has a check of its own."""


class Systemd(Deployment):
    """The units, as systemd has them."""

    @fact
    def units(self) -> dict[str, dict[str, str]]:
        """What `systemctl show` says of each unit of the service, by the unit's name; empty where systemd is not.

        Raises:
            ToolkitError: it does not answer.
        """
        names = [f"weather-{name}.{kind}" for name, job in self.jobs.items() for kind in _kinds(job)]
        if not self.systemd or not names:
            return {}
        text = self.ask("systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}", *names)
        blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in text.split("\n\n")]
        return {block["Id"]: block for block in blocks if "Id" in block}

    def unit(self, name: str) -> dict[str, str] | None:
        """What systemd knows of a unit; None where systemd is not, or where no job of this host has such a unit."""
        return self.units.get(name)

    def ask(self, *command: str) -> str:
        """What a program of the system prints.

        Raises:
            SilentError: it takes too long.
            ToolkitError: it is not there, or fails.
        """
        try:
            done = subprocess.run(  # noqa: S603
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SYSTEM_SECONDS,
                check=False,
                env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            )
        except FileNotFoundError:
            raise ToolkitError(f"{command[0]} is not installed") from None
        except subprocess.TimeoutExpired:
            raise SilentError(f"{command[0]} did not answer for {SYSTEM_SECONDS:g} s") from None
        if done.returncode and "timed out" in done.stderr:  # it has waited for the bus, or for another service
            raise SilentError(f"{command[0]} got no answer in time: {one_line(done.stderr)}")
        if done.returncode and "connect to bus" in done.stderr:  # systemctl has no exit code for it
            raise BusError(one_line(done.stderr))
        if done.returncode:
            raise ToolkitError(f"{' '.join(command[:2])}: {done.stderr.strip() or f'exit code {done.returncode}'}")
        return done.stdout


def _kinds(job: Job) -> tuple[str, ...]:
    return ("service",) if job.is_service else ("service", "timer")


def seconds_since(event: str, unit: dict[str, str]) -> float:
    """How long ago systemd noted an event of a unit (`ActiveEnter`, …); since the boot where it has noted none."""
    return time.monotonic() - int(unit[f"{event}TimestampMonotonic"] or 0) / 1e6


def epoch_of(text: str) -> float | None:
    """A time as systemd writes it, `Wed 2026-11-25 04:19:33 UTC`; None for `n/a` and for an empty text."""
    try:
        return datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
