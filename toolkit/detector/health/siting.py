"""Where a sensor stands: indoors, in the sun, at another height than its station's, or unlike its neighbours.

The ideas are those of CrowdQC+ (Fenner et al., 2021, doi:10.3389/fenvs.2021.720747): the correlation with the median of
other stations, and the level against theirs at the same height. Here the others are the neighbours, and what is usual
is the spread among the network's own stations. For indoor and sunlit thermometers, the range of a day: Meier et al.,
2017, doi:10.1016/j.uclim.2017.01.006.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from toolkit.detector.health.hourly import COMMON_HOURS, Hourly, below_others, diurnal, fisher, spread
from toolkit.model import Station
from toolkit.quality.arrays import Floats, correlation, median
from toolkit.quality.neighbours import Neighbours

# Temperature falls by so much with height, in K a metre: the ICAO standard atmosphere. Of pairs of neighbours that are
# so many metres apart, if there are so many, the network's own rate is taken.
LAPSE_RATE = 0.0065
PAIR_METRES = 100.0
PAIRS = 20
# Pressure falls by a factor e in so many metres (dry air of 15 °C); at sea level it is so high on average, in hPa.
SCALE_HEIGHT = 8430.0
SEA_LEVEL = 1013.25
# A day has a range if so many hours of it are known.
RANGE_HOURS = 18


class Agreement(NamedTuple):
    """How well each station follows its neighbours.

    Attributes:
        correlation: with the neighbours; stations.
        below: how many robust standard deviations it is below the other stations'; stations.
    """

    correlation: Floats
    below: Floats


def agreement(hours: Hourly) -> Agreement:
    """How well each station follows its neighbours, hour by hour."""
    found = correlation(hours.value, hours.reference, COMMON_HOURS / hours.step)
    return Agreement(found, below_others(fisher(found)))


def amplitude(hours: Hourly) -> Floats:
    """The range of each day as a share of the neighbours'; stations × days."""
    ranges = []
    for values in (hours.value, hours.reference):
        days = hours.by_day(np.where(np.isnan(hours.residual), np.nan, values))
        known = np.count_nonzero(~np.isnan(days), axis=2) * hours.step >= RANGE_HOURS
        span = np.fmax.reduce(days, axis=2) - np.fmin.reduce(days, axis=2)
        ranges.append(np.where(known, span, np.nan))
    return ranges[0] / np.maximum(ranges[1], 1e-9)


def sunlit(hours: Hourly) -> tuple[Floats, Floats]:
    """How much warmer than its neighbours a thermometer is in the hours in which it is warmest beside them.

    A station with a larger range of the day than its neighbours, a valley's, is as much colder by night as it is warmer
    by day; one in the sun is warmer for some hours and nothing else. So what it is colder is taken off.

    Returns:
        In the variable's unit; stations. And the same for each day; stations × days.
    """
    width = max(1, round(3 / hours.step))
    cycle = diurnal(hours, hours.residual)
    smooth = np.mean([np.roll(cycle, shift, axis=1) for shift in range(-(width // 2), width - width // 2)], axis=0)
    middle = median(smooth)
    there = ~np.isnan(middle)
    filled = np.where(there[:, None], np.nan_to_num(smooth), 0.0)
    at = np.argmax(filled, axis=1)
    warmer = filled.max(axis=1) - np.nan_to_num(middle)
    colder = np.nan_to_num(middle) - filled.min(axis=1)
    excess = np.where(there, warmer - np.maximum(colder, 0), np.nan)
    days = hours.by_day(hours.residual)
    place = (at[:, None] + np.arange(-(width // 2), width - width // 2)) % hours.per_day
    in_sun = median(np.take_along_axis(days, np.broadcast_to(place[:, None], (*days.shape[:2], place.shape[1])), 2))
    return excess, in_sun - median(days)


def out_of_place(hours: Hourly, stations: list[Station], around: Neighbours) -> Floats:
    """By how much a station's level differs from what others' imply at its height; NaN without them.

    Args:
        hours: the variable.
        stations: the network.
        around: the others. A station whose height is wrong has neighbours nowhere, if they have to be as high.
    """
    height = np.array([one.elevation for one in stations], dtype=np.float64)
    if hours.variable.name == "bar":
        return _pressure(hours, height, around)
    near = np.where(around.close, hours.level[around.rows], np.nan)
    if hours.variable.standard_name == "air_temperature":
        apart = np.nan_to_num(height[around.rows] - height[:, None])
        near = near + lapse_rate(hours, height) * apart
    enough = np.count_nonzero(~np.isnan(near), axis=1) >= 2
    return np.where(enough, hours.level - median(near), np.nan)


def lapse_rate(hours: Hourly, height: Floats) -> float:
    """How fast the temperature falls with height among neighbours, in K a metre; `height` in metres, by station."""
    apart = height[hours.neighbours.rows] - height[:, None]
    colder = hours.level[:, None] - hours.level[hours.neighbours.rows]
    use = hours.neighbours.exists & (np.abs(np.nan_to_num(apart)) >= PAIR_METRES) & ~np.isnan(colder)
    if np.count_nonzero(use) < PAIRS:
        return LAPSE_RATE
    return float(np.clip(np.median(colder[use] / apart[use]), 0, 0.01))


def _pressure(hours: Hourly, height: Floats, near: Neighbours) -> Floats:
    """By how many hPa each pressure is off its neighbours', as it is or reduced to sea level; stations."""

    def sea_level(level: Floats, metres: Floats, around: Floats) -> Floats:
        """The level in hPa as it is, or reduced to sea level from `metres`, whichever is nearer to `around`."""
        reduced = level * np.exp(metres / SCALE_HEIGHT)
        return np.where(np.abs(level - around) <= np.abs(reduced - around), level, reduced)

    theirs = np.where(near.close, hours.level[near.rows], np.nan)
    at_sea_level = np.full(len(height), SEA_LEVEL)
    for _ in range(3):
        at_sea_level = median(sea_level(theirs, height[near.rows], at_sea_level[:, None]))
    off: Floats = sea_level(hours.level, height, at_sea_level) - at_sea_level
    return off


def usual(values: Floats, least: float) -> Floats:
    """Values less the network's median, in robust standard deviations of the network's stations."""
    return np.asarray((values - median(values)) / spread(values, least))
