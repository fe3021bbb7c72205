"""Adds the console to the application that serves the HTTP API."""

from __future__ import annotations

from fastapi import FastAPI

from toolkit.console import about, assets, network, series


def add(app: FastAPI) -> None:
    """Serve the console as well.

    Raises:
        ToolkitError: its bundle is not there.
    """
    assets.digest()
    modules = (
        about,
        network,
        series,
        assets,  # has a page for every other address
    )
    for module in modules:
        app.include_router(module.router)
