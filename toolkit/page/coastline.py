"""Shores, from Natural Earth's public-domain data at 1:10,000,000. `tools/coastline.py` makes the file."""

from __future__ import annotations

from importlib import resources

import numpy as np

from toolkit.quality.arrays import Floats, Ints


def shores(west: float, east: float, south: float, north: float) -> list[Floats]:
    """The shores in a box, in degrees: each piece as points × (longitude, latitude).

    West or east may be beyond ±180°; the box then goes on at the other side.
    """
    starts, everywhere = _all()
    return [
        piece
        for turn in (-360.0, 0.0, 360.0)
        if west <= turn + 180 and east >= turn - 180
        for piece in _inside(starts, everywhere + np.array([turn, 0.0]), west, east, south, north)
    ]


def _all() -> tuple[Ints, Floats]:
    """The place of the first point of each shore, and the points of all: points × (longitude, latitude)."""
    with (resources.files("toolkit.page") / "coastline.npz").open("rb") as file, np.load(file) as packed:
        steps, starts = packed["steps"].astype(np.int64), packed["starts"]
    # Points are stored as steps from the one before; the first step of a shore is its first point.
    running = np.cumsum(steps, axis=0)
    before = np.where(starts[:, None] > 0, running[starts - 1], 0)
    return starts.astype(np.int64), (running - np.repeat(before, np.diff(starts, append=len(steps)), axis=0)) / 100


def _inside(starts: Ints, points: Floats, west: float, east: float, south: float, north: float) -> list[Floats]:
    longitude, latitude = points.T
    inside = (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
    # A piece ends where the shore leaves the box, or ends itself.
    cuts = np.union1d(starts, np.flatnonzero(np.diff(inside)) + 1)
    return [piece for piece, there in zip(np.split(points, cuts), np.split(inside, cuts), strict=True) if there.any()]
