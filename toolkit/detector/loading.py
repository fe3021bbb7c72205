"""Observations read into a grid: the window, and the days before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.detector.grid import DAY, MOMENTS_HOURS, Grid, Source
from toolkit.location import without_impossible_place
from toolkit.memory import give_back
from toolkit.model import Rejected, Station
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.packed import ABSENT, SMALL, Coded, Packed, floats, is_there, pack
from toolkit.quality.series import HOUR
from toolkit.sources import Cadences
from toolkit.store import Span
from toolkit.store.selection import pieces

# What is normal is learnt from so many days before the window.
PAST_DAYS = 5.0
# In a small network these days are read whole. A large one shows at many stations what a small one shows at many times:
# there so many days of readings are read, divided by the number of stations, an eighth of a day at least, and before
# that single moments, so many hours apart.
STATION_DAYS = 100.0
LEAST_DAYS = 0.125
# No more slots than these are read whole: five days of five minutes each.
MOST_SLOTS = 1440
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
AT_ONCE = 10_000


class _Readings(NamedTuple):
    """Observations as they were read.

    Attributes:
        row: the station of each.
        observed: when each was observed, seconds since the epoch; in 32 bits where they are whole.
        values: of some variables.
    """

    row: npt.NDArray[np.int32]
    observed: npt.NDArray[Any]
    values: list[Coded]


def load(
    store: Source,
    start: float,
    end: float,
    cadences: Cadences,
    variables: Sequence[str],
    also: Sequence[str] = (),
    past_days: float = PAST_DAYS,
    *,
    packs: bool = False,
) -> Grid:
    """Read the window after `start` up to and including `end`, in seconds since the epoch, and the days before.

    Of `variables` the days before are read too, of those in `also` the window alone. A variable of which the window has
    no value is not read further.

    A slot ends at a whole number of cadences before `end`; of several observations in one slot the last one counts.
    Slots are as long as the shortest of the stations' `cadences`, or where a typical station reports more rarely, as
    its observations are apart. No station is expected more often than its source tells of it.

    With `packs` values are `Packed`, for whoever does not need all of them at once.
    """
    with store.snapshot():
        found = _load(store, start, end, cadences, variables, also, past_days, packs)
    if len(found.stations) > SMALL:
        give_back()
    return found


class _Reader:
    """Reads a network's observations, and packs them meanwhile where that is wanted."""

    def __init__(self, store: Source, stations: int, *, packs: bool) -> None:
        self._store, self._stations = store, stations
        self.packs = packs and stations > SMALL
        # The row of each station by its number; the last is for numbers of which there is no station any more.
        self._row = np.full(max(store.numbers(), default=0) + 2, -1)
        self._row[store.numbers()] = np.arange(stations)

    def read(self, spans: Sequence[Span], names: Sequence[str]) -> Iterator[_Readings]:
        """What there is in some spans, in the order of the spans."""
        # A large network's hour is much at once.
        seconds = max(HOUR * min(1.0, AT_ONCE / max(self._stations, 1)), float(CADENCES[0]))
        found = self._store.readings([*pieces(spans, seconds)], names)
        if not self.packs:
            for columns in found:
                yield self._packed(names, columns)
            return
        with ThreadPoolExecutor(1) as pool:
            waiting: Future[_Readings] | None = None
            for columns in found:
                # While these are packed, the next ones are read.
                if waiting is not None:
                    yield waiting.result()
                waiting = pool.submit(self._packed, names, columns)
            if waiting is not None:
                yield waiting.result()

    def _packed(self, names: Sequence[str], columns: Floats) -> _Readings:
        rows = self._row[np.minimum(columns[0], len(self._row) - 1).astype(np.int64)]
        found = columns if (rows >= 0).all() else columns[:, rows >= 0]
        values = [pack(name, of_it) if self.packs else of_it for name, of_it in zip(names, found[2:], strict=True)]
        with np.errstate(invalid="ignore"):
            observed = found[1].astype(np.uint32)
        if not self.packs or not np.array_equal(observed, found[1]):
            observed = found[1].copy()
        return _Readings(rows[rows >= 0].astype(np.int32), observed, values)


