"""What requests would do unasked is not done: only the feed's own settings say where a fetch goes and what it carries."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.answers import answering, listening
from tests.conftest import server_context
from toolkit.feed.errors import FeedError, UnreachableError, UntrustedError
from toolkit.feed.fetch import Fetcher

BODY = b'{"features": []}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(BODY)


def fetcher(url: str, proxy: str | None = None) -> Fetcher:
    return Fetcher(url, timeout=30, max_bytes=1 << 20, proxy=proxy)


@contextmanager
def one_by_one(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives each connection the next answer and leaves it open; yields its address and what it was asked."""
    asked: list[bytes] = []

    def take(connection: socket.socket) -> None:
        asked.append(connection.recv(65536))
        connection.sendall(answers[len(asked) - 1])
        while connection.recv(65536):
            pass

    with listening() as (port, serve):
        serve(take)
        yield f"http://127.0.0.1:{port}", asked


def test_the_environment_and_netrc_have_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("default login user password s3cr3t\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere")
    with answering() as server:
        server.answer = OK + b"\r\n" + BODY
        assert fetcher(server.url).fetch() is not None
    assert b"Authorization" not in server.requests[0]


def test_no_cookie_is_sent_back() -> None:
    cookie = b"Set-Cookie: a=b; Path=/\r\n"
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n" + cookie + b"\r\n"
    with one_by_one(redirect, OK + cookie + b"\r\n" + BODY, OK + b"\r\n" + BODY) as (url, asked):
        its = fetcher(url)
        assert its.fetch() is not None
        assert its.fetch() is not None
    assert b"Cookie" not in b"".join(asked)


def test_the_body_of_a_redirect_is_not_read() -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 1000000000000\r\n\r\n"
    with one_by_one(redirect, OK + b"\r\n" + BODY) as (url, asked):
        assert fetcher(url).fetch() is not None
    assert asked[1].startswith(b"GET /there ")


def test_a_redirect_may_be_written_in_utf_8() -> None:
    redirect = "HTTP/1.1 302 Found\r\nLocation: /Βόλος?x=ü\r\nContent-Length: 0\r\n\r\n".encode()
    with one_by_one(redirect, OK + b"\r\n" + BODY) as (url, asked):
        assert fetcher(url).fetch() is not None
    assert asked[1].startswith(b"GET /%CE%92%CF%8C%CE%BB%CE%BF%CF%82?x=%C3%BC ")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"])
def test_nothing_is_asked_for_again(answer: bytes) -> None:
    with answering() as server:
        server.answer = answer
        with pytest.raises(FeedError):
            fetcher(server.url).fetch()
    assert len(server.requests) == 1


def test_a_connection_that_breaks_off_is_unreachable() -> None:
    def take(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK + b"\r\n" + BODY[:-1])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with a reset

    with listening() as (port, serve):
        serve(take)
        with pytest.raises(UnreachableError, match="is unreachable: connection reset by peer"):
            fetcher(f"http://127.0.0.1:{port}/").fetch()


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_connection_is_closed_after_the_fetch(encoding: str) -> None:
    closed = threading.Event()

    def take(connection: socket.socket) -> None:
        connection.settimeout(30)
        connection.recv(65536)
        connection.sendall(OK + f"Content-Encoding: {encoding}\r\n\r\n".encode() + BODY)
        if connection.recv(1) == b"":
            closed.set()

    with listening() as (port, serve):
        serve(take)
        its, kept = fetcher(f"http://127.0.0.1:{port}/"), []
        try:
            its.fetch()
        except FeedError as error:  # gzip: it cannot be unpacked
            kept.append(error)
        assert closed.wait(40)
    assert bool(kept) == (encoding == "gzip")


@pytest.mark.parametrize(
    ("user", "sent"), [("us%40er:p%3Ass", "us@er:p:ss"), ("token", "token:"), (":secret", ":secret"), ("ü:ü", "ü:ü")]
)
def test_user_information_is_sent_as_basic_authentication(user: str, sent: str) -> None:
    with answering() as server:
        server.answer = OK + b"\r\n" + BODY
        assert fetcher(server.url.replace("://", f"://{user}@")).fetch() is not None
    assert b"Authorization: Basic " + base64.b64encode(sent.encode()) + b"\r\n" in server.requests[0]


@contextmanager
def behind_tls(certificate: Path, before: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[bytes]]]:
    """A server that speaks TLS after `before`; yields its port and what it was asked."""
    context = server_context(certificate)
    asked: list[bytes] = []

    def take(connection: socket.socket) -> None:
        before(connection)
        with context.wrap_socket(connection, server_side=True) as secure:
            asked.append(secure.recv(65536))
            secure.sendall(OK + b"\r\n" + BODY)

    with listening() as (port, serve):
        serve(take)
        yield port, asked


def test_the_systems_authorities_are_trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with behind_tls(certificate, lambda _: None) as (port, _):
        its = fetcher(f"https://localhost:{port}/")
        with pytest.raises(UntrustedError, match="certificate verify failed"):
            its.fetch()
        # Where OpenSSL looks for the system's; a running collector notices what was added there.
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert its.fetch() is not None


def test_a_proxy_tunnels_and_its_password_goes_no_further(
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    proxied: list[bytes] = []

    def connect(connection: socket.socket) -> None:
        proxied.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

    with behind_tls(certificate, connect) as (port, asked):
        its = fetcher("https://user:pa%C3%9F@localhost/feed", f"http://proxy:w%C3%B6rd@127.0.0.1:{port}")
        assert its.fetch() is not None
    assert proxied[0].startswith(b"CONNECT localhost:443 ")
    assert b"Proxy-Authorization: Basic " + base64.b64encode("proxy:wörd".encode()) in proxied[0]
    assert b"\r\nAuthorization" not in proxied[0]
    assert b"\r\nAuthorization: Basic " + base64.b64encode("user:paß".encode()) in asked[0]
    assert b"Proxy-Authorization" not in asked[0]
