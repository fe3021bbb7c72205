"""The HTTP API under load: a real service, and clients in other processes."""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.bench import storing
from tests.bench.everyday import fill
from tests.bench.figure import Figure
from tests.conftest import TOOL
from tests.ports import free_port
from toolkit.model import Document
from toolkit.store import open_for_reading, open_for_writing
from toolkit.times import iso_of

LATEST = "/collections/latest/items?limit=10000"
REQUESTS = int(os.environ.get("BENCH_REQUESTS", "3000"))


@contextmanager
def served(db: Path) -> Iterator[tuple[int, int]]:
    """A service on a database: its port and its process."""
    port = free_port()
    environment = {
        **os.environ, "WEATHER_DB": str(db), "WEATHER_API_ADDRESS": f"127.0.0.1:{port}",
        "WEATHER_API_REQUESTS_PER_MINUTE": "0", "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    with subprocess.Popen([TOOL, "api"], env=environment) as process:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield port, process.pid
        process.terminate()


def seconds(port: int, path: str, number: int = 1) -> list[float]:
    """How long each of some requests took, one after the other."""
    client = http.client.HTTPConnection("127.0.0.1", port)
    found = []
    for _ in range(number):
        began = time.perf_counter()
        client.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = client.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)
        found.append(time.perf_counter() - began)
    client.close()
    return found


def memory(pid: int, what: str) -> float:
    """Of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(what))) / 1024


def commits(path: Path, stop: threading.Event) -> list[float]:
    """How long commits took meanwhile."""
    found = []
    with open_for_writing(str(path)) as store:
        while not stop.wait(0.1):
            began = time.perf_counter()
            store.add(Document([], []), time.time())
            found.append(time.perf_counter() - began)
    return found


def many_requests(folder: Path) -> Iterator[Figure]:
    """The newest of 10,000 stations, asked by four clients at once; memory; and a collector beside them."""
    path = folder / "weather.db"
    fill(path, 8_000, 2_000)
    with served(path) as (port, pid), ThreadPoolExecutor(5) as pool:
        seconds(port, LATEST, 20)
        before = memory(pid, "VmRSS")
        began = time.perf_counter()
        found = [one for part in pool.map(lambda _: seconds(port, LATEST, REQUESTS // 4), range(4)) for one in part]
        took = time.perf_counter() - began
        yield Figure("newest of 10,000 stations over HTTP, median", statistics.median(found) * 1000, "ms", 50)
        yield Figure("the same, by 4 clients at once", len(found) / took, "/s", 200, at_least=True)
        yield Figure(f"growth of the service in {REQUESTS} requests", memory(pid, "VmRSS") - before, "MB", 3)
        stop = threading.Event()
        writing = pool.submit(commits, path, stop)
        for _ in range(10):
            seconds(port, LATEST)
            seconds(port, "/collections/observations/items?limit=1000")
        stop.set()
        yield Figure(
            "a commit beside requests, 95 %", statistics.quantiles(writing.result(), n=20)[-1] * 1000, "ms", 50
        )
        yield Figure("resident memory of the service then", memory(pid, "VmRSS"), "MB", 90)


def a_year_as_coverage(folder: Path) -> Iterator[Figure]:
    """One variable of one of 14 stations for a year, each time one that was not asked before."""
    path = folder / "weather.db"
    storing.fill(path)
    with open_for_reading(str(path)) as store:
        station = store.stations()[5].station_id
        newest = store.latest()[0].time
    with served(path) as (port, pid):
        found = []
        for number in range(9):
            told = f"datetime={iso_of(newest - 365 * 86400 + number)}/..&parameter-name=temp_out"
            found += seconds(port, f"/collections/observations/locations/{station}?{told}")
        yield Figure("a variable of a station for a year, median", statistics.median(found) * 1000, "ms", 100)
        yield Figure("resident memory of the service then", memory(pid, "VmRSS"), "MB", 90)


BENCHES = (many_requests, a_year_as_coverage)
