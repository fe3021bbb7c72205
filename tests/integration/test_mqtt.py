"""A source that is a broker of MQTT: with a real one, and with servers that misbehave."""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.answers import listening
from tests.bufr import REPORT, written
from tests.collector import Service, service
from tests.conftest import Run, server_context
from tests.databases import query
from tests.mosquitto import Mosquitto

TIME = 1_763_827_200
JSON = {"WEATHER_FEED_FORMAT": "json", "WEATHER_FEED_FIELDS": "temp_out=air.temp"}
Broker = Callable[..., Mosquitto]


def said(number: int = 0, **more: Any) -> dict[str, Any]:
    return {"time": TIME + 60 * number, "air": {"temp": 1.5 + number}, **more}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Starts brokers."""
    running: list[Mosquitto] = []

    def start(*lines: str, **login: str) -> Mosquitto:
        running.append(Mosquitto(tmp_path / f"broker{len(running)}", *lines, **login))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def times(db: str) -> list[int]:
    return [one for (one,) in query(db, "SELECT count(*) FROM observations")]


def test_retained_messages_are_stored_and_the_topic_names_the_station(run: Run, broker: Broker, db: str) -> None:
    there = broker()
    there.publish(("net/volos/latest", said()), ("net/zagora/latest", said(station_id="own")), retain=True)
    there.publish(("net/other/kind", said()), retain=True)
    done = run(
        "collect",
        "--once",
        WEATHER_DB=db,
        WEATHER_FEED_URL=f"mqtt://127.0.0.1:{there.port}/net/{{station}}/latest",
        **JSON,
    )
    assert done.returncode == 0, done.stderr
    assert query(db, "SELECT station_id, temp_out FROM observations ORDER BY station_id") == [
        ("own", 1.5),
        ("volos", 1.5),
    ]


def test_what_cannot_be_used_is_counted_by_reason_and_costs_nothing_else(
    run: Run, broker: Broker, tmp_path: Path
) -> None:
    there = broker()
    for topic, message in (
        ("net/a", b"\xff\x00 no JSON"),
        ("net/b", b"12"),
        ("net/c", {"time": TIME}),
        ("net/d", {"station_id": "d", "time": "never"}),
        ("net/e", b" " * (1 << 20) + b"[]"),
        ("net/f", b" " * (100 << 20)),
        ("net/g", said(station_id="volos")),
    ):
        there.publish((topic, message), retain=True)
    there.publish(("net/h", b""))
    url = f"mqtt://127.0.0.1:{there.port}/net/#"
    done = run("collect", "--once", WEATHER_FEED_URL=url, WEATHER_FEED_MAX_MIB="1", **JSON)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "2 stations, 1 new observations, 6 left out\n"
    ((message,),) = query(str(tmp_path / "weather.db"), "SELECT message FROM collection_log")
    for reason in (
        "message that cannot be read", "message of another kind", "message without a station", "no station id",
        "message too large",
    ):  # fmt: skip
        assert reason in message


def test_nothing_is_lost_while_broker_or_collector_is_away(
    environment: dict[str, str], broker: Broker, tmp_path: Path, db: str
) -> None:
    there = broker()
    env = {
        **environment,
        **JSON,
        "WEATHER_DB": db,
        "WEATHER_FEED_URL": f"mqtt://127.0.0.1:{there.port}/net/{{station}}",
    }

    def stored(running: Service, number: int) -> None:
        while times(db) != [number]:
            running.wait_for("STATUS=")

    with service(env, tmp_path) as running:
        running.wait_for("READY=1")
        running.wait_for("STATUS=Waiting")
        there.publish(("net/volos", said(0)), retain=True)
        stored(running, 1)
        there.stop()
        running.wait_for("failed attempts since")
        there.start()
        there.publish(*((f"net/{number}", said(number)) for number in range(1, 301)))
        stored(running, 301)
        log = running.stop()
    assert "well again" in log
    assert "Traceback" not in log
    there.publish(*((f"net/{number}", said(number)) for number in range(301, 6301)))
    there.stop()
    there.start()
    with service(env, tmp_path) as running:
        stored(running, 6301)


def test_what_the_store_does_not_take_is_not_lost(environment: dict[str, str], broker: Broker, tmp_path: Path) -> None:
    there = broker()
    folder = tmp_path / "late"
    url = f"mqtt://127.0.0.1:{there.port}/net/{{station}}"
    env = {**environment, **JSON, "WEATHER_DB": str(folder / "weather.db"), "WEATHER_FEED_URL": url}
    there.publish(("net/volos", said()), retain=True)
    with service(env, tmp_path) as running:
        running.wait_for("1 documents wait in the spool")
        there.publish(*((f"net/{number}", said(number)) for number in range(50)))
        running.wait_for("2 documents wait in the spool")
        running.process.kill()
        running.process.wait()
    there.stop()
    there.start()
    folder.mkdir()
    with service(env, tmp_path) as running:
        running.wait_for("new observations")
        while times(env["WEATHER_DB"]) != [51]:
            running.wait_for("STATUS=")


def test_by_tls_and_with_a_password(
    run: Run, broker: Broker, tmp_path: Path, certificate: Path, environment: dict[str, str]
) -> None:
    there = broker(f"certfile {certificate}", f"keyfile {certificate}", user="reader", password="s3cret:word")
    there.ca_file = str(certificate)
    there.publish(("net/volos", said()), retain=True)
    url = f"mqtts://localhost:{there.port}/net/{{station}}"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    environment |= {**JSON, "WEATHER_FEED_URL": url, "CREDENTIALS_DIRECTORY": str(credentials)}
    assert "certificate verify failed" in run("collect", "--once").stderr
    environment["WEATHER_FEED_CA_FILE"] = str(certificate)
    assert "refuses the connection: not authorized" in run("collect", "--once").stderr
    environment["WEATHER_FEED_AUTH"] = "basic"
    secrets = credentials / "source_secrets"
    secrets.write_text('feed = "reader:wrong"\n')
    assert "refuses the connection: not authorized" in run("collect", "--once").stderr
    secrets.write_text('feed = "reader:s3cret:word"\n')
    assert run("collect", "--once").stderr == "1 stations, 1 new observations\n"
    assert run("feed", "try").returncode == 0
    wrong = run("collect", "--once", WEATHER_FEED_AUTH="bearer")
    assert wrong.returncode == 2
    assert "a broker knows basic and certificate alone" in wrong.stderr


def test_with_a_clients_certificate(
    run: Run, broker: Broker, tmp_path: Path, certificate: Path, environment: dict[str, str]
) -> None:
    there = broker(
        f"certfile {certificate}", f"keyfile {certificate}", f"cafile {certificate}", "require_certificate true"
    )
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    environment |= {
        **JSON, "WEATHER_FEED_URL": f"mqtts://localhost:{there.port}/net/#", "WEATHER_FEED_CA_FILE": str(certificate),
        "CREDENTIALS_DIRECTORY": str(credentials),
    }  # fmt: skip
    assert run("collect", "--once").returncode == 1
    (credentials / "source_secrets").write_text(f'feed = """\n{certificate.read_text()}"""\n')
    environment["WEATHER_FEED_AUTH"] = "certificate"
    assert "offers no document" in run("collect", "--once").stderr


def notification(name: str, data: bytes, pubtime: str = "2025-11-22T16:05:00Z", **more: Any) -> dict[str, Any]:
    """As the Manual on WIS describes it; `more` is of its properties, `links` of itself."""
    integrity = {"method": "sha512", "value": base64.b64encode(hashlib.sha512(data).digest()).decode()}
    links = more.pop("links", [])
    properties = {"data_id": f"wis2/gr-hnms/data/{name}", "pubtime": pubtime, "integrity": integrity, **more}
    return {"id": name, "type": "Feature", "geometry": None, "properties": properties, "links": links}


def test_notifications_of_wis2(run: Run, broker: Broker, certificate: Path, tmp_path: Path) -> None:
    one, other, third = (written(["307080"], {**REPORT, "001002": number}) for number in (716, 717, 718))
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.path == "/third" else 404)
            self.end_headers()
            self.wfile.write(third)

        def log_message(self, *_: Any) -> None:
            pass

    def inside(data: bytes, encoding: str = "base64") -> dict[str, str]:
        return {"encoding": encoding, "value": base64.b64encode(data).decode()}

    there = broker()
    topic = "cache/a/wis2/gr-hnms/data/core/weather/surface-based-observations/synop"
    context = server_context(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        at = f"https://localhost:{server.server_address[1]}"
        link = [{"rel": "canonical", "href": f"{at}/third", "type": "application/bufr"}]
        said: list[Any] = [
            notification("one", one, content=inside(one)),
            notification("other", other, content=inside(gzip.compress(other), "gzip")),
            notification("third", third, links=link),
            notification("third", third, links=link),
            notification("wrong", b"other data", content=inside(one)),
            notification("bomb", b"", content=inside(gzip.compress(bytes(64 << 20)), "gzip")),
            notification("broken", b"", content=inside(b"", "rot13")),
            notification("gone", b"", links=[{"rel": "deletion", "href": f"{at}/third"}]),
            notification("missing", b"", links=[{"rel": "canonical", "href": f"{at}/missing"}]),
            notification("plain", b"", links=[{"rel": "canonical", "href": "http://localhost/third"}]),
            notification("file", b"", links=[{"rel": "canonical", "href": "file:///etc/passwd"}]),
            {"type": "Feature"},
            b"no JSON",
        ]
        for number, message in enumerate(said):
            there.publish((f"{topic}/{number}", message), retain=True)
        url = f"mqtt://127.0.0.1:{there.port}/{topic}/#"
        form = {"WEATHER_FEED_FORMAT": "bufr", "WEATHER_FEED_FIELDS": "", "WEATHER_FEED_CA_FILE": str(certificate)}
        try:
            done = run("collect", "--once", WEATHER_FEED_URL=url, **form)
        finally:
            server.shutdown()
            thread.join()
    assert done.stderr == "3 stations, 3 new observations, 10 left out\n"
    assert sorted(asked) == ["/missing", "/third"]
    ((message,),) = query(str(tmp_path / "weather.db"), "SELECT message FROM collection_log")
    for reason in (
        "that came before", "not what it says", "cannot be unpacked", "of a deletion", "fetched again later",
        "not at an https", "no notification", "cannot be read",
    ):  # fmt: skip
        assert reason in message


def http(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def silence(connection: socket.socket) -> None:
    connection.recv(65536)


def a_packet_of_200_mb(connection: socket.socket) -> None:
    connection.sendall(b"\x20\x03\x00\x00\x00\x90\x03\x00\x01\x00\x30\xff\xff\xff\x5f" + b"\x00" * 1000)
    connection.recv(65536)


def letter_by_letter(connection: socket.socket) -> None:
    connection.settimeout(0.05)
    for _ in range(1000):
        connection.sendall(b"\xff")
        try:
            connection.recv(100)
        except TimeoutError:
            continue


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (http, "the broker mqtt://127.0.0.1"),
        (silence, "took longer than 1 s"),
        (a_packet_of_200_mb, "sends a packet larger than 16 MiB"),
        (letter_by_letter, "the broker mqtt://127.0.0.1"),
    ],
)
def test_a_server_that_is_no_broker(run: Run, answer: Callable[[socket.socket], None], says: str) -> None:
    def take(connection: socket.socket) -> None:
        connection.recv(65536)
        answer(connection)

    with listening() as (port, serve):
        serve(take)
        done = run(
            "collect",
            "--once",
            WEATHER_FEED_URL=f"mqtt://127.0.0.1:{port}/net/#",
            WEATHER_FEED_TIMEOUT_SECONDS="1",
            **JSON,
        )
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mqtt://host", "give mqtt://HOST/TOPIC"),
        ("mqtt://:1/x", "give mqtt://HOST/TOPIC"),
        ("mqtt://user:word@host/x", "user information does not belong here"),
        ("mqtt://host/a+/x", "+ or {station} is a whole level"),
        ("mqtt://host/#/x", "# the last one"),
        ("mqtt://host/{station}/{station}", "one level {station} at most"),
        ("mqtt://host/{id}", "+ or {station} is a whole level"),
    ],
)
def test_an_address_that_is_none(run: Run, url: str, says: str) -> None:
    done = run("collect", "--once", WEATHER_FEED_URL=url)
    assert done.returncode == 2
    assert says in done.stderr
    assert "word" not in done.stderr


def test_the_doctor_does_not_ask_a_broker_for_a_document(run: Run, broker: Broker) -> None:
    there = broker()
    done = run("doctor", "--json", WEATHER_FEED_URL=f"mqtt://127.0.0.1:{there.port}/net/#", **JSON)
    assert "feed-answers" not in done.stdout
    assert "Traceback" not in done.stderr
