"""A console that shows several hosts."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Run
from tests.console import Console
from tests.ports import free_port
from tests.postgresql import Server
from toolkit.model import Document, Observation, Station
from toolkit.store import open_for_writing

TOKEN = "0123456789abcdef"


def stored(db: str, *names: str) -> str:
    """A database with stations that were observed just now."""
    now = int(time.time()) // 600 * 600
    with open_for_writing(db) as store:
        stations = [Station(name, name, None, 39.0, 22.0, 10.0) for name in names]
        store.add(Document(stations, [Observation(time=now, station_id=name, temp_out=20.0) for name in names]), now)
    return db


class Fleet:
    """Hosts that run for a test, all with one list of hosts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.running: list[Console] = []

    def host(self, db: str, **settings: str) -> Console:
        """Another host that runs."""
        folder = self._folder / str(len(self.running))
        folder.mkdir()
        self.running.append(Console(db, folder, WEATHER_METRICS_ADDRESS="127.0.0.1:9", **settings))
        return self.running[-1]


@pytest.fixture
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    made = Fleet(tmp_path_factory.mktemp("fleet"))  # a short name, for there are sockets in it
    yield made
    for one in made.running:
        one.stop()


def shown(console: Console) -> dict[str, Any]:
    """Each host that a console shows, by name, once it has asked all of them; `with` are those of its database."""
    while True:
        networks = console.session().json("hosts")["networks"]
        found = {
            one["name"]: {**one, "with": [other["name"] for other in some if other is not one]}
            for some in networks
            for one in some
        }
        if all(one["asked"] for one in found.values()):
            return found


def test_hosts_are_shown_each_with_its_numbers_and_one_that_is_down_with_the_reason(
    fleet: Fleet, tmp_path: Path
) -> None:
    other = fleet.host(stored(str(tmp_path / "one.db"), "a", "b"))
    console = fleet.host(
        stored(str(tmp_path / "two.db"), "c"),
        WEATHER_CONSOLE_HOSTS=f"Πάρνηθα 1={other.origin}, gone=http://127.0.0.1:9/x/, itself=http://localhost:9",
    )
    found = shown(console)
    assert console.session().json("about")["hosts"]
    assert found["Πάρνηθα 1"]["said"]["stations"] == {"well": 2}
    assert found["Πάρνηθα 1"]["said"]["newest"] % 600 == 0
    assert found["Πάρνηθα 1"]["url"] == other.origin
    assert found["gone"]["said"] is None
    assert "connection refused" in found["gone"]["error"]
    (own,) = [one for one in found.values() if one["url"] is None]
    assert own["said"]["stations"] == {"well": 1}
    assert all(one["with"] == [] for one in found.values())


def test_several_hosts_of_one_postgresql_are_shown_once_and_a_host_knows_itself_in_the_list(
    fleet: Fleet, postgresql: Server, tmp_path: Path
) -> None:
    db = stored(postgresql.database(f"fleet_{uuid4().hex}"), "a", "b", "c")
    same = postgresql.database(f"fleet_{uuid4().hex}")
    stored(same, "a")
    port = free_port()
    other, elsewhere = fleet.host(db), fleet.host(same)
    names = f"east=http://127.0.0.1:{port},west={other.origin},south={elsewhere.origin}"
    console = fleet.host(db, WEATHER_CONSOLE_HOSTS=names, WEATHER_API_ADDRESS=f"127.0.0.1:{port}")
    console.root = f"http://127.0.0.1:{port}/console/"
    found = shown(console)
    assert {name: one["with"] for name, one in found.items()} == {"east": ["west"], "west": ["east"], "south": []}
    assert found["east"]["url"] is None


def test_a_host_that_asks_for_a_token_gets_its_own(fleet: Fleet, tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "api_tokens").write_text(f"{TOKEN}\n")
    other = fleet.host(stored(str(tmp_path / "one.db"), "a"), CREDENTIALS_DIRECTORY=str(folder))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "console_tokens").write_text(f"# of the fleet\nwith={TOKEN}\n")
    console = fleet.host(
        stored(str(tmp_path / "two.db"), "c"),
        WEATHER_CONSOLE_HOSTS=f"with={other.origin}, without={other.origin}/",
        CREDENTIALS_DIRECTORY=str(mine),
    )
    found = shown(console)
    assert found["with"]["said"]["stations"] == {"well": 1}
    assert found["without"]["error"] == "it answers 401 Unauthorized"


@contextmanager
def answering(*parts: bytes) -> Iterator[str]:
    """The address of a server that sends to each client some bytes, and then nothing for ever."""
    clients = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                clients.append(client)
                with suppress(OSError):  # who has read enough is gone
                    client.recv(65536)
                    for part in parts:
                        client.sendall(part)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for client in clients:
        client.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_what_answers_nothing_or_nonsense_delays_nobody_and_is_named(fleet: Fleet, tmp_path: Path) -> None:
    hostile = b'{"instance": "x", "database": null, "host": "<b>\\u001b[31m", "version": 7}'
    with (
        answering() as silent,
        answering(HEAD + b"Content-Length: %d\r\n\r\n" % len(hostile) + hostile) as wrong,
        answering(HEAD + b"Content-Length: 6000000\r\n\r\n", b"[" * 6_000_000) as large,
        answering(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n") as elsewhere,
    ):
        hosts = {"silent": silent, "wrong": wrong, "large": large, "elsewhere": elsewhere}
        console = fleet.host(
            stored(str(tmp_path / "two.db"), "c"),
            WEATHER_CONSOLE_HOSTS=",".join(f"{name}={url}" for name, url in hosts.items()),
        )
        assert console.session().json("hosts")["networks"][0][0]["said"]["stations"] == {"well": 1}
        found = shown(console)
    assert {name: found[name]["error"] for name in hosts} == {
        "silent": "no answer within 5 s",
        "wrong": "what answers is no console of this version",
        "large": "its answer is too large",
        "elsewhere": "it answers 302 Found",
    }
    assert all(found[name]["said"] is None for name in hosts)


@pytest.mark.parametrize("line", ["other=abc", "one", "one=ä"])
def test_a_token_of_no_host_is_refused_with_its_line(run: Run, tmp_path: Path, line: str) -> None:
    (tmp_path / "console_tokens").write_text(f"# tokens\n{line}\n")
    done = run(
        "api", "127.0.0.1:9", "--db", stored(str(tmp_path / "one.db"), "a"), WEATHER_CONSOLE_HOSTS="one=http://127.0.0.1:9",
        CREDENTIALS_DIRECTORY=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 1
    assert "console_tokens is wrong in line 2: give NAME=TOKEN" in done.stderr


def test_a_host_without_its_database_still_says_how_it_is(fleet: Fleet, tmp_path: Path) -> None:
    console = fleet.host(str(tmp_path / "none.db"), WEATHER_CONSOLE_HOSTS="gone=http://127.0.0.1:9")
    (own, *_) = [one for one in shown(console).values() if one["url"] is None]
    assert (own["said"]["readable"], own["said"]["stations"], own["error"]) == (False, {}, None)
