"""What changed during the weeks: a drift, a level or a unit that is another from one day on, noise that grows.

All is told from days, against the neighbours: the median of a day's residuals, or the day's noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from toolkit.detector.health.hourly import Hourly, spread
from toolkit.quality.arrays import Floats, deviation, mean, median
from toolkit.quality.series import Series, unscaled
from toolkit.units import conversions_to
from toolkit.variables import Variable

# A drift or a change needs so many days; a level before or after a change is the median of so many at least.
DRIFT_DAYS = 3
SIDE_DAYS = 3
# It has to be so many times its own standard error, which takes account of how alike successive days are.
CERTAIN = 3.0
# The neighbours' weather explains some of it if there are so many days; how strong the ridge is.
EXPLAINED_DAYS = 14
RIDGE = 0.3
# A unit fits if it leaves so small a part of the difference from the neighbours.
UNIT_LEAVES = 0.25


def unexplained(hours: Hourly, daily: Floats) -> Floats:
    """Days less what the neighbours' own level and range of the day explain, by least squares; stations × days.

    A valley is further below its neighbours in clear weather than in cloud, and colder still as winter comes: that is
    no drift. The three together, a straight line being the third, are fitted with a ridge, so that two that go the same
    way share what they explain.
    """
    days = hours.by_day(hours.reference)
    causes = [hours.daily(hours.reference), np.fmax.reduce(days, axis=2) - np.fmin.reduce(days, axis=2)]
    straight = np.broadcast_to(np.arange(daily.shape[1], dtype=float), daily.shape)
    known = ~np.isnan(np.sum([*causes, daily], axis=0))
    number = np.count_nonzero(known, axis=1)

    def standard(values: Floats) -> Floats:
        values = np.where(known, values, np.nan)
        off = values - mean(values)[:, None]
        return np.nan_to_num(off / np.sqrt(np.maximum(mean(np.square(off)), 1e-12))[:, None])

    base = np.stack([standard(one) for one in (straight, *causes)], axis=2)  # stations × days × 3
    off = daily - median(daily)[:, None]
    scatter = deviation(off)[:, None]
    off = np.clip(off, -4 * scatter, 4 * scatter)
    off = np.where(known, np.nan_to_num(off), 0)
    normal = np.einsum("ijk,ijl->ikl", base, base) + (RIDGE * np.maximum(number, 1))[:, None, None] * np.diag([0, 1, 1])
    normal += 1e-9 * np.eye(3)
    found = np.linalg.solve(normal, np.einsum("ijk,ij->ik", base, off)[:, :, None])[:, :, 0]
    found[number < EXPLAINED_DAYS] = 0
    explained: Floats = np.einsum("ijk,ik->ij", base[:, :, 1:], found[:, 1:])
    return daily - explained


class Drift(NamedTuple):
    """How fast each row moves.

    Attributes:
        slope: per day: the median of slopes between all pairs of days (Theil and Sen); stations.
        error: its standard error: that of least squares, for as many independent days as their autocorrelation leaves
            (WMO-No. 100, ch. 4); stations.
    """

    slope: Floats
    error: Floats


def drift(daily: Floats) -> Drift:
    """How fast each row moves; stations × days."""
    days = daily.shape[1]
    known = np.count_nonzero(~np.isnan(daily), axis=1)
    if days < DRIFT_DAYS:
        return Drift(*np.full((2, len(daily)), np.nan))
    one, other = np.triu_indices(days, 1)
    slope = median((daily[:, other] - daily[:, one]) / (other - one))
    left = daily - slope[:, None] * np.arange(days)
    left = left - median(left)[:, None]
    variance = mean(np.square(left))
    alike = np.clip(mean(left[:, 1:] * left[:, :-1]) / np.where(variance > 0, variance, 1), 0, 0.9)
    number = np.maximum(known * (1 - alike) / (1 + alike), 2)
    error = np.sqrt(variance / number) * np.sqrt(12) / np.maximum(known, 2)
    return Drift(np.where(known >= DRIFT_DAYS, slope, np.nan), error)


class Step(NamedTuple):
    """A change of level between two days.

    Attributes:
        size: after less before; stations.
        day: the first day after it; stations.
        error: one standard error of the size; stations.
        left: the mean absolute difference from the levels before and after; stations.
    """

    size: Floats
    day: Floats
    error: Floats
    left: Floats


def step(daily: Floats) -> Step:
    """The change of level between two days that explains most of each row; stations × days."""
    days = daily.shape[1]
    size, day, error, left = np.full((4, len(daily)), np.nan)
    best = np.full(len(daily), np.inf)
    for after in range(SIDE_DAYS, days - SIDE_DAYS + 1):
        sides = daily[:, :after], daily[:, after:]
        levels = [median(side) for side in sides]
        off = np.concatenate([side - level[:, None] for side, level in zip(sides, levels, strict=True)], axis=1)
        found = mean(np.abs(off))
        numbers = [np.maximum(np.count_nonzero(~np.isnan(side), axis=1), 1) for side in sides]
        enough = (numbers[0] >= SIDE_DAYS) & (numbers[1] >= SIDE_DAYS)
        better = enough & (found < best)
        best = np.where(better, found, best)
        scatter = deviation(off)
        size = np.where(better, levels[1] - levels[0], size)
        day = np.where(better, after, day)
        error = np.where(better, 1.25 * scatter * np.sqrt(1 / numbers[0] + 1 / numbers[1]), error)
        left = np.where(better, found, left)
    return Step(size, day, error, left)


def hinge(daily: Floats) -> int:
    """The day on which one row began to move: the best corner of a level that becomes a straight line."""
    day = np.arange(len(daily))
    known = ~np.isnan(daily)
    errors = []
    for corner in range(max(1, len(daily) - SIDE_DAYS)):
        base = np.stack([np.ones(len(daily)), np.maximum(day - corner, 0)], axis=1)[known]
        found = np.linalg.lstsq(base, daily[known], rcond=None)[0]
        errors.append(float(np.sum(np.square(daily[known] - base @ found))))
    return int(np.argmin(errors)) if errors else 0


class Unit(NamedTuple):
    """A unit in which a sensor seems to report instead of the one that is expected.

    Attributes:
        name: "" where no other unit fits better; stations.
        daily: by how much too large or too small the values are; stations × days.
    """

    name: list[str]
    daily: Floats


def unit(hours: Hourly, series: Series, near: Floats) -> Unit:
    """Which sensors have the unit of another scale, for the whole time or from one day on.

    Args:
        hours: the variable.
        series: the same as it was read, impossible values among it.
        near: what the neighbours' levels imply for each station's own; stations.
    """
    slots = hours.value.shape[1] * series.per_hour
    days = slots // (hours.per_day * series.per_hour)
    raw = median(series.values[:, -slots:].reshape(len(series.values), days, -1))
    implied = unscaled(hours.variable, hours.reference + near[:, None])
    normal = median(hours.by_day(implied))
    found = Unit([""] * len(raw), raw - normal)
    off = np.abs(raw - normal)
    left = off.copy()
    for name, (factor, offset) in conversions_to(hours.variable.unit).items():
        if name == hours.variable.unit:
            continue
        # The feed's number is stored as if it were in our unit, or was converted though it was in our unit already.
        for wrong, words in ((raw * factor + offset, f"in {name}"), ((raw - offset) / factor, f"taken for {name}")):
            fits = np.abs(wrong - normal)
            ours = (fits < UNIT_LEAVES * off) & (fits < left)
            share = np.count_nonzero(ours[:, -SIDE_DAYS:], axis=1) >= min(SIDE_DAYS, days)
            for row in np.flatnonzero(share & _beyond_chance(hours, off, fits)):
                found.name[row] = words
                left[row] = np.where(ours[row], fits[row], left[row])
    return found


def _beyond_chance(hours: Hourly, off: Floats, fits: Floats) -> Floats:
    """Whether the last days' difference is far more than what is usual in the network; stations."""
    usual = spread(median(off), hours.variable.accuracy)
    return np.asarray(
        (median(off[:, -SIDE_DAYS:]) > 8 * usual) & (median(fits[:, -SIDE_DAYS:]) < median(off[:, -SIDE_DAYS:]) / 4)
    )


