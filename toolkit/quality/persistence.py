"""Persistence: a reading that stays the same for longer than weather does.

QARTOD's flat line test, WMO-No. 8's minimum required variability, against the longest time that the same was seen here
before and elsewhere, and against what neighbours did meanwhile. A calm is told from a stalled anemometer by them too:
there was no such calm in days with as much wind around.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.expected import Expected
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import Series

READINGS = 6
HOURS = 2.0
# With so many days of readings the station's own past counts most.
KNOWN_DAYS = 3.0
# A neighbour that stayed the same for this part of the time makes it weather.
LIKEWISE = 0.6
# The neighbours moved: in usual deviations, and in steps of the sensor.
MOVED = 2.5
STEPS = 4.0
# How much longer than ever before, and hours at least: where the neighbours moved; where not; without neighbours.
LONGER_MOVED, LONGER_MOVED_YOUNG, HOURS_MOVED = 1.4, 2.0, 2.5
LONGER, HOURS_ALIKE = 2.5, 5.0
LONGER_ALONE, HOURS_ALONE = 2.0, 4.0
# Calm: the least wind around (on the root scale), the part of the time that neighbours may be calm, and how much longer
# than ever before the station is calm with as much wind around.
WIND_AROUND = 1.5
CALM_AROUND = 0.2
LONGER_WINDY = 2.5
LONGER_CALM, LONGER_CALM_ALONE = 1.4, 1.7
HOURS_CALM, HOURS_CALM_ALONE = 4.0, 6.0
# Without neighbours a station's own calms have to be learnt: after d days it takes 1 + this / d times as long.
DAYS_TO_LEARN = 0.5


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of one value, stations by slots.

    Attributes:
        length: up to each slot, how many slots the run has lasted; 0 where nothing was measured or it does not count.
        start: the slot in which it began.
    """

    length: Ints
    start: Ints

    @classmethod
    def of(cls, readings: Floats, counts: Bools) -> Runs:
        """The runs of `readings` where `counts`; a gap does not end one."""
        slots = readings.shape[1]
        there = ~np.isnan(readings)
        place = np.arange(slots)
        last = np.maximum.accumulate(np.where(there, place, -1), axis=1)
        previous = np.hstack([np.full((len(readings), 1), -1), last[:, :-1]])
        before = np.take_along_axis(readings, np.maximum(previous, 0), 1)
        begins = there & ((previous < 0) | (readings != before))
        start = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
        return cls(np.where(there & counts, place - start + 1, 0), start)


