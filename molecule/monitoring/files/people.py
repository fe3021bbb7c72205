#!/usr/bin/env python3
"""People, as the webhook of Alertmanager and of apprise: what they are told is kept, a line for each alert or title."""

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
            if "title" in told:
                file.write(f"apprise {told['title']}\n")
            for alert in told.get("alerts", []):
                labels = alert["labels"]
                words = (alert["status"], labels["instance"], labels["alertname"], labels["severity"],
                         alert["annotations"]["runbook_url"], labels.get("station", ""),
                         labels.get("variable", ""))  # fmt: skip
                file.write(" ".join(words).rstrip() + "\n")
        self.send_response(200)
        self.end_headers()


HTTPServer(("127.0.0.1", 9099), People).serve_forever()