def _load(
    store: Source,
    start: float,
    end: float,
    cadences: Cadences,
    variables: Sequence[str],
    also: Sequence[str],
    past_days: float,
    packs: bool,
) -> Grid:
    stations = [without_impossible_place(station) for station in store.stations()]
    reader, names = _Reader(store, len(stations), packs=packs), [*variables, *also]
    of_window = [*reader.read([Span(start, end)], names)]
    rejected = store.rejected(Span(start, end))
    # What nobody measures costs nothing.
    known = np.isin(names, [one.variable for one in rejected])
    for part in of_window:
        known |= np.array([is_there(values).any() for values in part.values], dtype=bool)  # of none, too
    measured = [name for name, one in zip(names, known.tolist(), strict=True) if one]
    of_past = [name for name in variables if name in measured]
    seen_at = [(one.row, one.observed) for one in of_window]
    apart = _apart(len(stations), seen_at, at_least=2)
    declared = cadences.of([one.station_id for one in stations], store.owners)
    cadence = max(min(declared, default=cadences.usual), float(CADENCES[0]), rounded(_typical(apart)))
    window = max(1, round((end - start) / cadence))
    lead_days = min(max(STATION_DAYS / max(len(stations), 1), LEAST_DAYS), MOST_SLOTS * cadence / DAY, past_days)
    lead = round(max(lead_days * DAY, SHORTEST_HOURS * HOUR - (end - start) if past_days else 0) / cadence)
    slots = lead + window
    first = end - slots * cadence
    times = np.full((len(stations), slots), np.nan)
    values = _absent(names, measured, times.shape, reader.packs)
    of_window.reverse()
    while of_window:  # what is in its slot is not kept twice
        _into_slots(of_window.pop(), names, times, values, measured, end, cadence)
    for part in reader.read([Span(first, end - window * cadence)], of_past):
        seen_at.append((part.row, part.observed))
        _into_slots(part, of_past, times, values, measured, end, cadence)
    _add_rejected(rejected, stations, values, end, cadence)
    apart = _apart(len(stations), seen_at, at_least=OBSERVATIONS)
    different, which = np.unique(np.fmax(apart, declared), return_inverse=True)
    every = np.rint([max(1.0, rounded(one) / cadence) for one in different.tolist()]).astype(np.int64)[which]
    every[every > window / LEAST_SLOTS] = 1
    moments = np.arange(first, first - (past_days - lead_days) * DAY, -MOMENTS_HOURS * HOUR)[1:][::-1]
    # What a station that reports more rarely measured last before a moment may be so old.
    reach = max(cadence, min(cadence * int(every.max(initial=1)), HOUR))
    seen = np.zeros((len(stations), len(moments)), dtype=bool)
    at_moments = _absent(names, of_past, seen.shape, reader.packs)
    for part in reader.read([Span(moment - reach, moment) for moment in moments.tolist()], of_past):
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
        values=Packed(values) if packs else values,
        moments=Packed(at_moments) if packs else at_moments,
        moment_times=moments,
        reported=seen,
        days=_days(seen, moments, ~np.isnan(times[:, :lead]), end - window * cadence, first, cadence),
        every=every,
    )


def _add_rejected(
    rejected: Sequence[Rejected], stations: Sequence[Station], values: dict[str, Coded], end: float, cadence: float
) -> None:
    """Put rejected values into the slots that have none."""
    row_of = {station.station_id: row for row, station in enumerate(stations)} if rejected else {}
    for one in rejected:
        if one.variable in values:
            slots = values[one.variable].shape[1]
            at = [row_of[one.station_id]], [slots - 1 - int((end - one.time) // cadence)]
            if not is_there(values[one.variable][at]).all():
                _put(values, one.variable, at, pack(one.variable, np.array([one.value], dtype=np.float64)))


def _into_slots(
    part: _Readings,
    names: Sequence[str],
    times: Floats,
    values: dict[str, Coded],
    measured: Sequence[str],
    end: float,
    cadence: float,
) -> None:
    """Put what was read into slots; of several observations in one slot the last one stays.

    Args:
        part: what was read; parts are put there in order of time.
        names: the variables that were read.
        times: when each value was observed; stations × slots.
        values: of each variable; stations × slots.
        measured: those that are wanted.
        end: when the last slot ends.
        cadence: seconds from slot to slot.
    """
    slots, (row, observed, found) = times.shape[1], part
    order = np.argsort(observed, kind="stable")
    order = order[observed[order] > end - slots * cadence]
    slot = slots - 1 - np.minimum((end - observed[order]) // cadence, slots - 1).astype(np.int64)
    times[row[order], slot] = observed[order]
    for name, of_it in zip(names, found, strict=True):
        if name in measured:
            _put(values, name, (row[order], slot), of_it[order])


def _absent(names: Sequence[str], measured: Sequence[str], shape: tuple[int, int], packs: bool) -> dict[str, Coded]:
    """No values yet, by variable; of one that is not measured there will be none."""
    nothing = np.broadcast_to(ABSENT if packs else np.nan, shape)
    return {name: nothing.copy() if name in measured else nothing for name in names}


def _put(values: dict[str, Coded], name: str, at: Any, found: Coded) -> None:
    """Put some values of a variable where they belong."""
    if values[name].dtype != found.dtype:  # some are no whole numbers of steps
        values[name], found = floats(name, values[name]), floats(name, found)
    values[name][at] = found


def _apart(stations: int, seen_at: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[Any]]], at_least: int) -> Floats:
    """How far apart a station's observations are, in seconds, the median of each; NaN where too few are known.

    Args:
        stations: how many there are.
        seen_at: which of them were observed, and when, seconds since the epoch.
        at_least: of how many observations it is known.
    """
    if not seen_at:
        return np.full(stations, np.nan)
    found = np.empty(stations)
    row, observed = (np.concatenate(of_all) for of_all in zip(*seen_at, strict=True))
    some: slice | Bools = slice(None)
    for first in range(0, stations, AT_ONCE):
        after = min(first + AT_ONCE, stations)
        if stations > AT_ONCE:
            some = (row >= first) & (row < after)
        some_observed = observed[some].astype(np.float64)
        found[first:after] = _median_apart(after - first, row[some] - first, some_observed, at_least)
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
