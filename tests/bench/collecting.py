"""A collector's cycles: CPU, and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.bench import guide
from tests.bench.figure import Figure
from tests.conftest import collection, feature
from tests.feeds import noa
from toolkit.collector.cycle import fetch_and_ingest
from toolkit.collector.ingester import Ingester, IngestResult
from toolkit.collector.shared_store import SharedStore
from toolkit.collector.spool import Spool
from toolkit.feed.addresses import Addresses
from toolkit.feed.fetch import Fetcher
from toolkit.model import Bounds
from toolkit.store import open_for_writing

TIME = 1_763_827_200


def document(stations: int, step: int = 0) -> bytes:
    return collection(
        *(
            feature(
                f"station{number:05d}", ts=TIME + 600 * step, temp_out=number % 300 / 10, bar=1000 + step % 100 / 10
            )
            for number in range(stations)
        )
    )


def serve_apart(stations: int, documents: int) -> tuple[subprocess.Popen[str], str]:
    """A feed in a process of its own, so that its work is not counted; each request gets the next document."""
    code = (
        "from tests.bench.collecting import document\nfrom tests.conftest import Feed\nimport sys, time\n"
        f"bodies = [document({stations}, step) for step in range({documents})]\n"
        "feed = Feed()\nprint(feed.url, flush=True)\n"
        "class Turning:\n"
        "    def __get__(self, feed, owner): return bodies[min(len(feed.requests), len(bodies)) - 1]\n"
        "    def __set__(self, feed, body): pass\n"
        "type(feed).body = Turning()\n"
        "sys.stdin.read()\nfeed.stop()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, process.stdout.readline().strip()


def measured(call: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds and seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return time.process_time() - cpu, time.perf_counter() - wall


def ingester_in(folder: Path, most: int = 20_000) -> Ingester:
    store = SharedStore(lambda: open_for_writing(str(folder / "weather.db")))
    reader = replace(noa(), bounds=Bounds(stations=most, new_stations=most))
    return Ingester(store, Spool(folder / "spool", 256 << 20), reader)


def ingest(fetcher: Fetcher, ingester: Ingester) -> None:
    brought = fetch_and_ingest(Addresses(fetcher), ingester)
    assert brought is not None
    assert isinstance(brought[1], IngestResult), brought[1]


def large_cycle(folder: Path) -> Iterator[Figure]:
    """One cycle of 10,000 stations, not the first of a database: that of a service that is up.

    Most of the guide's time is the disk's, which is seldom alone: of cycles in turn each side's shortest is compared.
    """
    rounds = 2
    server, url = serve_apart(10_000, 2 * (rounds + 1))
    fetcher = Fetcher(url, 60, 64 << 20)
    ours, theirs = [], []
    with ingester_in(folder) as ingester, closing(guide.open_database(folder / "guide.db")) as connection:
        for _ in range(rounds + 1):
            ours.append(measured(lambda: ingest(fetcher, ingester)))
            theirs.append(measured(lambda: guide.cycle(url, connection)))
    server.communicate()
    (cpu, wall), (guide_cpu, guide_wall) = (
        [min(values) for values in zip(*side[1:], strict=True)] for side in (ours, theirs)
    )
    against = f"the guide's design: {guide_wall:.1f} s, {guide_cpu:.2f} s of CPU"
    yield Figure("cycle of 10,000 stations, CPU", cpu, "s", 0.5, against=against)
    yield Figure(
        "cycle of 10,000 stations, times faster",
        guide_wall / wall,
        "x",
        20,
        at_least=True,
        against=f"ours: {wall:.2f} s",
    )


def largest_cycle(folder: Path) -> Iterator[Figure]:
    """A cycle of 100,000 stations, in a process of its own: what it takes of memory is of one document of them."""
    stations, rounds = 100_000, 3
    server, url = serve_apart(stations, rounds)
    command = [sys.executable, "-m", "tests.bench.largest", url, str(folder), str(stations), str(rounds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    server.communicate()
    cpu, peak, new = map(float, done.stdout.split())
    assert new == stations
    yield Figure("cycle of 100,000 stations, CPU", cpu, "s", 4, against="the shortest after the first")
    megabytes = len(document(1000)) * stations / 1000 / 1e6
    yield Figure("the same, peak of memory", peak, "MB", 120, against=f"a document of {megabytes:.0f} MB")


def small_cycles(folder: Path) -> Iterator[Figure]:
    """Cycles of 14 stations in a process that does nothing else, and what memory it has then."""
    cycles = 1000
    server, url = serve_apart(14, cycles + 1)
    # As on a host, where the toolkit is compiled when it is installed: compiling takes memory that is never given back.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    for times in (1, cycles):
        command = [sys.executable, "-m", "tests.bench.small", url, str(folder), str(times)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    server.communicate()
    cpu, early, late = map(float, done.stdout.split())
    yield Figure("cycle of 14 stations, CPU", cpu / cycles * 1000, "ms", 20, against=f"mean of {cycles}")
    yield Figure(f"resident after {cycles} cycles of 14 stations", late, "MB", 36, against="the guide's: 29.8 MB")
    yield Figure("growth in the last 900 of them", late - early, "MB", 0.5, against=f"{early:.1f} MB after 100")


BENCHES = (large_cycle, largest_cycle, small_cycles)
