"""Metrics of the API itself, for Prometheus."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, exposition
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolkit.api import problems

router = APIRouter()
# Seconds: from an answer that is ready to the longest that a read may take.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"}


class Measures:
    """What is counted of requests."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "weather_api_requests",
            "Requests that were answered, by resource, method and status.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.latency = Histogram(
            "weather_api_request_duration_seconds",
            "From a request until its answer was handed over, by resource.",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )


class Measuring:
    """Counts the requests of an application, and answers where it failed."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app, self._measures = app, measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, method, status = time.perf_counter(), scope["method"], 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            refusal = problems.unforeseen(error)
            if status:  # half of another answer is on its way: only the end of the connection tells
                raise
            await refusal(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._measures.requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
            self._measures.latency.labels(route).observe(time.perf_counter() - began)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """The metrics."""
    registry = request.app.state.measures.registry
    form = openmetrics if "application/openmetrics-text" in request.headers.get("accept", "") else exposition
    return Response(form.generate_latest(registry), media_type=form.CONTENT_TYPE_LATEST)
