"""What is wrong with a request, as RFC 9457 has it in JSON: without a framework, for every server of ours says it."""

from __future__ import annotations

import json
from http import HTTPStatus

from toolkit.text import one_line

MEDIA_TYPE = "application/problem+json"


def problem(status: int, detail: str) -> bytes:
    """A problem: `detail` is one clear sentence."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": one_line(detail),
    }
    return json.dumps(content).encode()
