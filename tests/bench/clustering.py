"""A detection run that a cluster judges: what its workers' work costs when it is divided among four of them."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.bench.detecting import END, database
from tests.bench.figure import Figure
from tests.cluster import running
from tests.conftest import TOOL
from toolkit import times

STATIONS = 10_000


def _cpu(of: int) -> float:
    """The CPU seconds of a process and of those that it has started, as far as they have run."""
    ticks, tick = 0, os.sysconf("SC_CLK_TCK")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if of in {int(fields[1]), int(folder.name)}:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / tick


def _judged_by(processes: int, path: Path, folder: Path) -> tuple[float, float]:
    """CPU seconds of the workers, and of the command, for one run."""
    environment = {**os.environ, "WEATHER_ENV_FILE": "/dev/null", "WEATHER_DB": str(path)}
    words = [TOOL, "detect", "--no-record", "--json", "--end", times.iso(times.from_epoch(END))]
    with running(environment, folder, scheme="tcp", processes=processes) as cluster:
        subprocess.run(words, env=cluster.environment, stdout=subprocess.DEVNULL, check=True)  # what is loaded once
        before, own = _cpu(cluster.workers.process.pid), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(words, env=cluster.environment, capture_output=True, check=True)
        after, mine = _cpu(cluster.workers.process.pid), resource.getrusage(resource.RUSAGE_CHILDREN)
    assert not done.stderr, done.stderr
    return after - before, mine.ru_utime + mine.ru_stime - own.ru_utime - own.ru_stime


def judged_by_a_cluster(folder: Path) -> Iterator[Figure]:
    """Four workers beside one, on one network."""
    path = database(folder, STATIONS)
    one, _ = _judged_by(1, path, folder / "one")
    four, own = _judged_by(4, path, folder / "four")
    against = f"{one:.1f} s of one worker, {four:.1f} s of four together, {own:.1f} s of the command"
    yield Figure(
        f"efficiency of 4 workers, {STATIONS:,} stations", 100 * one / four, "%", 60, at_least=True, against=against
    )


BENCHES = (judged_by_a_cluster,)
