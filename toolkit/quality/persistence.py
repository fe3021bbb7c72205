"""Persistence: a reading that stays the same for longer than weather does.

The length of a run of equal readings is compared with the longest that was seen here before and elsewhere, and with
what neighbours did meanwhile. They also tell a calm from a stalled anemometer: the station was never calm for so long
in days with as much wind around.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.quality.arrays import Bools, Floats, Ints, median
from toolkit.quality.base import (
    TAIWAN,
    Evidence,
    Exclusion,
    FlaggedInterval,
    Preparation,
    QualityTest,
    Sample,
    Thresholds,
    WorstReading,
    number,
    threshold,
)
from toolkit.quality.criteria import Condition
from toolkit.quality.expected import Comparison
from toolkit.quality.humidity import TEMPERATURE, WATER
from toolkit.quality.packed import some_rows
from toolkit.quality.runs import Runs
from toolkit.quality.series import SAME, Series
from toolkit.variables import Variable

_TIMES_BEFORE = "times the longest run before"
_INMET = "thirteen stations of INMET in Pernambuco, 2020: five never read more than 94 %"


@dataclass(frozen=True, slots=True)
class PersistenceThresholds(Thresholds):
    """How long a reading may stay the same."""

    readings: int = threshold(6, "readings", "the shortest run that is looked at")
    hours: float = threshold(2.0, "h", "the same in hours")
    known_days: float = threshold(3.0, "days", "from here on the station's own past counts more than other stations'")
    elsewhere: float = threshold(0.75, "", "the quantile of other stations' longest runs that counts as seen elsewhere")
    elsewhere_known: float = threshold(0.6, "", "the share of it that counts at a station that is known")
    in_cloud: float = threshold(
        5.0, "%", "below saturation a hygrometer may read in cloud, where the neighbours' vapour saturates the "
        "station's own air", TAIWAN
    )  # fmt: skip
    saturated: float = threshold(
        90.0, "%", "the most that a hygrometer gave in the days before may be what it gives in saturated air", _INMET
    )  # fmt: skip
    likewise: float = threshold(
        0.6, "", "if half of the neighbours stayed the same for this share of the time, it is weather"
    )
    moved_sigmas: float = threshold(
        2.0, "standard deviations of the residual", "what neighbours imply moved by so much meanwhile"
    )
    moved_steps: float = threshold(2.0, "steps of the sensor", "and by so much more: both it and the neighbours round")
    moved_far: float = threshold(2.0, "", "or by so many times as much")
    longer_far: float = threshold(0.5, "", "then that much of the time is too long: no run before saw such a move")
    longer_moved: float = threshold(1.4, _TIMES_BEFORE, "too long where the neighbours moved")
    longer_moved_young: float = threshold(2.0, _TIMES_BEFORE, "the same at a station that is not known yet")
    hours_moved: float = threshold(2.5, "h", "too long where the neighbours moved: at least")
    longer: float = threshold(2.5, _TIMES_BEFORE, "too long where it moved by one standard deviation")
    hours_alike: float = threshold(5.0, "h", "the same: at least")
    longer_alone: float = threshold(2.0, _TIMES_BEFORE, "too long without close neighbours")
    hours_alone: float = threshold(4.0, "h", "the same: at least")
    wind_around: float = threshold(
        2.0, "√(km/h)", "the least wind around for which a calm may be a stalled anemometer",
        "WMO-No. 8, vol. I, ch. 5: cup anemometers start at 0.5 m/s, worn ones at 1 m/s"
    )  # fmt: skip
    as_windy: float = threshold(0.85, "", "earlier times with this share of the wind around are compared with")
    as_windy_hours: int = threshold(6, "h", "so much of such time is needed")
    calm_around: float = threshold(
        0.2, "", "share of the time by which half of the neighbours may have been calm more often than as a rule"
    )
    turned: float = threshold(0.9, "", "and may have been calm at all")
    longer_windy: float = threshold(2.5, "times the longest calm with as much wind around", "too long a calm")
    longer_calm: float = threshold(1.4, _TIMES_BEFORE, "too long a calm with several close neighbours")
    longer_calm_alone: float = threshold(1.7, _TIMES_BEFORE, "too long a calm with one or none")
    hours_calm: float = threshold(4.0, "h", "too long a calm with several close neighbours: at least")
    hours_calm_alone: float = threshold(6.0, "h", "too long a calm with one or none: at least")
    days_to_learn: float = threshold(
        0.5, "days", "with one neighbour or none it takes 1 + this / d times as long after d days, to learn the "
        "station's own calms"
    )  # fmt: skip


LIMITS = PersistenceThresholds()


@dataclass(frozen=True, slots=True)
class _RunsOfAll:
    """The runs that each station's are compared with: those of all stations, before any of them is excluded.

    Attributes:
        runs: stations × slots.
        elsewhere: the longest runs before the window, as long as most stations had one; readings.
    """

    runs: Runs
    elsewhere: float


EQUAL, CALM = "equal readings", "calm readings"


def _counts(sample: Sample, rows: Ints, expected: Comparison) -> Bools:
    """Which readings of some rows count as staying the same, rows × slots; `expected` is of these."""
    series = sample.series
    saturation, readings = series.variable.saturation, series.scaled[rows]
    if series.nature == "gusty":
        return readings > 0
    if saturation is None:
        return np.ones(readings.shape, dtype=bool)
    # In saturated air a reading stays the same; where close neighbours imply drier air it does not.
    drier = expected.value < saturation - LIMITS.moved_sigmas * expected.residual_sigma[:, None]
    drier &= expected.has_close_neighbour[:, None]
    counts: Bools = (readings < saturation) | drier
    moist = readings >= saturation - LIMITS.in_cloud
    moist &= counts
    asked = np.flatnonzero(moist[:, -series.window :].any(axis=1) & (moist.sum(axis=1) >= LIMITS.readings))
    if len(asked):
        vapour = _by_vapour(sample, rows[asked])
        counts[asked] &= ~(moist[asked] & (vapour >= saturation))
    return counts


def _at_its_saturation(series: Series, expected: Comparison, chosen: Ints) -> Bools:
    """Where a hygrometer gives what it gives in saturated air, and its neighbours imply that; chosen × slots.

    Some read 93 % there and never more.
    """
    rows, sigma = expected.rows[chosen], expected.residual_sigma[chosen, None]
    readings = series.scaled[rows]
    before = np.hstack([series.history[rows], readings[:, : -series.window]])
    most = np.fmax.reduce(before, axis=1, initial=np.nan, keepdims=True)
    moist = expected.value[chosen] >= most - LIMITS.moved_sigmas * sigma
    moist &= expected.has_reference[chosen, None]
    found: Bools = (most >= LIMITS.saturated) & (readings >= most) & moist
    return found


def _by_vapour(sample: Sample, rows: Ints) -> Floats:
    """The humidity that the neighbours' vapour makes at a station's own temperature, in %; rows × slots.

    A hill is in cloud while the plain below it is warmer and so drier, with the same vapour in the air.
    """
    near = sample.neighbours.rows[rows]
    there = sample.neighbours.close[rows][:, :, None]

    def saturated(of: Ints) -> Floats:
        """The logarithm of the vapour pressure of saturated air at some rows."""
        temperature = some_rows(sample.values, TEMPERATURE, of)
        found: Floats = WATER[0] * temperature / (WATER[1] + temperature)
        return found

    warmer = saturated(near) - saturated(rows)[:, None]
    return median(np.where(there, sample.series.scaled[near] * np.exp(warmer), np.nan), axis=1)


def _runs(sample: Sample) -> list[npt.NDArray[Any]]:
    """Length and start of the runs of some stations; see `_runs_of_all`."""
    series, expected = sample.series, sample.expected
    readings = series.scaled[expected.rows]
    found = [Runs.of(readings, _counts(sample, expected.rows, expected), series.per_hour)]
    if series.nature == "gusty":
        found.append(Runs.of(readings, readings == 0, series.per_hour))
    return [kind for one in found for kind in one.packed()]


def _runs_of_all(sample: Sample, *found: npt.NDArray[Any]) -> dict[str, _RunsOfAll]:
    """By the readings of which they are runs, of what `_runs` found."""
    series, slots, of_all = sample.series, sample.series.scaled.shape[1], {}
    for what, length, start in zip((EQUAL, CALM), found[::2], found[1::2], strict=False):
        longest_each = length[:, : slots - series.window].max(axis=1, initial=0).astype(np.int64)
        each = longest_each[series.measured]
        of_all[what] = _RunsOfAll(Runs(length, start), float(np.quantile(each, LIMITS.elsewhere)) if len(each) else 0.0)
    return of_all


# In the place of a row of which something else is noted.
NONE = -1


class Persistence(QualityTest):
    """Stuck readings, and stalled anemometers."""

    name = "persistence"
    standard_name = "flat line"
    source = "QARTOD manuals; WMO-No. 8, vol. V, ch. 1 (minimum required variability)"
    finds = "a reading that stays the same, an anemometer that stalls"
    limit = "the longest such time before, here and elsewhere; a calm, with as much wind around"
    thresholds = LIMITS
    evidence = Evidence.NOT_SHARED
    exclusion = Exclusion.ALWAYS
    compares = True
    preparation = Preparation(_runs_of_all, each=_runs)

    def suspects(self, sample: Sample, prepared: dict[str, _RunsOfAll]) -> Bools:
        """The stations with a run in the window that is long enough to be looked at."""
        window, least = sample.series.window, _least(sample.series)
        longest = [one.runs.length[:, -window:].max(axis=1, initial=0) for one in prepared.values()]
        found: Bools = np.logical_or.reduce([one >= least for one in longest])
        return found

    def needs(self, variable: Variable) -> set[str]:
        """Of humidity, the temperature: the same vapour saturates colder air."""
        return set() if variable.saturation is None else {TEMPERATURE}

    def run(self, sample: Sample, prepared: dict[str, _RunsOfAll]) -> Bools:
        """Flag the longest run that reaches into the window, where it is too long; rows × window slots."""
        series, expected = sample.series, sample.expected
        equal, rows = prepared[EQUAL], expected.rows
        if series.variable.saturation is None:
            runs = equal.runs.of_rows(rows)
        else:  # what counts may have changed with what neighbours imply
            runs = Runs.of(series.scaled[rows], _counts(sample, rows, expected), series.per_hour)
        if CALM in prepared:
            return _calm(sample, prepared[CALM]) | _stuck(sample, runs, equal)
        return _stuck(sample, runs, equal)

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: dict[str, _RunsOfAll]) -> str:
        """The reading, and for how long it has been the same."""
        unit = interval.series.variable.unit
        return f"it has read {number(worst.value)} {unit} without a change for {_unchanged_hours(interval):.1f} h"


def _unchanged_hours(interval: FlaggedInterval) -> float:
    """For how many hours the reading has been the same, also before the window."""
    until = interval.slots.stop
    readings = interval.series.values[interval.row, :until]
    there = readings[~np.isnan(readings)]
    changes = np.flatnonzero(there != there[-1])
    since = np.flatnonzero(~np.isnan(readings))[changes[-1] + 1 if len(changes) else 0]
    return float((until - 1 - since) * interval.series.slot_hours)


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The longest run of each station that reaches into the window, where it is long enough to be looked at.

    Attributes:
        chosen: the stations' places among the rows of `Expected`; all else is for each of these.
        first, last: the slots of the run, counted in the series.
        length: how many readings that is.
        longest_before: the longest run before it, in readings; at other stations, where the station has little past.
        known: whether the station has enough past.
        alike: the longest run of the median close neighbour in the same time, as a share of it.
        level: the median of what was expected meanwhile, on the scale of comparison.
        moved: how far what was expected moved meanwhile, from the 5% to the 95% quantile; NaN where it is not known.
    """

    chosen: Ints
    first: Ints
    last: Ints
    length: Ints
    longest_before: Floats
    known: Bools
    alike: Floats
    level: Floats
    moved: Floats

    def inside(self, slots: int) -> Bools:
        """Whether each slot lies in the run, candidates × slots."""
        slot = np.arange(slots)
        return (slot >= self.first[:, None]) & (slot <= self.last[:, None])


