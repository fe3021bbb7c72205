"""A wrong clock for one process: libfaketime, as `faketime` loads it."""

from __future__ import annotations

import functools
import shutil
import subprocess
import time

import pytest

HOUR, DAY, YEAR = 3600, 86400, 31_557_600
# How far off a host's clock is told to be: by an hour, a day, ten years, or as a host without a clock of its own starts.
OFF = {"-1h": -HOUR, "+1h": HOUR, "-1d": -DAY, "+1d": DAY, "+10y": 10 * YEAR, "1970": None}

# Durations stay true. With libfaketime's "fix" for glibc every wait with a timeout would end at once: threads that wait
# for one another would spin, and a doctor take eight times the CPU.
MONOTONIC = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}


@functools.cache
def library() -> str:
    """What a process is to preload."""
    if not shutil.which("faketime"):
        pytest.fail("faketime is not installed: apt-get install faketime")
    command = ["faketime", "-f", "+0", "printenv", "LD_PRELOAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def off(seconds: float | None) -> dict[str, str]:
    """The environment of a process whose clock is so many seconds off; None: it is some moments after 1970 began."""
    shift = 30 - time.time() if seconds is None else seconds
    return {"LD_PRELOAD": library(), "FAKETIME": f"{shift:+.0f}", **MONOTONIC}
