"""The server of the HTTP API."""

from __future__ import annotations

from toolkit.errors import ToolkitError
from toolkit.settings import Settings


def serve(settings: Settings) -> None:
    """Serve at `settings.api_address` until SIGTERM or SIGINT.

    Raises:
        ToolkitError: the address cannot be had.
    """
    raise ToolkitError(f"{settings.api_address} is not served: this version has no HTTP API yet")
