#!/usr/bin/env python3
"""Feeds that misbehave, by path: on port 8090, and with an expired certificate on port 8443."""

from __future__ import annotations

import json
import re
import ssl
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def document(old: float, silent: int) -> bytes:
    """A document of eight stations whose observations are `old` seconds old, `silent` of them a day older."""
    features: list[dict[str, Any]] = []
    for number in range(8):
        ts = int(time.time() - old - (86400 if number < silent else 0))
        properties = {"fid": f"s{number}", "station_file": f"fault{number}", "station_name_en": f"S{number}", "ts": ts}
        point = {"type": "Point", "coordinates": [22.9, 39.3, 52.0]}
        features.append({"type": "Feature", "properties": {**properties, "temp_out": 13.9}, "geometry": point})
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def mangled(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The document of the feed that the host was deployed with, each entry of it changed."""
    address = re.search(r'(?m)^WEATHER_FEED_URL="?([^"\n]+)', Path("/run/weather.env.before").read_text())
    assert address
    with urllib.request.urlopen(address[1], timeout=10) as answer:  # noqa: S310
        told = json.load(answer)
    for one in told["features"]:
        change(one)
    return json.dumps(told).encode()


def in_fahrenheit(one: dict[str, Any]) -> None:
    """Tell the temperature in another unit."""
    one["properties"]["temp_out"] = round(one["properties"]["temp_out"] * 1.8 + 32, 1)


OF_ALL: dict[str, Callable[[dict[str, Any]], object]] = {
    "fahrenheit": in_fahrenheit,
    "zeros": lambda one: one["properties"].update(temp_out=0),
    "nowhere": lambda one: one.update(geometry=None),
    "renamed": lambda one: one["properties"].update(observed_at=one["properties"].pop("ts")),
}


class Handler(BaseHTTPRequestHandler):
    """One answer for each path."""

    def do_GET(self) -> None:
        """Answer."""
        what = self.path.strip("/")
        if what == "hang":
            time.sleep(30)
            return
        statuses = {"not-found": 404, "broken": 500}
        bodies = {"html": b"<html><body>Under maintenance</body></html>", "stale": document(86400, 0)}
        body = mangled(OF_ALL[what]) if what in OF_ALL else bodies.get(what) or document(0, 5 if what == "half" else 0)
        self._off = 3600 if what == "hour-ahead" else 0
        self.send_response(statuses.get(what, 200))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header Date."""
        return formatdate((timestamp or time.time()) + getattr(self, "_off", 0), usegmt=True)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve for ever."""
    plain = ThreadingHTTPServer(("127.0.0.1", 8090), Handler)
    secure = ThreadingHTTPServer(("127.0.0.1", 8443), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    threading.Thread(target=secure.serve_forever, daemon=True).start()
    plain.serve_forever()


if __name__ == "__main__":
    main()
