"""The network that is simulated by default."""

from __future__ import annotations

from importlib import resources

from toolkit.feed.stations import read_stations
from toolkit.model import Station


def default_network() -> list[Station]:
    """14 stations in Greece."""
    return read_stations(resources.files("toolkit.simulator") / "stations.csv")
