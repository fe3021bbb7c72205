"""A clock that is wrong: a station's weather comes later or earlier than its neighbours'."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from toolkit.detector.health.hourly import CHUNK, DAY_HOURS, Hourly, diurnal, fisher, without_diurnal
from toolkit.quality.arrays import Floats, mean

Complex = npt.NDArray[np.complex128]

# Lags that are tried, in hours: more than a day, either way.
MOST = 36.0
# The course of the day tells the time if it goes so many accuracies of the sensor up and down.
COURSE = 2.0


def lags(hours: Hourly) -> tuple[Floats, Floats, Floats, Floats]:
    """By how many hours each station's weather is later than its neighbours'.

    Twice: of all values, among which the course of the day decides, and of values without the course of the day, which
    is later by an hour beside a sheltered sensor, too, while showers and fronts are not.

    Returns:
        Both, in hours, between two columns by a parabola through the best correlation and its two neighbours; and of
        the second Fisher's z there, and by how much it is better than with no lag. Each has one value a station.
    """
    most = round(MOST / hours.step)
    plain, weather = np.full((2, len(hours.value)), np.nan)
    best, better = np.full((2, len(hours.value)), np.nan)
    for first in range(0, len(hours.value), CHUNK):
        rows = slice(first, first + CHUNK)
        plain[rows] = _peak(lagged(hours.value[rows], hours.reference[rows], most)) * hours.step
    value, reference = without_diurnal(hours, hours.value), without_diurnal(hours, hours.reference)
    for first in range(0, len(hours.value), CHUNK):
        rows = slice(first, first + CHUNK)
        found = lagged(value[rows], reference[rows], most)
        weather[rows] = _peak(found) * hours.step
        best[rows] = fisher(np.fmax.reduce(found, axis=1))
        better[rows] = best[rows] - fisher(found[:, most])
    return plain, weather, best, better


def solar(hours: Hourly) -> Floats:
    """By how many hours the course of the day is later than the neighbours', NaN where there is none; stations.

    From the first harmonic of what each hour of the day is as a rule. Weather that comes from the west is early at a
    station in the west, but the sun rises there at the same time.
    """
    angle = np.exp(-2j * np.pi * np.arange(hours.per_day) / hours.per_day)
    own, theirs = (
        np.nan_to_num(diurnal(hours, np.where(np.isnan(hours.residual), np.nan, values))) @ angle * 2 / hours.per_day
        for values in (hours.value, hours.reference)
    )
    least = COURSE * hours.variable.accuracy
    clear = (np.abs(own) > least) & (np.abs(theirs) > least)
    later = -np.angle(own * np.conj(theirs)) / (2 * np.pi) * DAY_HOURS
    return np.where(clear, later, np.nan)


def lagged(values: Floats, reference: Floats, most: int) -> Floats:
    """The correlation of each row with the reference so many columns before; rows × lags from -`most` to `most`.

    All lags at once by Fourier transforms of the products' three sums.
    """
    columns = values.shape[1]
    size = 1 << int(np.ceil(np.log2(columns + most + 1)))

    def transformed(one: Floats) -> list[Complex]:
        there = (~np.isnan(one)).astype(np.float64)
        centred = np.nan_to_num(one - mean(one)[:, None])
        return [np.fft.rfft(part, size) for part in (centred, np.square(centred), there)]

    def summed(one: Complex, other: Complex) -> Floats:
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
