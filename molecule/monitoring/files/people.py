#!/usr/bin/env python3
"""People, as Alertmanager's webhook: what they are told is kept, a line for each alert."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class People(BaseHTTPRequestHandler):
    """Hears."""

    def do_POST(self) -> None:
        """Write down what is told."""
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with Path(sys.argv[1]).open("a") as file:
            for alert in told["alerts"]:
                words = (alert["status"], alert["labels"]["instance"], alert["labels"]["alertname"],
                         alert["labels"]["severity"], alert["annotations"]["runbook_url"])  # fmt: skip
                file.write(" ".join(words) + "\n")
        self.send_response(200)
        self.end_headers()


HTTPServer(("127.0.0.1", 9099), People).serve_forever()
