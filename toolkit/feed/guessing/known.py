"""Whether a document is one of a network that people know: what its preset reads nearly everything of."""

from __future__ import annotations

from toolkit.feed.errors import FeedError
from toolkit.feed.reader import DocumentReader
from toolkit.mapping import STORED, parse_mapping
from toolkit.model import Bounds
from toolkit.presets import Preset, names, preset
from toolkit.variables import COLUMNS

# Larger documents are not compared with all presets.
LARGEST = 4 << 20
# A preset fits if at least so many variables have a value, and this part of those that it names.
FEWEST, PART = 2, 0.5
# The id of a station whose documents do not say it.
STATION = "station"


def known(body: bytes, format_: str) -> Preset | None:
    """The preset that reads most of a document; None if none reads enough of it.

    Args:
        body: the document.
        format_: what it is written in.
    """
    if len(body) > LARGEST:
        return None
    formats = {format_, "json"} if format_ == "geojson" else {format_}
    presets = [one for one in map(preset, names()) if one.source["format"] in formats]
    fitting = [(found, one) for one in presets if (found := _fit(one, body))]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _fit(one: Preset, body: bytes) -> int:
    """How many variables a preset reads of a document; 0 if it does not fit."""
    mapping = parse_mapping(str(one.source["fields"]))
    reader = DocumentReader(str(one.source["format"]), str(one.source["records"]), mapping, "", {}, Bounds())
    try:
        document = reader.read(body, "" if "station_id" in mapping.named else STATION)
    except FeedError:
        return 0
    read = {name for name in COLUMNS for row in document.observations if getattr(row, name) is not None}
    named = mapping.named.keys() & set(COLUMNS)
    fits = len(read) >= min(FEWEST, len(named) or FEWEST) and len(read) >= PART * len(named)
    return len(read) + len(mapping.named.keys() & STORED) if fits else 0
