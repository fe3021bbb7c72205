"""Spatial verification: do the neighbours see it too?"""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.detector.report import Class, Neighbour
from toolkit.feed.document import Station

Floats = npt.NDArray[np.float64]

EARTH_KM = 6371.0088  # mean radius, IUGG
WEATHER_ABOVE = 0.6
FAILURE_BELOW = 0.3
# Fewer common readings than this say nothing about a correlation.
COMMON_AT_LEAST = 10


class Verdict(NamedTuple):
    """A class, and what decided it: the median correlation and the neighbours that were asked."""

    class_: Class
    correlation: float | None
    neighbours: list[Neighbour]


UNVERIFIED = Verdict("unverified", None, [])


def distance_km(one: Station, other: Station) -> float:
    """Great-circle distance (haversine); infinite where a position is unknown."""
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return float("inf")
    north = radians(other.latitude - one.latitude)
    east = radians(other.longitude - one.longitude)
    chord = sin(north / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(chord))


def neighbours(stations: Sequence[Station], of: int, km: float, elevation_m: float) -> list[int]:
    """The rows of the stations at most `km` away from the one at row `of`, and at most `elevation_m` higher or lower.

    An unknown elevation is no reason against a neighbour.
    """
    one = stations[of]
    return [
        place
        for place, other in enumerate(stations)
        if place != of
        and distance_km(one, other) <= km
        and (one.elevation is None or other.elevation is None or abs(one.elevation - other.elevation) <= elevation_m)
    ]


def correlation(one: Floats, other: Floats) -> float | None:
    """Pearson's correlation of two series where both have values; None if that is too little or one is constant."""
    common = ~(np.isnan(one) | np.isnan(other))
    if np.count_nonzero(common) < COMMON_AT_LEAST:
        return None
    first, second = one[common], other[common]
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])


def verify(values: Floats, stations: Sequence[Station], of: int, near: Sequence[int]) -> Verdict:
    """Whether an anomaly of the station at `of` is weather, judged by how its window goes with its neighbours'.

    Args:
        values: one variable, stations by slots.
        stations: the rows of `values`.
        of: the station's row.
        near: its neighbours' rows.
    """
    asked = [(place, correlation(values[of], values[place])) for place in near]
    found = [Neighbour(stations[place].station_id, round(value, 3)) for place, value in asked if value is not None]
    if not found:
        return UNVERIFIED
    median = round(float(np.median([neighbour.correlation for neighbour in found])), 3)
    if median > WEATHER_ABOVE:
        return Verdict("weather_event", median, found)
    return Verdict("device_failure" if median < FAILURE_BELOW else "suspected", median, found)
