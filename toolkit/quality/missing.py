"""Missing: a station that measures a variable has stopped reporting it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from toolkit.quality.arrays import Bools, Floats, carried, intervals
from toolkit.quality.base import (
    Evidence,
    Exclusion,
    FlaggedInterval,
    Preparation,
    QualityTest,
    Sample,
    Thresholds,
    WorstReading,
    threshold,
)
from toolkit.quality.criteria import Condition
from toolkit.quality.humidity import TEMPERATURE
from toolkit.quality.packed import some_rows
from toolkit.quality.series import HOUR
from toolkit.variables import Variable


@dataclass(frozen=True, slots=True)
class MissingThresholds(Thresholds):
    """When a gap is too long."""

    hours: float = threshold(1.5, "h", "the shortest gap that is flagged")
    readings: int = threshold(3, "readings", "the same where stations report rarely: one or two are lost everywhere")
    usual: float = threshold(2.0, "", "times the hours of a day in which the station had no value before, on average")
    longest: float = threshold(1.5, "", "times the longest gap before: no shorter gap is flagged")
    days_to_learn: float = threshold(
        0.5,
        "days",
        "after d days the shortest is 1 + this / d times as long, for what is usual is known badly at first",
    )
    habit: float = threshold(0.5, "", "share of values before the window from which on a station is expected to report")
    wind: float = threshold(
        11.0, "km/h", "a direction is expected from here on", "3 m/s; below, METAR may leave it out"
    )
    feed: float = threshold(0.5, "", "share of stations: where more have nothing, the feed or the collector failed")
    moist: float = threshold(
        2.0,
        "standard deviations of the residual",
        "air is moist if it is no farther from saturation, by its neighbours",
    )
    lost: float = threshold(0.2, "", "share of the time in moist air in which a station lacks humidity alone")
    losing: int = threshold(
        2, "stations", "where so many lack it as often, the feed leaves it out: no gap before the air is drier"
    )


LIMITS = MissingThresholds()


class _Lost(NamedTuple):
    """Slots of moist air in which only the humidity is absent, for it may be more than 100 %.

    Attributes:
        after_saturation: those after a reading of 100 %; stations × slots.
        all: all of them, which counts where the feed leaves out what exceeds it; stations × slots.
        often: which stations lack it often; stations.
    """

    after_saturation: Bools
    all: Bools
    often: Bools


def _lost(sample: Sample) -> Sequence[Bools]:
    """Where a humidity of some stations may be lost in saturated air, as `_Lost`; nothing for another variable."""
    series, expected = sample.series, sample.expected
    if series.variable.saturation is None:
        return ()
    readings = series.scaled[expected.rows]
    before = carried(readings)
    air = np.where(np.isnan(expected.value), before, expected.value)
    moist = air >= series.variable.saturation - LIMITS.moist * expected.residual_sigma[:, None]
    lost = moist & np.isnan(readings) & ~np.isnan(some_rows(sample.values, TEMPERATURE, expected.rows))
    often = lost.sum(axis=1) >= LIMITS.lost * np.maximum(moist.sum(axis=1), 1)
    return _Lost(lost & (before >= series.variable.high), lost, often)


class Missing(QualityTest):
    """Gaps of a variable, at a station that otherwise reports."""

    name = "missing"
    standard_name = "gap"
    source = "QARTOD manuals"
    finds = "a variable or a station that no longer reports"
    limit = "1.5 hours, twice the hours of a day that it lacks as a rule, and half as long again as the longest before"
    thresholds = LIMITS
    evidence = Evidence.CONCLUSIVE
    exclusion = Exclusion.NEVER
    with_method = True
    preparation = Preparation(lambda _, *lost: _Lost(*lost) if lost else None, each=_lost)

    def applies(self, variable: Variable) -> bool:
        """To every variable but those that go with another one, and a depth of snow.

        A sonic sensor has no value while falling snow or heavy rain scatters its sound (WMO-No. 8, vol. II, ch. 2).
        """
        return not variable.follows and variable.standard_name != "surface_snow_thickness"

    def needs(self, variable: Variable) -> set[str]:
        """The speed of a direction; of what may be left out in saturated air, whether the station measured at all."""
        return {variable.speed} - {""} | ({TEMPERATURE} if variable.saturation else set())

    def run(self, sample: Sample, prepared: _Lost | None) -> Bools:
        """Flag long gaps, but those in which the whole station is silent; stations × window slots."""
        series, variable = sample.series, sample.series.variable
        there = series.there
        past, past_ends = ~np.isnan(series.history), series.history_ends
        if prepared is not None:
            there |= prepared.all if np.count_nonzero(prepared.often) >= LIMITS.losing else prepared.after_saturation
        if (speed := sample.values.get(variable.speed)) is not None:
            there |= ~(speed >= LIMITS.wind)  # a calm has no direction
            past, past_ends = there[:, : -series.window], series.ends[: -series.window]
        flagged = gaps(there, past, series.ends, past_ends, series.window, sample.note)
        return flagged & ~sample.silent

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: _Lost | None) -> str:
        """How long there has been no value."""
        return f"no value for {interval.hours:.1f} h, while it used to report"


def gaps(
    reported: Bools,
    past: Bools,
    ends: Floats,
    past_ends: Floats,
    window: int,
    note: Callable[..., None] | None = None,
) -> Bools:
    """Gaps that are too long, stations × window slots.

    Args:
        reported: whether something was reported; stations × slots.
        past: the same at moments of the days before; stations × moments.
        ends: when each slot ends, seconds since the epoch.
        past_ends: when each moment ends.
        window: how many slots at the end are tested.
        note: is told what is compared, see `Sample.note`.
    """
    slot = float(ends[-1] - ends[0]) / max(len(ends) - 1, 1)
    before = len(ends) - window
    habit = past if past.shape[1] else reported[:, before:]
    since = habit.shape[1] - np.argmax(habit, axis=1)
    share = _share(habit)
    expected = share >= LIMITS.habit
    absent = ~reported & ~_nothing_there(reported, past, window)
    habit_ends = past_ends if past.shape[1] else ends[before:]
    days = (ends[-1] - habit_ends[np.argmax(habit, axis=1)]) / (24 * HOUR)
    young = 1 + LIMITS.days_to_learn / np.maximum(days, 0.1)
    usual = LIMITS.usual * 24 * HOUR * (1 - habit.sum(axis=1) / since)
    shortest = np.maximum(usual, max(LIMITS.hours * HOUR, LIMITS.readings * slot) * young)
    spacing = float(np.diff(past_ends).max(initial=0.0))
    flagged = np.zeros((len(reported), window), dtype=bool)
    longest, limit = np.zeros(len(reported)), shortest - slot / 2
    for row in np.flatnonzero(expected & absent[:, before:].any(axis=1)):
        moments = past_ends[past[row]]
        earlier = [0.0, *(np.diff(moments[moments < ends[0]]) - spacing).tolist()]
        for first, after in intervals(absent[row]):
            began = moments.max(initial=ends[0] - slot) if first == 0 else ends[first - 1]
            length = float(ends[after - 1] - began)
            too_long = max(shortest[row], LIMITS.longest * max(earlier)) - slot / 2
            if after > before:
                if length - too_long >= longest[row] - limit[row] or longest[row] == 0:
                    longest[row], limit[row] = length, too_long
                if length >= too_long:
                    flagged[row, max(0, first - before) : after - before] = True
            earlier.append(length)
    if note:
        note(
            flagged.any(axis=1),
            Condition("the longest gap", longest / HOUR, "≥", limit / HOUR, "h"),
            Condition("share of values before the window", share, "≥", LIMITS.habit),
        )
    return flagged


def _share(habit: Bools) -> Floats:
    """The share of moments in which each station reported, since the first in which it did."""
    since = habit.shape[1] - np.argmax(habit, axis=1)
    return np.asarray(habit.sum(axis=1) / np.maximum(since, LIMITS.readings))


def _nothing_there(reported: Bools, past: Bools, window: int) -> Bools:
    """The slots in which so many stations have nothing that it is none of theirs; see `gaps`."""
    expected = _share(past if past.shape[1] else reported[:, reported.shape[1] - window :]) >= LIMITS.habit
    absent = (~reported & expected[:, None]).sum(axis=0)
    found: Bools = absent / max(np.count_nonzero(expected), 1) > LIMITS.feed
    return found
