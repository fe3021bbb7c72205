"""What arrived, and what was to arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.detector import loading
from toolkit.performance.month import Month
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.series import HOUR
from toolkit.store import Span, Store
from toolkit.store.selection import pieces

DAY = 24 * HOUR
# A sensor that gave no value for so long, and a station that was not in the feed, are no longer expected.
GONE_DAYS = 90
# Whether a sensor gave values before the month is looked for in one hour of every so many days.
LOOK_EVERY_DAYS = 3
# How often sensors report is learnt from days that have so many observations together, one at least: from all of the
# month in a network of 200 stations, from one day in one of 10,000.
OBSERVATIONS = 1_000_000
# How often sensors report is worked out for so many stations at a time.
STATIONS = 10_000
# Of the times between readings, the one that a quarter falls short of is the rhythm: it stays what it is when up to
# three quarters of the readings are lost, or are late by chance.
QUANTILE = 0.25
# A rhythm is known from so many readings.
READINGS = 5


@dataclass(frozen=True, slots=True)
class Rows:
    """The stations as rows of arrays.

    Attributes:
        of: the row of each of the store's numbers; -1 where there is no station any more.
        number: how many rows there are.
    """

    of: Ints
    number: int

    @classmethod
    def read(cls, store: Store) -> Rows:
        """The rows of a store's stations, in the order of `Store.stations`."""
        numbers = store.numbers()
        of = np.full(max(numbers, default=0) + 2, -1)
        of[numbers] = np.arange(len(numbers))
        return cls(of, len(numbers))

    def of_columns(self, columns: Floats) -> tuple[Ints, Floats]:
        """The row of each of an array's columns, whose first value is a number, and the columns that have one."""
        row = self.of[np.minimum(columns[0], len(self.of) - 1).astype(np.int64)]
        return row[row >= 0], columns[:, row >= 0]


@dataclass(frozen=True, slots=True)
class Counts:
    """What arrived.

    Attributes:
        first: the time of the first observation, seconds since the epoch, NaN without any; stations.
        daily: observations of each day; days × stations.
        values: values of each variable; stations × variables.
    """

    first: Floats
    daily: Ints
    values: Ints


@dataclass(frozen=True, slots=True)
class Rhythms:
    """How often stations and sensors report, in seconds.

    Attributes:
        typical: of the typical station, NaN if it is not known.
        stations: how often each is expected to; stations.
        sensors: the same of each sensor; stations × variables.
    """

    typical: float
    stations: Floats
    sensors: Floats


def days_of(month: Month) -> list[Span]:
    """The days of a month; the last one is shorter where it is not over."""
    return list(pieces([Span(month.start, month.end)], DAY))


def count(store: Store, rows: Rows, days: Sequence[Span], variables: Sequence[str]) -> Counts:
    """Count what arrived on each day."""
    first = np.full(rows.number, np.nan)
    daily = np.zeros((len(days), rows.number), dtype=np.int64)
    values = np.zeros((rows.number, len(variables)), dtype=np.int64)
    for day, read in enumerate(store.statistics.counts(days, variables)):
        row, found = rows.of_columns(read)
        first[row] = np.fmin(first[row], found[1])
        daily[day, row] = found[2]
        values[row] += found[3:].T.astype(np.int64)
    return Counts(first, daily, values)


def known_before(store: Store, rows: Rows, month: Month, variables: Sequence[str]) -> Bools:
    """Which sensors gave values in the time before the month; stations × variables."""
    known = np.zeros((rows.number, len(variables)), dtype=bool)
    ends = month.start - DAY * np.arange(0, GONE_DAYS, LOOK_EVERY_DAYS)
    hours = [Span(end - HOUR, end) for end in ends.tolist()]
    for read in store.statistics.counts(hours, variables):
        row, found = rows.of_columns(read)
        known[row] |= found[3:].T > 0
    return known


def rhythms(
    store: Store, rows: Rows, days: Sequence[Span], counts: Counts, variables: Sequence[str], cadences: Sequence[float]
) -> Rhythms:
    """How often stations and sensors are expected to report.

    That is the source's cadence, at those that report more rarely than the typical station their own rhythm, and at
    those that report more often, too. A network whose typical station reports more rarely than the cadence has lost
    the rest.
    """
    fullest = np.argsort(-counts.daily.sum(axis=1), kind="stable")
    together = np.cumsum(counts.daily.sum(axis=1)[fullest])
    looked = sorted(fullest[: max(1, np.count_nonzero(together <= OBSERVATIONS))].tolist())
    measured = np.flatnonzero(counts.values.any(axis=0)).tolist()
    own, of_sensors = _rhythms(store, rows, [days[day] for day in looked], [variables[place] for place in measured])
    typical = float(np.median(own[~np.isnan(own)])) if not np.isnan(own).all() else np.nan
    cadence = np.array(cadences, dtype=np.float64)
    usual, part = np.full(rows.number, np.nan), np.ones(rows.number)
    for one in np.unique(cadence).tolist():  # those of one cadence are a network
        of_it = cadence == one
        if (known := own[of_it & ~np.isnan(own)]).size:
            usual[of_it] = np.median(known)
            part[of_it] = min(1.0, one / float(np.median(known)))
    stations = np.where(np.isnan(own), np.fmin(cadence, usual), own * part)
    sensors = np.repeat(stations[:, None], len(variables), axis=1)
    for place, found in zip(measured, of_sensors, strict=True):
        sensors[:, place] = np.fmax(stations, found * part)
    return Rhythms(typical, stations, sensors)


