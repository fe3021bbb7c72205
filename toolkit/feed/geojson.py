"""A feed in GeoJSON (RFC 7946): a FeatureCollection with a feature for each station."""

from __future__ import annotations

import json
from collections import Counter

from toolkit.feed.document import Document, FeedError, Observation, Station, text_of
from toolkit.feed.fields import Fields


def parse(body: bytes, fields: Fields) -> Document:
    """The stations and observations of a document.

    Raises:
        FeedError: it is not JSON, not a GeoJSON FeatureCollection, or holds no station.
    """
    try:
        content = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # also: a number of more than 4300 digits
        raise FeedError(f"the feed is not JSON: it begins with {body[:40]!r}") from error
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list):
        raise FeedError("the feed is not a GeoJSON FeatureCollection: it has no list of features")

    stations: dict[str, Station] = {}
    observations: dict[tuple[int, str], Observation] = {}
    left_out: Counter[str] = Counter()
    for feature in features:
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            left_out["not a feature"] += 1
            continue
        station_id = fields.station_id(properties) or text_of(feature.get("id"))
        if station_id is None:
            left_out["no station id"] += 1
            continue
        geometry = feature.get("geometry")
        point = geometry.get("coordinates") if isinstance(geometry, dict) else None
        stations[station_id] = fields.station(station_id, properties, point if isinstance(point, list) else None)
        observation = fields.observation(station_id, properties, left_out)
        if observation is not None:
            observations[observation.time, station_id] = observation
    if not stations:
        raise FeedError(f"the feed holds no station: {len(features)} features, none with a station id")
    return Document(list(stations.values()), list(observations.values()), left_out)
