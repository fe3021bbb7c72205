"""Many networks at once, and one with an address for each station: what the service takes, over HTTPS.

`python -m tests.bench.networks CERTIFICATE` is the server, in a process of its own: /N/feed is a document of a hundred
stations, /station/ID one of a station, each newer than the last; /count says how many were asked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.figure import Figure
from tests.conftest import collection, feature

SOURCES, STATIONS = 100, 100
ADDRESSES = 2000
TIME = 1_795_000_000


def _document(path: str, number: int) -> bytes:
    kind = path.split("/")[1]
    at = TIME + 60 * number
    if kind == "station":
        return json.dumps({"at": at, "temp_out": number / 10, "bar": 1010 + number / 10}).encode()
    return collection(
        *(feature(f"{kind}-{one}", ts=at, temp_out=one / 10, bar=1010 + number / 10) for one in range(STATIONS))
    )


async def _serve(certificate: str) -> None:
    asked: Counter[str] = Counter()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):  # the service was stopped
            return writer.close()
        path = head.split()[1].decode()
        if path == "/count":
            body = str(asked.total()).encode()
        else:
            asked[path] += 1
            body = _document(path, asked[path])
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        return writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, str, Callable[[], int]]]:
    """Its address, its certificate, and what says how many documents were asked for."""
    certificate = str(folder / "own.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", certificate, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", __name__, certificate], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    url = f"https://localhost:{process.stdout.readline().strip()}"
    context = ssl.create_default_context(cafile=certificate)

    def count() -> int:
        with urllib.request.urlopen(f"{url}/count", context=context) as answer:
            return int(answer.read())

    try:
        yield url, certificate, count
    finally:
        process.kill()
        process.communicate()


@contextmanager
def _service(folder: Path, environment: dict[str, str]) -> Iterator[int]:
    """A running `weather-tool collect`, as its unit runs it."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), **environment}
    env |= {"WEATHER_ENV_FILE": str(folder / "none.env"), "WEATHER_DB": str(folder / "weather.db")}
    subprocess.run([sys.executable, "-m", "toolkit", "collect", "--help"], env=env, check=True, capture_output=True)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "toolkit", "collect"], env=env, stderr=log)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_until(count: Callable[[], int], number: int) -> None:
    while count() < number:
        time.sleep(0.2)


def _cpu(pid: int) -> float:
    """Seconds of processors that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def hundred_sources(folder: Path) -> Iterator[Figure]:
    """A hundred sources of a hundred stations, with a cadence of some seconds: the work of a minute is that of a round."""
    rounds = 10
    with _server(folder) as (url, certificate, count):
        tables = [
            f'[[source]]\nname = "n{number}"\nurl = "{url}/{number}/feed"\nca_file = "{certificate}"'
            for number in range(SOURCES)
        ]
        (folder / "sources.toml").write_text("\n".join(tables), encoding="utf-8")
        environment = {
            "WEATHER_SOURCES_FILE": str(folder / "sources.toml"),
            "WEATHER_CADENCE_SECONDS": "6",
            "WEATHER_FEED_PAUSE_SECONDS": "1",
        }
        with _service(folder, environment) as pid:
            _wait_until(count, 3 * SOURCES)
            began, before = count(), _cpu(pid)
            _wait_until(count, (3 + rounds) * SOURCES)
            cpu, asked, memory = _cpu(pid) - before, count() - began, _resident(pid)
    share = cpu / asked * SOURCES / 60 * 100
    against = f"{cpu / asked * 1000:.1f} ms for a document of {STATIONS} stations, over HTTPS"
    yield Figure("100 sources of 100 stations, a core's share", share, "%", 10, against=against)
    yield Figure("100 sources of 100 stations, resident", memory, "MB", 60)


def many_addresses(folder: Path) -> Iterator[Figure]:
    """Two thousand addresses, a station each, faster than is polite; their share is that of every ten minutes."""
    with _server(folder) as (url, certificate, count):
        rows = [f"s{number:04d},{40 + number / 1000},22.5,{number}" for number in range(ADDRESSES)]
        (folder / "stations.csv").write_text("\n".join(["station_id,latitude,longitude,elevation", *rows]))
        environment = {
            "WEATHER_FEED_URL": f"{url}/station/{{station}}",
            "WEATHER_FEED_FORMAT": "json",
            "WEATHER_FEED_FIELDS": "time=at",
            "WEATHER_FEED_STATIONS": str(folder / "stations.csv"),
            "WEATHER_FEED_CA_FILE": certificate,
            "WEATHER_FEED_REQUESTS_PER_MINUTE": "6000",
            "WEATHER_CADENCE_SECONDS": "30",
        }
        with _service(folder, environment) as pid:
            _wait_until(count, 500)
            began, before = count(), _cpu(pid)
            _wait_until(count, ADDRESSES + 500)
            cpu, asked, memory = _cpu(pid) - before, count() - began, _resident(pid)
    share = cpu / asked * ADDRESSES / 600 * 100
    against = f"{cpu / asked * 1000:.1f} ms for an address, over HTTPS"
    yield Figure("2,000 addresses in ten minutes, a core's share", share, "%", 5, against=against)
    yield Figure("2,000 addresses, resident", memory, "MB", 60)


BENCHES = (hundred_sources, many_addresses)

if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
