"""Networks of stations: clusters and isolated ones."""

from __future__ import annotations

import numpy as np

from toolkit.model import Station


def network(seed: int, clustered: int = 10, isolated: int = 4, *, clusters: int = 2) -> list[Station]:
    """Stations in clusters of some tens of kilometres, and others more than 150 km from everyone."""
    random = np.random.default_rng([seed, 7])
    places: list[tuple[float, float]] = []
    centres = [(random.uniform(36, 41), random.uniform(20, 28)) for _ in range(clusters)]
    for number in range(clustered):
        latitude, longitude = centres[number % clusters]
        places.append((latitude + random.normal(0, 0.22), longitude + random.normal(0, 0.28)))
    while len(places) < clustered + isolated:
        one = (random.uniform(33, 45), random.uniform(14, 34))
        if all(abs(one[0] - other[0]) > 1.5 or abs(one[1] - other[1]) > 2 for other in places):
            places.append(one)
    return [
        Station(
            f"s{number:02d}", f"Station {number}", None, latitude, longitude, round(float(random.gamma(1.2, 180)), 0)
        )
        for number, (latitude, longitude) in enumerate(places)
    ]
