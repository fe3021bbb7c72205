"""Metrics, as Prometheus reads them."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.collector import service
from tests.conftest import TOOL, Feed, Run
from tests.integration.test_commands import stored_minutes_ago
from toolkit.store import open_for_writing


def parsed(text: str) -> dict[tuple[str, str], float]:
    """The samples, by name and labels."""
    return {
        (sample.name, ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@contextmanager
def served(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with service(environment, tmp_path, does=("metrics", "--serve", f"127.0.0.1:{port}")) as exporter:
        exporter.wait_for("READY=1")
        # The second sign of life comes after the first round of checks.
        exporter.wait_for("WATCHDOG=1")
        exporter.wait_for("WATCHDOG=1")

        def scrape() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return str(answer.read().decode())

        yield scrape
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
    with open_for_writing(environment["WEATHER_DB"]) as store:
        store.log_failure("the feed answers 500", time.time())
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


def test_no_database_is_a_measurement_too(run: Run, tmp_path: Path) -> None:
    told = parsed(run("metrics").stdout)
    assert told["weather_store_up", ""] == 0
    assert told["weather_check_cause", "area=database,check=database-exists"] == 2
    assert list(tmp_path.iterdir()) == []


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
