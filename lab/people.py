#!/usr/bin/env python3
"""People, as a webhook that takes what apprise sends to json://: what they are told is kept, a line of JSON each.

people.py PORT FILE
"""

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
        with Path(sys.argv[2]).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"title": told["title"], "message": told["message"]}) + "\n")
        self.send_response(200)
        self.end_headers()


HTTPServer(("127.0.0.1", int(sys.argv[1])), People).serve_forever()
