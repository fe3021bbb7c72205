"""Stations that measure the weather of another place: wrong coordinates, and two that were taken for one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolkit.detector.health.hourly import COMMON_HOURS, Hourly, fisher, spread, without_diurnal
from toolkit.location import EARTH_KM
from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats, Ints, median

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
# Only stations are tried that fit their neighbours so many times worse than the typical one.
MISFIT = 2.0
# And each has to fit the other's neighbours at most so many times worse than the typical one fits its own.
FITS = 1.3
# Of more stations than this, two fit each other by chance: they have to have changed on the same day.
FEW = 4
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
    position = np.array([(one.latitude, one.longitude) for one in stations], dtype=np.float64).reshape(-1, 2)
    placed = ~np.isnan(position).any(axis=1)
    number = min(BEST, int(np.count_nonzero(placed)) // 2)
    if number < 2:
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
    best = np.argsort(-filled, axis=1)[:, :number]
    enough = np.isfinite(np.take_along_axis(filled, best, 1)).all(axis=1)
    if not enough.any():
        return found
    nearest = np.argsort(np.where(np.isfinite(filled), apart, np.inf), axis=1)[:, :number]
    there, here = (median(np.take_along_axis(agreement, of, 1)) for of in (best, nearest))
    away = median(np.take_along_axis(apart, best, 1))
    # They have to agree among themselves as well as with it: they are one place.
    usual_away = median(away[enough]) + 5 * spread(away[enough], 2.0)
    usual = median(there[enough])
    claimed = median(np.take_along_axis(apart, nearest, 1))
    at_home = enough & (away > usual_away) & (there >= usual - 2 * spread(there[enough], 0.15))
    # There are others where it claims to be, and it agrees better with others: or there are none, and it agrees with
    # others better than stations do that are so far apart.
    wrong = at_home & (there - here >= BETTER)
    for row in np.flatnonzero(at_home & (claimed > usual_away)):
        of_others = np.arange(len(rows)) != row
        columns = np.arange(count) != rows[row]
        wrong[row] |= there[row] - _at_distance(agreement, apart, of_others, columns, away[row]) >= BETTER
    found[rows] = np.where(wrong, away, np.nan)
    return found


def _at_distance(agreement: Floats, apart: Floats, rows: Bools, columns: Bools, km: float) -> float:
    """The agreement of stations that are so far apart: a straight line over the logarithm of the distance."""
    known = rows[:, None] & columns & ~np.isnan(agreement)
    far = np.log(np.maximum(apart[known], 1.0))
    if np.ptp(far) < 0.1:
        return np.inf
    slope, at_one = np.polyfit(far, agreement[known], 1)
    return float(min(slope, 0.0) * np.log(km) + at_one)


def _agreement(hours: Hourly, rows: Ints) -> Floats:
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


def exchanged(hours: Hourly, levels: Sequence[Floats], days: int, changed: Floats) -> dict[int, tuple[int, float]]:
    """Stations that fit each other's neighbours better than their own over the last `days`.

    Args:
        hours: the variable.
        levels: the level that each station ought to have, by one measure or another; stations each.
        days: over how many of the last days.
        changed: the day on which each changed, NaN if none did; stations.

    Returns:
        By row, the row of the other, and how many times better the two fit.
    """
    found: dict[int, tuple[int, float]] = {}
    for level in levels:
        for row, (other, better) in _exchanged(hours, level, days, changed).items():
            if row not in found or better > found[row][1]:
                found[row] = other, better
    return found


def _exchanged(hours: Hourly, level: Floats, days: int, changed: Floats) -> dict[int, tuple[int, float]]:
    part = slice(-days * hours.per_day, None)
    value, implied = hours.value[:, part], hours.reference[:, part] + level[:, None]
    misfit = median(np.abs(value - implied))
    worst = np.flatnonzero(misfit > MISFIT * np.maximum(median(misfit), hours.variable.accuracy))
    worst = worst[np.argsort(-misfit[worst])][:WORST]
    if len(worst) < 2:
        return {}
    # What each station read beside what is implied for each; implied × read.
    as_other = np.array([median(np.abs(value[worst] - implied[row])) for row in worst])
    own = misfit[worst]
    improves = (
        as_other < np.minimum(own, FITS * np.maximum(np.nan_to_num(median(misfit)), hours.variable.accuracy))[None]
    )
    better = (own[:, None] + own[None]) / np.maximum(as_other + as_other.T, hours.variable.accuracy / 5)
    together = np.abs(changed[worst][:, None] - changed[worst]) <= 1
    possible = improves & improves.T & (together | (len(worst) <= FEW)) & ~np.eye(len(worst), dtype=bool)
    better = np.where(possible, better, 0)
    best = np.argmax(better, axis=1)
    return {
        int(worst[row]): (int(worst[other]), float(better[row, other]))
        for row, other in enumerate(best.tolist())
        if better[row, other] >= EXCHANGED and best[other] == row
    }
