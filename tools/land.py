"""Make toolkit/land.npz.xz: `python -m tools.land countries-10m.json`, a file of the npm package world-atlas.

That package redistributes the public-domain data of Natural Earth (naturalearthdata.com) as TopoJSON; countries-10m is
its countries and land at 1:10,000,000. Points are left out that are nearer than `TOLERANCE` to the line without them.
"""

from __future__ import annotations

import io
import json
import lzma
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.land import FILE

Points = npt.NDArray[np.float64]

TARGET = Path("toolkit") / FILE
TOLERANCE = 0.004  # degrees: 450 m, about the resolution of the source


def main(source: str) -> None:
    """Write the land and the borders of a topology."""
    topology = json.loads(Path(source).read_text(encoding="utf-8"))
    scale = np.array(topology["transform"]["scale"])
    # TopoJSON's arcs are quantised, and each point is stored as the difference from the one before.
    arcs = [np.cumsum(np.array(arc), axis=0).astype(np.float64) for arc in topology["arcs"]]
    around, pole = 360 / scale[0], (-90 - topology["transform"]["translate"][1]) / scale[1]
    land = [_unwrapped(_joined(arcs, ring), round(around), pole) for ring in _rings(topology["objects"]["land"])]
    used = Counter(arc if arc >= 0 else ~arc for ring in _rings(topology["objects"]["countries"]) for arc in ring)
    borders = [arcs[arc] for arc, countries in used.items() if countries > 1]
    lines = [(_simplified(line * scale) / scale).round().astype(np.int64) for line in (*land, *borders)]
    packed = io.BytesIO()
    np.savez(
        packed,
        steps=np.concatenate([np.diff(line, axis=0) for line in lines]).astype(np.int32).T.copy(),
        counts=np.array([len(line) for line in lines]),
        firsts=np.array([line[0] for line in lines]),
        rings=np.array(len(land)),
        scale=scale,
        origin=np.array(topology["transform"]["translate"]),
    )
    TARGET.write_bytes(lzma.compress(packed.getvalue(), preset=9))
    points = sum(map(len, lines))
    print(f"{TARGET}: {len(land)} rings, {len(borders)} borders, {points} points, {TARGET.stat().st_size} bytes")


def _rings(geometry: dict[str, Any]) -> Iterator[list[int]]:
    """The rings of a geometry, each as numbers of arcs."""
    if geometry["type"] == "GeometryCollection":
        for one in geometry["geometries"]:
            yield from _rings(one)
    elif geometry["type"] is not None:
        for polygon in geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]:
            yield from polygon


def _joined(arcs: list[Points], numbers: list[int]) -> Points:
    """Arcs as one line; ~n is arc n backwards."""
    parts = [arcs[one] if one >= 0 else arcs[~one][::-1] for one in numbers]
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])


def _unwrapped(ring: Points, around: int, pole: float) -> Points:
    """A ring that goes on beyond 180° where the source begins anew at -180°; one around the South Pole goes there."""
    longitude, latitude = np.unwrap(ring[:, 0], period=around), ring[:, 1]
    if round(longitude[0] - longitude[-1]):
        longitude = np.append(longitude, [longitude[-1], longitude[0], longitude[0]])
        latitude = np.append(latitude, [pole, pole, latitude[0]])
    return np.stack([longitude, latitude], axis=1)


def _simplified(line: Points) -> Points:
    """A line without points that hardly matter, by Douglas and Peucker's algorithm."""
    keeps = np.zeros(len(line), dtype=np.bool_)
    keeps[[0, -1]] = True
    waiting = [(0, len(line) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        along, there = line[last] - line[first], line[first + 1 : last] - line[first]
        length = float(np.hypot(*along))
        away = abs(along[0] * there[:, 1] - along[1] * there[:, 0]) / length if length else np.hypot(*there.T)
        if away.max() > TOLERANCE:
            middle = first + 1 + int(away.argmax())
            keeps[middle] = True
            waiting += [(first, middle), (middle, last)]
    return line[keeps]


if __name__ == "__main__":
    main(sys.argv[1])
