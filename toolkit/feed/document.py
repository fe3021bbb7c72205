"""A document of the feed: GeoJSON with the latest values of every station.

It is read feature by feature: what one station gets wrong never costs the others anything. What is left out is
counted by reason, so that nothing disappears unseen.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from toolkit.errors import ToolkitError
from toolkit.variables import MEASURED

# Before this a logger's clock has lost its battery and begun at 1970, 1980 or 2000; after it a time is in
# milliseconds, or noise.
EARLIEST = 978_307_200  # 2001-01-01
LATEST = 4_102_444_800  # 2100-01-01

NO_VALUE = {"", "-", "--", "---", "null", "none", "n/a"}


class FeedError(ToolkitError):
    """The feed offers nothing that can be stored."""


class Station(NamedTuple):
    """A station as the feed describes it: degrees, metres; None where the feed does not say."""

    station_id: str
    station_name_en: str | None
    station_name_gr: str | None
    latitude: float | None
    longitude: float | None
    elevation: float | None


class Observation(NamedTuple):
    """What one station measured at one time; None where it measured nothing. Units: `toolkit.variables`."""

    time: int  # seconds since the epoch, UTC
    station_id: str
    temp_out: float | None
    hi_temp: float | None
    low_temp: float | None
    out_hum: float | None
    bar: float | None
    rain: float | None
    wind_speed: float | None
    wind_dir: float | None
    wind_dir_str: str | None
    hi_speed: float | None
    hi_dir: float | None
    hi_dir_str: str | None


_NUMERIC = {variable.name for variable in MEASURED}
_VALUES = [(name, name in _NUMERIC) for name in Observation._fields[2:]]


class Rejected(NamedTuple):
    """A value that was offered and cannot be true."""

    time: int  # seconds since the epoch, UTC
    station_id: str
    variable: str
    value: float


@dataclass(slots=True)
class Document:
    """What one document of the feed says.

    Attributes:
        stations: every station with an id, the last feature of an id winning.
        observations: one per (time, station).
        left_out: how many features or fields could not be used, by reason.
        rejected: values that cannot be true, which are missing in `observations`.
    """

    stations: list[Station]
    observations: list[Observation]
    left_out: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)


def parse(body: bytes) -> Document:
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
        station_id = _text(properties.get("station_file")) or _text(properties.get("fid")) or _text(feature.get("id"))
        if station_id is None:
            left_out["no station id"] += 1
            continue
        stations[station_id] = _station(station_id, properties, feature.get("geometry"))
        observation = _observation(station_id, properties, left_out)
        if observation is not None:
            observations[observation.time, station_id] = observation
    if not stations:
        raise FeedError(f"the feed holds no station: {len(features)} features, none with a station id")
    return Document(list(stations.values()), list(observations.values()), left_out)


def _station(station_id: str, properties: dict[str, Any], geometry: Any) -> Station:
    point = geometry.get("coordinates") if isinstance(geometry, dict) else None
    longitude, latitude, elevation = [
        _number(part) for part in ([*point, None, None, None] if isinstance(point, list) else [None] * 3)[:3]
    ]
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        latitude = longitude = None
    return Station(
        station_id,
        _text(properties.get("station_name_en")),
        _text(properties.get("station_name_gr")),
        latitude,
        longitude,
        elevation,
    )


def _observation(station_id: str, properties: dict[str, Any], left_out: Counter[str]) -> Observation | None:
    time = _number(properties.get("ts"))
    if not time:
        left_out["no observation"] += 1
        return None
    if not EARLIEST <= time < LATEST:
        left_out["impossible time"] += 1
        return None
    values: list[float | str | None] = []
    for name, numeric in _VALUES:
        raw = properties.get(name)
        value = _number(raw) if numeric else _text(raw)
        if value is None and not _is_no_value(raw):
            left_out[f"{name} is no number" if numeric else f"{name} is no text"] += 1
        values.append(value)
    return Observation(int(time), station_id, *values)  # type: ignore[arg-type]


def _is_no_value(raw: Any) -> bool:
    return raw is None or (isinstance(raw, str) and raw.strip().lower() in NO_VALUE)


def _number(raw: Any) -> float | None:
    """A finite number, also one written as text; None for anything else."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return None
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _text(raw: Any) -> str | None:
    """Text that says something; None for anything else, so for half of a surrogate pair, which no store takes.

    A number used as an id is taken as written.
    """
    if isinstance(raw, bool) or not isinstance(raw, (int, str)):
        return None
    text = " ".join(str(raw).split())
    return None if text.lower() in NO_VALUE or not text.isprintable() else text
