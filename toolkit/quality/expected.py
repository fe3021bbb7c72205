"""What its neighbours, and its own usual difference from them, imply for a station.

Each station that is asked implies a value: its own reading, plus the usual difference between the two, which is the
median over the days before. So neither elevation nor reduction to sea level nor a sensor's own offset has to be known,
and a station is not compared with what its neighbours measure but with what they imply for it. The values implied by
those whose difference has been steadiest are put together by a weighted median; what of the difference depends on the
hour of the day (a sea breeze, a valley's inversion) is taken off as well.

The idea is that of the buddy check and of spatial regression in titanlib and MADIS (level 3, spatial consistency), with
the difference learnt from the past instead of a lapse rate.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from toolkit.quality.arrays import MAD_TO_SIGMA, Bools, Floats, Ints, deviation, median, weighted_median
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import Series

# So many stations at a time: what a processor's cache holds.
AT_A_TIME = 256
# The weighted median is taken over so many, those with the steadiest difference.
BEST = 5
# A usual difference needs at least so many common readings.
COMMON = 6
# From as many earlier moments with readings on, the window itself is not needed to learn what is usual.
ENOUGH_LEVELS = 8
# The part of the difference that depends on the time of day: medians of bins, each with its surroundings.
BIN_HOURS = 2
AROUND_HOURS = 2.0
# A diurnal cycle is believed from so many days on, and seen on d days by d / (d + this).
CYCLE_DAYS = 2.5
DAYS_HALF_BELIEVED = 2
# A station known for less than this may differ from its neighbours in ways that were not seen yet.
YOUNG_DAYS = 2.0


@dataclass(slots=True)
class Expected:
    """What is expected of some stations, on the scale of comparison.

    Attributes:
        rows: which stations.
        weights: of each station that is asked, rows by `ASKED`; 0 where it is not.
        asked: whether anyone can be asked, per row.
        verified: whether one of them is a neighbour by the settings.
        residual: what was measured less what is expected, rows by slots.
        plain: the same against the unweighted median of what each implies and of the station's own past: in a group
            where one is wrong, it is the one farthest off.
        usual: the residual's usual size, one robust standard deviation, per row.
        sigma: the same slot by slot: larger where the best neighbours are silent or the station is young.
        change: how much more a station changed from slot to slot than those that are asked, rows by slots - 1.
    """

    rows: Ints
    weights: Floats
    asked: Bools
    verified: Bools
    residual: Floats
    plain: Floats
    usual: Floats
    sigma: Floats
    change: Floats


def expect(series: Series, neighbours: Neighbours, rows: Ints, without: Bools) -> Expected:
    """What is expected of the stations at `rows`.

    Args:
        series: the network's readings.
        neighbours: who is near whom.
        rows: the stations to look at.
        without: stations that are not asked, because they are thought wrong themselves.
    """
    parts = [
        _expect(series, neighbours, rows[first : first + AT_A_TIME], without)
        for first in range(0, max(len(rows), 1), AT_A_TIME)
    ]
    return Expected(
        **{item.name: np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Expected)}
    )


def _expect(series: Series, neighbours: Neighbours, rows: Ints, without: Bools) -> Expected:
    scale = series.scale
    near = neighbours.rows[rows]
    there = neighbours.there[rows] & ~without[near]
    own, earlier = series.scaled[rows], series.levels[rows]
    enough = np.count_nonzero((~np.isnan(series.levels)).any(axis=0)) >= ENOUGH_LEVELS
    learnt = series.levels if enough else np.hstack([series.levels, series.scaled])

    difference = learnt[rows][:, None] - np.where(there[:, :, None], learnt[near], np.nan)
    usual_difference = median(difference)
    spread = MAD_TO_SIGMA * median(np.abs(difference - usual_difference[:, :, None]))
    common = np.count_nonzero(~np.isnan(difference), axis=2)
    weights = np.where(common >= COMMON, 1 / np.square(np.maximum(spread, scale.noise)), 0.0)
    best = np.argsort(-weights, axis=1)[:, :BEST]
    asked: Bools = np.any(weights > 0, axis=1)
    weight = [np.take_along_axis(weights, best[:, [place]], 1) for place in range(best.shape[1])]
    np.put_along_axis(weights, np.argsort(-weights, axis=1)[:, BEST:], 0.0, 1)

    def implied(readings: Floats) -> list[Floats]:
        """What each of the best implies; NaN where it does not count."""
        found = []
        for place in range(best.shape[1]):
            at = best[:, [place]]
            plus = np.where(weight[place] > 0, np.take_along_axis(usual_difference, at, 1), np.nan)
            found.append(readings[np.take_along_axis(near, at, 1)[:, 0]] + plus)
        return found

    by_each = implied(series.scaled)
    middle = median(learnt[rows])[:, None]  # of its own past, where nobody can be asked
    value = np.where(asked[:, None], weighted_median(by_each, weight), middle)
    own_past = np.broadcast_to(middle, own.shape)
    one = np.ones((1, 1))
    plain = weighted_median([*by_each, own_past], [one] * (len(by_each) + 1))
    value_earlier = np.where(asked[:, None], weighted_median(implied(series.levels), weight), middle)
    residual, residual_earlier = own - value, earlier - value_earlier

    days = series.days[rows]
    residual, residual_earlier = _without_diurnal_cycle(series, residual, residual_earlier, days)
    learnt_residual = residual_earlier if enough else residual - median(residual)[:, None]
    usual = np.maximum(np.nan_to_num(deviation(learnt_residual)), scale.noise)

    # The usual size is that of the best neighbours; where these are silent the others know less.
    present = np.sum([np.where(np.isnan(each), 0.0, of) for each, of in zip(by_each, weight, strict=True)], axis=0)
    share = np.where(asked[:, None], np.sum(weight, axis=0) / np.maximum(present, 1e-9), 1.0)
    sigma = usual[:, None] * np.sqrt(np.clip(share, 1, 1e4))
    both = np.hstack([earlier, own])
    varied = np.nan_to_num(deviation(both - median(both)[:, None]))
    sigma = np.maximum(sigma, (0.5 * np.clip(1 - days / YOUNG_DAYS, 0, 1) * varied)[:, None])

    change, others_change = np.diff(own, axis=1), np.nan_to_num(np.diff(value, axis=1))
    together = np.sign(change) == np.sign(others_change)
    change = change - np.where(together, np.sign(change) * np.minimum(np.abs(change), np.abs(others_change)), 0)
    return Expected(
        rows=rows,
        weights=weights,
        asked=asked,
        verified=np.any(neighbours.close[rows] & (weights > 0), axis=1),
        residual=residual,
        plain=own - plain,
        usual=usual,
        sigma=sigma,
        change=change,
    )


def _without_diurnal_cycle(series: Series, residual: Floats, earlier: Floats, days: Floats) -> tuple[Floats, Floats]:
    """Take off what the residual is at this time of day as a rule."""
    bins = 24 // BIN_HOURS
    cycle = np.zeros((len(residual), bins))
    for number in range(bins):
        centre = (number + 0.5) * BIN_HOURS
        apart = np.abs((series.level_hours - centre + 12) % 24 - 12)
        near = apart <= AROUND_HOURS
        if np.count_nonzero(near) >= 3:
            cycle[:, number] = np.nan_to_num(median(earlier[:, near]))
    cycle *= np.where(days >= CYCLE_DAYS, days / (days + DAYS_HALF_BELIEVED), 0)[:, None]

    def at(hours: Floats) -> Floats:
        place = hours / BIN_HOURS - 0.5
        first, part = np.floor(place).astype(np.int64), place % 1
        return cycle[:, first % bins] * (1 - part) + cycle[:, (first + 1) % bins] * part

    return residual - at(series.hours), earlier - at(series.level_hours)
