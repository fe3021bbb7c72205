"""Points and areas as well-known text (OGC 06-103r4), in longitude and latitude, and which stations they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from itertools import pairwise
from math import isfinite

from toolkit.api.parameters import LONGEST_AREA, NEAREST_KM
from toolkit.api.problems import Problem, wrong
from toolkit.location import distance_km
from toolkit.model import Station

Point = tuple[float, float]
Ring = list[Point]

MOST_POINTS = 100
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?"
_POINT = re.compile(rf"\s*\(?\s*({_NUMBER})\s+({_NUMBER})(?:\s+{_NUMBER})?\s*\)?\s*")


def points(text: str) -> list[Point]:
    """The points of POINT or MULTIPOINT.

    Raises:
        Problem: it is neither.
    """
    kind, inner = _taken_apart(text, "POINT(22.94 39.36)", "POINT", "MULTIPOINT")
    found = [_point(text, part) for part in inner.split(",")]
    if len(found) > (1 if kind == "POINT" else MOST_POINTS):
        raise wrong("coords", text, f"a {kind} has at most {1 if kind == 'POINT' else MOST_POINTS} points")
    return found


def polygons(text: str) -> list[list[Ring]]:
    """The polygons of POLYGON or MULTIPOLYGON, each with its outer ring and its holes.

    Raises:
        Problem: it is neither.
    """
    kind, inner = _taken_apart(text, "POLYGON((22 39, 24 39, 24 40, 22 40, 22 39))", "POLYGON", "MULTIPOLYGON")
    parts = re.split(r"\)\s*\)\s*,\s*\(\s*\(", inner) if kind == "MULTIPOLYGON" else [inner]
    return [[_ring(text, ring) for ring in re.split(r"\)\s*,\s*\(", part)] for part in parts]


def _taken_apart(text: str, example: str, *kinds: str) -> tuple[str, str]:
    found = re.fullmatch(r"\s*([A-Za-z]+)\s*(?:[Zz]\s*)?\((.*)\)\s*", text[:LONGEST_AREA], re.DOTALL)
    if not found or found[1].upper() not in kinds:
        raise wrong("coords", text, f"give {' or '.join(kinds)} as well-known text, such as {example}")
    return found[1].upper(), found[2]


def _point(text: str, part: str) -> Point:
    found = _POINT.fullmatch(part)
    if not found:
        raise wrong("coords", text, f"{part.strip()[:40]!r} is not LONGITUDE LATITUDE")
    longitude, latitude = float(found[1]), float(found[2])
    if not (isfinite(longitude) and -180 <= longitude <= 360 and -90 <= latitude <= 90):
        raise wrong("coords", text, f"{part.strip()[:40]!r} is no longitude and latitude in degrees")
    return longitude - 360 if longitude > 180 else longitude, latitude


def _ring(text: str, part: str) -> Ring:
    ring = [_point(text, one) for one in part.strip(" ()\t\r\n").split(",")]
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise wrong("coords", text, "a ring has at least four points, and its last is its first")
    return ring


def within_box(stations: Iterable[Station], box: tuple[float, float, float, float]) -> list[Station]:
    """The stations between west and east, and south and north."""
    west, south, east, north = box
    return [
        one
        for one in stations
        if one.longitude is not None
        and one.latitude is not None
        and south <= one.latitude <= north
        and (west <= one.longitude <= east if west <= east else one.longitude >= west or one.longitude <= east)
    ]


def within_area(stations: Iterable[Station], areas: Sequence[Sequence[Ring]]) -> list[Station]:
    """The stations within one of some polygons, and in none of its holes."""
    return [
        one
        for one in stations
        if one.longitude is not None
        and one.latitude is not None
        and any(
            _inside((one.longitude, one.latitude), outer)
            and not any(_inside((one.longitude, one.latitude), hole) for hole in holes)
            for outer, *holes in areas
        )
    ]


def _inside(point: Point, ring: Ring) -> bool:
    """Whether a ray to the east crosses a ring an odd number of times."""
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in pairwise(ring):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def around(stations: Iterable[Station], centres: Sequence[Point], km: float) -> list[Station]:
    """The stations within a distance of one of some points."""
    return [one for one, distance in _distances(stations, centres) if distance <= km]


def nearest(stations: Sequence[Station], centres: Sequence[Point]) -> list[Station]:
    """The station that is nearest to each of some points.

    Raises:
        Problem: none is near to one of them.
    """
    found = []
    for centre in centres:
        distances = _distances(stations, [centre])
        station, distance = min(distances, key=lambda one: one[1], default=(None, 0.0))
        if station is None or distance > NEAREST_KM:
            hint = f"the nearest is {distance:.0f} km away" if station else "no station has a known place"
            raise Problem(
                HTTPStatus.NOT_FOUND,
                f"there is no station within {NEAREST_KM:g} km of {centre[0]:g} {centre[1]:g}: {hint}",
            )
        found.append(station)
    return list(dict.fromkeys(found))


def _distances(stations: Iterable[Station], centres: Sequence[Point]) -> list[tuple[Station, float]]:
    places = [Station("", None, None, latitude, longitude, None) for longitude, latitude in centres]
    return [
        (one, min(distance_km(one, place) for place in places))
        for one in stations
        if one.latitude is not None and one.longitude is not None
    ]
