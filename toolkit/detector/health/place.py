"""Stations that measure the weather of another place: wrong coordinates, and two that were taken for one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolkit.detector.health.hourly import COMMON_HOURS, Hourly, fisher, spread, without_diurnal
from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats, median
from toolkit.quality.neighbours import EARTH_KM

# A station is where the stations are that it agrees with best, so many of them.
BEST = 5
# So much better, in Fisher's z, it has to agree with them than with those at the place that it claims.
BETTER = 0.3
# Among more stations than this, only those whose neighbours do not agree with them are looked for elsewhere.
ALL = 600
# What is usual is learnt from so many of them.
SAMPLE = 200
# Two were exchanged if together they fit each other's neighbours so many times better than their own.
EXCHANGED = 2.0
# So many stations that fit their neighbours worst are tried with one another.
WORST = 40


def misplaced(variables: Sequence[Hourly], stations: Sequence[Station], suspects: Bools) -> Floats:
    """How far each station is from those that measure its weather, in km; NaN where they are at its own place.

    The course of the day is taken off first, for all stations share it.

    Args:
        variables: what may be compared, of the same hours.
        stations: the network.
        suspects: those that do not agree with their neighbours or have none; stations.
    """
    count = len(stations)
    found = np.full(count, np.nan)
    position = np.array([[_number(one.latitude), _number(one.longitude)] for one in stations]).reshape(-1, 2)
    placed = ~np.isnan(position).any(axis=1)
    if np.count_nonzero(placed) < 2 * BEST or not variables:
        return found
    rows = np.flatnonzero(placed)
    if count > ALL:
        chance = np.random.default_rng(0)
        sample = chance.choice(rows, min(SAMPLE, len(rows)), replace=False)
        rows = np.union1d(sample, np.flatnonzero(placed & suspects))
    agreement = np.mean([_agreement(one, rows) for one in variables], axis=0)
    agreement[np.arange(len(rows)), rows] = np.nan
    agreement[:, ~placed] = np.nan
    apart = distance(position[rows], position)
    filled = np.where(np.isnan(agreement), -np.inf, agreement)
    best = np.argsort(-filled, axis=1)[:, :BEST]
    enough = np.isfinite(np.take_along_axis(filled, best, 1)).all(axis=1)
    nearest = np.argsort(np.where(np.isfinite(filled), apart, np.inf), axis=1)[:, :BEST]
    there, here = (median(np.take_along_axis(agreement, of, 1)) for of in (best, nearest))
    away = median(np.take_along_axis(apart, best, 1))
    # They have to agree among themselves as well as with it: they are one place.
    usual_away = median(away[enough]) + 5 * spread(away[enough], 2.0)
    at_home = median(there[enough]) - 2 * spread(there[enough], 0.15)
    wrong = enough & (away > usual_away) & (there >= at_home) & (there - here >= BETTER)
    found[rows] = np.where(wrong, away, np.nan)
    return found


def _agreement(hours: Hourly, rows: Floats) -> Floats:
    """Fisher's z of the correlation of some stations with all, without the course of the day; rows × stations."""
    weather = without_diurnal(hours, hours.value)
    there = (~np.isnan(weather)).astype(np.float32)
    value = np.nan_to_num(weather).astype(np.float32)
    square = np.square(value)
    number = there[rows] @ there.T
    variance = (square[rows] @ there.T) * (there[rows] @ square.T)
    enough = (number * hours.step >= COMMON_HOURS) & (variance > 0)
    product = value[rows] @ value.T
    return np.where(enough, fisher(product / np.sqrt(np.where(enough, variance, 1))), np.nan)


def distance(some: Floats, others: Floats) -> Floats:
    """Great-circle distances in km; latitudes and longitudes in degrees, rows × others."""
    one, other = np.radians(some)[:, None], np.radians(others)[None]
    half = np.sin((one - other) / 2) ** 2
    inner = half[..., 0] + np.cos(one[..., 0]) * np.cos(other[..., 0]) * half[..., 1]
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(inner, 0, 1))))


def exchanged(hours: Hourly, base: Floats, days: int) -> dict[int, tuple[int, float]]:
    """Stations that fit each other's neighbours better than their own over the last `days`.

    Args:
        hours: the variable.
        base: the level that each station ought to have; stations.
        days: over how many of the last days.

    Returns:
        By row, the row of the other, and how many times better the two fit.
    """
    part = slice(-days * hours.per_day, None)
    value, implied = hours.value[:, part], hours.reference[:, part] + base[:, None]
    misfit = median(np.abs(value - implied))
    known = ~np.isnan(misfit)
    worst = np.flatnonzero(known & (misfit > 1.5 * np.nan_to_num(median(misfit), nan=np.inf)))
    worst = worst[np.argsort(-misfit[worst])][:WORST]
    found: dict[int, tuple[int, float]] = {}
    if len(worst) < 2:
        return found
    as_other = np.array(
        [median(np.abs(value[worst] - implied[row])) for row in worst]
    )  # station implied × station read
    together = misfit[worst][:, None] + misfit[worst][None]
    swapped = as_other + as_other.T
    better = together / np.maximum(swapped, hours.variable.accuracy / 5)
    each = (as_other < misfit[worst][None]) & (as_other < misfit[worst][:, None])
    better = np.where(each & each.T, np.nan_to_num(better), 0)
    np.fill_diagonal(better, 0)
    for row in range(len(worst)):
        other = int(np.argmax(better[row]))
        if better[row, other] >= EXCHANGED and int(np.argmax(better[other])) == row:
            found[int(worst[row])] = int(worst[other]), float(better[row, other])
    return found


def _number(value: float | None) -> float:
    return np.nan if value is None else value