class _Told(NamedTuple):
    """When stations told which variables, in order of the stations.

    Attributes:
        row: of the stations.
        time: seconds since the first of the days that are looked at began.
        variables: a bit for each variable that was told, the first the lowest.
    """

    row: npt.NDArray[np.int32]
    time: npt.NDArray[np.int32]
    variables: npt.NDArray[np.uint64]


def _rhythms(store: Store, rows: Rows, days: Sequence[Span], variables: Sequence[str]) -> tuple[Floats, Floats]:
    """How far apart the readings of each station, and of each of its sensors are, in seconds; NaN where it is unknown.

    Only when which variable was told is kept, 16 bytes for each observation.

    Returns:
        Of stations, and of variables × stations.
    """
    told = [_told(rows, read, days[0].start, len(variables)) for read in store.readings(days, variables)]
    own, sensors = np.full(rows.number, np.nan), np.full((len(variables), rows.number), np.nan)
    for first in range(0, rows.number, STATIONS):
        some = [slice(*np.searchsorted(one.row, (first, first + STATIONS)).tolist()) for one in told]
        row, time, bits = (
            np.concatenate([of[there] for of, there in zip(column, some, strict=True)])
            for column in zip(*told, strict=True)
        )
        row, time = row.astype(np.int64) - first, time.astype(np.float64)
        here = slice(first, min(first + STATIONS, rows.number))
        own[here] = _rhythm(here.stop - first, row, time)
        for place in range(len(variables)):
            there = (bits >> np.uint64(place)) & np.uint64(1) > 0
            sensors[place, here] = _rhythm(here.stop - first, row[there], time[there])
    return own, sensors


def _told(rows: Rows, read: Floats, start: float, number: int) -> _Told:
    """What is kept of observations as `Store.readings` has them, with so many variables."""
    row, found = rows.of_columns(read)
    order = np.argsort(row, kind="stable")
    bits = np.zeros(len(row), dtype=np.uint64)
    for place in range(number):
        bits |= (~np.isnan(found[2 + place])).astype(np.uint64) << np.uint64(place)
    return _Told(row[order].astype(np.int32), (found[1] - start)[order].astype(np.int32), bits[order])


def _rhythm(number: int, row: Ints, time: Floats) -> Floats:
    """How far apart the readings of each of `number` rows are, in seconds; NaN where too few are known."""
    order = np.lexsort((time, row))
    row, apart = row[order], np.diff(time[order], prepend=np.nan)
    keep = (np.diff(row, prepend=-1) == 0) & (apart > 0)
    row, apart = row[keep], apart[keep]
    order = np.lexsort((apart, row))
    row, apart = row[order], apart[order]
    bounds = np.searchsorted(row, np.arange(number + 1))
    known = np.diff(bounds) >= READINGS - 1
    at = (bounds[:-1] + QUANTILE * np.diff(bounds)).astype(np.int64)
    found = np.full(number, np.nan)
    found[known] = [loading.rounded(one) for one in apart[at[known]].tolist()]
    return found


def begin(month: Month, counts: Counts, first_seen: Floats, last_seen: Floats) -> Floats:
    """From when on each station is expected to report, seconds since the epoch; NaN where it is not.

    Args:
        month: the month.
        counts: what arrived.
        first_seen: when the station was in the feed first, seconds since the epoch.
        last_seen: when it was last.
    """
    reported = ~np.isnan(counts.first)
    # A station that was taken over with its past was first seen after it had reported.
    since = np.where(reported, np.fmin(first_seen, counts.first - 1), first_seen)
    expected = reported | ((first_seen <= month.end) & (last_seen >= month.start - GONE_DAYS * DAY))
    return np.where(expected, np.maximum(np.nan_to_num(since, nan=month.start), month.start), np.nan)


def expected(start: Floats, interval: Floats, span: Span) -> Floats:
    """How many observations are expected in a span of time.

    Args:
        start: from when on, NaN for never; stations, or stations × 1.
        interval: how often, in seconds; stations, or stations × variables.
        span: up to its end, after its start.
    """
    begun = np.floor((np.nan_to_num(np.maximum(start, span.start), nan=span.end) - span.start) / interval)
    found: Floats = np.maximum(np.floor((span.end - span.start) / interval) - begun, 0)
    return found
