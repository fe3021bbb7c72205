"""Adds the console to the application that serves the HTTP API."""

from __future__ import annotations

from fastapi import FastAPI

from toolkit.console import about, assets, series, service


def add(app: FastAPI) -> None:
    """Serve the console as well.

    Raises:
        ToolkitError: its bundle is not there.
    """
    assets.digest()
    app.state.exporter = service.Exporter()
    for router in (
        about.router,
        series.router,
        service.router,
        assets.router,
    ):  # the last one has a page for every other address
        app.include_router(router)
