"""Observations as arrays: stations by slots of one cadence, and moments of the days before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from toolkit.location import without_impossible_place
from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.series import HOUR, Series, scaled
from toolkit.store import Span, Store
from toolkit.variables import BY_NAME

DAY = 24 * HOUR
# What is normal is learnt from so many days before the window.
PAST_DAYS = 5.0
# In a small network these days are read whole. A large one shows at many stations what a small one shows at many times:
# there so many days of readings are read, divided by the number of stations, an eighth of a day at least, and before
# that single moments, so many hours apart.
STATION_DAYS = 100.0
LEAST_DAYS = 0.125
MOMENTS_HOURS = 4.0
# Of a past that was read whole, the history of a series has a reading every so many hours.
HISTORY_HOURS = 1.0
# Window and past together have so many hours at least.
SHORTEST_HOURS = 6.0


@dataclass(frozen=True, slots=True)
class Grid:
    """Observations on a common time axis, so that stations which report at odd moments can be compared.

    Attributes:
        stations: the rows.
        cadence: seconds from slot to slot.
        end: when the last slot ends, seconds since the epoch.
        window: how many slots at the end are tested.
        times: when each value was observed, seconds since the epoch; stations × slots, NaN where nothing was.
        values: by variable, in its unit; stations × slots, NaN where nothing was measured.
        moments: by variable, the readings at some moments before the slots; stations × moments.
        moment_times: when these moments are, seconds since the epoch.
        days: for how many days before the window there are observations of each station.
    """

    stations: list[Station]
    cadence: float
    end: float
    window: int
    times: Floats
    values: dict[str, Floats]
    moments: dict[str, Floats]
    moment_times: Floats
    days: Floats

    @property
    def per_hour(self) -> int:
        """Slots in an hour, at least one."""
        return max(1, round(HOUR / self.cadence))

    def _reported(self, name: str) -> Bools:
        """Which stations report a variable."""
        found: Bools = np.logical_or.reduce(~np.isnan(self.values[name]), axis=1)
        return found

    def slot_times(self) -> Floats:
        """When each slot ends, seconds since the epoch."""
        slots = self.times.shape[1]
        found: Floats = self.end - self.cadence * np.arange(slots - 1, -1, -1)
        return found

    def series(self, name: str) -> Series:
        """One variable as the tests see it."""
        variable = BY_NAME[name]
        readings = scaled(variable, self.values[name])
        earlier = scaled(variable, self.moments[name])
        if variable.follows and variable.scale is not None:
            follows = np.logical_and.reduce([self._reported(other) for other in variable.follows])
            readings[follows] = earlier[follows] = np.nan
            if np.isnan(readings).all():
                variable = replace(variable, scale=None)
        ends = self.slot_times()
        step = (
            max(1, round(HISTORY_HOURS * HOUR / self.cadence))
            if not earlier.shape[1]
            else round(MOMENTS_HOURS * HOUR / self.cadence)
        )
        places = np.arange(self.times.shape[1] - self.window - 1, -1, -step)[::-1]
        return Series(
            variable=variable,
            values=self.values[name],
            scaled=readings,
            history=np.hstack([earlier, readings[:, places]]),
            ends=ends,
            history_ends=np.concatenate([self.moment_times, ends[places]]),
            window=self.window,
            per_hour=self.per_hour,
            days=self.days,
            measured=np.any(~np.isnan(readings), axis=1) | np.any(~np.isnan(earlier), axis=1),
        )


def load(
    store: Store,
    start: float,
    end: float,
    cadence: float,
    variables: Sequence[str],
    also: Sequence[str] = (),
    past_days: float = PAST_DAYS,
) -> Grid:
    """Read the window after `start` up to and including `end`, in seconds since the epoch, and the days before.

    Of `variables` the days before are read too, of those in `also` the window alone. A variable of which the window has
    no value is not read further.

    A slot ends at a whole number of cadences before `end`; of several observations in one slot the last one counts.
    Where the stations report more rarely than `cadence`, slots are as long as their own.
    """
    with store.snapshot():
        return _load(store, start, end, cadence, variables, also, past_days)


def _load(
    store: Store,
    start: float,
    end: float,
    cadence: float,
    variables: Sequence[str],
    also: Sequence[str],
    past_days: float,
) -> Grid:
    stations = [without_impossible_place(station) for station in store.stations()]
    # The row of each station by its number; the last is for numbers of which there is no station any more.
    place = np.full(max(store.numbers(), default=0) + 2, -1)
    place[store.numbers()] = np.arange(len(stations))

    number_of = {station.station_id: row for row, station in enumerate(stations)}

    def read(spans: Sequence[Span], names: Sequence[str]) -> tuple[Ints, Floats, Floats]:
        """The row of each reading, its time, and its values, variables by readings."""
        parts = list(store.readings(spans, names))
        columns = np.hstack(parts) if parts else np.empty((2 + len(names), 0))
        rows = place[np.minimum(columns[0], len(place) - 1).astype(np.int64)]
        columns = columns[:, rows >= 0]
        return rows[rows >= 0], columns[1], columns[2:]

    names = [*variables, *also]
    row, observed, found = read([Span(start, end)], names)
    rejected = store.rejected(Span(start, end))
    # What nobody measures costs nothing.
    there = (~np.isnan(found)).any(axis=1) | np.isin(names, [one.variable for one in rejected])
    of_window = row, observed, found[there]
    measured = [name for name, known in zip(names, there.tolist(), strict=True) if known]
    of_past = [name for name in variables if name in measured]
    cadence = max(cadence, _rhythm(of_window[0], of_window[1], cadence))
    window = max(1, round((end - start) / cadence))
    lead_days = min(max(STATION_DAYS / max(len(stations), 1), LEAST_DAYS), past_days)
    lead = round(max(lead_days * DAY, SHORTEST_HOURS * HOUR - (end - start) if past_days else 0) / cadence)
    slots = lead + window
    first = end - slots * cadence
    before = read([Span(first, end - window * cadence)], of_past)
    moments = np.arange(first, first - (past_days - lead_days) * DAY, -MOMENTS_HOURS * HOUR)[1:][::-1]
    earlier = read([Span(moment - cadence, moment) for moment in moments.tolist()], of_past)

    times = np.full((len(stations), slots), np.nan)
    values = {name: np.full(times.shape, np.nan) for name in measured}
    for (row, observed, found), read_names in ((before, of_past), (of_window, measured)):
        # In order of time, so that the last one in a slot is the one that stays.
        order = np.argsort(observed, kind="stable")
        order = order[observed[order] > first]
        slot = slots - 1 - np.minimum((end - observed[order]) // cadence, slots - 1).astype(np.int64)
        times[row[order], slot] = observed[order]
        for number, name in enumerate(read_names):
            values[name][row[order], slot] = found[number, order]
    for one in rejected:
        if one.variable in values:
            at = number_of[one.station_id], slots - 1 - int((end - one.time) // cadence)
            if np.isnan(values[one.variable][at]):
                values[one.variable][at] = one.value
    moment = np.searchsorted(moments, earlier[1])
    seen = np.zeros((len(stations), len(moments)), dtype=bool)
    seen[earlier[0], moment] = True
    at_moments = {name: np.full(seen.shape, np.nan) for name in of_past}
    for number, name in enumerate(of_past):
        at_moments[name][earlier[0], moment] = earlier[2][number]
    for name in names:
        values.setdefault(name, np.broadcast_to(np.nan, times.shape))
        at_moments.setdefault(name, np.broadcast_to(np.nan, seen.shape))
    return Grid(
        stations=stations,
        cadence=cadence,
        end=end,
        window=window,
        times=times,
        values=values,
        moments=at_moments,
        moment_times=moments,
        days=_days(seen, moments, ~np.isnan(times[:, :lead]), end - window * cadence, first, cadence),
    )


def _rhythm(row: Ints, observed: Floats, cadence: float) -> float:
    """How far apart a typical station's observations are, in seconds, as a whole number of cadences."""
    order = np.lexsort((observed, row))
    apart = np.diff(observed[order])[np.diff(row[order]) == 0]
    apart = apart[apart > 0]
    if not len(apart):
        return cadence
    return max(1, round(float(np.median(apart)) / cadence)) * cadence


def _days(seen: Bools, moments: Floats, lead: Bools, until: float, first: float, cadence: float) -> Floats:
    """How long before `until` each station was seen first, in days."""
    found = np.zeros(len(lead))
    if lead.shape[1]:
        there = lead.any(axis=1)
        found = np.where(there, (until - (first + cadence * np.argmax(lead, axis=1))) / DAY, found)
    if len(moments):
        there = seen.any(axis=1)
        found = np.where(there, (until - moments[np.argmax(seen, axis=1)]) / DAY, found)
    return found
