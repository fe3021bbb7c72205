"""How each sensor is judged: as the settings say, or by one of their exceptions (`toolkit.sensor_exceptions`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np

from toolkit import times
from toolkit.detector.grid import Grid
from toolkit.detector.report import AppliedException, Insufficient
from toolkit.location import distance_km
from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.neighbours import REGION, Neighbours, nearest
from toolkit.quality.packed import Coded, each, forget
from toolkit.sensor_exceptions import SensorException, exception_of
from toolkit.settings import Settings
from toolkit.variables import STATION


class _Applied(NamedTuple):
    """An exception that holds.

    Attributes:
        exception: which.
        row: its station.
        variables: those for which it holds, of the ones that are read.
        whole: whether these are all that are read.
    """

    exception: SensorException
    row: int
    variables: tuple[str, ...]
    whole: bool

    @property
    def named(self) -> tuple[str, ...]:
        """The variables as a report names them."""
        return (STATION,) if self.whole else self.variables


@dataclass(frozen=True, slots=True)
class Judging:
    """How the sensors of a network are judged.

    Attributes:
        applied: the exceptions that hold.
        neighbours: which stations are near which, for a variable without an exception.
        of_variable: the same for each variable that has one.
        looser: of each variable that has an exception, how many times as far off as elsewhere a station's readings may
            be; stations.
        left_out: the stations of which nothing is judged; stations.
    """

    applied: Sequence[_Applied]
    neighbours: Neighbours
    of_variable: Mapping[str, Neighbours]
    looser: Mapping[str, Floats]
    left_out: Bools

    def neighbours_of(self, variable: str) -> Neighbours:
        """Which stations are near which, for a variable."""
        return self.of_variable.get(variable, self.neighbours)

    @property
    def every(self) -> list[Neighbours]:
        """Which stations are near which, for one variable or another."""
        return [self.neighbours, *self.of_variable.values()]

    def part(self, rows: Ints) -> Judging:
        """How some rows, in ascending order, are judged."""
        place = {row: number for number, row in enumerate(rows.tolist())}
        return Judging(
            [one._replace(row=place[one.row]) for one in self.applied if one.row in place],
            self.neighbours.part(rows),
            {name: one.part(rows) for name, one in self.of_variable.items()},
            {name: one[rows] for name, one in self.looser.items()},
            self.left_out[rows],
        )

    def with_neighbours(self, rows: Bools, station_rows: Ints, steps: int) -> Bools:
        """Some rows of a network and their neighbours, with all rows of each station.

        Args:
            rows: which.
            station_rows: for each row, the first row of its station.
            steps: how often those that are near one that is wanted are wanted, too.
        """
        wanted = rows.copy()
        for _ in range(steps):
            for one in self.every:
                wanted[one.rows[wanted][one.exists[wanted]]] = True
            whole = np.zeros(len(wanted), dtype=bool)
            whole[station_rows[wanted]] = True
            wanted = whole[station_rows]
        return wanted

    def read(self, grid: Grid) -> Grid:
        """What was read, without the sensors that are not judged: nothing is judged by them either."""
        rows: dict[str, list[int]] = {}
        for one in self.applied:
            if not one.exception.judged:
                for name in one.variables:
                    rows.setdefault(name, []).append(one.row)

        def without(name: str, values: Coded) -> Coded:
            if name in rows:
                values = values.copy()
                forget(values, rows[name])
            return values

        return replace(grid, values=each(grid.values, without), moments=each(grid.moments, without))

    def not_judged(self, stations: Sequence[Station], rows: Bools, variables: Iterable[str]) -> Iterator[Insufficient]:
        """The sensors of some stations that are not judged, and why.

        Args:
            stations: the network.
            rows: whether each station is asked for; of those after them nothing is said.
            variables: the variables that are asked for.
        """
        wanted = {STATION, *variables}
        for one in self.applied:
            if one.row < len(rows) and rows[one.row] and not one.exception.judged:
                for name in sorted(wanted.intersection(one.named)):
                    which = "" if name == STATION else f"{name}: "
                    reason = f"{which}not judged, by an exception: {one.exception.reason}"
                    yield Insufficient(stations[one.row].station_id, name, reason)

    def exceptions(self, stations: Sequence[Station], rows: Bools) -> list[AppliedException]:
        """The exceptions that hold for some stations, for a report."""
        return [
            AppliedException(
                station_id=stations[one.row].station_id,
                variable=name,
                effect=one.exception.effect,
                reason=one.exception.reason,
                until=None if one.exception.until is None else times.iso_of(one.exception.until),
            )
            for one in self.applied
            if one.row < len(rows) and rows[one.row]
            for name in one.named
        ]


def judging(
    stations: Sequence[Station], settings: Settings, neighbours: Neighbours, variables: Sequence[str], at: float
) -> Judging:
    """How the sensors of a network are judged at a time, seconds since the epoch.

    Args:
        stations: the network.
        settings: the exceptions, and what a neighbour is.
        neighbours: which stations are near which, without exceptions.
        variables: those that are read.
        at: the time.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for row, station_ in enumerate(stations):
        rows[station_.station_id].append(row)
    applied: list[_Applied] = []
    for station in dict.fromkeys(one.station for one in settings.exceptions):
        if station not in rows:
            continue
        of: dict[SensorException, list[str]] = {}
        for name in variables:
            if one := exception_of(settings.exceptions, station, name, at):
                of.setdefault(one, []).append(name)
        applied += [
            _Applied(one, row, tuple(names), not one.variables and len(names) == len(variables))
            for one, names in of.items()
            for row in rows[station]
        ]
    left_out = np.zeros(len(stations), dtype=bool)
    of_variable: dict[str, Neighbours] = {}
    looser: dict[str, Floats] = {}
    for holds in applied:
        one, row = holds.exception, holds.row
        left_out[row] |= holds.whole and not one.judged
        around = None
        if one.neighbour_km is not None or one.neighbour_elevation_m is not None:
            around = _around(
                stations,
                row,
                settings.neighbour_km if one.neighbour_km is None else one.neighbour_km,
                settings.neighbour_elevation_m if one.neighbour_elevation_m is None else one.neighbour_elevation_m,
            )
        for name in holds.variables:
            if around is not None:
                found = of_variable.setdefault(name, _copy(neighbours))
                for kind in fields(Neighbours):
                    getattr(found, kind.name)[row] = getattr(around, kind.name)
            if one.limits != 1:
                looser.setdefault(name, np.ones(len(stations)))[row] = one.limits
    return Judging(applied, neighbours, of_variable, looser, left_out)


def _around(stations: Sequence[Station], row: int, km: float, elevation_m: float) -> Neighbours:
    """The neighbours of one station alone, as one row of `Neighbours`; see `nearest`."""
    here = stations[row]
    if here.latitude is None or here.longitude is None:
        near = [row]
    else:  # the stations of its region, so that a large network costs no more than a small one
        near = [
            other
            for other, one in enumerate(stations)
            if other == row
            or (one.latitude is not None and one.longitude is not None and distance_km(here, one) <= REGION * km)
        ]
    found, at = nearest([stations[other] for other in near], km, elevation_m), near.index(row)
    return Neighbours(
        rows=np.where(found.exists[at], np.array(near)[found.rows[at]], 0),
        exists=found.exists[at],
        close=found.close[at],
        km=found.km[at],
    )


def _copy(neighbours: Neighbours) -> Neighbours:
    return Neighbours(**{one.name: getattr(neighbours, one.name).copy() for one in fields(Neighbours)})
