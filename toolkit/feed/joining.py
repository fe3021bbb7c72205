"""Several documents of a feed as one: they are stored in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from toolkit.feed.entries import merged
from toolkit.model import Document, Observation, Station


def joined(documents: Sequence[Document]) -> Document:
    """The stations and observations of all documents, each once; a later one fills gaps and corrects values."""
    if len(documents) == 1:
        return documents[0]
    stations: dict[str, Station] = {}
    observations: dict[tuple[int, str], Observation] = {}
    left_out: Counter[str] = Counter()
    for document in documents:
        for station in document.stations:
            known = stations.get(station.station_id)
            stations[station.station_id] = station if known is None else merged(known, station)
        for observation in document.observations:
            key = observation.time, observation.station_id
            before = observations.get(key)
            observations[key] = observation if before is None else merged(before, observation)
        left_out.update(document.left_out)
    rejected = [one for document in documents for one in document.rejected]
    return Document([*stations.values()], [*observations.values()], left_out, rejected)
