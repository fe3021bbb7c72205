"""What a process takes as a whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

# Linux counts the memory of whoever starts a program as the program's own: so a process starts it that has little.
_BESIDE = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, code]))
"""


class Used(NamedTuple):
    """Seconds, seconds of processors, and megabytes at most of a process, and its exit code."""

    seconds: float
    cpu: float
    megabytes: float
    exit_code: int


def tool(*words: str, **environment: str) -> Used:
    """Run `weather-tool` with these words, and with these variables of the environment."""
    command = [sys.executable, "-S", "-c", _BESIDE, sys.executable, "-m", "toolkit", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, **environment}, check=True)
    return Used(*json.loads(done.stdout))
