"""Observations as arrays: stations by slots of one cadence, and moments of the days before.

The slots are as long as a typical station's observations are apart. A station that reports more rarely is judged in
slots of its own, with what the others measured at the same times: see `Grid.by_cadence`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from toolkit.location import without_impossible_place
from toolkit.model import Rejected, Station
from toolkit.quality import missing
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.network import Network
from toolkit.quality.packed import ABSENT, Coded, Packed, each, floats, is_there, pack, there
from toolkit.quality.series import HOUR, Series, scaled, with_readings
from toolkit.sources import Cadences
from toolkit.store import Span
from toolkit.store.selection import pieces
from toolkit.store.station_places import Changes
from toolkit.variables import BY_NAME

DAY = 24 * HOUR
# What is normal is learnt from so many days before the window.
PAST_DAYS = 5.0
# In a small network these days are read whole. A large one shows at many stations what a small one shows at many times:
# there so many days of readings are read, divided by the number of stations, an eighth of a day at least, and before
# that single moments, so many hours apart.
STATION_DAYS = 100.0
LEAST_DAYS = 0.125
# No more slots than these are read whole: five days of five minutes each.
MOST_SLOTS = 1440
MOMENTS_HOURS = 4.0
# Of a past that was read whole, the history of a series has a reading every so many hours.
HISTORY_HOURS = 1.0
# Window and past together have so many hours at least.
SHORTEST_HOURS = 6.0
# How far apart observations may be, in seconds: what divides an hour or a day. What is measured is rounded to these.
# Values of less than a minute are no observations (WMO-No. 8, vol. III, ch. 1): several of them share a slot.
CADENCES = np.array(
    [*(HOUR / part for part in (60, 30, 20, 12, 10, 6, 5, 4, 3, 2)), *HOUR * np.array([1, 2, 3, 4, 6, 8, 12])]
)
# A window has so many slots at least: what is reported more rarely cannot be judged in it.
LEAST_SLOTS = 2
# A station's cadence is known from so many observations.
OBSERVATIONS = 4
# So many stations' observations are sorted at once, and of so many an hour is read at once.
AT_ONCE = 20_000
# A slot of a longer cadence ends where less than this share of its stations' observations follow in the next of the
# network's slots.
LATER = 0.1


class OfNetwork(NamedTuple):
    """What is known of a variable at all stations of a network.

    Attributes:
        compared: whether it has a scale of comparison.
        moments: at how many moments of the history any station has a reading.
    """

    compared: bool
    moments: int

    @classmethod
    def of(cls, series: Series) -> OfNetwork:
        """That of a variable of a whole network."""
        return cls(series.compared, with_readings(series.history))


class Source(Protocol):
    """What observations are read from: a store, or what has its methods; see `store.base.Store`."""

    def stations(self) -> list[Station]:
        """Every station, by id."""

    def numbers(self) -> list[int]:
        """The numbers by which `readings` names them."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Within it everything that is read is of one moment."""

    def readings(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """The values of some variables in some spans of time."""

    def rejected(self, span: Span) -> list[Rejected]:
        """The rejected values of a span of time."""

    def changes(self) -> Changes:
        """What of the stations was another at another time."""

    def owners(self) -> dict[str, str | None]:
        """The source to which each station belongs."""


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
        reported: whether a station reported anything at these moments; stations × moments.
        days: for how many days before the window there are observations of each station.
        every: in how many of the slots each station reports once: 1, or more at a station that reports more rarely
            than is typical.
        earlier: of each row after those of the stations, which are stations as they were before something of them
            changed within the window (see `sites`), the row of the station.
        since, until: by variable, from when on and up to when a row is the station as it was; rows. Empty where nothing
            changed.
        known: by variable, for how many days before the window a row is; `days` where nothing changed.
        of_network: by variable, what is known of the network of which these rows are a part; empty where they are all.
    """

    stations: list[Station]
    cadence: float
    end: float
    window: int
    times: Floats
    values: Mapping[str, Floats]
    moments: Mapping[str, Floats]
    moment_times: Floats
    reported: Bools
    days: Floats
    every: Ints
    earlier: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    since: Mapping[str, Floats] = field(default_factory=dict)
    until: Mapping[str, Floats] = field(default_factory=dict)
    known: Mapping[str, Floats] = field(default_factory=dict)
    of_network: Mapping[str, OfNetwork] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """How many stations there are: the rows before those of `earlier`."""
        return len(self.stations) - len(self.earlier)

    def station_rows(self) -> Ints:
        """The row of the station that each row is of."""
        return np.concatenate([np.arange(self.number), self.earlier])

    def row_at(self, name: str, row: Ints, time: Floats | Ints) -> Ints:
        """The rows of some stations at some times, for a variable."""
        found = row.copy()
        for place, station in enumerate(self.earlier.tolist(), start=self.number):
            then = (row == station) & (time >= self.since[name][place]) & (time < self.until[name][place])
            found[then] = place
        return found

    @property
    def per_hour(self) -> int:
        """Slots in an hour, at least one."""
        return max(1, round(HOUR / self.cadence))

    def _reported(self, name: str) -> Bools:
        """Which stations report a variable."""
        found: Bools = np.logical_or.reduce(there(self.values, name), axis=1)
        return found

    def unpacked(self) -> Grid:
        """The same with arrays of 64-bit floats."""
        return replace(self, values=dict(self.values), moments=dict(self.moments))

    def slot_times(self) -> Floats:
        """When each slot ends, seconds since the epoch."""
        slots = self.times.shape[1]
        found: Floats = self.end - self.cadence * np.arange(slots - 1, -1, -1)
        return found

    def _history(self) -> Ints:
        """The slots before the window that the history consists of, besides the moments."""
        hours = MOMENTS_HOURS if len(self.moment_times) else HISTORY_HOURS
        step = max(1, round(hours * HOUR / self.cadence))
        return np.arange(self.times.shape[1] - self.window - 1, -1, -step)[::-1]

    def silent(self, note: Callable[..., None] | None = None, network: Network | None = None) -> Bools:
        """Slots in which a station reports nothing, for too long; stations × window slots. See `missing.gaps`."""
        there, ends, places = ~np.isnan(self.times[: self.number]), self.slot_times(), self._history()
        past, past_ends = (
            np.hstack([self.reported[: self.number], there[:, places]]),
            np.concatenate([self.moment_times, ends[places]]),
        )
        found = missing.gaps(there, past, ends, past_ends, self.window, network, note=note)
        # Whatever changed of a station, it is silent once.
        return (
            np.vstack([found, np.zeros((len(self.earlier), self.window), dtype=bool)]) if len(self.earlier) else found
        )

    def by_cadence(self) -> Iterator[tuple[Grid, Bools]]:
        """The same observations in slots as long as stations' own observations are apart.

        Yields:
            A grid of all stations, and which of them report at its cadence; every station is of one grid.
        """
        slots = self.times.shape[1]
        phase = np.zeros(len(self.stations), dtype=np.int64)
        for row in np.flatnonzero(self.every > 1):
            every = int(self.every[row])
            count = np.bincount((slots - 1 - np.flatnonzero(~np.isnan(self.times[row]))) % every, minlength=every)
            phase[row] = _phase(count)
        for every, at in sorted({*zip(self.every.tolist(), phase.tolist(), strict=True)}):
            of_it = (self.every == every) & (phase == at)
            yield (self if every == 1 else self._thinned(every, at)), of_it

    def _thinned(self, every: int, phase: int) -> Grid:
        """The grid in slots that are `every` of its own long, without the last `phase` ones."""
        until = self.times.shape[1] - phase

        def last(values: Coded) -> Coded:
            """The last value in each of the longer slots."""
            parts = values[:, until % every : until].reshape(len(values), until // every, every)
            at = every - 1 - np.argmax(is_there(parts[:, :, ::-1]), axis=2)
            return np.take_along_axis(parts, at[:, :, None], 2)[:, :, 0]

        return replace(
            self,
            cadence=self.cadence * every,
            end=self.end - self.cadence * phase,
            window=max(1, -(-(self.window - phase) // every)),
            times=last(self.times),
            values=each(self.values, lambda _, values: last(values)),
            every=np.maximum(1, self.every // every),
        )

    def series(self, name: str) -> Series:
        """One variable as the tests see it."""
        variable = BY_NAME[name]
        values = self.values[name]
        readings = scaled(variable, values)
        earlier = scaled(variable, self.moments[name])
        ends, places = self.slot_times(), self._history()
        if variable.follows and variable.scale is not None:
            follows = np.logical_and.reduce([self._reported(other) for other in variable.follows])
            readings, earlier = (np.where(follows[:, None], np.nan, values) for values in (readings, earlier))
            of_network = self.of_network.get(name)
            if np.isnan(readings).all() if of_network is None else not of_network.compared:
                variable = replace(variable, scale=None)
        return Series(
            variable=variable,
            values=values,
            scaled=readings,
            history=np.hstack([earlier, readings[:, places]]),
            ends=ends,
            history_ends=np.concatenate([self.moment_times, ends[places]]),
            window=self.window,
            per_hour=self.per_hour,
            days=self.known.get(name, self.days),
            measured=np.any(~np.isnan(readings), axis=1) | np.any(~np.isnan(earlier), axis=1),
            moments=self.of_network[name].moments if name in self.of_network else None,
        )

    def rows(self, rows: Ints) -> Grid:
        """Some rows, in ascending order, as a grid; with a row of `earlier` there is that of its station."""
        stations = np.searchsorted(rows, self.number)
        return replace(
            self,
            stations=[self.stations[row] for row in rows.tolist()],
            times=self.times[rows],
            values=each(self.values, lambda _, values: values[rows]),
            moments=each(self.moments, lambda _, values: values[rows]),
            reported=self.reported[rows],
            days=self.days[rows],
            every=self.every[rows],
            earlier=np.searchsorted(rows, self.earlier[rows[stations:] - self.number]),
            since={name: of_it[rows] for name, of_it in self.since.items()},
            until={name: of_it[rows] for name, of_it in self.until.items()},
            known={name: of_it[rows] for name, of_it in self.known.items()},
        )

    def in_network(self, names: Sequence[str]) -> dict[str, OfNetwork]:
        """What is to be known of some variables where a part of these rows is looked at."""
        return {name: OfNetwork.of(self.series(name)) for name in names}


def _phase(count: Ints) -> int:
    """Where slots of a longer cadence end: how many of the network's slots after the last of these.

    Args:
        count: how many observations of a station are in each of the network's slots of such a slot, the latest first.
    """
    at = fullest = int(count.argmax())
    for _ in count:
        if count[at - 1] <= LATER * count.sum() or count[at - 1] >= count.sum() - count[at]:
            return at
        at = (at - 1) % len(count)
    return fullest  # it reports at any time


class _Readings(NamedTuple):
    """Observations as they were read.

    Attributes:
        row: the station of each.
        observed: when each was observed, seconds since the epoch.
        values: of some variables.
    """

    row: npt.NDArray[np.int32]
    observed: Floats
    values: list[Coded]


def load(
    store: Source,
    start: float,
    end: float,
    cadences: Cadences,
    variables: Sequence[str],
    also: Sequence[str] = (),
    past_days: float = PAST_DAYS,
) -> Grid:
    """Read the window after `start` up to and including `end`, in seconds since the epoch, and the days before.

    Of `variables` the days before are read too, of those in `also` the window alone. A variable of which the window has
    no value is not read further.

    A slot ends at a whole number of cadences before `end`; of several observations in one slot the last one counts.
    Slots are as long as the shortest of the stations' `cadences`, or where a typical station reports more rarely, as
    its observations are apart. No station is expected more often than its source tells of it.
    """
    return load_packed(store, start, end, cadences, variables, also, past_days).unpacked()


def load_packed(
    store: Source,
    start: float,
    end: float,
    cadences: Cadences,
    variables: Sequence[str],
    also: Sequence[str] = (),
    past_days: float = PAST_DAYS,
) -> Grid:
    """As `load`, with `Packed` values, for whoever does not need all of them at once."""
    with store.snapshot():
        return _load(store, start, end, cadences, variables, also, past_days)


def _load(
    store: Source,
    start: float,
    end: float,
    cadences: Cadences,
    variables: Sequence[str],
    also: Sequence[str],
    past_days: float,
) -> Grid:
    stations = [without_impossible_place(station) for station in store.stations()]
    # The row of each station by its number; the last is for numbers of which there is no station any more.
    place = np.full(max(store.numbers(), default=0) + 2, -1)
    place[store.numbers()] = np.arange(len(stations))

    number_of = {station.station_id: row for row, station in enumerate(stations)}

    def packed(names: Sequence[str], columns: Floats) -> _Readings:
        rows = place[np.minimum(columns[0], len(place) - 1).astype(np.int64)]
        found = columns if (rows >= 0).all() else columns[:, rows >= 0]
        values = [pack(name, of_it) for name, of_it in zip(names, found[2:], strict=True)]
        return _Readings(rows[rows >= 0].astype(np.int32), found[1].copy(), values)

    def read(spans: Sequence[Span], names: Sequence[str]) -> list[_Readings]:
        """What there is in some spans, in the order of the spans."""
        parts: list[_Readings] = []
        with ThreadPoolExecutor(1) as pool:
            waiting: Future[_Readings] | None = None
            for columns in store.readings([*pieces(spans, _seconds(len(stations)))], names):
                # While these are packed, the next ones are read.
                if waiting is not None:
                    parts.append(waiting.result())
                waiting = pool.submit(packed, names, columns)
            if waiting is not None:
                parts.append(waiting.result())
        return parts

    names = [*variables, *also]
    of_window = read([Span(start, end)], names)
    rejected = store.rejected(Span(start, end))
    # What nobody measures costs nothing.
    known = np.isin(names, [one.variable for one in rejected])
    for part in of_window:
        known |= [is_there(values).any() for values in part.values]
    measured = [name for name, one in zip(names, known.tolist(), strict=True) if one]
    of_past = [name for name in variables if name in measured]
    apart = _apart(len(stations), of_window, at_least=2)
    declared = cadences.of([one.station_id for one in stations], store.owners)
    cadence = max(min(declared, default=cadences.usual), float(CADENCES[0]), rounded(_typical(apart)))
    window = max(1, round((end - start) / cadence))
    lead_days = min(max(STATION_DAYS / max(len(stations), 1), LEAST_DAYS), MOST_SLOTS * cadence / DAY, past_days)
    lead = round(max(lead_days * DAY, SHORTEST_HOURS * HOUR - (end - start) if past_days else 0) / cadence)
    slots = lead + window
    first = end - slots * cadence
    before = read([Span(first, end - window * cadence)], of_past)
    apart = _apart(len(stations), [*before, *of_window], at_least=OBSERVATIONS)
    every = np.rint([max(1.0, rounded(one) / cadence) for one in np.fmax(apart, declared)]).astype(np.int64)
    every[every > window / LEAST_SLOTS] = 1
    moments = np.arange(first, first - (past_days - lead_days) * DAY, -MOMENTS_HOURS * HOUR)[1:][::-1]
    # What a station that reports more rarely measured last before a moment may be so old.
    reach = max(cadence, min(cadence * int(every.max(initial=1)), HOUR))
    earlier = read([Span(moment - reach, moment) for moment in moments.tolist()], of_past)

    times = np.full((len(stations), slots), np.nan)
    values = _absent(names, measured, times.shape)
    for parts, read_names in ((before, of_past), (of_window, names)):
        _into_slots(parts, read_names, times, values, measured, end, cadence)
    for one in rejected:
        if one.variable in values:
            at = [number_of[one.station_id]], [slots - 1 - int((end - one.time) // cadence)]
            if not is_there(values[one.variable][at]).all():
                _put(values, one.variable, at, pack(one.variable, np.array([one.value], dtype=np.float64)))
    seen = np.zeros((len(stations), len(moments)), dtype=bool)
    at_moments = _absent(names, of_past, seen.shape)
    for part in earlier:
        order = np.argsort(part.observed, kind="stable")
        row, moment = part.row[order], np.searchsorted(moments, part.observed[order])
        seen[row, moment] = True
        for name, found in zip(of_past, part.values, strict=True):
            _put(at_moments, name, (row, moment), found[order])
    return Grid(
        stations=stations,
        cadence=cadence,
        end=end,
        window=window,
        times=times,
        values=Packed(values),
        moments=Packed(at_moments),
        moment_times=moments,
        reported=seen,
        days=_days(seen, moments, ~np.isnan(times[:, :lead]), end - window * cadence, first, cadence),
        every=every,
    )


def _into_slots(
    parts: list[_Readings],
    names: Sequence[str],
    times: Floats,
    values: dict[str, Coded],
    measured: Sequence[str],
    end: float,
    cadence: float,
) -> None:
    """Put what was read into slots; of several observations in one slot the last one stays.

    Args:
        parts: what was read, in order of time; it is taken out of the list, for a long time need not be there twice.
        names: the variables that were read.
        times: when each value was observed; stations × slots.
        values: of each variable; stations × slots.
        measured: those that are wanted.
        end: when the last slot ends.
        cadence: seconds from slot to slot.
    """
    slots = times.shape[1]
    parts.reverse()
    while parts:
        row, observed, found = parts.pop()
        order = np.argsort(observed, kind="stable")
        order = order[observed[order] > end - slots * cadence]
        slot = slots - 1 - np.minimum((end - observed[order]) // cadence, slots - 1).astype(np.int64)
        times[row[order], slot] = observed[order]
        for name, of_it in zip(names, found, strict=True):
            if name in measured:
                _put(values, name, (row[order], slot), of_it[order])


def _absent(names: Sequence[str], measured: Sequence[str], shape: tuple[int, int]) -> dict[str, Coded]:
    """No values yet, by variable; of one that is not measured there will be none."""
    nothing = np.broadcast_to(ABSENT, shape)
    return {name: nothing.copy() if name in measured else nothing for name in names}


def _put(values: dict[str, Coded], name: str, at: Any, found: Coded) -> None:
    """Put some values of a variable where they belong."""
    if values[name].dtype != found.dtype:  # some are no whole numbers of steps
        values[name], found = floats(name, values[name]), floats(name, found)
    values[name][at] = found


def _seconds(stations: int) -> float:
    """How long a time is read at once."""
    return max(HOUR * min(1.0, AT_ONCE / max(stations, 1)), float(CADENCES[0]))


def _apart(stations: int, readings: Sequence[_Readings], at_least: int) -> Floats:
    """How far apart a station's observations are, in seconds, the median of each; NaN where too few are known.

    Args:
        stations: how many there are.
        readings: what was observed.
        at_least: of how many observations it is known.
    """
    if not readings:
        return np.full(stations, np.nan)
    found, some = np.empty(stations), np.full(sum(len(one.row) for one in readings), fill_value=True)
    row = np.concatenate([one.row for one in readings])
    observed = np.concatenate([one.observed for one in readings])
    for first in range(0, stations, AT_ONCE):
        after = min(first + AT_ONCE, stations)
        if stations > AT_ONCE:
            some = (row >= first) & (row < after)
        found[first:after] = _median_apart(after - first, row[some] - first, observed[some], at_least)
    return found


def _median_apart(stations: int, row: Ints, observed: Floats, at_least: int) -> Floats:
    """As `_apart`, of the stations and times of observations."""
    # In order of time within each station: what is read is mostly in order of time already.
    order = np.argsort(observed, kind="stable") if (np.diff(observed) < 0).any() else np.arange(len(observed))
    order = order[np.argsort(row[order].astype(np.uint16 if stations < 1 << 16 else np.int64), kind="stable")]
    row, apart = row[order], np.diff(observed[order], prepend=np.nan)
    apart[np.diff(row, prepend=-1) > 0] = np.nan  # the first of a station
    apart[apart == 0] = np.nan
    begin, after = (np.searchsorted(row, np.arange(stations), side=side) for side in ("left", "right"))
    known = np.concatenate([[0], np.cumsum(~np.isnan(apart))])
    number = known[after] - known[begin]
    some = np.flatnonzero((after - begin >= at_least) & (number > 0))
    ordered = apart[np.lexsort((apart, row))]  # of each station, NaNs come last
    lower, upper = begin[some] + (number[some] - 1) // 2, begin[some] + number[some] // 2
    found = np.full(stations, np.nan)
    found[some] = (ordered[lower] + ordered[upper]) / 2
    return found


def _typical(apart: Floats) -> float:
    """The median of those that are known, of an even number the lower of two; 0 of none."""
    known = apart[~np.isnan(apart)]
    return float(np.quantile(known, 0.5, method="lower")) if len(known) else 0.0


def rounded(apart: float) -> float:
    """The one of `CADENCES` that is nearest as a ratio; 0 for 0."""
    return float(CADENCES[np.abs(np.log(CADENCES / apart)).argmin()]) if apart > 0 else 0.0


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