def _least(series: Series) -> float:
    """How many readings a run has at least that is looked at."""
    return max(LIMITS.readings, LIMITS.hours * series.per_hour)


def _candidates(sample: Sample, runs: Runs, others: _RunsOfAll, what: str) -> _Candidates:
    """The runs that are long enough; of the others it is noted how long they are, and `what` they are runs of.

    Args:
        sample: the variable.
        runs: those of the stations that are tested, rows × slots.
        others: those that they are compared with.
        what: of which readings they are.
    """
    series, expected, neighbours = sample.series, sample.expected, sample.neighbours
    window, rows = series.window, expected.rows
    slots = series.scaled.shape[1]
    length = runs.length
    last = slots - window + np.argmax(length[:, slots - window :], axis=1)
    longest = np.take_along_axis(length, last[:, None], 1)[:, 0]
    least = _least(series)
    long_enough = longest >= least
    shorter = Condition(f"the longest run of {what}", longest, "≥", least, "readings")
    sample.note(long_enough, shorter, rows=np.where(long_enough, NONE, rows))
    chosen = np.flatnonzero(long_enough)
    last, longest = last[chosen], longest[chosen]
    first = runs.start[chosen, last]
    slot = np.arange(slots)
    before = np.where(slot < first[:, None], length[chosen], 0).max(axis=1, initial=0)
    known = series.days[rows[chosen]] >= LIMITS.known_days
    inside = (slot >= first[:, None]) & (slot <= last[:, None])

    near = neighbours.rows[rows[chosen]]
    compared = neighbours.close[rows[chosen]] & (expected.weights[chosen] > 0)
    meanwhile = np.where(inside[:, None], others.runs.length[near], 0).max(axis=2, initial=0)
    shared = median(np.where(compared, np.minimum(meanwhile, longest[:, None]), np.nan))

    value = np.where(inside & (length[chosen] > 0), expected.value[chosen], np.nan)
    value = np.sort(value, axis=1)
    count = np.count_nonzero(~np.isnan(value), axis=1)

    def at(share: float) -> Floats:
        place = np.maximum((count * share).astype(np.int64) - 1, 0)
        found: Floats = np.take_along_axis(value, place[:, None], 1)[:, 0]
        return found

    return _Candidates(
        chosen=chosen,
        first=first,
        last=last,
        length=longest,
        longest_before=np.maximum(before, others.elsewhere * np.where(known, LIMITS.elsewhere_known, 1.0)),
        known=known,
        alike=np.nan_to_num(shared) / np.maximum(longest, 1),
        level=np.nan_to_num(at(0.5)),
        moved=np.where((count > 3) & expected.has_reference[chosen], at(0.95) - at(0.05), np.nan),
    )


