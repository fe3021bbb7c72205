"""The application: two protocols of stations, what is refused of them, and metrics."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import prometheus_client
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from toolkit.api.clients import Limit, believe_proxy, network
from toolkit.errors import ToolkitError
from toolkit.feed.reports import LENGTH
from toolkit.push import ECOWITT, WUNDERGROUND
from toolkit.receiver import reports
from toolkit.receiver.keys import Keys
from toolkit.receiver.writing import FullError, Writer

log = logging.getLogger(__name__)

# How many reports of all clients are taken in a minute, and how many of those at once.
OF_ALL, AT_ONCE = 60_000, 3_000
# How long a body may take, in seconds.
BODY_SECONDS = 10.0
# How often what was refused is logged, in seconds.
LOG_SECONDS = 600.0
METRICS = "/metrics"
_LATER = {"Retry-After": "60"}


class _Route(NamedTuple):
    protocol: str
    method: str
    success: str


ROUTES = {
    "/weatherstation/updateweatherstation.php": _Route(WUNDERGROUND, "GET", "success\n"),
    "/data/report": _Route(ECOWITT, "POST", "OK\n"),
}


class _RefusedError(Exception):
    """A report is not taken.

    Attributes:
        counted: the reason as it is counted.
        cause: what the log says besides.
    """

    def __init__(
        self,
        status: HTTPStatus,
        counted: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        cause: object = "",
    ) -> None:
        super().__init__(detail)
        self.status, self.counted, self.headers, self.cause = status, counted, headers, str(cause)


class Receiver:
    """The application.

    Args:
        keys: of all sources that stations push to.
        writers: of the inbox of each of them, by its name.
        per_minute: how many reports of one client are taken in a minute; 0: all.
    """

    def __init__(self, keys: Keys, writers: Mapping[str, Writer], per_minute: int) -> None:
        self._keys, self._writers = keys, writers
        self._of_client, self._of_all = Limit(per_minute), Limit(OF_ALL, AT_ONCE)
        self._refusals = _Refusals()
        self._registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self._registry)
        self._counts = prometheus_client.Counter(
            "weather_receiver_reports",
            "Reports that stations pushed, by protocol, and by what became of them: `stored` on the disk, or why not.",
            ["protocol", "outcome"],
            registry=self._registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except Exception as error:  # a bug; what it is about may have a key in it
            log.error("a report could not be taken: %s", type(error).__name__)
            answer = _text("the report could not be taken\n", HTTPStatus.INTERNAL_SERVER_ERROR)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        path = scope["path"].rstrip("/")
        if path == METRICS and scope["method"] == "GET":
            text = prometheus_client.generate_latest(self._registry)
            return Response(text, media_type=prometheus_client.CONTENT_TYPE_LATEST)
        if (route := ROUTES.get(path)) is None:
            return _text("stations do not report here\n", HTTPStatus.NOT_FOUND)
        if scope["method"] != route.method:
            return _text(f"send {route.method}\n", HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": route.method})
        try:
            await self._take(route.protocol, scope, receive)
        except _RefusedError as error:
            self._counts.labels(route.protocol, error.counted).inc()
            self._refusals.add(error.counted, error.cause)
            return _text(f"{error}\n", error.status, error.headers)
        self._counts.labels(route.protocol, "stored").inc()
        return _text(route.success)

    async def _take(self, protocol: str, scope: Scope, receive: Receive) -> None:
        """Returns when the report is safe on the disk."""
        believe_proxy(scope, Headers(scope=scope))
        client = network((scope.get("client") or ("",))[0])
        if wait := self._of_client.wait(client) or self._of_all.wait(""):
            raise _RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS, "too many", "too many reports", {"Retry-After": str(wait)}
            )
        text = scope["query_string"] if protocol == WUNDERGROUND else await _body(receive)
        try:
            report = reports.read(protocol, text)
        except ValueError:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "malformed", "the report has too many fields") from None
        owner = self._keys.owner(protocol, report.station, report.key)
        station = (owner and owner.station) or report.station
        if owner is None or not station:
            # It is not said which of them is wrong.
            raise _RefusedError(HTTPStatus.UNAUTHORIZED, "wrong key", "the station or its key is not known")
        try:
            line = report.line(station, time.time())
        except ValueError as error:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too long", str(error)) from None
        try:
            await self._writers[owner.source].put(line)
        except FullError as error:
            raise _RefusedError(
                HTTPStatus.INSUFFICIENT_STORAGE, "no room", "there is no room for reports", _LATER, error
            ) from None
        except ToolkitError as error:
            raise _RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "not written", "the report cannot be kept", _LATER, error
            ) from None


class _Refusals:
    """Logs what was refused, by reason: the first at once, and then from time to time how many."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._due: dict[str, float] = {}

    def add(self, counted: str, cause: str) -> None:
        """A report was refused."""
        self._counts[counted] += 1
        if time.monotonic() >= self._due.get(counted, 0):
            log.warning("reports refused: %d %s%s", self._counts.pop(counted), counted, cause and f": {cause}")
            self._due[counted] = time.monotonic() + LOG_SECONDS


async def _body(receive: Receive) -> bytes:
    try:
        return await asyncio.wait_for(_whole(receive), BODY_SECONDS)
    except TimeoutError:
        detail = f"the report did not come within {BODY_SECONDS:g} s"
        raise _RefusedError(HTTPStatus.REQUEST_TIMEOUT, "too slow", detail, {"Connection": "close"}) from None


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LENGTH:
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too long", "the report is too long", {"Connection": "close"}
            )
        if not message.get("more_body", False):
            return bytes(body)


def _text(text: str, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(text, status, {"Cache-Control": "no-store", **(headers or {})})
