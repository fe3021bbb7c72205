"""What a process takes as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import NamedTuple


class Used(NamedTuple):
    """Seconds, seconds of processors, and megabytes at most of a process, and its exit code.

    The memory is not below what this process has used at most: Linux counts from before the program is loaded.
    """

    seconds: float
    cpu: float
    megabytes: float
    exit_code: int


def tool(*words: str, **environment: str) -> Used:
    """Run `weather-tool` with these words, and with these variables of the environment."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "toolkit", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    return Used(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, process.returncode)
