"""Observations as arrays: stations by slots of one cadence, and moments of the days before.

The slots are as long as a typical station's observations are apart. A station that reports more rarely is judged in
slots of its own, with what the others measured at the same times: see `Grid.by_cadence`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np

from toolkit.model import Rejected, Station
from toolkit.quality import missing
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.blocks import by_rows
from toolkit.quality.packed import Coded, each, is_there, there, unpacked
from toolkit.quality.series import HOUR, Series, scaled, with_readings
from toolkit.store import Span
from toolkit.store.station_places import Changes
from toolkit.variables import BY_NAME

DAY = 24 * HOUR
MOMENTS_HOURS = 4.0
# Of a past that was read whole, the history of a series has a reading every so many hours.
HISTORY_HOURS = 1.0
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

    def silent(self, note: Callable[..., None] | None = None) -> Bools:
        """Slots in which a station reports nothing, for too long; stations × window slots. See `missing.gaps`."""
        there, ends, places = ~np.isnan(self.times[: self.number]), self.slot_times(), self._history()
        past, past_ends = (
            np.hstack([self.reported[: self.number], there[:, places]]),
            np.concatenate([self.moment_times, ends[places]]),
        )
        found = missing.gaps(there, past, ends, past_ends, self.window, note)
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
        values = unpacked(self.values, name)
        if isinstance(values, np.ndarray):
            readings = scaled(variable, values)
        else:
            (readings,) = by_rows(lambda rows: [scaled(variable, values[rows])], len(values))
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
