"""What stations send: reports at a rate that the receiver has to bear, messages of a broker, and who takes them."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.bench.figure import Figure
from tests.bench.process import tool
from tests.bench.serving import memory
from tests.conftest import TOOL
from tests.mosquitto import Mosquitto
from tests.ports import free_port

EACH_SECOND, SECONDS = 500, 10
MESSAGES, STATIONS = 20_000, 1000
KEY = "a-key-of-all-stations"


def bench_push(folder: Path) -> Iterator[Figure]:
    """Each report comes by a connection of its own, as stations do it, by way of a proxy on this host."""
    port = free_port()
    (folder / "sources.toml").write_text('[[source]]\nname = "push"\nurl = "push:wunderground"\n')
    (folder / "source_secrets").write_text(f'push = "{KEY}"\n')
    settings = {
        "WEATHER_DB": str(folder / "weather.db"), "WEATHER_SOURCES_FILE": str(folder / "sources.toml"),
        "WEATHER_FEED_MAX_STATIONS": "100000", "CREDENTIALS_DIRECTORY": str(folder),
    }  # fmt: skip
    with subprocess.Popen([TOOL, "receive", f"127.0.0.1:{port}"], env={**os.environ, **settings}) as receiver:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        before, began = _cpu(receiver.pid), time.monotonic()
        answered = sorted(asyncio.run(_all(port)))
        rate = len(answered) / (time.monotonic() - began)
        each = (_cpu(receiver.pid) - before) / len(answered)
        peak = memory(receiver.pid, "VmHWM")
        receiver.terminate()
    number = EACH_SECOND * SECONDS
    yield Figure("reports pushed and answered", len(answered), "", number, at_least=True, against=f"{number:,} sent")
    yield Figure(
        f"receiver, {EACH_SECOND} reports a second",
        100 * EACH_SECOND * each,
        "%",
        40,
        against=f"of a core; {rate:.0f} came",
    )
    yield Figure("  the slowest answer of 100", answered[-len(answered) // 100], "s", 2)
    yield Figure("  memory at most", peak, "MB", 60)
    os.environ |= settings
    try:
        used = tool("collect", "--once")
    finally:
        for name in settings:
            del os.environ[name]
    yield Figure(f"collector, {number:,} reports", used.cpu, "s", 5, against=f"CPU; exit code {used.exit_code}")


def bench_mqtt(folder: Path) -> Iterator[Figure]:
    """The messages of stations wait at a real broker, in the collector's session, as after a night without it."""
    broker = Mosquitto(folder / "broker")
    db = folder / "weather.db"
    settings = {
        "WEATHER_DB": str(db), "WEATHER_FEED_URL": f"mqtt://127.0.0.1:{broker.port}/net/{{station}}/latest",
        "WEATHER_FEED_FORMAT": "json", "WEATHER_FEED_FIELDS": "time=ts [s], temp_out=air.temp",
        "WEATHER_FEED_MAX_STATIONS": "100000",
    }  # fmt: skip
    try:
        tool("collect", "--once", **settings)  # from now on the broker keeps what it is sent
        now = int(time.time()) // 60 * 60
        broker.publish(*(_message(number, now) for number in range(MESSAGES)))
        with subprocess.Popen([TOOL, "collect"], env={**os.environ, **settings}) as collector:
            began, stored = time.monotonic(), 0
            while stored < MESSAGES and collector.poll() is None:
                time.sleep(0.1)
                with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
                    (stored,) = connection.execute("SELECT count(*) FROM observation").fetchone()
            rate, used = stored / (time.monotonic() - began), _cpu(collector.pid)
            peak = memory(collector.pid, "VmHWM")
            collector.terminate()
    finally:
        broker.stop()
    yield Figure("messages of a broker, stored", stored, "", MESSAGES, at_least=True, against=f"{MESSAGES:,} sent")
    yield Figure(
        "collector, 1,000 messages", used * 1000 / stored, "s", 0.3, against=f"CPU; {rate:,.0f} came in a second"
    )
    yield Figure("  memory at most", peak, "MB", 60)


def _message(number: int, now: int) -> tuple[str, dict[str, object]]:
    """A station's message, as gateways send it: each tells of a minute of its own."""
    said = {"ts": now - 60 * (number // STATIONS), "air": {"temp": 5 + number % 100 / 10, "hum": 60}, "battery": 3.7}
    return f"net/s{number % STATIONS}/latest", said


def _cpu(pid: int) -> float:
    """Seconds of processors that a process has taken."""
    words = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


async def _all(port: int) -> list[float]:
    """How long each report took that was answered 200, in seconds."""
    began, running = time.monotonic(), []
    for number in range(EACH_SECOND * SECONDS):
        await asyncio.sleep(max(0.0, began + number / EACH_SECOND - time.monotonic()))
        running.append(asyncio.create_task(_one(port, number)))
    return [one for one in await asyncio.gather(*running) if one]


async def _one(port: int, number: int) -> float:
    began = time.monotonic()
    reading, writing = await asyncio.open_connection("127.0.0.1", port)
    writing.write(
        f"GET /weatherstation/updateweatherstation.php?ID=s{number}&PASSWORD={KEY}&dateutc=now&winddir=230&"
        "windspeedmph=12&windgustmph=12&tempf=70&rainin=0&baromin=29.1&dewptf=68.2&humidity=90&action=updateraw "
        f"HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.{number >> 8}.{number & 255}\r\nConnection: close\r\n\r\n".encode()
    )
    answer = await reading.read()
    writing.close()
    return time.monotonic() - began if answer.startswith(b"HTTP/1.1 200 ") else 0.0


BENCHES = (bench_push, bench_mqtt)
