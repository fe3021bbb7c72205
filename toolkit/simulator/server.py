"""An HTTP server of the feed, with the headers for conditional requests and freshness."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from toolkit.location import point
from toolkit.model import Observation, Station
from toolkit.simulator.clock import Clock
from toolkit.simulator.source import Source

PATH = "/latestValues_Datagems.geojson"


def compose(stations: Iterable[Station], observations: Iterable[Observation | None]) -> bytes:
    """A document of the feed. Stations without an observation are absent from it."""
    features = [
        {
            "type": "Feature",
            "properties": {
                "fid": f"station.{number}",
                "station_file": station.station_id,
                "station_name_en": station.station_name_en,
                "station_name_gr": station.station_name_gr,
                "ts": observation.time,
                **dict(zip(observation._fields[2:], observation[2:], strict=True)),
            },
            "geometry": point(station),
        }
        for number, (station, observation) in enumerate(zip(stations, observations, strict=True), start=1)
        if observation
    ]
    return json.dumps(
        {"type": "FeatureCollection", "name": "latestValues_Datagems", "features": features},
        ensure_ascii=False,
    ).encode()


def server(source: Source, clock: Clock, address: str, port: int) -> ThreadingHTTPServer:
    """A server of the feed, bound and ready for `serve_forever()`; port 0 takes any free one.

    Raises:
        OSError: the address cannot be bound.
    """

    class Feed(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.partition("?")[0] not in {"/", PATH}:
                self.send_error(404)
                return
            real = time.time()
            observed, left = clock.observed(real)
            etag = f'"{observed}"'
            known = self.headers.get("If-None-Match") == etag
            body = b"" if known else compose(source.stations, source.at(observed))
            self.send_response(304 if known else 200)
            self.send_header("ETag", etag)
            self.send_header("Cache-Control", f"max-age={math.ceil(left)}")
            self.send_header("Age", "0")  # computed from Date, which has whole seconds, the age could be up to a second
            if not known:
                self.send_header("Last-Modified", formatdate(real, usegmt=True))
                self.send_header("Content-Type", "application/geo+json")
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Requests are not logged."""

    return ThreadingHTTPServer((address, port), Feed)
