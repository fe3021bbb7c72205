"""The HTTP server: one process, one loop that serves, and what systemd is told of it."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as LateError
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from toolkit.api.problem_json import MEDIA_TYPE, problem
from toolkit.errors import ToolkitError, reason
from toolkit.sdnotify import notify, until_stopped, watchdog_seconds

if TYPE_CHECKING:
    from starlette.types import ASGIApp

log = logging.getLogger(__name__)

# Of the HTTP API: further connections are answered 503.
MOST_CONNECTIONS = 200
# How long a client may take to send a request, and how long the request may last in all, in seconds.
REQUEST_SECONDS = 10.0
ANSWER_SECONDS = 60.0
# The longest head of a request, in bytes: an area has many corners, and a letter may take twelve bytes of an address.
HEAD_BYTES = 64 << 10
# How long requests that are being answered may take when the service is to stop; it must stop within 5 s.
STOP_SECONDS = 2
EVERY_SECONDS = 10.0


class Connection(H11Protocol):
    """A connection that a client who sends half a request, or does not read the answer, cannot keep."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait(REQUEST_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        if self._late:
            self._late.cancel()

    def handle_events(self) -> None:
        """Once a request is there its answer may take longer."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._wait(ANSWER_SECONDS)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._wait(REQUEST_SECONDS)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Say what is wrong with what is no request as it is said of requests."""
        said = problem(HTTPStatus.BAD_REQUEST, f"this is no HTTP, or its head is longer than {HEAD_BYTES >> 10} KiB")
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(said)}"
        self.transport.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + said)
        self.transport.close()

    def _wait(self, seconds: float) -> None:
        if self._late:
            self._late.cancel()
        self._late = self.loop.call_later(seconds, self.transport.abort)


class Server(uvicorn.Server):
    """A server in a thread of its own; signals are the main thread's."""

    def __init__(self, serving: ASGIApp, connections: int = MOST_CONNECTIONS) -> None:
        config = uvicorn.Config(
            serving, loop="asyncio", http=Connection, ws="none", lifespan="off", log_config=None, access_log=False,
            proxy_headers=False, server_header=False, limit_concurrency=connections,
            timeout_graceful_shutdown=STOP_SECONDS, h11_max_incomplete_event_size=HEAD_BYTES,
        )  # fmt: skip
        super().__init__(config)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    def answers(self, within: float) -> bool:
        """Whether the loop still does what it is asked to."""
        if self.loop is None or self.loop.is_closed():
            return False
        try:
            return asyncio.run_coroutine_threadsafe(_nothing(), self.loop).result(within)
        except LateError:
            return False


async def _nothing() -> bool:
    return True


def listening(address: str, noun: str = "the API") -> socket.socket:
    """A socket that listens at ADDRESS:PORT for what people call `noun`.

    Raises:
        ToolkitError: the address cannot be had.
    """
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(
            host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, _, _, place = found[0]
        here = socket.socket(family, kind)
        here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        here.bind(place)
        here.listen(1024)
    except OSError as error:
        raise ToolkitError(f"cannot serve {noun} at {address}: {reason(error)}") from error
    return here


def serve(place: str, serving: ASGIApp, noun: str = "the API", connections: int = MOST_CONNECTIONS) -> None:
    """Serve an application until SIGTERM or SIGINT.

    Args:
        place: where, as ADDRESS:PORT.
        serving: the application.
        noun: what people call it.
        connections: how many clients may be connected at once; further ones are answered 503.

    Raises:
        ToolkitError: the address cannot be had.
    """
    # A thread that encodes an answer gives way to the one that serves after half a millisecond, not after five.
    sys.setswitchinterval(0.0005)
    # What uvicorn says of single requests is no news for the journal: the metrics count them.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    with listening(place, noun) as here:
        server = Server(serving, connections)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [here]}, daemon=True)
        with until_stopped() as wait:
            thread.start()
            server.ready.wait(30)
            notify("READY=1", f"STATUS=Serving http://{place}/")
            log.info("serving http://%s/", place)
            _watch(server, thread, wait)
        server.should_exit = True
        thread.join(STOP_SECONDS + 1)


def _watch(server: Server, thread: threading.Thread, wait: Callable[[float], Any]) -> None:
    """Tell systemd again and again that requests are answered."""
    every = min(EVERY_SECONDS, watchdog_seconds() or EVERY_SECONDS)
    while thread.is_alive():
        if server.answers(every):
            notify("WATCHDOG=1")
        wait(every)
    raise ToolkitError("the HTTP server ended by itself")
