"""Land, its shores and the borders of countries, from Natural Earth's public-domain data at 1:10,000,000.

`tools/land.py` makes the file. In every function west and east may be beyond ±180°; the box then goes on at the other
side. Coordinates are degrees.
"""

from __future__ import annotations

import functools
import io
import lzma
from collections.abc import Iterator
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FILE = "land.npz.xz"
# Here the source was cut: no shore, but the edge of a map.
EDGE_LONGITUDE, EDGE_LATITUDE = 180.0, -85.2
# A ring goes on beyond ±180°, and none as far as this.
MOST = 200.0


class Lines(NamedTuple):
    """Many lines.

    Attributes:
        starts: the place of the first point of each.
        points: of all, points × (longitude, latitude); a metre or so is nothing here.
    """

    starts: Ints
    points: npt.NDArray[np.float32]

    def turned(self, west: float, east: float) -> Iterator[Lines]:
        """The lines, and copies of them shifted by 360°, for each turn around the Earth between west and east."""
        for turn in (-360.0, 0.0, 360.0):
            if west <= turn + MOST and east >= turn - MOST:
                yield Lines(self.starts, self.points + np.array([turn, 0.0], dtype=np.float32))


def shores(west: float, east: float, south: float, north: float) -> list[Floats]:
    """The shores in a box: each piece as points × (longitude, latitude)."""
    rings, _ = _all()
    longitude, latitude = rings.points.T
    real = (abs(abs(longitude) - EDGE_LONGITUDE) > 0.01) & (latitude > EDGE_LATITUDE)
    return [piece for lines in rings.turned(west, east) for piece in _inside(lines, real, west, east, south, north)]


def borders(west: float, east: float, south: float, north: float) -> list[Floats]:
    """The borders of countries on land in a box: each piece as points × (longitude, latitude)."""
    _, lines = _all()
    real = np.ones(len(lines.points), dtype=np.bool_)
    return [piece for some in lines.turned(west, east) for piece in _inside(some, real, west, east, south, north)]


def land(west: float, east: float, south: float, north: float) -> list[Floats]:
    """The land in a box, cut off at its sides: rings of points × (longitude, latitude), to be filled by even-odd."""
    rings, _ = _all()
    low, high = np.array([west, south]), np.array([east, north])
    found = []
    for starts, points in rings.turned(west, east):
        least, most = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
        ends = np.append(starts[1:], len(points))
        whole = set(np.flatnonzero((least >= low).all(axis=1) & (most <= high).all(axis=1)).tolist())
        for number in np.flatnonzero((least <= high).all(axis=1) & (most >= low).all(axis=1)).tolist():
            ring = points[starts[number] : ends[number]].astype(np.float64)
            found.append(ring if number in whole else _cut(ring, low, high))
    return [ring for ring in found if len(ring)]


@functools.cache
def _all() -> tuple[Lines, Lines]:
    """The land's rings, and the borders."""
    with (resources.files("toolkit") / FILE).open("rb") as file, np.load(io.BytesIO(lzma.decompress(file.read()))) as f:
        steps, counts, firsts, rings = f["steps"], f["counts"], f["firsts"], int(f["rings"])
        scale, origin = f["scale"], f["origin"]
    # Points are stored as steps from the one before, in the units of the source.
    starts = np.append(0, np.cumsum(counts)[:-1])
    running = np.zeros((int(counts.sum()), 2), dtype=np.int32)
    follows = np.ones(len(running), dtype=np.bool_)
    follows[starts] = False
    running[follows] = steps.T
    np.cumsum(running, axis=0, out=running)
    running += np.repeat((firsts - running[starts]).astype(np.int32), counts, axis=0)
    points = (running * scale + origin).astype(np.float32)
    cut = int(starts[rings])
    return Lines(starts[:rings], points[:cut]), Lines(starts[rings:] - cut, points[cut:])


def _inside(
    lines: Lines, real: npt.NDArray[np.bool_], west: float, east: float, south: float, north: float
) -> list[Floats]:
    longitude, latitude = lines.points.T
    inside = real & (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
    # A piece ends where the line leaves the box, or ends itself.
    cuts = np.union1d(lines.starts, np.flatnonzero(np.diff(inside)) + 1)
    pieces = zip(np.split(lines.points, cuts), np.split(inside, cuts), strict=True)
    return [piece.astype(np.float64) for piece, there in pieces if there.any()]


def _cut(ring: Floats, low: Floats, high: Floats) -> Floats:
    """A ring without what is outside of a box, by Sutherland and Hodgman's algorithm, one side of the box at a time."""
    for axis in (0, 1):
        for bound, sign in ((low[axis], 1.0), (high[axis], -1.0)):
            if not len(ring):
                return ring
            before = np.roll(ring, 1, axis=0)
            away, away_before = (sign * (points[:, axis] - bound) for points in (ring, before))
            crosses = (away >= 0) != (away_before >= 0)
            share = np.divide(away_before, away_before - away, out=np.zeros(len(ring)), where=crosses)
            crossing = before + share[:, None] * (ring - before)
            crossing[:, axis] = bound
            # Where the ring crosses the side, that place comes before the point itself.
            both = np.stack([crossing, ring], axis=1).reshape(-1, 2)
            ring = both[np.stack([crosses, away >= 0], axis=1).reshape(-1)]
    return ring
