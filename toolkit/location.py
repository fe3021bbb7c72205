"""Where a station can be. What is not is no place: the station has none until somebody says it."""

from __future__ import annotations

from toolkit.model import Station

LOWEST, HIGHEST = -430, 8849
"""Metres: the shore of the Dead Sea and the summit of Mount Everest. No land is lower or higher."""


def place(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, the longitude from -180 to 180, also where it was counted from 0 to 360.

    Latitude 0 and longitude 0 say that nobody entered the place: there is no station in that sea.
    """
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 360):
        return None
    return latitude, longitude - 360 if longitude > 180 else longitude


def height(elevation: float | None) -> float | None:
    """Metres above the sea, if there is land so low or so high."""
    return elevation if elevation is not None and LOWEST <= elevation <= HIGHEST else None


def without_impossible_place(station: Station) -> Station:
    """A station as it was stored, without a place that cannot be: an older release took what a feed said."""
    where = place(station.latitude, station.longitude) or (None, None)
    return station._replace(latitude=where[0], longitude=where[1], elevation=height(station.elevation))
