from __future__ import annotations

import gzip
import os
import select
import signal
import socket
import sqlite3
from pathlib import Path

import pytest

from tests.answers import answering
from tests.collector import service
from tests.conftest import Feed, Run, collection, feature
from tests.databases import query


def count(environment: dict[str, str], sql: str = "SELECT COUNT(*) FROM observations") -> int:
    connection = sqlite3.connect(environment["WEATHER_DB"])
    try:
        return int(connection.execute(sql).fetchone()[0])
    finally:
        connection.close()


def test_once_stores_what_the_feed_offers(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = collection(feature("volos"), feature("zagora"))
    done = run("collect", "--once")
    assert (done.returncode, done.stderr) == (0, "2 stations, 2 new observations\n")
    assert run("collect", "--once").stderr == "2 stations, 0 new observations\n"
    assert count(environment) == 2


def test_a_packed_answer_is_unpacked(run: Run, feed: Feed) -> None:
    feed.body = gzip.compress(feed.body)
    feed.headers["Content-Encoding"] = "gzip"
    assert run("collect", "--once").returncode == 0


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"<html>maintenance</html>", 200, "not JSON"),
        (b'{"type": "FeatureCollection", "features": []}', 200, "no station"),
        (b"gone", 404, "answers 404"),
        (b"", 500, "answers 500"),
    ],
)
def test_once_fails_with_one_line(run: Run, feed: Feed, body: bytes, status: int, says: str) -> None:
    feed.body, feed.status = body, status
    done = run("collect", "--once")
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" in run("collect", "--once", "--verbose").stderr


def test_an_unreachable_feed_is_said_with_its_address(run: Run, feed: Feed) -> None:
    feed.stop()
    done = run("collect", "--once")
    assert (done.returncode, done.stderr) == (
        1,
        f"weather-tool: the feed {feed.url} is unreachable: connection refused\n",
    )


def test_a_document_that_is_too_large_is_refused(run: Run, feed: Feed) -> None:
    feed.body = gzip.compress(b" " * (3 << 20))
    feed.headers["Content-Encoding"] = "gzip"
    done = run("collect", "--once", WEATHER_FEED_MAX_MIB="1")
    assert done.returncode == 1
    assert "larger than 1 MiB" in done.stderr


def test_a_database_that_cannot_be_made_is_said(run: Run) -> None:
    done = run("collect", "--once", WEATHER_DB="/nowhere/weather.db")
    assert (done.returncode, done.stderr) == (
        1,
        "weather-tool: cannot open the database /nowhere/weather.db: no such file or directory; "
        "the document waits in the spool\n",
    )


@pytest.fixture
def quick(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "WEATHER_CADENCE_SECONDS": "1"}


def test_the_service_speaks_to_systemd_and_stops_cleanly(quick: dict[str, str], tmp_path: Path) -> None:
    with service(quick, tmp_path) as running:
        assert "READY=1" in running.wait_for("READY")
        assert "1 stations, 1 new observations" in running.wait_for("STATUS=2")
        running.wait_for("WATCHDOG=1")
        running.process.send_signal(signal.SIGTERM)
        assert "STOPPING=1" in running.wait_for("STOPPING")
        assert running.process.wait(timeout=30) == 0
    assert count(quick) == 1


def test_a_feed_that_goes_and_comes_back_is_said_once_each(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    with service(quick, tmp_path) as running:
        running.wait_for("1 new observations")
        feed.status = 503
        running.wait_for("STATUS=3 failed attempts")
        feed.body = collection(feature("volos", ts=1_763_827_800))
        feed.status = 200
        running.wait_for("1 new observations")
        log = running.stop()
    assert log.count("answers 503") == 2, log  # when it began, and in the line that says it is over
    assert log.count("well again after") == 1
    assert count(quick) == 2
    assert count(quick, "SELECT COUNT(*) FROM collection_log WHERE status = 'failed'") >= 3


def test_what_is_known_is_not_fetched_again(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    feed.headers["ETag"] = '"one"'
    with service(quick, tmp_path) as running:
        while len(feed.requests) < 4:
            running.wait_for("WATCHDOG")
    assert "If-None-Match" not in feed.requests[0]
    assert [request["If-None-Match"] for request in feed.requests[1:4]] == ['"one"'] * 3
    assert count(quick, "SELECT COUNT(*) FROM collection_log") == 1


def test_a_document_that_was_not_stored_is_fetched_again(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    feed.headers["ETag"] = '"one"'
    feed.body = b"torn"
    with service(quick, tmp_path) as running:
        running.wait_for("not JSON")
        feed.body = collection(feature("volos"))
        running.wait_for("1 new observations")


def test_stop_during_a_fetch_that_hangs(quick: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        quick["WEATHER_FEED_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with service(quick, tmp_path) as running:
            accepted, _ = silent.accept()
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(timeout=30) == 0
            accepted.close()


def test_killed_at_any_moment_the_database_is_whole(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    feed.body = collection(*(feature(f"station{number}") for number in range(500)))
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with service(quick, folder) as running:
            running.wait_for("READY" if attempt % 2 else "new observations")
            os.kill(running.process.pid, signal.SIGKILL)
    assert count(quick) in {0, 500}
    connection = sqlite3.connect(quick["WEATHER_DB"])
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_feed_cannot_command_systemd(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    with answering() as server:
        server.answer = b"HTTP/1.1 500 bad\rSTOPPING=1\rWATCHDOG_USEC=1\x00\x1b[31m" + b"x" * 9000 + b"\r\n\r\n"
        with service({**quick, "WEATHER_FEED_URL": server.url}, tmp_path) as running:
            message = running.wait_for("failed attempts")
            assert message.count("\n") == 0
            assert r"500 bad STOPPING=1 WATCHDOG_USEC=1\x00\x1b[31mxxx" in message
            assert len(message) <= 1000
            (tmp_path / "notify").unlink()  # systemd is away for a moment
            server.answer = b"HTTP/1.1 200 OK\r\n\r\n" + feed.body
            while "new observations" not in running.log:
                select.select([], [], [], 0.05)
            assert not set(running.stop()) & set("\x00\x1b\r")
    ((message,),) = query(quick["WEATHER_DB"], "SELECT max(message) FROM collection_log WHERE status = 'failed'")
    assert len(message) <= 500
    assert message.isprintable()
