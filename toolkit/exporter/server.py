"""Serving the metrics, and making checks meanwhile."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from prometheus_client import CollectorRegistry, start_http_server

from toolkit.errors import ToolkitError, reason
from toolkit.exporter.health import EVERY_SECONDS, Health
from toolkit.exporter.metrics import Weather
from toolkit.sdnotify import notify, watchdog_seconds
from toolkit.settings import Settings

log = logging.getLogger(__name__)


def serve(address: str, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        address: as ADDRESS:PORT.
        settings: those in force.

    Raises:
        ToolkitError: the address cannot be had.
    """
    host, _, port = address.rpartition(":")
    health, registry, stop = Health(), CollectorRegistry(), threading.Event()
    registry.register(Weather(settings, health))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _setting(stop))
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry)
    except OSError as error:
        raise ToolkitError(f"cannot serve metrics at {address}: {reason(error)}") from error
    notify("READY=1", f"STATUS=Serving http://{address}/metrics")
    log.info("serving http://%s/metrics", address)
    every = min(EVERY_SECONDS, watchdog_seconds() or EVERY_SECONDS)
    while not stop.is_set():
        notify("WATCHDOG=1")
        health.examine(settings)
        stop.wait(every)
    notify("STOPPING=1")
    server.shutdown()
    thread.join()


def _setting(event: threading.Event):  # type: ignore[no-untyped-def]
    def handler(_number: int, _frame: FrameType | None) -> None:
        event.set()

    return handler
