"""Who is near whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats, Ints

EARTH_KM = 6371.0088  # mean radius, IUGG
# So many are asked at most.
ASKED = 8
# Beyond the neighbourhood others still tell something of the weather: so many times as far.
REGION = 4
# A hundred metres of height make two stations as different as ten kilometres do.
KM_PER_METRE = 0.1
# So many of the nearest by distance are looked at by height too.
MORE = 3 * ASKED
# Up to so many stations all distances are computed.
ONE_BY_ONE = 2000


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest stations of each, nearest first, stations by `ASKED`.

    Attributes:
        rows: their rows; 0 where there is none.
        there: whether there is one.
        close: whether it is a neighbour by the settings; the others are only of the region.
        km: how far away.
    """

    rows: Ints
    there: Bools
    close: Bools
    km: Floats


def nearest(stations: Sequence[Station], km: float, elevation_m: float) -> Neighbours:
    """The nearest stations of each, by great-circle distance and height.

    Args:
        stations: the network; without a position a station has no neighbours, an unknown height is no reason against.
        km: how far away a neighbour may be.
        elevation_m: how much higher or lower it may be.
    """
    position = np.array([[_number(one.latitude), _number(one.longitude)] for one in stations]).reshape(-1, 2)
    height = np.array([_number(one.elevation) for one in stations])
    placed = np.flatnonzero(~np.isnan(position).any(axis=1))
    count = len(stations)
    rows = np.zeros((count, ASKED), dtype=np.int64)
    distance = np.full((count, ASKED), np.inf)
    if len(placed) > 1:
        latitude, longitude = np.radians(position[placed]).T
        points = np.stack(
            [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
        )
        chord, found = _by_chord(points, min(MORE + 1, len(placed)))
        found = placed[found]
        away = 2 * EARTH_KM * np.arcsin(np.minimum(chord / 2, 1))
        away[(found == placed[:, None]) | (away > REGION * km)] = np.inf  # not itself, and nobody beyond the region
        apart = np.nan_to_num(np.abs(height[placed][:, None] - height[found]))
        order = np.argsort(away + apart * KM_PER_METRE, axis=1, kind="stable")[:, :ASKED]
        width = order.shape[1]
        rows[placed, :width] = np.take_along_axis(found, order, 1)
        distance[placed, :width] = np.take_along_axis(away, order, 1)
    there = np.isfinite(distance)
    apart = np.nan_to_num(np.abs(height[:, None] - height[rows]))
    return Neighbours(rows, there, there & (distance <= km) & (apart <= elevation_m), distance)


def _by_chord(points: Floats, number: int) -> tuple[Floats, Ints]:
    """The nearest points of each, itself among them, nearest first: chords of the unit sphere, and places."""
    if len(points) > ONE_BY_ONE:
        from scipy.spatial import cKDTree  # half a second, and worth it from here on

        chord, found = cKDTree(points).query(points, k=number)
        return chord, found.astype(np.int64)
    squared = np.maximum(2 - 2 * (points @ points.T), 0)
    np.fill_diagonal(squared, 0)
    found = np.argpartition(squared, number - 1, axis=1)[:, :number]
    order = np.argsort(np.take_along_axis(squared, found, 1), axis=1, kind="stable")
    found = np.take_along_axis(found, order, 1)
    return np.sqrt(np.take_along_axis(squared, found, 1)), found


def _number(value: float | None) -> float:
    return np.nan if value is None else value
