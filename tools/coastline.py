"""Make toolkit/page/coastline.npz: `python -m tools.coastline land-10m.json`, a file of the npm package world-atlas.

That package redistributes the public-domain data of Natural Earth (naturalearthdata.com) as TopoJSON; land-10m is its
land at 1:10,000,000. The shores are stored, to a hundredth of a degree, for the map of a network of stations.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

TARGET = Path("toolkit") / "page" / "coastline.npz"


def main(source: str) -> None:
    """Write the shores of a topology of land."""
    topology = json.loads(Path(source).read_text(encoding="utf-8"))
    scale, translate = topology["transform"]["scale"], topology["transform"]["translate"]
    steps, starts, number = [], [], 0
    for arc in topology["arcs"]:
        # TopoJSON's arcs are quantised, and each point is stored as the difference from the one before.
        degrees = np.cumsum(np.array(arc), axis=0) * scale + translate
        points = np.round(degrees * 100).astype(np.int32)
        points = points[np.r_[True, np.any(np.diff(points, axis=0) != 0, axis=1)]]
        starts.append(number)
        number += len(points)
        steps.append(np.diff(points, axis=0, prepend=0))
    np.savez_compressed(TARGET, steps=np.concatenate(steps).astype(np.int16), starts=np.array(starts, dtype=np.int32))
    print(f"{TARGET}: {len(starts)} shores, {number} points, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
