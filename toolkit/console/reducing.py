"""Series of any length for a plot of some pixels: each bucket of time keeps its minimum and maximum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.console.days import Days
from toolkit.console.reading import Floats, Ints, aligned
from toolkit.store import Span, Store
from toolkit.variables import BY_NAME, STATION

DAY = 86_400
# How long a bucket may be, in seconds; above a day it is a whole number of days. From a day on it is of `Days`.
STEPS = tuple(60 * minutes for minutes in (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 1440))
# So many observations a pixel are shown one by one.
PER_PIXEL = 2
# A line is broken where observations are so many times farther apart than they usually are.
GAP = 2.5


def step_of(span: Span, width: int) -> int:
    """How long a bucket is, in seconds: at least as long as a pixel, and the same while a view is moved."""
    least = (span.end - span.start) / width
    return next((step for step in STEPS if step >= least), int(-(-least // DAY) * DAY))


@dataclass(slots=True)
class Reduced:
    """A series of a station.

    Attributes:
        step: how long a bucket is, in seconds; 0 where each observation is there.
        time: of each observation, or the beginning of each bucket that has one, seconds since the epoch.
        value: by variable, in its unit: the value, or the mean of a bucket; NaN where there is none.
        low, high: by variable, the least and the greatest value of a bucket; nothing for directions, and where each
            observation is there.
    """

    step: int
    time: Ints
    value: dict[str, Floats]
    low: dict[str, Floats]
    high: dict[str, Floats]


def reduced(store: Store, station: str, names: Sequence[str], span: Span, width: int) -> Reduced:
    """The observations of a span as a plot of some pixels can show them."""
    step, most = step_of(span, width), PER_PIXEL * width
    if step >= DAY:
        return _of_days(Days(store, station, names, span), names, step)
    found: list[Reduced] = []
    number = 0
    for piece in aligned(store, span, step):
        columns = store.columns(piece, names, [station])
        if not len(columns.time):
            continue
        number += len(columns.time)
        found.append(Reduced(0, columns.time, columns.values, {}, {}))
        if number > most:
            found = [one if one.step else _bucketed(one, step) for one in found]
    return _joined(found, names)


def _of_days(days: Days, names: Sequence[str], step: int) -> Reduced:
    """The series of days, with several days in each bucket."""
    there = np.flatnonzero(days.number[STATION])
    if not len(there):
        return _joined([], names)
    bucket = (days.first + there) * DAY // step
    first = np.flatnonzero(np.diff(bucket, prepend=-1))
    made = Reduced(step, bucket[first] * step, {}, {}, {})
    for name in names:
        if name not in days.low:
            made.value[name] = np.full(len(first), np.nan)  # there is no mean of directions that tells anything
            continue
        number = np.add.reduceat(days.number[name][there], first)
        total = np.add.reduceat(np.nan_to_num(days.total[name][there]), first)
        made.value[name] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
        made.low[name] = np.fmin.reduceat(days.low[name][there], first)
        made.high[name] = np.fmax.reduceat(days.high[name][there], first)
    return made


def _bucketed(one: Reduced, step: int) -> Reduced:
    bucket = one.time // step
    first = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
    made = Reduced(step, bucket[first] * step, {}, {}, {})
    for name, column in one.value.items():
        there = ~np.isnan(column)
        count = np.add.reduceat(there, first, dtype=np.int64)

        def mean(of: Floats, there: Any = there, count: Ints = count) -> Floats:
            total = np.add.reduceat(np.where(there, of, 0.0), first)
            return np.where(count > 0, total / np.maximum(count, 1), np.nan)

        if BY_NAME[name].nature == "circular":
            angle = np.radians(column)
            made.value[name] = np.degrees(np.arctan2(mean(np.sin(angle)), mean(np.cos(angle)))) % 360
            continue
        made.value[name] = mean(column)
        made.low[name] = np.fmin.reduceat(column, first)
        made.high[name] = np.fmax.reduceat(column, first)
    return made


def _joined(parts: Sequence[Reduced], names: Sequence[str]) -> Reduced:
    if not parts:
        return Reduced(0, np.empty(0, np.int64), {name: np.empty(0) for name in names}, {}, {})
    value, low, high = (
        {name: np.concatenate([column[name] for column in columns]) for name in columns[0]}
        for columns in ([one.value for one in parts], [one.low for one in parts], [one.high for one in parts])
    )
    return Reduced(parts[0].step, np.concatenate([one.time for one in parts]), value, low, high)


def gaps(time: Ints) -> Ints:
    """The indices before which a line is to be broken, because too long nothing was observed there."""
    if len(time) < 3:
        return np.empty(0, np.int64)
    apart = np.diff(time)
    return np.flatnonzero(apart > GAP * np.median(apart)) + 1
