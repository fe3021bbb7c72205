"""Adds the console to the application that serves the HTTP API."""

from __future__ import annotations

from fastapi import FastAPI

from toolkit.console import about, assets, series, session


def add(app: FastAPI) -> None:
    """Serve the console as well.

    Raises:
        ToolkitError: its bundle is not there, or the proxy's key cannot be used.
    """
    assets.digest()
    app.state.signing_in = session.SigningIn(app.state.settings.db)
    # The last one has a page for every other address.
    for router in (about.router, session.router, series.router, assets.router):
        app.include_router(router)