def scale(hours: Hourly) -> Step:
    """A change of the factor between a station's wind and its neighbours', as a step of its logarithm.

    Whether an anemometer shows miles or is sheltered cannot be told from its level; that it changed on one day can.
    """
    total = unscaled(hours.variable, hours.by_day(np.where(np.isnan(hours.residual), np.nan, hours.value)))
    implied = unscaled(
        hours.variable, hours.by_day(np.where(np.isnan(hours.residual), np.nan, hours.value - hours.residual))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(mean(total) / mean(implied))
    return step(np.where(np.isfinite(ratio), ratio, np.nan))


def noise(hours: Hourly, series: Series) -> Floats:
    """One standard deviation from reading to reading on each day; stations × days.

    From the mean of absolute second differences, which a straight change does not have: white noise of one standard
    deviation has √6 · √(2/π). The mean, not the median, hears a sensor that is well for most of the time.
    """
    slots = hours.value.shape[1] * series.per_hour
    readings = hours.residual if series.per_hour == 1 else series.scaled[:, -slots:]
    curved = np.full(readings.shape, np.nan)
    curved[:, 2:] = np.abs(np.diff(readings, n=2, axis=1))
    days = curved.reshape(len(curved), -1, hours.per_day * (readings.shape[1] // hours.value.shape[1]))
    return mean(days) / float(np.sqrt(6 * 2 / np.pi))


def nearest_factor(variable: Variable, size: Floats) -> tuple[list[str], Floats]:
    """The unit whose factor comes nearest to a change of the logarithm, and how far off it is; stations."""
    names, factors = [], []
    for name, (factor, _) in conversions_to(variable.unit).items():
        if factor != 1:
            names += [f"in {name}", f"taken for {name}"]
            factors += [-np.log(factor), np.log(factor)]
    off = np.abs(size[:, None] - np.array(factors))
    return [names[at] for at in np.argmin(off, axis=1)], off.min(axis=1)
