"""Sources that ask who asks: keys, passwords, tokens and certificates, by real servers; and that no secret is shown."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.conftest import Run, collection, feature, server_context

SECRET = "s3cret/of the+source"
Declare = Callable[..., None]


class Asked:
    """A server that notes what it is asked, and answers by `answer`: a status, and a body."""

    def __init__(self, answer: Callable[[str, dict[str, str], str], tuple[int, bytes]]) -> None:
        self.requests: list[tuple[str, dict[str, str], str]] = []
        asked = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                one = self.path, dict(self.headers), self.rfile.read(length).decode()
                asked.requests.append(one)
                status, body = answer(*one)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - its name

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


@contextmanager
def serving(asked: Asked) -> Iterator[Asked]:
    thread = threading.Thread(target=asked.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield asked
    finally:
        asked.server.shutdown()
        thread.join()
        asked.server.server_close()


def feed(*_: object) -> tuple[int, bytes]:
    return 200, collection(feature("volos"))


@pytest.fixture
def declare(environment: dict[str, str], tmp_path: Path) -> Declare:
    """Writes a source `one`, and its secrets."""

    def write(url: str, auth: str, secret: str | None = SECRET, **more: str) -> None:
        said = {"name": "one", "url": url, "auth": auth, **more}
        lines = [f"{name} = {json.dumps(value)}" for name, value in said.items() if value]
        (tmp_path / "sources.toml").write_text("\n".join(["[[source]]", *lines]), encoding="utf-8")
        environment["WEATHER_SOURCES_FILE"] = str(tmp_path / "sources.toml")
        folder = tmp_path / "credentials"
        folder.mkdir(exist_ok=True)
        environment["CREDENTIALS_DIRECTORY"] = str(folder)
        if secret is not None:
            (folder / "source_secrets").write_text(f"one = {json.dumps(secret)}\n", encoding="utf-8")

    return write


@pytest.mark.parametrize(
    ("auth", "secret", "header", "value"),
    [
        ("header X-Api-Key", SECRET, "X-Api-Key", SECRET),
        ("bearer", SECRET, "Authorization", f"Bearer {SECRET}"),
        ("basic", "user:p:w", "Authorization", f"Basic {base64.b64encode(b'user:p:w').decode()}"),
        ("query key, header X-Other", f"{SECRET}\nother one", "X-Other", "other one"),
    ],
)
def test_a_secret_is_sent(run: Run, declare: Declare, auth: str, secret: str, header: str, value: str) -> None:
    with serving(Asked(feed)) as server:
        declare(f"http://127.0.0.1:{server.port}/feed?x=1", auth, secret)
        assert run("collect", "--once").returncode == 0
    path, headers, _ = server.requests[0]
    assert headers[header] == value
    expected = {"x": ["1"], **({"key": [SECRET]} if "query" in auth else {})}
    assert parse_qs(path.partition("?")[2]) == expected


@pytest.mark.parametrize(
    "auth", ["header X-Api-Key", "bearer", "query key", "basic", "oauth2 http://127.0.0.1:1/token"]
)
def test_no_secret_is_shown(run: Run, declare: Declare, auth: str) -> None:
    def echo(path: str, headers: dict[str, str], body: str) -> tuple[int, bytes]:
        return 500, b""

    secret = f"user:{SECRET}" if auth.startswith(("basic", "oauth2")) else SECRET
    with serving(Asked(echo)) as server:
        declare(f"http://127.0.0.1:{server.port}/feed", auth, secret)
        done = run("collect", "--once", "--verbose")
        assert done.returncode == 1
        for command in (["settings"], ["doctor", "--json"], ["feed", "try"]):
            done.stderr += run(*command).stdout
    for one in (SECRET, base64.b64encode(secret.encode()).decode(), "s3cret"):
        assert one not in done.stderr + done.stdout


def test_a_server_that_repeats_the_secret_does_not_get_it_into_a_message(run: Run, declare: Declare) -> None:
    with serving(Asked(lambda path, *_: (404, path.encode()))) as server:
        server.server.RequestHandlerClass.responses = {}  # type: ignore[attr-defined]
        declare(f"http://127.0.0.1:{server.port}/feed", "query key")
        done = run("collect", "--once")
    assert done.returncode == 1
    assert "s3cret" not in done.stderr


def test_a_redirect_elsewhere_takes_no_secret_along(run: Run, declare: Declare) -> None:
    with serving(Asked(feed)) as other:
        elsewhere = f"http://localhost:{other.port}/feed"

        class Redirects(Asked):
            pass

        server = Redirects(lambda *_: (200, b""))
        handler = server.server.RequestHandlerClass

        def redirect(self: Any) -> None:
            self.send_response(302)
            self.send_header("Location", elsewhere)
            self.end_headers()

        handler.do_GET = redirect  # type: ignore[attr-defined]
        with serving(server):
            declare(
                f"http://127.0.0.1:{server.port}/feed",
                "query key, header X-Key, bearer",
                "a-secret\nb-secret\nc-secret",
            )
            assert run("collect", "--once").returncode == 0
    path, headers, _ = other.requests[0]
    assert "secret" not in path + str(headers)


class TokenServer:
    """Gives tokens, and answers with the feed to whoever has the newest."""

    def __init__(self, seconds: int) -> None:
        self.given = 0
        self.accepted = ""
        self.seconds = seconds
        self.client: tuple[str, str] = ("", "")

    def __call__(self, path: str, headers: dict[str, str], body: str) -> tuple[int, bytes]:
        if path == "/token":
            self.client = headers["Authorization"], body
            self.given += 1
            self.accepted = f"token-{self.given}"
            answer = {"access_token": self.accepted, "token_type": "Bearer", "expires_in": self.seconds}
            return 200, json.dumps(answer).encode()
        if headers.get("Authorization") != f"Bearer {self.accepted}":
            return 401, b""
        return feed()


def test_a_token_is_asked_for_and_renewed_when_it_is_refused(run: Run, declare: Declare) -> None:
    from toolkit.authorization import parse_ways, secrets
    from toolkit.feed.authorization import Authorization
    from toolkit.feed.fetch import Fetcher

    tokens = TokenServer(3600)
    with serving(Asked(tokens)) as server:
        url = f"http://127.0.0.1:{server.port}"
        declare(f"{url}/feed", f"oauth2 {url}/token read:all more", "client:secret")
        assert run("collect", "--once").returncode == 0
        coded = base64.b64encode(b"client:secret").decode()
        assert tokens.client[0] == f"Basic {coded}"
        assert parse_qs(tokens.client[1]) == {"grant_type": ["client_credentials"], "scope": ["read:all more"]}
        # One that is fetched again and again asks for a token once, until it is refused.
        way = parse_ways(f"oauth2 {url}/token").ways[0]
        fetcher = Fetcher(f"{url}/feed", 20, 1 << 20, who=Authorization({way: "client:secret"}))
        for _ in range(3):
            assert fetcher.fetch()
        assert tokens.given == 2
        tokens.accepted = "another"
        assert fetcher.fetch()
        assert tokens.given == 3
        tokens.seconds = -1  # a token that is over at once is asked for each time
        tokens.accepted = "another"
        assert fetcher.fetch()
        assert fetcher.fetch()
        assert tokens.given == 5
    assert secrets(parse_ways(""), "one") == {}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((400, b'{"error": "invalid_client"}'), "invalid_client"),
        ((500, b"<html>"), "answers 500 and gives no token"),
        ((200, b"{}"), "gives no token"),
        ((200, b'{"access_token": "a", "token_type": "mac"}'), "none of kind bearer"),
        ((200, b'{"access_token": "a\\r\\nb: c", "token_type": "bearer"}'), "none of kind bearer"),
        ((200, b"[" * 10_000), "answers 200 and gives no token"),
    ],
)
def test_no_token_is_said(run: Run, declare: Declare, answer: tuple[int, bytes], says: str) -> None:
    with serving(Asked(lambda *_: answer)) as server:
        declare(f"http://127.0.0.1:{server.port}/feed", f"oauth2 http://127.0.0.1:{server.port}/token", "client:s3cret")
        done = run("collect", "--once")
    assert done.returncode == 1
    assert says in done.stderr
    assert "s3cret" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_certificate_is_shown_to_the_server(run: Run, declare: Declare, certificate: Path) -> None:
    context = server_context(certificate, ssl.CERT_REQUIRED)
    server = Asked(feed)
    server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
    with serving(server):
        url = f"https://localhost:{server.port}/feed"
        declare(url, "", None, ca_file=str(certificate))
        refused = run("collect", "--once")
        declare(url, "certificate, header X-Key", f"{SECRET}\n{certificate.read_text()}", ca_file=str(certificate))
        assert run("collect", "--once").returncode == 0
    assert refused.returncode == 1
    assert server.requests[0][1]["X-Key"] == SECRET


def test_a_certificate_is_shown_to_no_other_server(run: Run, declare: Declare, certificate: Path) -> None:
    shown = []
    context = server_context(certificate, ssl.CERT_OPTIONAL)
    elsewhere, own = Asked(feed), Asked(feed)

    def redirect(self: Any) -> None:
        shown.append(self.connection.getpeercert())
        self.send_response(302)
        self.send_header("Location", f"https://localhost:{elsewhere.port}/")
        self.end_headers()

    answer = elsewhere.server.RequestHandlerClass.do_GET  # type: ignore[attr-defined]

    def look(self: Any) -> None:
        shown.append(self.connection.getpeercert())
        answer(self)

    own.server.RequestHandlerClass.do_GET = redirect  # type: ignore[attr-defined]
    elsewhere.server.RequestHandlerClass.do_GET = look  # type: ignore[attr-defined]
    for one in (own, elsewhere):
        one.server.socket = context.wrap_socket(one.server.socket, server_side=True)
    with serving(own), serving(elsewhere):
        url = f"https://localhost:{own.port}/feed"
        declare(url, "certificate", certificate.read_text(), ca_file=str(certificate))
        done = run("collect", "--once")
    assert done.returncode == 0, done.stderr
    assert [bool(one) for one in shown] == [True, False]


def test_what_is_hidden_does_not_grow_with_tokens() -> None:
    from toolkit.authorization import parse_ways
    from toolkit.feed.authorization import Authorization

    who = Authorization({parse_ways("oauth2 http://127.0.0.1/token").ways[0]: "client:secret"})
    numbers = []
    for number in range(5):
        assert who.token_request()
        who.take_token(200, b'{"access_token": "token-%d", "token_type": "bearer", "expires_in": -1}' % number)
        numbers.append(len(who.hidden))
    assert numbers[-1] == numbers[1]
    assert "token-4" in who.hidden


def test_the_whole_address_may_be_the_secret(run: Run, declare: Declare) -> None:
    with serving(Asked(feed)) as server:
        declare("", "address", f"http://127.0.0.1:{server.port}/s3cret/feed")
        assert run("collect", "--once").returncode == 0
    server.requests.clear()
    done = run("collect", "--once")
    assert done.returncode == 1
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize(
    ("auth", "secret", "says"),
    [
        ("header", SECRET, "give header with one name, such as header X-Api-Key"),
        ("head X", SECRET, "did you mean header?"),
        ("bearer, basic", SECRET, "give one of basic, bearer and oauth2"),
        ("oauth2 token", SECRET, "give oauth2 with the address of its tokens"),
        ("basic", "no colon", "has no : for the source one: give USER:PASSWORD"),
        ("basic", None, "has no secret of it: give it in weather_source_secrets, as one: USER:PASSWORD"),
        ("header A, header B", "one line", "has 1 lines for the source one"),
        ("certificate", "no pem", "has 1 lines for the source one"),
        ("certificate", "", "has no PEM text for the source one"),
        (
            "certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "the certificate of the source one cannot be used",
        ),
    ],
)
def test_what_cannot_be_used_is_said(run: Run, declare: Declare, auth: str, secret: str | None, says: str) -> None:
    declare("http://127.0.0.1:1/", auth, secret)
    done = run("collect", "--once")
    assert done.returncode == 2
    assert says in done.stderr
    assert SECRET not in done.stderr
