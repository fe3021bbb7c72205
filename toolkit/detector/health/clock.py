"""A clock that is wrong: a station's weather comes later or earlier than its neighbours'."""

from __future__ import annotations

import numpy as np

from toolkit.detector.health.hourly import CHUNK, Hourly, fisher, mean, without_diurnal
from toolkit.quality.arrays import Floats

# Lags that are tried, in hours: more than a day, either way.
MOST = 36.0


def lags(hours: Hourly) -> tuple[Floats, Floats, Floats]:
    """By how many hours each station's weather is later than its neighbours'.

    Twice: of all values, among which the course of the day decides, and of values without the course of the day, which
    is later by an hour beside a sheltered sensor, too, while showers and fronts are not.

    Returns:
        Both, in hours, between two columns by a parabola through the best correlation and its two neighbours; and by
        how much Fisher's z of the second is better there than with no lag. Each has one value a station.
    """
    most = round(MOST / hours.step)
    plain, weather = np.full((2, len(hours.value)), np.nan)
    better = np.full(len(hours.value), np.nan)
    for first in range(0, len(hours.value), CHUNK):
        rows = slice(first, first + CHUNK)
        plain[rows] = _peak(lagged(hours.value[rows], hours.reference[rows], most)) * hours.step
    value, reference = without_diurnal(hours, hours.value), without_diurnal(hours, hours.reference)
    for first in range(0, len(hours.value), CHUNK):
        rows = slice(first, first + CHUNK)
        found = lagged(value[rows], reference[rows], most)
        weather[rows] = _peak(found) * hours.step
        better[rows] = fisher(np.fmax.reduce(found, axis=1)) - fisher(found[:, most])
    return plain, weather, better


def lagged(values: Floats, reference: Floats, most: int) -> Floats:
    """The correlation of each row with the reference so many columns before; rows × lags from -`most` to `most`.

    All lags at once by Fourier transforms of the products' three sums.
    """
    columns = values.shape[1]
    size = 1 << int(np.ceil(np.log2(columns + most + 1)))

    def transformed(one: Floats) -> tuple[Floats, Floats, Floats]:
        there = ~np.isnan(one)
        centred = np.nan_to_num(one - mean(one)[:, None])
        return tuple(np.fft.rfft(part, size) for part in (centred, np.square(centred), there.astype(float)))

    def summed(one: Floats, other: Floats) -> Floats:
        found = np.fft.irfft(one * np.conj(other), size)
        return np.concatenate([found[:, size - most :], found[:, : most + 1]], axis=1)

    value, value_squared, value_there = transformed(values)
    of, of_squared, of_there = transformed(reference)
    variance = summed(value_squared, of_there) * summed(value_there, of_squared)
    enough = (summed(value_there, of_there) > columns / 6) & (variance > 1e-9)
    return np.where(enough, summed(value, of) / np.sqrt(np.where(enough, variance, 1)), np.nan)


def _peak(found: Floats) -> Floats:
    """Where the best correlation is, in columns from the middle."""
    middle = found.shape[1] // 2
    known = ~np.isnan(found).all(axis=1)
    best = np.argmax(np.where(np.isnan(found), -2, found), axis=1).clip(1, found.shape[1] - 2)
    row = np.arange(len(found))
    before, at, after = found[row, best - 1], found[row, best], found[row, best + 1]
    curved = before - 2 * at + after
    part = np.where(curved < 0, 0.5 * (before - after) / np.where(curved < 0, curved, -1), 0.0)
    return np.where(known, best - middle + np.clip(part, -0.5, 0.5), np.nan)
