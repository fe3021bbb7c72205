"""What a broker sends is bounded in size and in time, and what could not be fetched or stored comes again."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.answers import listening
from tests.bufr import REPORT, written
from tests.collector import service
from tests.conftest import Run, server_context
from tests.databases import query
from tests.integration.test_mqtt import JSON, Broker, broker, notification, said, times
from toolkit.content import length_of
from toolkit.feed.errors import InternalAddressError, TooSlowError
from toolkit.feed.fetch import Fetched, Fetcher
from toolkit.feed.mqtt import Subscriber

__all__ = ["broker"]

TOPIC = "cache/a/wis2/gr-hnms/data"
KIB, MIB = 1 << 10, 1 << 20


def links(at: str) -> list[dict[str, str]]:
    return [{"rel": "canonical", "href": at}]


@contextmanager
def hosting(certificate: Path, answer: Callable[[str], tuple[int, bytes]]) -> Iterator[str]:
    """A server of data by https, and its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    context = server_context(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def next_of(subscriber: Subscriber) -> Fetched:
    while True:
        if fetched := subscriber.fetch():
            return fetched


def head_of(document: Fetched) -> dict[str, Any]:
    head: dict[str, Any] = json.loads(document.body.splitlines()[1])
    return head


def test_messages_larger_than_a_document_wait_in_the_spool_as_several(
    environment: dict[str, str], broker: Broker, tmp_path: Path
) -> None:
    there, folder = broker(), tmp_path / "late"
    env = {
        **environment, **JSON, "WEATHER_DB": str(folder / "weather.db"), "WEATHER_FEED_MAX_MIB": "1",
        "WEATHER_FEED_URL": f"mqtt://127.0.0.1:{there.port}/net/{{station}}",
    }  # fmt: skip
    there.publish(*((f"net/{number}", said(number, more="x" * 600 * KIB)) for number in range(3)), retain=True)
    with service(env, tmp_path) as running:
        running.wait_for("3 documents wait in the spool")
        folder.mkdir()
        running.wait_for("new observations")
        while times(env["WEATHER_DB"]) != [3]:
            running.wait_for("STATUS=")
        assert "set aside" not in running.stop()


def test_a_batch_ends_while_messages_come(broker: Broker) -> None:
    there, enough = broker(), threading.Event()

    def publish() -> None:
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        client.connect("127.0.0.1", there.port)
        client.loop_start()
        for number in range(400):
            client.publish(f"net/{number}", json.dumps(said(number)), qos=1)
            if enough.wait(0.02):
                break
        client.disconnect()
        client.loop_stop()

    subscriber = Subscriber(f"mqtt://127.0.0.1:{there.port}/net/#", "stream", 30, MIB)
    advances = []
    subscriber.advance = lambda: advances.append(1)
    assert subscriber.fetch() is None
    publishing = threading.Thread(target=publish)
    publishing.start()
    try:
        fetched = next_of(subscriber)
        assert publishing.is_alive()
        assert len(advances) > len(head_of(fetched)["messages"])
    finally:
        enough.set()
        publishing.join()


def test_data_that_cannot_be_fetched_for_a_while_are_stored_later(
    environment: dict[str, str], broker: Broker, tmp_path: Path, certificate: Path
) -> None:
    there, asked = broker(), []
    data = written(["307080"], {**REPORT, "001002": 716})

    def answer(path: str) -> tuple[int, bytes]:
        asked.append(path)
        return (200, data) if len(asked) > 1 else (500, b"")

    with hosting(certificate, answer) as at:
        there.publish((f"{TOPIC}/one", notification("one", data, links=links(f"{at}/one"))), retain=True)
        env = {
            **environment, "WEATHER_FEED_URL": f"mqtt://127.0.0.1:{there.port}/{TOPIC}/#", "WEATHER_FEED_FIELDS": "",
            "WEATHER_FEED_FORMAT": "bufr", "WEATHER_FEED_CA_FILE": str(certificate),
        }  # fmt: skip
        with service(env, tmp_path) as running:
            running.wait_for("1 left out")
            running.wait_for("1 stations, 1 new observations")
    assert asked == ["/one", "/one"]
    logged = query(str(tmp_path / "weather.db"), "SELECT message FROM collection_log")
    assert "fetched again later" in logged[0][0]


def test_data_that_were_not_stored_are_no_data_that_came_before(broker: Broker) -> None:
    there = broker()
    told = notification("one", b"data", content={"encoding": "utf-8", "value": "data"})
    there.publish((f"{TOPIC}/one", told), retain=True)
    there.publish((f"{TOPIC}/two", told), retain=True)
    subscriber = Subscriber(f"mqtt://127.0.0.1:{there.port}/{TOPIC}/#", "again", 30, MIB)
    for _ in range(2):  # as if nobody could store them
        assert head_of(next_of(subscriber))["messages"] == [[4, ""]]


def test_fetched_data_are_counted_and_what_does_not_fit_waits(
    broker: Broker, certificate: Path, tmp_path: Path
) -> None:
    there, data = broker(), b"x" * 700 * KIB
    with hosting(certificate, lambda _: (200, data)) as at:
        for number in range(3):
            told = notification(str(number), data, links=links(f"{at}/{number}"))
            there.publish((f"{TOPIC}/{number}", told), retain=True)
        address = f"mqtt://127.0.0.1:{there.port}/{TOPIC}/#"
        subscriber = Subscriber(address, "large", 30, MIB, str(certificate), folder=tmp_path)
        for _ in range(3):
            fetched = next_of(subscriber)
            assert head_of(fetched) == {"messages": [[700 * KIB, ""]], "left_out": {}}
            assert length_of(fetched.content) <= MIB
            subscriber.acknowledge(fetched)
        assert subscriber.fetch() is None


def test_a_broker_with_several_silent_addresses_has_the_timeout_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent, socket.create_server(("127.0.0.2", 0)) as last:
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(silent.getsockname())
        where = [silent.getsockname()] * 3 + [last.getsockname()]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", one) for one in where]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(TooSlowError, match="took longer than 1 s"):
            Subscriber("mqtt://broker.example/net/#", "", 1, MIB).fetch()
        last.setblocking(False)
        with pytest.raises(BlockingIOError):
            last.accept()
        for one in waiting:
            one.close()


def test_notified_data_come_by_the_proxy(run: Run, broker: Broker) -> None:
    there, asked = broker(), []
    there.publish((f"{TOPIC}/one", notification("one", b"", links=links("https://data.example/one"))), retain=True)

    def refuse(connection: socket.socket) -> None:
        asked.append(connection.recv(65536).split(b"\r\n")[0])
        connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    with listening() as (port, serve):
        serve(refuse)
        done = run(
            "collect",
            "--once",
            WEATHER_FEED_URL=f"mqtt://127.0.0.1:{there.port}/{TOPIC}/#",
            WEATHER_FEED_PROXY=f"http://127.0.0.1:{port}",
            WEATHER_FEED_FORMAT="bufr",
            WEATHER_FEED_FIELDS="",
        )
    assert "1 left out" in done.stderr
    assert asked[0].startswith(b"CONNECT data.example:443 ")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "[::ffff:127.0.0.1]"])
def test_public_addresses_alone(host: str) -> None:
    with pytest.raises(InternalAddressError, match="is an address of the own host or network"):
        Fetcher(f"http://{host}:9/one", 5, MIB, public=True).fetch()
