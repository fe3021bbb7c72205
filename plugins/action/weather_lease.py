"""Ansible action: the controller's part of weather_lease. It says which run asks, and sees whether another has died."""

from __future__ import annotations

import getpass
import multiprocessing
import os
import socket
import sys
import uuid
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """What Ansible asks for."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the host; a second time where it was another's who is found to have died."""
        super().run(tmp, task_vars)
        asked = {**self._task.args, "run": this_run()}
        answer: dict[str, Any] = self._execute_module(module_args=asked, task_vars=task_vars)
        holder = answer.get("holder")
        if holder and is_gone(holder):
            answer = self._execute_module(module_args={**asked, "gone": holder["id"]}, task_vars=task_vars)
        return answer


def this_run() -> dict[str, Any]:
    """This run of ansible-playbook, of which this process is a worker."""
    parent = multiprocessing.parent_process()
    pid = parent.pid if parent and parent.pid else os.getpid()
    place, started = _place(), _state_and_start(pid)[1]
    user = os.environ.get("SUDO_USER") or getpass.getuser()
    books = [Path(word).name for word in sys.argv[1:] if word.endswith((".yml", ".yaml"))]
    return {
        "id": f"{place}/{pid}/{started}",
        "place": place,
        "pid": pid,
        "started": started,
        "who": f"{user}@{socket.gethostname()}",
        "what": books[-1] if books else Path(sys.argv[0]).name,
    }


def is_gone(other: dict[str, Any]) -> bool:
    """Whether a run was of this machine, since it booted, and is no more."""
    if other["place"] != _place():
        return False
    try:
        os.kill(other["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    state, started = _state_and_start(other["pid"])
    return state == "Z" or started not in {"", other["started"]}


def _place() -> str:
    """Where process numbers mean the same: a machine since it booted, and there a container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # no Linux
        return f"{uuid.getnode():x}"


def _state_and_start(pid: int) -> tuple[str, str]:
    """A process's state and when it was started (proc(5)); empty texts where they cannot be had."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return "", ""
    return words[0], words[19]
