"""Where a station can be, and how far apart two are.

A station at an impossible place is treated as one whose place is unknown.
"""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt
from typing import Any, Protocol

from toolkit.model import Station

EARTH_KM = 6371.0088
"""The mean radius of the Earth, IUGG."""

LOWEST, HIGHEST = -430, 8849
"""Metres: the shore of the Dead Sea and the summit of Mount Everest. No land is lower or higher."""

MOVED_KM = 1.5
"""A station that is described farther away than this is another place.

Coordinates in whole minutes of arc, as the lists of WMO-No. 9, volume A, had them, are up to 1.3 km off; those in
hundredths of a degree, up to 0.8 km.
"""

MOVED_METRES, SAME_KM = 50.0, 0.1
"""So much higher or lower it is another place too, if it is described farther away than `SAME_KM`, in km.

At the same coordinates a station is not at another height: the height was wrong. WMO-No. 8 (vol. I, ch. 1) asks for
coordinates that are exact to a thousandth of a degree, which is 0.1 km, and heights to a metre.
"""


class Placed(Protocol):
    """Something at a place: degrees, metres; None where that is not known."""

    @property
    def latitude(self) -> float | None: ...  # noqa: D102

    @property
    def longitude(self) -> float | None: ...  # noqa: D102

    @property
    def elevation(self) -> float | None: ...  # noqa: D102


def place(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    """Latitude and longitude in degrees if they can be a station's; None otherwise.

    A longitude from 180 to 360 is converted to -180 to 0. Latitude 0 with longitude 0 stands for a place that nobody
    entered: no station is in that sea.
    """
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 360):
        return None
    return latitude, longitude - 360 if longitude > 180 else longitude


def height(elevation: float | None) -> float | None:
    """Metres above sea level if there is land so low or so high; None otherwise."""
    return elevation if elevation is not None and LOWEST <= elevation <= HIGHEST else None


def without_impossible_place(station: Station) -> Station:
    """A station from the store, without a place that cannot be: older releases stored what the feed said."""
    where = place(station.latitude, station.longitude) or (None, None)
    return station._replace(latitude=where[0], longitude=where[1], elevation=height(station.elevation))


def point(station: Station) -> dict[str, Any] | None:
    """A station's place as GeoJSON has it (RFC 7946), with its elevation if that is known; None where it is unknown."""
    if station.longitude is None or station.latitude is None:
        return None
    elevation = [] if station.elevation is None else [station.elevation]
    return {"type": "Point", "coordinates": [station.longitude, station.latitude, *elevation]}


def has_moved(before: Placed, after: Placed) -> bool:
    """Whether two descriptions of a station are of two places, and not of one that is told more exactly."""
    km = distance_km(before, after)
    if km > MOVED_KM:
        return True
    if before.elevation is None or after.elevation is None:
        return False
    return km > SAME_KM and abs(after.elevation - before.elevation) > MOVED_METRES


def distance_km(one: Placed, other: Placed) -> float:
    """The great-circle distance of two places, which are known, in km."""
    a, b, c, d = (radians(degrees or 0) for degrees in (one.latitude, one.longitude, other.latitude, other.longitude))
    half = sin((c - a) / 2) ** 2 + cos(a) * cos(c) * sin((d - b) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, half)))
