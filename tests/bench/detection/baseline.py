"""The guide's method, for comparison: 3-sigma, MAD or ARIMA over the window, then the correlation with neighbours.

A reading is an outlier of its own window; the median of Pearson's correlations with the neighbours over the same window
decides whether it is weather (above 0.6), a failure (below 0.3) or something between.
"""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np

from tests.bench.detection.detectors import WINDOW, Detector, runs
from tests.bench.detection.labelled import Floats, Labelled
from tests.bench.detection.scoring import Found
from toolkit.location import distance_km

THRESHOLD = 3.0
COMMON = 10


def baseline(method: str) -> Detector:
    """The guide's detector with one of its temporal methods: 3sigma, mad or arima."""

    def run(data: Labelled) -> list[Found]:
        near = neighbours(data)
        return [one for end in runs(data) for one in window(data, near, end, method)]

    return run


def neighbours(data: Labelled) -> list[list[int]]:
    """For each station the others within 100 km and 500 m of height."""
    return [
        [
            other
            for other, two in enumerate(data.stations)
            if other != row and km(data, row, other) <= 100 and abs((one.elevation or 0) - (two.elevation or 0)) <= 500
        ]
        for row, one in enumerate(data.stations)
    ]


def window(data: Labelled, near: list[list[int]], end: int, method: str) -> list[Found]:
    """What the method finds in the window up to `end`, one series after another."""
    inside = (data.times > end - WINDOW) & (data.times <= end)
    times = data.times[inside]
    found = []
    for variable, values in data.values.items():
        part = values[:, inside]
        for row, series in enumerate(part):
            if np.isnan(series).mean() > 0.5:
                continue
            flagged = np.nan_to_num(_score(series, method)) > THRESHOLD
            if not flagged.any():
                continue
            class_ = _class([_correlation(series, part[other]) for other in near[row]])
            edges = np.flatnonzero(np.diff(np.concatenate(([0], flagged.astype(int), [0])))).tolist()
            for first, after in list(pairwise(edges))[::2]:
                found.append(Found(row, variable, float(times[first]), float(times[after - 1]), class_, end, method))
    return found


def _score(series: Floats, method: str) -> Floats:
    if method == "arima":
        from statsmodels.tsa.arima.model import ARIMA

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            residual = np.asarray(ARIMA(series, order=(1, 0, 1)).fit().resid)
        residual[0] = np.nan
        return np.asarray(np.abs(residual) / max(float(np.nanstd(residual)), 1e-9))
    if method == "mad":
        off = np.abs(series - np.nanmedian(series))
        return off / max(1.4826 * float(np.nanmedian(off)), 1e-9)
    return np.abs(series - np.nanmean(series)) / max(float(np.nanstd(series)), 1e-9)


def _correlation(one: Floats, other: Floats) -> float:
    common = ~(np.isnan(one) | np.isnan(other))
    first, second = one[common], other[common]
    if len(first) < COMMON or np.ptp(first) == 0 or np.ptp(second) == 0:
        return np.nan
    return float(np.corrcoef(first, second)[0, 1])


def _class(correlations: list[float]) -> str:
    known = [value for value in correlations if not np.isnan(value)]
    if not known:
        return "unverified"
    middle = float(np.median(known))
    return "weather_event" if middle > 0.6 else "device_failure" if middle < 0.3 else "suspected"


def km(data: Labelled, row: int, other: int) -> float:
    """How far apart two stations are."""
    return distance_km(data.stations[row], data.stations[other])
