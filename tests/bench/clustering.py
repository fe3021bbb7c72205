"""A detection run that a cluster judges: what its workers' work costs when it is divided among four of them."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.bench.detecting import END, READ, database
from tests.bench.figure import Figure
from tests.cluster import running
from tests.conftest import TOOL
from toolkit import times


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


def _used() -> float:
    """The CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def judged_by_a_cluster(folder: Path) -> Iterator[Figure]:
    """10,000 stations."""
    yield _efficiency(database(folder, 10_000), folder / "four", 45)


def judged_by_a_cluster_of_100000(folder: Path) -> Iterator[Figure]:
    """100,000 stations."""
    yield _efficiency(database(folder, 100_000, READ), folder / "four", 55)


def _efficiency(path: Path, folder: Path, bound: float) -> Figure:
    """What four workers and the command use together, beside one machine without a cluster, on one network."""
    environment = {**os.environ, "WEATHER_ENV_FILE": "/dev/null", "WEATHER_DB": str(path)}
    words = [TOOL, "detect", "--no-record", "--json", "--end", times.iso(times.from_epoch(END))]
    before = _used()
    subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=True)
    alone = _used() - before
    with running(environment, folder, scheme="tcp", processes=4) as cluster:
        subprocess.run(words, env=cluster.environment, stdout=subprocess.DEVNULL, check=True)  # what is loaded once
        before, began = _used(), _cpu(cluster.workers.process.pid)
        done = subprocess.run(words, env=cluster.environment, capture_output=True, check=True)
        own, four = _used() - before, _cpu(cluster.workers.process.pid) - began
    assert not done.stderr, done.stderr
    against = f"{alone:.1f} s of CPU alone; {four:.1f} s of the workers and {own:.1f} s of the command"
    return Figure(
        f"efficiency of 4 workers, {int(path.stem):,} stations", 100 * alone / (four + own), "%", bound, at_least=True,
        against=against,
    )  # fmt: skip


BENCHES = (judged_by_a_cluster, judged_by_a_cluster_of_100000)
