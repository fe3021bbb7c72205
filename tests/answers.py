"""A server that answers whatever bytes a test gives it, and closes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress


class Answers:
    """The server.

    Attributes:
        url: where it is.
        answer: what it says to every request.
        requests: what it was asked, byte for byte.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/feed"
        self.answer = b""
        self.requests: list[bytes] = []

    def take(self, connection: socket.socket) -> None:
        """Answer one request."""
        connection.settimeout(30)
        asked = b""
        while b"\r\n\r\n" not in asked and (more := connection.recv(65536)):
            asked += more
        self.requests.append(asked)
        connection.sendall(self.answer)
        connection.shutdown(socket.SHUT_WR)
        # Until the other side has read all: a reset would take away what it has not.
        while connection.recv(65536):
            pass


@contextmanager
def answering() -> Iterator[Answers]:
    """A server that runs."""
    with listening() as (port, serve):
        server = Answers(port)
        serve(server.take)
        yield server


@contextmanager
def listening() -> Iterator[tuple[int, Callable[[Callable[[socket.socket], None]], None]]]:
    """A port, and what begins to give each connection to it to a function, one after the other."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as ending:

        def serve(take: Callable[[socket.socket], None]) -> None:
            def accept() -> None:
                while True:
                    try:
                        connection, _ = server.accept()
                    except OSError:
                        return
                    with connection, suppress(OSError):
                        take(connection)

            thread = threading.Thread(target=accept, daemon=True)
            thread.start()
            ending.callback(thread.join)
            ending.callback(server.shutdown, socket.SHUT_RDWR)

        yield server.getsockname()[1], serve
