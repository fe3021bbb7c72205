"""Metrics, as Prometheus reads them."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.collector import service
from tests.conftest import TOOL, Feed, Run
from tests.integration.test_commands import stored_minutes_ago
from tests.ports import free_port
from toolkit.checks.host import Host
from toolkit.exporter import server as serving_metrics
from toolkit.exporter.checks import CheckResults
from toolkit.exporter.metrics import Weather
from toolkit.exporter.server import Server
from toolkit.exporter.service import of_service
from toolkit.sdnotify import until_stopped
from toolkit.settings import load, load_lenient
from toolkit.store import open_for_writing


def parsed(text: str) -> dict[tuple[str, str], float]:
    """The samples, by name and labels."""
    return {
        (sample.name, ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@dataclass(frozen=True)
class Exporter:
    """One that serves: where, and as which process."""

    place: tuple[str, int]
    pid: int

    def __call__(self) -> str:
        """A scrape."""
        with urllib.request.urlopen("http://{}:{}/metrics".format(*self.place), timeout=10) as answer:
            return str(answer.read().decode())


@contextmanager
def served(environment: dict[str, str], tmp_path: Path) -> Iterator[Exporter]:
    port = free_port()
    with service(environment, tmp_path, does=("metrics", "--serve", f"127.0.0.1:{port}")) as exporter:
        exporter.wait_for("READY=1")
        # The second sign of life comes after the first round of checks.
        exporter.wait_for("WATCHDOG=1")
        exporter.wait_for("WATCHDOG=1")

        yield Exporter(("127.0.0.1", port), exporter.process.pid)
        exporter.stop()
        assert exporter.process.returncode == 0


def test_what_is_measured_has_its_names_and_survives_a_restart(
    run: Run, feed: Feed, environment: dict[str, str], tmp_path: Path
) -> None:
    stored_minutes_ago(run, feed, environment, 2)
    with served(environment, tmp_path) as scrape:
        first = parsed(scrape())
    assert 100 < first["weather_data_age_seconds", ""] < 200
    assert first["weather_observations_total", "change=new"] == 1
    assert first["weather_collection_cycles_total", "status=success"] == 1
    assert first["weather_collection_errors_total", ""] == 0
    assert first["weather_db_size_bytes", ""] > 0
    assert first["weather_check_status", "area=data quality,check=observations-fresh"] == 0
    assert first["weather_network_availability_ratio", ""] == pytest.approx(1 / 144)
    with open_for_writing(environment["WEATHER_DB"]) as store:
        store.log_failure("the feed answers 500", time.time(), "feed")
    with served(environment, tmp_path) as scrape:
        second = parsed(scrape())
    assert second["weather_observations_total", "change=new"] == 1
    assert second["weather_collection_errors_total", ""] == 1


def test_a_scrape_waits_for_no_lock(run: Run, feed: Feed, environment: dict[str, str], tmp_path: Path) -> None:
    stored_minutes_ago(run, feed, environment, 1)
    with served(environment, tmp_path) as scrape:
        holder = sqlite3.connect(environment["WEATHER_DB"], isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert parsed(scrape())["weather_store_up", ""] == 1
        holder.execute("ROLLBACK")
        holder.close()


def test_a_scrape_counts_no_day(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    """That takes seconds in a large network: whoever makes the checks does it, and every scrape has its figures."""
    stored_minutes_ago(run, feed, environment, 1)
    weather, registry = Weather(load({}, environment).settings, CheckResults()), CollectorRegistry()
    registry.register(weather)
    assert ("weather_network_availability_ratio", "") not in parsed(generate_latest(registry).decode())
    weather.count()
    for _ in range(2):
        assert parsed(generate_latest(registry).decode())["weather_network_availability_ratio", ""] == 1 / 144


def test_no_database_is_a_measurement_too(run: Run, tmp_path: Path) -> None:
    told = parsed(run("metrics").stdout)
    assert told["weather_store_up", ""] == 0
    assert told["weather_check_cause", "area=database,check=database-exists"] == 2
    assert list(tmp_path.iterdir()) == []


def test_what_the_spool_counts_is_what_waits(run: Run, environment: dict[str, str]) -> None:
    spool = Path(environment["WEATHER_SPOOL"])
    spool.mkdir()
    for name in ("000000000001.gz", "1.gz", "2026-11-25.gz", "999999999999.gz", "000000000002.damaged"):
        (spool / name).touch()
    assert parsed(run("metrics").stdout)["weather_spool_documents", ""] == 1


def test_a_port_that_is_taken_is_named(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [TOOL, "metrics", "--serve", address], env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == f"weather-tool: cannot serve metrics at {address}: address already in use\n"


@pytest.mark.parametrize("address", ["9105", "host:port", "127.0.0.1:99999"])
def test_a_wrong_address_is_refused(run: Run, address: str) -> None:
    done = run("metrics", "--serve", address)
    assert (done.returncode, address in done.stderr) == (2, True)


def test_a_thousand_half_sent_requests_keep_nobody_from_the_metrics(
    run: Run, feed: Feed, environment: dict[str, str], tmp_path: Path
) -> None:
    stored_minutes_ago(run, feed, environment, 2)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with served(environment, tmp_path) as scrape, ExitStack() as clients:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard) if hard > 0 else 4096, hard))
        clients.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        place = scrape.place
        for number in range(1100):
            client = clients.enter_context(socket.create_connection(place, 60))
            client.sendall((b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\nHost: x\r\n", b"\0" * 100)[number % 4])
            if number % 100 == 99:
                assert parsed(scrape())["weather_store_up", ""] == 1
        threads = Path(f"/proc/{scrape.pid}/task")
        assert len(list(threads.iterdir())) < 100
        assert len(list(Path(f"/proc/{scrape.pid}/fd").iterdir())) < 100


@pytest.fixture
def signals() -> Iterator[None]:
    """Handlers of signals are as before afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_it_stops_in_the_middle_of_the_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def examine(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(60)
        pytest.fail("the checks went on")

    monkeypatch.setattr(CheckResults, "examine", examine)
    serving_metrics.serve("127.0.0.1:0", load({}, {"WEATHER_DB": str(tmp_path / "weather.db")}).settings)


@pytest.mark.usefixtures("signals")
def test_a_signal_that_another_thread_gets_ends_a_wait() -> None:
    def stop() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    with until_stopped() as wait:
        threading.Timer(0.1, stop).start()  # then this thread waits
        wait(60)
        pytest.fail("it waited to the end")


@pytest.mark.usefixtures("signals")
def test_a_signal_that_comes_while_an_object_is_destroyed_is_not_lost() -> None:
    class Doomed:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    with until_stopped():
        Doomed()
        threading.Event().wait(60)
        pytest.fail("it went on")


@pytest.mark.usefixtures("signals")
def test_a_signal_whose_exception_is_caught_by_others_is_not_lost() -> None:
    with until_stopped() as wait:
        with suppress(BaseException):
            os.kill(os.getpid(), signal.SIGTERM)
        wait(60)
        pytest.fail("it waited to the end")


@pytest.mark.usefixtures("signals")
def test_only_the_first_signal_interrupts() -> None:
    cleaned = False
    with until_stopped():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            cleaned = True
    os.kill(os.getpid(), signal.SIGTERM)
    assert cleaned


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"GET /metrics HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 "),
        (b"GET /metrics?x=%00 HTTP/1.1\r\nHost: [::\r\nAccept: application/openmetrics-text; version=x\r\n\r\n", b"HTTP/1.0 200 "),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.0 200 "),
        (b"GET /-/healthy HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 "),
        (b"GET /secret HTTP/1.0\r\n\r\n", b"HTTP/1.0 404 "),
        (b"POST /metrics HTTP/1.0\r\n\r\n", b"HTTP/1.0 501 "),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.0\r\n\r\n", b"HTTP/1.0 414 "),
        (b"GET / HTTP/1.0\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"HTTP/1.0 431 "),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"<!DOCTYPE HTML>"),
        (b"GET /metrics HTTP/1.1\r\n\r\n" * 500, b"HTTP/1.0 200 "),
    ],
)  # fmt: skip
def test_a_request_of_any_kind_is_answered(serving: tuple[str, int], request_: bytes, answer: bytes) -> None:
    with socket.create_connection(serving, 5) as client:
        client.sendall(request_)
        first = client.recv(1000)
        assert first.startswith(answer) or (answer.startswith(b"<") and b"400" in first)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The server of metrics alone."""
    settings = load({}, {"WEATHER_DB": str(tmp_path_factory.mktemp("exporter") / "weather.db")}).settings
    registry = CollectorRegistry()
    registry.register(Weather(settings, CheckResults()))
    server = Server("127.0.0.1:0", registry)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_address[:2]  # type: ignore[misc]
    server.shutdown()
    server.server_close()
    thread.join()


def test_who_does_not_read_is_let_go(serving: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_metrics, "CONNECTION_SECONDS", 0.2)
    with socket.create_connection(serving, 5) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nX")
        assert client.recv(100) == b""


def test_the_console_is_told_what_only_the_exporter_sees_and_nobody_elsewhere_is(
    run: Run, feed: Feed, environment: dict[str, str], tmp_path: Path
) -> None:
    stored_minutes_ago(run, feed, environment, 2)
    assert run("backup", "create").returncode == 0
    with served(environment, tmp_path) as exporter:
        told = asked(exporter.place, "127.0.0.1")
        with pytest.raises(HTTPError, match="404"):
            asked(exporter.place, "127.0.0.2")
    found = {one["id"]: one for one in told["findings"]["checks"]}
    assert found["observations-fresh"]["status"] == "OK"
    assert all(abs(one["at"] - told["at"]) < 60 for one in found.values())
    assert [one["observations"] for one in told["backups"]] == [1]
    assert {"data", "backups"} <= {name for disk in told["disks"] for name in disk["holds"]}


def test_what_of_the_service_cannot_be_read_is_null(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def waiting(_: Path) -> list[Path]:
        raise PermissionError

    monkeypatch.setattr("toolkit.exporter.service.waiting", waiting)
    told = of_service(Host(load_lenient(environ=environment)), CheckResults())
    assert (told["spool"], told["spools"]) == (None, None)


def asked(place: tuple[str, int], client: str) -> Any:
    """What the exporter tells of the service to a client with an address."""
    connection = HTTPConnection(*place, timeout=10, source_address=(client, 0))
    connection.request("GET", "/service")
    answer = connection.getresponse()
    if answer.status != 200:
        raise HTTPError("/service", answer.status, answer.reason, answer.headers, None)
    return json.load(answer)