def _stuck(sample: Sample, runs: Runs, others: _RunsOfAll) -> Bools:
    """Runs of one reading that are too long, rows × window slots."""
    series, expected = sample.series, sample.expected
    what = EQUAL
    hour, found = series.per_hour, _candidates(sample, runs, others, what)
    rows, close = expected.rows[found.chosen], expected.has_close_neighbour[found.chosen]
    length, before = found.length, found.longest_before
    if series.variable.saturation is not None:
        saturated = _at_its_saturation(series, expected, found.chosen) & found.inside(series.scaled.shape[1])
        length = length - np.count_nonzero(saturated, axis=1)
    sigma = expected.residual_sigma[found.chosen]
    step = series.steps(rows)
    enough = LIMITS.moved_steps * step + LIMITS.moved_sigmas * sigma
    moved, far = found.moved > enough, found.moved > LIMITS.moved_far * enough
    enough_alike = LIMITS.moved_steps * step + sigma
    varied = found.moved > enough_alike
    longer = np.where(found.known, LIMITS.longer_moved, LIMITS.longer_moved_young)
    longer = longer * np.where(far, LIMITS.longer_far, 1.0)
    limit_moved = np.maximum(longer * before, LIMITS.hours_moved * hour)
    limit_alike = np.maximum(LIMITS.longer * before, LIMITS.hours_alike * hour)
    limit_alone = np.maximum(LIMITS.longer_alone * before, LIMITS.hours_alone * hour)
    apart = found.alike < LIMITS.likewise
    limit_end = LIMITS.longer * _at_end_before(series, rows, runs.length[found.chosen], found)
    beyond = length > limit_end
    stuck_moved = beyond & apart & moved & (length > limit_moved)
    stuck_alike = beyond & apart & varied & (length > limit_alike)
    stuck_alone = beyond & (length > limit_alone)
    longest_end = Condition("the same, of times at this end of the sensor's scale", length, ">", limit_end, "readings")
    for met, which, limit, moving in (
        (stuck_moved, close, limit_moved, enough),
        (stuck_alike, close, limit_alike, enough_alike),
        (stuck_alone, ~close, limit_alone, None),
    ):
        conditions = [Condition(f"the longest run of {what}", length, ">", limit, "readings"), longest_end]
        if moving is not None:
            implied = "what neighbours imply moved meanwhile by"
            conditions += [
                Condition(implied, found.moved, ">", moving, series.scaled_unit),
                Condition("share of that time in which neighbours stayed the same", found.alike, "<", LIMITS.likewise),
            ]
        sample.note(met, *conditions, rows=np.where(which, rows, NONE))
    stuck = np.where(close, stuck_moved | stuck_alike, stuck_alone)
    return _flagged(sample, found, stuck)


