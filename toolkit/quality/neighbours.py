"""Which stations are near which."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Read by GNU OpenMP when it is loaded. Without it the threads of a search wait for the next one at full speed, for some
# milliseconds of another processor (GCC's manual of libgomp, "Environment Variables").
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from pykdtree.kdtree import KDTree

from toolkit.location import EARTH_KM
from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats, Ints

# A station is compared with so many others at most.
MOST = 8
# Stations of the region still tell something of the weather: up to so many times as far away as a neighbour may be.
REGION = 4
# The nearest are chosen by distance and height: a hundred metres of height make two stations as different as ten
# kilometres do (chosen with `make bench-detection`, 2026-11-24).
KM_PER_METRE = 0.1
# They are chosen among so many of the nearest by distance alone.
CANDIDATES = 3 * MOST


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest stations of each station, nearest first. Each array is stations × `MOST`.

    Attributes:
        rows: which stations, as rows; 0 where there is none.
        exists: whether there is one.
        close: whether it is a neighbour by the settings; the others are only of the region.
        km: how far away it is, in km.
    """

    rows: Ints
    exists: Bools
    close: Bools
    km: Floats

    def part(self, rows: Ints) -> Neighbours:
        """Those of some rows, in ascending order, and among these."""
        theirs = self.rows[rows]
        place = np.minimum(np.searchsorted(rows, theirs), len(rows) - 1)
        exists = self.exists[rows] & (rows[place] == theirs)
        return Neighbours(np.where(exists, place, 0), exists, self.close[rows] & exists, self.km[rows])


def nearest(stations: Sequence[Station], km: float, elevation_m: float) -> Neighbours:
    """The nearest stations of each, by great-circle distance and height.

    Args:
        stations: the network. A station without a position has no neighbours; where a height is not known it does not
            matter.
        km: how far away a neighbour may be, in km.
        elevation_m: how much higher or lower it may be, in metres.
    """
    # An unknown one, None, becomes NaN.
    position = np.array([(one.latitude, one.longitude) for one in stations], dtype=np.float64).reshape(-1, 2)
    height = np.array([one.elevation for one in stations], dtype=np.float64)
    placed = np.flatnonzero(~np.isnan(position).any(axis=1))
    count = len(stations)
    rows = np.zeros((count, MOST), dtype=np.int64)
    distance = np.full((count, MOST), np.inf)
    if len(placed) > 1:
        latitude, longitude = np.radians(position[placed]).T
        points = np.stack(
            [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
        )
        chord, found = KDTree(points).query(points, k=min(CANDIDATES + 1, len(placed)))
        found = placed[found]
        away = 2 * EARTH_KM * np.arcsin(np.minimum(chord / 2, 1))
        away[(found == placed[:, None]) | (away > REGION * km)] = np.inf  # neither itself nor beyond the region
        apart = np.nan_to_num(np.abs(height[placed][:, None] - height[found]))
        order = np.argsort(away + apart * KM_PER_METRE, axis=1, kind="stable")[:, :MOST]
        width = order.shape[1]
        rows[placed, :width] = np.take_along_axis(found, order, 1)
        distance[placed, :width] = np.take_along_axis(away, order, 1)
    exists = np.isfinite(distance)
    apart = np.nan_to_num(np.abs(height[:, None] - height[rows]))
    return Neighbours(rows, exists, exists & (distance <= km) & (apart <= elevation_m), distance)
