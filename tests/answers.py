"""A server that answers whatever bytes a test gives it, and closes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


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
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Answers(listening.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    server.take(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()
