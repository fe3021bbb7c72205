"""Direction: a vane that no longer turns with the wind, or that shows another direction than it used to.

All of it is on the circle, and of readings in a wind: in a calm a vane points anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.quality.arrays import Bools, Floats, Ints, median, quantile
from toolkit.quality.base import TAIWAN, Evidence, Exclusion, Preparation, Sample, Thresholds, threshold
from toolkit.quality.blocks import by_rows
from toolkit.quality.contradiction import Contradictions, ContradictionTest, of_rows
from toolkit.quality.criteria import Condition
from toolkit.quality.packed import some_rows
from toolkit.quality.runs import Runs
from toolkit.variables import BY_NAME, Variable

_AIRPORTS = "three airports around New York, a year of hourly reports"


@dataclass(frozen=True, slots=True)
class DirectionThresholds(Thresholds):
    """How long a vane may point to one place, and how far it may turn against its neighbours."""

    wind: float = threshold(7.0, "km/h", "a weaker wind does not hold a vane", "2 m/s, WMO-No. 8, vol. I, ch. 5")
    readings: int = threshold(14, "readings", "in a wind, the shortest run of one direction that is looked at")
    hours: float = threshold(4.0, "h", "and so long")
    own: float = threshold(1.5, "times the longest run before", "too long, by the station's own past", _AIRPORTS)
    elsewhere: float = threshold(1.25, "times the median station's longest run before", "too long", _AIRPORTS)
    alone: float = threshold(2.0, "", "times as long where no close neighbour has a vane")
    likewise: float = threshold(0.6, "", "a neighbour of one direction for this share of the time: such a wind blew")
    steady_wind: float = threshold(
        0.97, "", "or most of them with directions of a mean vector of this length: within some 15° of one direction",
        TAIWAN
    )  # fmt: skip
    goes_with: float = threshold(
        0.8, "", "or the one of them whose wind went best with the station's before, of a mean vector of the "
        "differences of this length: the land and sea breezes of others turn every day beside an island's trade wind",
        "31 stations in Taiwan and on the islands around it, 21 months of hourly reports"
    )  # fmt: skip
    turned: float = threshold(75.0, "°", "the mean difference from a neighbour changed by more than this")
    usual: float = threshold(1.5, "times", "and by more than so many times what it often did in a time as long before",
                             _AIRPORTS)  # fmt: skip
    often: float = threshold(0.9, "", "share of the times before in which it did less", _AIRPORTS)
    steady: float = threshold(0.8, "", "length of the mean vector of the differences: below, the winds are not alike")
    common: float = threshold(0.6, "", "share of the time with wind at both stations that makes a mean difference")
    before: int = threshold(4, "", "times as long before that tell what is usual")
    km: float = threshold(60.0, "km", "of neighbours within this", TAIWAN)
    gentle: float = threshold(
        12.0, "km/h", "in a weaker mean wind at the station a vane is not called turned: a sea breeze or a wind of a "
        "valley is of the place alone", "Beaufort force 3, 3.4 m/s, WMO-No. 8, vol. I, ch. 5"
    )  # fmt: skip
    agree: int = threshold(2, "neighbours", "so many, and most of those that can tell, see the vane turned")
    regime: float = threshold(
        45.0, "°", "a time before tells what is usual if the neighbour's mean direction was within this of what it is: "
        "between hills each wind makes differences of its own", TAIWAN
    )  # fmt: skip
    one_wind: float = threshold(
        0.6, "", "or if its mean directions before have a mean vector shorter than this: it knows other winds", TAIWAN
    )  # fmt: skip


LIMITS = DirectionThresholds()


def judge(sample: Sample) -> Contradictions:
    """Which vanes are stuck or turned."""
    series = sample.series

    def some(block: slice) -> list[npt.NDArray[Any]]:
        speed = some_rows(sample.values, series.variable.speed, block)
        found = np.where(speed >= LIMITS.wind, series.values[block] % 360, np.nan)
        return [found, *_runs(found).packed()]

    towards, *runs = by_rows(some, len(series.values))
    there = ~np.isnan(towards[:, -series.window :])
    stuck = _stuck(sample, towards, Runs(*runs))
    turned = _turned(sample, towards) & ~stuck.any(axis=1)
    between = np.maximum.accumulate(there, axis=1) & np.maximum.accumulate(there[:, ::-1], axis=1)[:, ::-1]
    return {
        "it has read {value}° without a change for hours of wind": stuck,
        "its direction has turned against that of its neighbours": turned[:, None] & between,
    }


class Direction(ContradictionTest):
    """A stuck or a misaligned vane."""

    name = "direction"
    standard_name = "flat line; spatial consistency"
    source = "QARTOD, manual for wind data; WMO-No. 8, vol. I, ch. 5 (averages on the circle)"
    finds = "a wind vane that is stuck, or that has turned on its mast"
    limit = "the longest such time before, here and elsewhere; the usual differences from neighbours"
    thresholds = LIMITS
    evidence = Evidence.NOT_SHARED
    exclusion = Exclusion.NEVER
    preparation = Preparation(judge, of_rows)

    def applies(self, variable: Variable) -> bool:
        """To directions whose speed is known."""
        return variable.nature == "circular" and variable.speed in BY_NAME

    def needs(self, variable: Variable) -> set[str]:
        """The speed."""
        return {variable.speed}


def _runs(towards: Floats) -> Runs:
    """Runs of one direction; no calm or gap ends one, however long it is."""
    return Runs.of(towards, np.ones(towards.shape, dtype=bool), towards.shape[1])


class _Counted:
    """How many stations have which whole number, from 0 to the number of columns, in each column.

    Args:
        numbers: stations × columns.
    """

    def __init__(self, numbers: npt.NDArray[Any]) -> None:
        self._numbers = numbers
        self._counts: dict[int, Ints] = {}

    def median_of_others(self, column: int, own: int) -> float:
        """The median of a column without one station that has the number `own`; NaN if there is no other."""
        if column not in self._counts:
            self._counts[column] = np.bincount(self._numbers[:, column], minlength=self._numbers.shape[1] + 1)
        counts = self._counts[column].copy()
        counts[own] -= 1
        so_far = np.cumsum(counts)
        number = int(so_far[-1])
        if not number:
            return float("nan")
        lower, upper = np.searchsorted(so_far, [(number - 1) // 2 + 1, number // 2 + 1])
        return float(lower + upper) / 2


def _stuck(sample: Sample, towards: Floats, runs: Runs) -> Bools:
    """The window's readings of runs that are too long, stations × window slots."""
    window, hour, neighbours = sample.series.window, sample.series.per_hour, sample.neighbours
    length = runs.length
    found = np.zeros((len(towards), window), dtype=bool)
    now = length[:, -window:]
    longest = now.max(axis=1, initial=0)
    least = max(LIMITS.readings, round(LIMITS.hours * hour))
    limits, likewise = np.full(len(longest), float(least)), np.zeros(len(longest))
    # In column t the longest run up to slot t.
    so_far = np.maximum.accumulate(length, axis=1)
    of_all = _Counted(so_far)
    for row in np.flatnonzero(longest >= least):
        after = towards.shape[1] - window + int(np.argmax(now[row])) + 1
        first = int(runs.start[row, after - 1])
        own = int(so_far[row, first - 1]) if first else 0
        elsewhere = of_all.median_of_others(first - 1, own) if first else 0.0
        limit = max(least, LIMITS.own * own, LIMITS.elsewhere * elsewhere)
        near = neighbours.rows[row, neighbours.close[row]]
        theirs = towards[near, first:after]
        known = np.count_nonzero(~np.isnan(theirs), axis=1)
        alike = _runs(theirs).length.max(axis=1, initial=0) >= LIMITS.likewise * np.maximum(known, 1)
        steady = np.abs(np.nansum(np.exp(1j * np.radians(theirs)), axis=1)) >= LIMITS.steady_wind * np.maximum(known, 1)
        asked = known * 2 > longest[row]
        limits[row] = limit * (1 if asked.any() else LIMITS.alone)
        most_steady = np.count_nonzero(steady & asked) * 2 > np.count_nonzero(asked)
        steadily = steady & (most_steady | _goes_best(towards, int(row), near, first))
        likewise[row] = np.count_nonzero((alike | steadily) & asked)
        if likewise[row] or longest[row] < limits[row]:
            continue
        found[row, max(0, first - towards.shape[1] + window) : after - towards.shape[1] + window] = True
    sample.note(
        found.any(axis=1),
        Condition("the longest run of one direction in a wind", longest, "≥", limits, "readings"),
        Condition("neighbours that stayed the same likewise, or nearly", likewise, "≤", 0),
        what="a vane that is stuck",
    )
    return found & ~np.isnan(towards[:, -window:])


