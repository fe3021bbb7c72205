"""Sources of several kinds: feed.py FOLDER, with cert.pem and key.pem in it.

One, in JSON over HTTPS, is reached by a proxy alone; the others have plain HTTP.
"""

from __future__ import annotations

import json
import math
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

FEED, PROXY, OTHERS = ("127.0.0.1", 8443), ("127.0.0.1", 3128), ("127.0.0.1", 8444)
FIELDS = ("Station", "Zeit", 'T "außen"', "rF", "p", "$v\\s")
STATIONS = ("Aßling", "Bühl", "Cham", "Dörth")
CADENCE, HOURS = 120, 3
proxied: set[int] = set()


def document() -> str:
    """The last hours of every station, in kelvins and pascals."""
    now = int(time.time()) // CADENCE * CADENCE
    rows = []
    for at in range(now - HOURS * 3600, now + 1, CADENCE):
        for number, station in enumerate(STATIONS):
            wave = math.sin(at / 4000 + number / 9)
            said = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
            kelvin, humidity, pascal, speed = 285 + 3 * wave, 60 - 9 * wave, 101300 + 90 * wave, 2 + wave
            values = (station, said, round(kelvin, 2), round(humidity), round(pascal), round(speed, 1))
            rows.append(dict(zip(FIELDS, values, strict=True)))
    return json.dumps({"100% $Werte": {"d'heute": rows}}, ensure_ascii=False)


def others() -> dict[str, str]:
    """The other sources' documents of this moment, by the path of each."""
    at = time.gmtime(time.time() // CADENCE * CADENCE)
    said = time.strftime("%Y-%m-%dT%H:%M:%SZ", at)
    point = {"type": "Point", "coordinates": [12.02, 48.01]}
    feature = {"type": "Feature", "geometry": point, "properties": {"station_id": "Eging", "time": said, "temp_out": 9}}
    return {
        "/points.geojson": json.dumps({"type": "FeatureCollection", "features": [feature]}),
        "/table.csv": f"Ort;Zeit;Breite;Länge;Temperatur\nFüssen;{said};48,03;12,03;9,5\n",
        "/stations.xml": f"<a><station id='Grünau' at='{said}' lat='48.04' lon='12.04'><t>10</t></station></a>",
        "/metar.txt": f"METAR LOWS {time.strftime('%d%H%MZ', at)} 10005KT 9999 FEW040 11/05 Q1013=\n",
    }


class Others(BaseHTTPRequestHandler):
    """Has a document for each path."""

    def do_GET(self) -> None:
        """Serve a document."""
        body = others()[self.path].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Feed(BaseHTTPRequestHandler):
    """Answers nobody but the proxy."""

    def do_GET(self) -> None:
        """Serve the document under its name."""
        known = unquote(self.path) == "/spät.json?x= &y=$z" and self.client_address[1] in proxied
        known = known and self.headers["X-Key"] == "a word"
        body = document().encode() if known else b"not by this way"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Proxy(BaseHTTPRequestHandler):
    """Tunnels to the feed alone."""

    def do_CONNECT(self) -> None:
        """Join both ends."""
        with socket.create_connection(FEED) as feed:
            proxied.add(feed.getsockname()[1])
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pour, args=(feed, self.connection), daemon=True)
            back.start()
            _pour(self.connection, feed)
            back.join()
        self.close_connection = True


def _pour(source: socket.socket, sink: socket.socket) -> None:
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)


def main(folder: str) -> None:
    """Serve all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    feed = ThreadingHTTPServer(FEED, Feed)
    feed.socket = context.wrap_socket(feed.socket, server_side=True)
    threading.Thread(target=feed.serve_forever, daemon=True).start()
    threading.Thread(target=ThreadingHTTPServer(OTHERS, Others).serve_forever, daemon=True).start()
    ThreadingHTTPServer(PROXY, Proxy).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