def _at_end_before(series: Series, rows: Ints, length: Ints, found: _Candidates) -> Ints:
    """The longest run before at the reading of each candidate's run, where that is an end of its sensor's scale.

    A hygrometer that reads no less than 18 % reads 18 % whenever the air is drier: it is told once, not every night.
    An end is where hardly anything was read beyond, as two good sensors differ.

    Args:
        series: the variable.
        rows: the candidates' stations.
        length: of the run up to each slot, candidates × slots.
        found: the candidates.
    """
    readings = series.scaled[rows]
    reading = np.take_along_axis(readings, found.last[:, None], 1)
    earlier = np.arange(readings.shape[1]) < found.first[:, None]
    lower, higher = (earlier & (sign * (readings - reading) > 2 * series.scale.noise) for sign in (-1, 1))
    inside = lower.any(axis=1, keepdims=True) & higher.any(axis=1, keepdims=True)
    before = earlier & (np.abs(readings - reading) <= SAME) & ~inside
    longest: Ints = np.where(before, length, 0).max(axis=1, initial=0)
    return np.where(longest >= LIMITS.readings, longest, 0)


def _calm(sample: Sample, of_all: _RunsOfAll) -> Bools:
    """Calms that are too long while neighbours have wind, rows × window slots."""
    series, expected, neighbours = sample.series, sample.expected, sample.neighbours
    hour, slots = series.per_hour, series.scaled.shape[1]
    what, runs = CALM, of_all.runs.of_rows(expected.rows)
    found = _candidates(sample, runs, of_all, what)
    rows, chosen, length = expected.rows[found.chosen], found.chosen, found.length
    inside = found.inside(slots)

    # How much calmer than as a rule it was at the median neighbour: one that is sheltered, or stalled itself, is calm
    # whatever the wind.
    near = series.scaled[neighbours.rows[rows]]
    compared = expected.weights[chosen] > 0
    calm = _share(near == 0, near, inside)
    calmer = calm - _share(near == 0, near, ~inside)
    around = np.nan_to_num(median(np.where(compared, calmer, np.nan)))
    calm_at = np.nan_to_num(median(np.where(compared, calm, np.nan)))
    windy_around = (around < LIMITS.calm_around) & (calm_at < LIMITS.turned)

    several = (neighbours.close[rows] & compared).sum(axis=1) > 1
    slower = 1 + LIMITS.days_to_learn / np.maximum(series.days[rows], 0.1)
    hours = np.where(several, LIMITS.hours_calm, LIMITS.hours_calm_alone * slower)
    # How long the station was ever calm with as much wind around.
    readings = series.scaled[rows]
    windy = ~np.isnan(readings) & (expected.value[chosen] >= LIMITS.as_windy * found.level[:, None])
    earlier = windy & (np.arange(slots) < found.first[:, None])
    so_far = np.cumsum(windy & (readings == 0), axis=1)
    of_run = so_far - np.take_along_axis(so_far, runs.start[chosen], 1)
    longest_windy = np.where(earlier & (readings == 0), of_run + 1, 0).max(axis=1, initial=0)
    of_this = (inside & windy).sum(axis=1)
    longer_than_ever_windy = (
        expected.has_reference[chosen]
        & (found.level > LIMITS.wind_around)
        & (earlier.sum(axis=1) >= LIMITS.as_windy_hours * hour)
        & (of_this > LIMITS.longer_windy * longest_windy)
        & (length >= hours * hour)
        & windy_around
    )
    limit = np.where(several, LIMITS.longer_calm, LIMITS.longer_calm_alone) * found.longest_before
    limit = np.maximum(limit, hours * hour)
    asked = several | expected.has_reference[chosen]
    longer_than_ever = (length > limit) & ((found.level > LIMITS.wind_around) | ~asked) & windy_around
    around_it = (
        Condition("the wind around meanwhile", found.level, ">", LIMITS.wind_around, series.scaled_unit),
        Condition("share of it by which neighbours were calmer than usual", around, "<", LIMITS.calm_around),
        Condition("share of it in which neighbours were calm", calm_at, "<", LIMITS.turned),
    )
    sample.note(
        longer_than_ever_windy,
        Condition(f"{what} with as much wind around", of_this, ">", LIMITS.longer_windy * longest_windy, "readings"),
        Condition(f"the longest run of {what}", length, "≥", hours * hour, "readings"),
        Condition("earlier readings with as much wind around", earlier.sum(axis=1), "≥", LIMITS.as_windy_hours * hour),
        *around_it, rows=rows,
    )  # fmt: skip
    longest = Condition(f"the longest run of {what}", length, ">", limit, "readings")
    sample.note(longer_than_ever, longest, *around_it, rows=rows)
    return _flagged(sample, found, longer_than_ever_windy | longer_than_ever)


def _share(calm: Bools, readings: Floats, slots: Bools) -> Floats:
    """The share of calm readings in some slots; candidates × neighbours × slots, and candidates × slots."""
    there = ~np.isnan(readings) & slots[:, None]
    return np.asarray((calm & there).sum(axis=2) / np.maximum(there.sum(axis=2), 1), dtype=np.float64)


def _flagged(sample: Sample, found: _Candidates, wrong: Bools) -> Bools:
    """The slots of the runs that are wrong, rows × window slots."""
    slots = sample.series.scaled.shape[1]
    flagged = np.zeros((len(sample.expected.rows), slots), dtype=bool)
    flagged[found.chosen] = wrong[:, None] & found.inside(slots)
    return flagged[:, -sample.series.window :]
