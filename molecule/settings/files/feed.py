"""A feed in JSON over HTTPS that is reached by a proxy alone: feed.py FOLDER, with cert.pem and key.pem in it."""

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

FEED, PROXY = ("127.0.0.1", 8443), ("127.0.0.1", 3128)
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


class Feed(BaseHTTPRequestHandler):
    """Answers nobody but the proxy."""

    def do_GET(self) -> None:
        """Serve the document under its name."""
        known = unquote(self.path) == "/spät.json?x= &y=$z" and self.client_address[1] in proxied
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
    """Serve both."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    feed = ThreadingHTTPServer(FEED, Feed)
    feed.socket = context.wrap_socket(feed.socket, server_side=True)
    threading.Thread(target=feed.serve_forever, daemon=True).start()
    ThreadingHTTPServer(PROXY, Proxy).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
