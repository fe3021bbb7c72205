"""A feed in GeoJSON (RFC 7946): a FeatureCollection with a feature for each station, or the Feature of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from toolkit.content import as_file, length_of
from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError, NotAFeedError
from toolkit.feed.json import content
from toolkit.feed.long_json import LONG, members


def parse(document: BinaryIO, entries: Entries) -> None:
    """Take the stations and observations of a document.

    Raises:
        UnreadableError: it is not JSON.
        NotAFeedError: it is no GeoJSON FeatureCollection or Feature.
        NoStationError: no feature has a station id.
    """
    number = 0
    for feature in _features(document):
        number += 1
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if isinstance(properties, dict):
            entries.take(properties, point=_point(feature.get("geometry")), other_id=feature.get("id"))
        else:
            entries.leave_out("not a feature")
    if not entries.any_station:
        raise NoStationError(f"the feed holds no station: {number} features, none with a station id")


def _features(document: BinaryIO) -> Iterable[Any]:
    if length_of(document) > LONG and (features := members(document, "features")) is not None:
        return features
    return _listed(content(as_file(document).read()))


def _listed(content: Any) -> list[Any]:
    if isinstance(content, dict):
        features = content.get("features")
        if isinstance(features, list):
            return features
        if content.get("type") == "Feature":
            return [content]
    raise NotAFeedError("the feed is not a GeoJSON FeatureCollection: it has no list of features, and is no Feature")


def _point(geometry: Any) -> list[Any] | None:
    """The coordinates of a point; None for an area or a line, which is not a station's place."""
    if not isinstance(geometry, dict) or geometry.get("type", "Point") != "Point":
        return None
    found = geometry.get("coordinates")
    return found if isinstance(found, list) else None
