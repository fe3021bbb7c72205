"""Past time judged anew: a year of a small network, and the memory of a large one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import detecting
from tests.bench.figure import Figure
from tests.bench.storing import fill

TOOL = str(Path(sys.executable).with_name("weather-tool"))


def flag(path: Path) -> tuple[float, float, float]:
    """Seconds, seconds of processors, and megabytes at most of `weather-tool flag` over all that a database has."""
    began = time.perf_counter()
    words = ["flag", "--start", "2001-01-01", "--db", str(path)]
    process = subprocess.Popen([TOOL, *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def past_judged_anew(folder: Path) -> Iterator[Figure]:
    """The command as a whole."""
    path = folder / "weather.db"
    fill(path)
    seconds, cpu, size = flag(path)
    yield Figure("14 stations for a year judged anew", seconds, "s", 60, against=f"{cpu:.0f} s of CPU")
    yield Figure("the same, memory at most", size, "MB", 250)
    _, _, size = flag(detecting.database(folder, 10_000))
    yield Figure("10,000 stations judged anew, memory at most", size, "MB", 600)


BENCHES = (past_judged_anew,)
