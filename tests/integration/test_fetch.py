"""A feed that misbehaves costs one cycle at most, and a bounded amount of time and memory."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.answers import listening
from tests.collector import service
from tests.conftest import Feed, Run, collection, feature, server_context
from toolkit.feed.fetch import Fetcher


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that speaks whatever `answer` writes; yields its address."""

    def take(connection: socket.socket) -> None:
        connection.recv(65536)
        answer(connection)

    with listening() as (port, serve):
        serve(take)
        yield f"http://127.0.0.1:{port}/"


def header_by_header(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(1000):
        connection.sendall(b"X-%d: more\r\n" % number)
        threading.Event().wait(0.05)


def byte_by_byte(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b" ")
        threading.Event().wait(0.05)


def without_end(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 65536)


def cut_off(connection: socket.socket) -> None:
    body = collection(feature("volos"))
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)


def no_http(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (header_by_header, "took longer than 1 s\n"),
        (byte_by_byte, "took longer than 1 s: its server answers, and sends the document too slowly"),
        (without_end, "larger than 1 MiB"),
        (cut_off, "ends its answer earlier than it says"),
        (no_http, "unreachable: "),
    ],
)
def test_a_bad_answer_is_one_line(run: Run, answer: Callable[[socket.socket], None], says: str) -> None:
    with raw_server(answer) as url:
        done = run(
            "collect", "--once", WEATHER_FEED_URL=url, WEATHER_FEED_TIMEOUT_SECONDS="1", WEATHER_FEED_MAX_MIB="1"
        )
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bomb_is_not_unpacked(run: Run, feed: Feed, environment: dict[str, str], tmp_path: Path) -> None:
    feed.body = gzip.compress(gzip.compress(b" " * (1 << 20)) * 512)  # 512 MiB in less than 2 KiB
    feed.headers["Content-Encoding"] = "gzip, gzip"
    limited = ("prlimit", f"--as={400 << 20}")
    with service({**environment, "WEATHER_FEED_MAX_MIB": "4"}, tmp_path, *limited) as running:
        assert "larger than 4 MiB" in running.wait_for("failed attempts")


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("/feed.geojson", "redirects more than 5 times"),
        ("file:///etc/passwd", "not followed"),
        ("ftp://x/", "not followed"),
    ],
)
def test_redirects_are_bounded(run: Run, feed: Feed, location: str, says: str) -> None:
    feed.status = 302
    feed.headers["Location"] = location
    done = run("collect", "--once")
    assert done.returncode == 1
    assert says in done.stderr


def test_a_redirect_is_followed(run: Run, feed: Feed) -> None:
    to = feed.url

    def redirect(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode())

    with raw_server(redirect) as url:
        assert run("collect", "--once", WEATHER_FEED_URL=url).returncode == 0


def test_a_number_of_ten_thousand_digits_is_no_feature(run: Run, feed: Feed) -> None:
    feed.body = b'{"features": [' + b"9" * 10_000 + b"]}"
    done = run("collect", "--once")
    assert (done.returncode, "holds no station" in done.stderr, done.stderr.count("\n")) == (1, True, 1)


def test_the_servers_wish_to_be_left_alone_is_respected(
    environment: dict[str, str], feed: Feed, tmp_path: Path
) -> None:
    feed.status = 503
    feed.headers["Retry-After"] = "3600"
    with service({**environment, "WEATHER_CADENCE_SECONDS": "1"}, tmp_path) as running:
        running.wait_for("1 failed attempts")
        for _ in range(12):  # signs of life over more than two cadences
            running.wait_for("WATCHDOG")
        assert len(feed.requests) == 1


def test_the_servers_certificate_is_verified(run: Run, certificate: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(collection(feature("volos")))

        def log_message(self, *_: Any) -> None:
            pass

    context = server_context(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"https://localhost:{server.server_address[1]}/"
        try:
            refused = run("collect", "--once", WEATHER_FEED_URL=url)
            trusted = run("collect", "--once", WEATHER_FEED_URL=url, WEATHER_FEED_CA_FILE=str(certificate))
        finally:
            server.shutdown()
            thread.join()
    assert refused.returncode == 1
    assert "certificate verify failed" in refused.stderr
    assert (trusted.returncode, trusted.stderr) == (0, "1 stations, 1 new observations\n")


def test_missing_certificates_are_named(run: Run) -> None:
    done = run("collect", "--once", WEATHER_FEED_CA_FILE="/nowhere/ca.pem")
    assert done.returncode == 2
    assert "WEATHER_FEED_CA_FILE" in done.stderr
    assert "/nowhere/ca.pem" in done.stderr


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "no certificate"), (b"\xff\x00", "no certificate"), (None, "directory")]
)
def test_a_file_without_certificates_is_named(run: Run, tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "ca.pem"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    done = run("collect", "--once", WEATHER_FEED_CA_FILE=str(file))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"WEATHER_FEED_CA_FILE={file}: " in done.stderr
    assert says in done.stderr


def test_a_proxy_is_asked(run: Run, feed: Feed) -> None:
    done = run("collect", "--once", WEATHER_FEED_URL="http://far.example/feed", WEATHER_FEED_PROXY=feed.url)
    assert done.returncode == 0, done.stderr
    assert feed.requests[0]["Host"] == "far.example"


def test_a_proxy_that_is_not_there_is_named_as_what_was_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "feed_proxy").write_text("http://user:s3cr3t@127.0.0.1:9")
    done = run("collect", "--once", WEATHER_FEED_URL="https://far.example/feed", CREDENTIALS_DIRECTORY=str(tmp_path))
    asked = "the feed https://far.example/feed, asked through the proxy http://127.0.0.1:9, is unreachable: "
    assert asked in done.stderr
    assert "s3cr3t" not in done.stderr


def test_a_server_that_says_not_modified_for_ever_is_believed_while_data_are_fresh(
    feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    feed.headers["ETag"] = '"one"'
    patient, fetcher = (Fetcher(feed.url, 10, 1 << 20, believed_for=seconds) for seconds in (60.0, 0.0))
    for one in (patient, fetcher):
        document = one.fetch()
        assert document
        one.acknowledge(document)
        assert one.fetch() is None
    assert caplog.text == ""  # nothing was new
    assert not fetcher.denies()
    feed.body, feed.denies = collection(feature("volos"), feature("zagora")), True
    assert patient.fetch() is None
    document = fetcher.fetch()
    assert document
    assert document.body == feed.body
    fetcher.acknowledge(document)
    assert caplog.messages == [
        f"the feed {feed.url} says 'not modified' to who asks whether there is something new, and has newer data: from "
        "now on all of it is fetched each time"
    ]
    assert fetcher.fetch() is None
    assert "If-None-Match" not in feed.requests[-1]
    assert fetcher.denies()
    assert len(caplog.messages) == 1
