"""Adds the console to the application that serves the HTTP API."""

from __future__ import annotations

from fastapi import FastAPI

from toolkit.console import (
    about,
    assets,
    completeness,
    download,
    hosts,
    incidents,
    maintenance,
    neighbours,
    network,
    network_part,
    playback,
    rain,
    rose,
    series,
    service,
    session,
    station,
)
from toolkit.console.acting import Acting
from toolkit.console.playing import Playing


def add(app: FastAPI) -> None:
    """Serve the console as well.

    Raises:
        ToolkitError: its bundle is not there, or the proxy's key or the hosts' tokens cannot be used.
    """
    assets.digest()
    app.state.acting = Acting(app.state.settings.db, app.state.answers)
    app.state.playing = Playing(app.state.settings.db)
    app.state.exporter = service.Exporter()
    app.state.network = network_part.Kept()
    app.state.hosts = hosts.Hosts(app.state.settings)
    app.state.signing_in = session.SigningIn(app.state.settings.db)
    for router in (
        about.router,
        completeness.router,
        download.router,
        hosts.router,
        session.router,
        incidents.router,
        maintenance.router,
        neighbours.router,
        network.router,
        playback.router,
        rain.router,
        rose.router,
        series.router,
        service.router,
        station.router,
        assets.router,  # the last one: it has a page for every other address
    ):
        app.include_router(router)
