"""A feed in GeoJSON (RFC 7946): a FeatureCollection with a feature for each station, or the Feature of one."""

from __future__ import annotations

import json
from typing import Any

from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError, NotAFeedError, UnreadableError
from toolkit.text import decoded, one_line

# The most digits of a whole number: Python refuses to read very long ones, which are noise.
DIGITS = 400
# What may follow a document: white space, and the rest of a buffer of fixed size.
PADDING = "\0 \t\r\n"


def parse(body: bytes, entries: Entries) -> None:
    """Take the stations and observations of a document.

    Raises:
        UnreadableError: it is not JSON.
        NotAFeedError: it is no GeoJSON FeatureCollection or Feature.
        NoStationError: no feature has a station id.
    """
    features = _features(_content(decoded(body).rstrip(PADDING)))
    for feature in features:
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if isinstance(properties, dict):
            entries.take(properties, point=_point(feature.get("geometry")), other_id=feature.get("id"))
        else:
            entries.leave_out("not a feature")
    if not entries.stations:
        raise NoStationError(f"the feed holds no station: {len(features)} features, none with a station id")


def _content(text: str) -> Any:
    """Decode JSON. Control characters in strings, which should be escaped, are accepted."""
    try:
        try:
            return json.loads(text, strict=False)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a number with too many digits for Python becomes None
            return json.loads(
                text, strict=False, parse_int=lambda digits: int(digits) if len(digits) <= DIGITS else None
            )
    except json.JSONDecodeError as error:
        raise UnreadableError(f"the feed is not JSON: {_where(text, error)}") from None
    except RecursionError:
        raise UnreadableError("the feed is not JSON that can be read: it is nested too deeply") from None


def _where(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "it is empty"
    # The position is where the text begins that is not closed.
    if error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip()):
        return f"it ends in the middle, at {len(text)}"
    if not text[: error.pos].strip():
        return f"it begins with {one_line(text.lstrip(), 40)!r}"
    near = one_line(text[max(0, error.pos - 20) : error.pos + 20])
    return f"{error.msg[:1].lower()}{error.msg[1:]} at {error.pos}, in {near!r}"


def _features(content: Any) -> list[Any]:
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
