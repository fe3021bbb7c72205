"""The network that is simulated unless another one is named."""

from __future__ import annotations

from importlib import resources

from toolkit.feed.document import Station
from toolkit.feed.stations import read_stations


def default_network() -> list[Station]:
    """14 stations in Greece."""
    return read_stations(resources.files("toolkit.simulator") / "stations.csv")
