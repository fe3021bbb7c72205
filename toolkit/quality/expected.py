"""What a station's neighbours, and its usual difference from each of them, imply for it.

Each neighbour implies a value: its own reading plus the usual difference between the two stations, which is the median
over the days before. So neither elevation nor reduction to sea level nor a sensor's own offset has to be known, and a
station is compared not with what its neighbours measure but with what they imply for it. The weighted median of what
the steadiest neighbours imply is what is expected; the part of the difference that depends on the hour of the day (a
sea breeze, an inversion in a valley) is taken off as well.

The idea is that of the buddy check and of spatial regression in titanlib and MADIS (level 3, spatial consistency), with
the difference learnt from the past instead of taken from a lapse rate. The numbers below were chosen with
`make bench-detection`, 2026-11-24.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.quality.arrays import (
    MAD_TO_SIGMA,
    Bools,
    Floats,
    Ints,
    deviation,
    lower_median,
    median,
    median_of,
    weighted_median,
)
from toolkit.quality.blocks import by_rows
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import Series

# The weighted median is taken over the neighbours whose difference is steadiest, so many of them.
BEST = 5
# Common readings that a usual difference needs.
COMMON = 6
# With so many earlier moments the usual difference is learnt from these alone, otherwise from the window as well.
ENOUGH_HISTORY = 8
# The diurnal cycle of the difference: a median for every so many hours of the day, of the readings up to so many hours
# before and after.
BIN_HOURS = 2
AROUND_HOURS = 2.0
# The cycle is taken off from so many days of history on, and after d days by d / (d + this).
CYCLE_DAYS = 2.5
DAYS_HALF_BELIEVED = 2
# A station known for fewer days may differ from its neighbours in ways that have not shown yet: half of its own
# variation counts as spread at first, and less by the day.
YOUNG_DAYS = 2.0
YOUNG_SHARE = 0.5


@dataclass(slots=True, kw_only=True)
class Expected:
    """What is expected of some stations, on the scale of comparison.

    Attributes:
        rows: the stations, as rows of the series.
        has_reference: whether there is any neighbour to compare with; rows.
        has_close_neighbour: whether one of them is a neighbour by the settings and not only of the region; rows.
        value: what is expected; rows × slots.
        residual: what was measured less that; rows × slots.
        residual_sigma: one robust standard deviation of the residual; rows.
        sigma: the same slot by slot, larger where the best neighbours disagree more than they do as a rule or are
            silent, or the station is young; rows × slots.
    """

    rows: Ints
    has_reference: Bools
    has_close_neighbour: Bools
    value: Floats
    residual: Floats
    residual_sigma: Floats
    sigma: Floats


@dataclass(slots=True, kw_only=True)
class Comparison(Expected):
    """What is expected of some stations, and what only the tests need of it.

    Attributes:
        weights: the weight of each neighbour, 0 where it is not compared with; rows × neighbours.
        unweighted_residual: what was measured less the unweighted median of what each neighbour implies and of the
            station's own past; rows × window slots. Among neighbours of which one is wrong, it is largest for that one.
        change: the change from slot to slot, less the part of it that the neighbours imply; rows × (slots - 1).
    """

    weights: Floats
    unweighted_residual: Floats
    change: Floats


class Expectations:
    """What neighbours imply in a network, for whichever stations that is asked.

    Args:
        series: the network's readings.
        neighbours: which stations are near which.
        looser: how many times as far from it as elsewhere each station's readings may be; None where there is no
            exception.
    """

    def __init__(self, series: Series, neighbours: Neighbours, looser: Floats | None = None) -> None:
        self._series, self._neighbours, self._looser = series, neighbours, looser
        enough = series.enough_history(ENOUGH_HISTORY)
        self._learnt = series.history if enough else np.hstack([series.history, series.scaled])

    def few(self, rows: Ints, excluded: Bools) -> Comparison:
        """What is expected of a few stations, and what tests need of it; see `many`."""
        found = _expect(self._series, self._neighbours, rows, excluded, self._learnt)
        if self._looser is not None:
            found.sigma *= self._looser[rows, None]
            found.residual_sigma *= self._looser[rows]
        return found

    def many(self, rows: Ints, excluded: Bools) -> Expected:
        """What is expected of some stations.

        Args:
            rows: the stations to look at.
            excluded: for each station of the network, whether it is left out as a neighbour, because it is thought
                wrong itself.
        """
        names = [item.name for item in fields(Expected)]

        def some(block: slice) -> list[npt.NDArray[Any]]:
            part = self.few(rows[block], excluded)
            return [getattr(part, name) for name in names]

        return Expected(**dict(zip(names, by_rows(some, len(rows)), strict=True)))


def _expect(series: Series, neighbours: Neighbours, rows: Ints, excluded: Bools, learnt: Floats) -> Comparison:
    """As `expect`, for a few stations; `learnt` is what usual differences are learnt from, stations × moments."""
    scale = series.scale
    near = neighbours.rows[rows]
    usable = neighbours.exists[rows] & ~excluded[near]
    own, earlier = series.scaled[rows], series.history[rows]
    enough = learnt is series.history

    # rows × neighbours × moments
    difference = learnt[rows][:, None] - np.where(usable[:, :, None], learnt[near], np.nan)
    usual_difference = median(difference)
    spread = MAD_TO_SIGMA * median(np.abs(difference - usual_difference[:, :, None]))
    common = np.count_nonzero(~np.isnan(difference), axis=2)
    weights = np.where(common >= COMMON, 1 / np.square(np.maximum(spread, scale.noise)), 0.0)
    order = np.argsort(-weights, axis=1)
    best = order[:, :BEST]
    has_reference: Bools = np.any(weights > 0, axis=1)
    weight = [np.take_along_axis(weights, best[:, [place]], 1) for place in range(best.shape[1])]
    np.put_along_axis(weights, order[:, BEST:], 0.0, 1)

    def implied(readings: Floats) -> list[Floats]:
        """What each of the best neighbours implies, rows × columns of `readings`; NaN where it has no weight."""
        found = []
        for place in range(best.shape[1]):
            at = best[:, [place]]
            plus = np.where(weight[place] > 0, np.take_along_axis(usual_difference, at, 1), np.nan)
            found.append(readings[np.take_along_axis(near, at, 1)[:, 0]] + plus)
        return found

    by_each = implied(series.scaled)
    own_median = median(learnt[rows])[:, None]  # what is expected where there is no neighbour to compare with
    value = np.where(has_reference[:, None], weighted_median(by_each, weight), own_median)
    in_window = own[:, -series.window :]
    own_past = np.broadcast_to(own_median, in_window.shape)
    unweighted = lower_median([*(each[:, -series.window :] for each in by_each), own_past])
    earlier_by_each = implied(series.history)
    earlier_value = np.where(has_reference[:, None], weighted_median(earlier_by_each, weight), own_median)

    days = series.days[rows]
    cycle, earlier_cycle = diurnal_cycle(series, earlier - earlier_value, days)
    residual, earlier_residual = own - value - cycle, earlier - earlier_value - earlier_cycle
    learnt_residual = earlier_residual if enough else residual - median(residual)[:, None]
    residual_sigma = np.maximum(np.nan_to_num(deviation(learnt_residual)), scale.noise)

    # That is the spread where the neighbours agree as they do as a rule. Where they disagree more, so may the station.
    doubt = np.ones(own.shape)
    if best.shape[1]:
        disagreement = median_of([np.abs(each - value) for each in by_each])
        earlier_disagreement = median_of([np.abs(each - earlier_value) for each in earlier_by_each])
        usual = np.maximum(np.nan_to_num(median(earlier_disagreement)), scale.noise)
        doubt = np.fmax(disagreement / usual[:, None], 1.0)

    # That is the spread with the best neighbours. In slots in which these are silent it is larger, by the square root
    # of the weights.
    present = np.sum([np.where(np.isnan(each), 0.0, of) for each, of in zip(by_each, weight, strict=True)], axis=0)
    share = np.where(has_reference[:, None], np.sum(weight, axis=0) / np.maximum(present, 1e-9), 1.0)
    sigma = residual_sigma[:, None] * np.sqrt(np.clip(share, 1, 1e4)) * doubt
    both = np.hstack([earlier, own])
    own_variation = np.nan_to_num(deviation(both - median(both)[:, None]))
    sigma = np.maximum(sigma, (YOUNG_SHARE * np.clip(1 - days / YOUNG_DAYS, 0, 1) * own_variation)[:, None])

    change, others_change = np.diff(own, axis=1), np.nan_to_num(np.diff(value, axis=1))
    together = np.sign(change) == np.sign(others_change)
    change = change - np.where(together, np.sign(change) * np.minimum(np.abs(change), np.abs(others_change)), 0)
    return Comparison(
        rows=rows,
        weights=weights,
        has_reference=has_reference,
        has_close_neighbour=np.any(neighbours.close[rows] & (weights > 0), axis=1),
        value=value + cycle,
        residual=residual,
        unweighted_residual=in_window - unweighted,
        residual_sigma=residual_sigma,
        sigma=sigma,
        change=change,
    )


def diurnal_cycle(series: Series, earlier: Floats, days: Floats) -> tuple[Floats, Floats]:
    """What something, such as the residual, usually is at each hour of the day.

    Args:
        series: the variable.
        earlier: what it was at the moments of the history, from which the cycle is learnt; rows × moments.
        days: for how long each station has been known; rows.

    Returns:
        The cycle at the slots and at the moments, each rows × these.
    """
    bins = 24 // BIN_HOURS
    cycle = np.zeros((len(earlier), bins))
    history_hours = series.history_hours
    for number in range(bins):
        centre = (number + 0.5) * BIN_HOURS
        apart = np.abs((history_hours - centre + 12) % 24 - 12)
        near = apart <= AROUND_HOURS
        if np.count_nonzero(near) >= 3:
            cycle[:, number] = np.nan_to_num(median(earlier[:, near]))
    cycle *= np.where(days >= CYCLE_DAYS, days / (days + DAYS_HALF_BELIEVED), 0)[:, None]

    def at(hours: Floats) -> Floats:
        """The cycle at some hours of the day, rows × hours, by linear interpolation."""
        place = hours / BIN_HOURS - 0.5
        first, part = np.floor(place).astype(np.int64), place % 1
        return cycle[:, first % bins] * (1 - part) + cycle[:, (first + 1) % bins] * part

    return at(series.hours), at(history_hours)
