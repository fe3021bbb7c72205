"""The HTTP server of the metrics, and the loop that makes the checks meanwhile."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, exposition
from prometheus_client.openmetrics import exposition as openmetrics

from toolkit.checks.serving import SERVICE
from toolkit.errors import ToolkitError, reason
from toolkit.exporter.checks import EVERY_SECONDS, CheckResults
from toolkit.exporter.metrics import Weather
from toolkit.exporter.service import of_service
from toolkit.sdnotify import notify, until_stopped, watchdog_seconds
from toolkit.settings import Settings

log = logging.getLogger(__name__)

# Enough for some monitoring systems and people: further connections are of clients that send nothing.
MOST_CONNECTIONS = 32
# How long a connection may last, with its request and the answer.
CONNECTION_SECONDS = 30.0
METRICS, HEALTHY = ("/metrics", "/"), "/-/healthy"


class _Handler(BaseHTTPRequestHandler):
    """Answers one request, in HTTP/1.0."""

    timeout = 10.0  # of each read and write
    server: Server

    def do_GET(self) -> None:
        """Answer with the metrics, or that the server is up."""
        self._answer()

    def do_HEAD(self) -> None:
        """The same without the content."""
        self._answer(head=True)

    def _answer(self, *, head: bool = False) -> None:
        self.server.answers(self.connection)
        path = self.path.partition("?")[0]
        if path == HEALTHY:
            kind, content = "text/plain; charset=utf-8", b"serving\n"
        elif path in METRICS:
            form = openmetrics if "application/openmetrics-text" in self.headers.get("Accept", "") else exposition
            kind = form.CONTENT_TYPE_LATEST
            content = b"" if head else form.generate_latest(self.server.registry)
        elif path == SERVICE and self._asked_here():
            kind, content = "application/json", self.server.service
        else:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        if not head:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not head:
            self.wfile.write(content)

    def _asked_here(self) -> bool:
        """Whether the client is on this machine, or this is a container, whose port its deployment publishes."""
        return self.server.contained or self.connection.getsockname()[0] == self.client_address[0]

    def log_message(self, *_: object) -> None:
        """Requests are not logged."""


class Server(ThreadingHTTPServer):
    """An HTTP server that clients who send half a request, or do not read the answer, cannot block.

    At `MOST_CONNECTIONS` the connection that has waited longest for its client is closed for a new one.

    Attributes:
        service: what is answered to the console, as JSON; see `exporter.service`.
        contained: whether this is a container.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: str, registry: CollectorRegistry) -> None:
        host, _, port = address.rpartition(":")
        found = socket.getaddrinfo(
            host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        self.address_family, place = found[0][0], found[0][4]
        self.registry = registry
        self.service, self.contained = b"{}", False
        self._guard = threading.Lock()
        self._since: dict[socket.socket, float] = {}  # when each connection began, the oldest first
        self._answering: set[socket.socket] = set()
        super().__init__(place[:2], _Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """Bind as a TCP server does: HTTPServer also looks up the name of this host, which may take long."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - as socketserver has it
        """Whether there is room for another connection; one that only waits for its client is closed for it."""
        with self._guard:
            if len(self._since) >= MOST_CONNECTIONS:
                waiting = next((one for one in self._since if one not in self._answering), None)
                if waiting is None:
                    return False
                self._end(waiting)
            self._since[request] = time.monotonic()
        return True

    def answers(self, request: socket.socket) -> None:
        """Note that a client has sent all of its request."""
        with self._guard:
            self._answering.add(request)

    def service_actions(self) -> None:
        """End connections that take too long."""
        bound = time.monotonic() - CONNECTION_SECONDS
        with self._guard:
            for late in [one for one, since in self._since.items() if since < bound]:
                self._end(late)

    def _end(self, request: socket.socket) -> None:
        """End a connection: the thread that serves it wakes up, and closes it."""
        self._since.pop(request, None)
        with suppress(OSError):  # the client was faster
            request.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection, and close it."""
        with self._guard:
            self._since.pop(request, None)
            self._answering.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as socketserver has it
        """Log what is our own fault; that a client is gone is not worth a line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            log.error("a request could not be answered: %s: %s", type(error).__name__, error)


def serve(address: str, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        address: as ADDRESS:PORT.
        settings: those in force.

    Raises:
        ToolkitError: the address cannot be had.
    """
    checks, registry = CheckResults(), CollectorRegistry()
    weather = Weather(settings, checks)
    registry.register(weather)
    try:
        server = Server(address, registry)
    except OSError as error:
        raise ToolkitError(f"cannot serve metrics at {address}: {reason(error)}") from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with until_stopped() as wait:
        notify("READY=1", f"STATUS=Serving http://{address}/metrics")
        log.info("serving http://%s/metrics", address)
        _make_checks(server, checks, weather, wait)
    server.shutdown()
    server.server_close()


def _make_checks(server: Server, checks: CheckResults, weather: Weather, wait: Callable[[float], None]) -> None:
    """Make the checks that are due, and count what is, again and again."""
    every = min(EVERY_SECONDS, watchdog_seconds() or EVERY_SECONDS)
    while True:
        notify("WATCHDOG=1")
        host = checks.examine()
        server.service, server.contained = json.dumps(of_service(host, checks)).encode(), host.contained
        weather.count()
        wait(every)