def flag(series: Series, expected: Expected, neighbours: Neighbours) -> Bools:
    """The longest run that reaches into the window, where it is too long; rows by the window's slots."""
    readings = series.scaled
    if series.nature == "gusty":
        calm, windy = readings == 0, readings > 0
        return _calm(series, expected, neighbours, Runs.of(readings, calm)) | _stuck(
            series, expected, neighbours, Runs.of(readings, windy)
        )
    counts = np.ones(readings.shape, dtype=bool)
    if series.variable.saturation is not None:
        counts = readings < series.variable.saturation
    return _stuck(series, expected, neighbours, Runs.of(readings, counts))


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Per row of `Expected`: the longest run that reaches into the window, and what else is known of it."""

    chosen: Ints  # places in the rows, of runs that are long enough to be looked at
    first: Ints
    last: Ints
    length: Ints
    longest_before: Floats  # in slots, here or, with little past, elsewhere
    known: Bools  # whether there is enough past
    alike: Floats  # the longest run of a neighbour in the same time, as a part of it
    level: Floats  # the median of what is expected meanwhile
    moved: Floats  # how far what is expected moved meanwhile, 5% to 95%


def _candidates(series: Series, expected: Expected, neighbours: Neighbours, runs: Runs) -> _Candidates:
    window, rows = series.window, expected.rows
    slots = series.scaled.shape[1]
    length = runs.length[rows]
    last = slots - window + np.argmax(length[:, slots - window :], axis=1)
    longest = np.take_along_axis(length, last[:, None], 1)[:, 0]
    chosen = np.flatnonzero((longest >= READINGS) & (longest >= HOURS * series.per_hour))
    last, longest = last[chosen], longest[chosen]
    first = runs.start[rows[chosen], last]
    place = np.arange(slots)
    before = np.where(place < first[:, None], length[chosen], 0).max(axis=1, initial=0)
    each = runs.length[series.measured].max(axis=1, initial=0)
    elsewhere = float(np.quantile(each, 0.75)) if len(each) else 0.0
    known = series.days[rows[chosen]] >= KNOWN_DAYS
    inside = (place >= first[:, None]) & (place <= last[:, None])

    near = neighbours.rows[rows[chosen]]
    asked = neighbours.close[rows[chosen]] & (expected.weights[chosen] > 0)
    meanwhile = np.where(inside[:, None], runs.length[near], 0).max(axis=2, initial=0)
    alike = np.where(asked, np.minimum(meanwhile, longest[:, None]), 0).max(axis=1, initial=0) / np.maximum(longest, 1)

    value = series.scaled[rows[chosen]] - expected.residual[chosen]
    value = np.sort(np.where(inside, value, np.nan), axis=1)
    count = np.count_nonzero(~np.isnan(value), axis=1)

    def at(share: float) -> Floats:
        found: Floats = np.take_along_axis(value, np.maximum((count * share).astype(np.int64) - 1, 0)[:, None], 1)[:, 0]
        return found

    return _Candidates(
        chosen=chosen,
        first=first,
        last=last,
        length=longest,
        longest_before=np.maximum(before, elsewhere * np.where(known, 0.6, 1.0)),
        known=known,
        alike=alike,
        level=np.nan_to_num(at(0.5)),
        moved=np.where((count > 3) & expected.asked[chosen], at(0.95) - at(0.05), np.nan),
    )


def _stuck(series: Series, expected: Expected, neighbours: Neighbours, runs: Runs) -> Bools:
    scale, hour = series.scale, series.per_hour
    found = _candidates(series, expected, neighbours, runs)
    length, before = found.length, found.longest_before
    verified = expected.verified[found.chosen]
    moved = found.moved > np.maximum(STEPS * scale.resolution, MOVED * expected.usual[found.chosen])
    longer = np.where(found.known, LONGER_MOVED, LONGER_MOVED_YOUNG)
    stuck = np.where(
        verified,
        (found.alike < LIKEWISE)
        & (
            (moved & (length > np.maximum(longer * before, HOURS_MOVED * hour)))
            | (length > np.maximum(LONGER * before, HOURS_ALIKE * hour))
        ),
        length > np.maximum(LONGER_ALONE * before, HOURS_ALONE * hour),
    )
    return _flagged(series, expected, found, stuck)


def _calm(series: Series, expected: Expected, neighbours: Neighbours, runs: Runs) -> Bools:
    hour, slots = series.per_hour, series.scaled.shape[1]
    found = _candidates(series, expected, neighbours, runs)
    rows, chosen, length = expected.rows[found.chosen], found.chosen, found.length
    place = np.arange(slots)
    inside = (place >= found.first[:, None]) & (place <= found.last[:, None])

    calm_near = (inside[:, None] & (series.scaled[neighbours.rows[rows]] == 0)).sum(axis=2)
    asked = expected.weights[chosen] > 0
    around = (calm_near * asked).sum(axis=1) / np.maximum(asked.sum(axis=1) * inside.sum(axis=1), 1)

    several = (neighbours.close[rows] & asked).sum(axis=1) > 1
    hours = np.where(several, HOURS_CALM, HOURS_CALM_ALONE * (1 + DAYS_TO_LEARN / np.maximum(series.days[rows], 0.1)))
    # How long the station was ever calm with as much wind around.
    readings = series.scaled[rows]
    value = readings - expected.residual[chosen]
    windy = ~np.isnan(readings) & (value >= 0.85 * found.level[:, None])
    earlier = windy & (place < found.first[:, None])
    so_far = np.cumsum(windy & (readings == 0), axis=1)
    of_run = so_far - np.take_along_axis(so_far, runs.start[rows], 1)
    longest_windy = np.where(earlier & (readings == 0), of_run + 1, 0).max(axis=1, initial=0)
    of_this = (inside & windy).sum(axis=1)
    never = (
        expected.asked[chosen] & (found.level > WIND_AROUND) & (earlier.sum(axis=1) >= 6 * hour)
        & (of_this > LONGER_WINDY * longest_windy) & (length >= hours * hour)
    )  # fmt: skip
    longer = np.where(
        several,
        (length > np.maximum(LONGER_CALM * found.longest_before, hours * hour)) & (found.level > WIND_AROUND * 0.8),
        length > np.maximum(LONGER_CALM_ALONE * found.longest_before, hours * hour),
    )
    return _flagged(series, expected, found, (around < CALM_AROUND) & (never | longer))


def _flagged(series: Series, expected: Expected, found: _Candidates, wrong: Bools) -> Bools:
    slots = series.scaled.shape[1]
    place = np.arange(slots)
    flagged = np.zeros((len(expected.rows), slots), dtype=bool)
    flagged[found.chosen] = wrong[:, None] & (place >= found.first[:, None]) & (place <= found.last[:, None])
    return flagged[:, -series.window :]