def _goes_best(towards: Floats, row: int, near: Ints, first: int) -> Bools:
    """The neighbour whose wind went best with a station's before a slot, if any is known that did; neighbours."""
    difference = np.radians(towards[near, :first] - towards[row, :first])
    common = np.count_nonzero(~np.isnan(difference), axis=1)
    vector = np.abs(np.nansum(np.exp(1j * difference), axis=1)) / np.maximum(common, 1)
    vector = np.where(common >= LIMITS.readings, vector, 0.0)
    found: Bools = vector >= max(LIMITS.goes_with, float(vector.max(initial=0.0)))
    return found


def _turned(sample: Sample, towards: Floats) -> Bools:
    """Which stations' vanes have turned: they now differ from most neighbours otherwise than before."""
    window, neighbours = sample.series.window, sample.neighbours
    count, slots = towards.shape
    blocks = slots // window
    found = np.zeros(count, dtype=bool)
    if blocks <= LIMITS.before:
        return found
    apart_from, of, wind = np.zeros((2, count)), np.zeros((2, count)), np.full(count, np.nan)
    unit = np.exp(1j * np.radians(towards[:, slots - blocks * window :])).reshape(count, blocks, window)
    for row in np.flatnonzero(neighbours.close.sum(axis=1) >= LIMITS.agree):
        near = neighbours.rows[row, neighbours.close[row]]
        difference = unit[row] * np.conj(unit[near])
        common = np.count_nonzero(~np.isnan(difference), axis=2)
        mean = np.nansum(difference, axis=2) / np.maximum(common, 1)
        known = common >= LIMITS.common * window
        theirs = np.nansum(np.where(np.isnan(difference), np.nan, unit[near]), axis=2)
        likewise = np.abs(np.angle(theirs * np.conj(theirs[:, -1:]))) <= np.radians(LIMITS.regime)
        blew = np.where(known, theirs / np.maximum(np.abs(theirs), 1e-9), 0)[:, :-1]
        all_winds = np.abs(blew.sum(axis=1)) < LIMITS.one_wind * known[:, :-1].sum(axis=1)
        near_enough = neighbours.km[row, neighbours.close[row]] <= LIMITS.km
        in_such_a_wind = known & (likewise | all_winds[:, None]) & near_enough[:, None]
        for place, counts in enumerate((known, in_such_a_wind)):
            asked, apart, usual = _apart(mean, counts)
            turned = asked & (apart > np.maximum(LIMITS.turned, LIMITS.usual * usual))
            apart_from[place, row], of[place, row] = turned.sum(), max(LIMITS.agree, asked.sum() // 2 + 1)
        found[row] = (apart_from[:, row] >= of[:, row]).all()
        if found[row]:
            speed = some_rows(sample.values, sample.series.variable.speed, slice(row, row + 1))[:, -window:]
            wind[row] = float(np.nanmean(speed))
            found[row] = wind[row] >= LIMITS.gentle
    told = "neighbours from which it differs otherwise than before"
    sample.note(
        found,
        Condition(told, apart_from[0], "≥", of[0]),
        Condition(f"near {told} in such a wind", apart_from[1], "≥", of[1]),
        Condition("the mean wind at the station", wind, "≥", LIMITS.gentle, "km/h"),
        what="a vane that has turned",
    )
    return found


def _apart(mean: npt.NDArray[np.complex128], counts: Bools) -> tuple[Bools, Floats, Floats]:
    """How far a vane is now from where it was, against each neighbour.

    Args:
        mean: the mean vector of the differences from each neighbour in each time; the last one is now.
        counts: which of these times are compared; neighbours × times.

    Returns:
        Which neighbours can tell, how far it is apart in degrees, and how far it often was before; neighbours.
    """
    earlier = counts[:, :-1]
    reference = np.where(earlier, mean[:, :-1], 0).sum(axis=1)
    apart = np.where(counts, np.degrees(np.abs(np.angle(mean * np.conj(reference)[:, None]))), np.nan)
    usual = np.nan_to_num(quantile(apart[:, :-1], LIMITS.often))
    steady = median(np.where(earlier, np.abs(mean[:, :-1]), np.nan)) >= LIMITS.steady
    asked = counts[:, -1] & (earlier.sum(axis=1) >= LIMITS.before) & steady & (np.abs(mean[:, -1]) >= LIMITS.steady)
    return asked, apart[:, -1], usual
