"""Stations as they were at the time that is judged: at the place where they stood, with the sensors that they had.

A station that moved, or whose sensor was replaced, begins a new history: what was learnt before is not used after, nor
the other way round. Where that happens within a window, the station has another row for the time before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from toolkit.detector.grid import DAY, Grid
from toolkit.location import height, place
from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats
from toolkit.quality.neighbours import Neighbours, nearest
from toolkit.quality.packed import Coded, each, forget
from toolkit.settings import Settings
from toolkit.store.station_places import Changes, Place
from toolkit.variables import STATION


class _Break(NamedTuple):
    """When something of a station became another.

    Attributes:
        time: from when on.
        variables: those that begin a new history.
    """

    time: float
    variables: frozenset[str]


def as_they_were(grid: Grid, changes: Changes) -> Grid:
    """The observations of a network with its stations as they were; see `Grid.earlier`, `Grid.since` and `Grid.until`.

    Args:
        grid: what was read, with the stations as they are now.
        changes: what of them was another at another time.
    """
    changed = changes.stations
    rows = [row for row, one in enumerate(grid.stations) if one.station_id in changed]
    if not rows:
        return grid
    ends = grid.slot_times()
    began, first = float(ends[-grid.window]) - grid.cadence, min([*grid.moment_times[:1].tolist(), float(ends[0])])
    stations = list(grid.stations)
    added: list[tuple[int, Station, list[_Break], int]] = []
    of_row: dict[int, list[_Break]] = {}
    for row in rows:
        station = grid.stations[row]
        places = changes.places.get(station.station_id, ())
        stations[row] = _at(station, places, grid.end)
        breaks = [
            one for one in _breaks(places, changes.sensors.get(station.station_id, ()), [*grid.values])
            if first < one.time <= grid.end
        ]  # fmt: skip
        if not breaks:
            continue
        of_row[row] = breaks
        for number, one in enumerate(breaks):
            if one.time > began:
                before = math.nextafter(one.time, -math.inf)
                added.append((row, _at(station, places, before), breaks, number))
    if not of_row:
        return replace(grid, stations=stations)
    return _divided(replace(grid, stations=stations), of_row, added)


def since_moved(grid: Grid, changes: Changes) -> Grid:
    """The observations of a network with each station only since it has been where it was last: as if it were new."""
    stations, times, values, moments = list(grid.stations), grid.times, dict(grid.values), dict(grid.moments)
    ends = grid.slot_times()
    for row, station in enumerate(grid.stations):
        places = [one for one in changes.places.get(station.station_id, ()) if one.since <= grid.end]
        if not places:
            continue
        stations[row] = _at(station, places, grid.end)
        before = np.where(np.isnan(times[row]), ends, times[row]) < places[-1].since
        if before.any():
            times = times.copy() if times is grid.times else times
            times[row, before] = np.nan
            for kind, when in ((values, before), (moments, grid.moment_times < places[-1].since)):
                for name, of_it in kind.items():
                    kind[name] = of_it.copy()
                    kind[name][row, when] = np.nan
    return replace(grid, stations=stations, times=times, values=values, moments=moments)


def neighbours_of(grid: Grid, settings: Settings) -> Neighbours:
    """Which rows are near which; see `nearest`. A station is no neighbour of what it was itself."""
    found = nearest(grid.stations, settings.neighbour_km, settings.neighbour_elevation_m)
    if len(grid.earlier):
        station = grid.station_rows()
        itself = station[found.rows] == station[:, None]
        found.exists[itself] = found.close[itself] = False
    return found


def _at(station: Station, places: Sequence[Place], time: float) -> Station:
    """A station at the place where it was at a time."""
    there = next((one for one in reversed(places) if one.since <= time), None)
    if there is None:
        return station
    latitude, longitude = place(there.latitude, there.longitude) or (None, None)
    return station._replace(latitude=latitude, longitude=longitude, elevation=height(there.elevation))


def _breaks(places: Sequence[Place], sensors: Sequence[tuple[str, float]], names: Sequence[str]) -> Iterator[_Break]:
    """When something of one station became another, in order of time."""
    of: dict[float, set[str]] = {one.since: set(names) for one in places[1:]}
    for variable, since in sensors:
        of.setdefault(since, set()).update(names if variable == STATION else {variable} & {*names})
    for time in sorted(of):
        if of[time]:
            yield _Break(time, frozenset(of[time]))


def _divided(
    grid: Grid, of_row: dict[int, list[_Break]], added: Sequence[tuple[int, Station, list[_Break], int]]
) -> Grid:
    """The grid with a row for each time within the window that a change ended, and without what was before a change."""
    count, names = len(grid.stations), [*grid.values]
    since = {name: np.full(count + len(added), -np.inf) for name in names}
    until = {name: np.full(count + len(added), np.inf) for name in names}
    for name in names:
        for row, breaks in of_row.items():
            since[name][row] = max((one.time for one in breaks if name in one.variables), default=-math.inf)
        for place_, (_, _, breaks, number) in enumerate(added, start=count):
            if name in breaks[number].variables:
                until[name][place_] = breaks[number].time
                since[name][place_] = max(
                    (one.time for one in breaks[:number] if name in one.variables), default=-math.inf
                )
            else:  # it goes on in a later row
                since[name][place_] = np.inf
    rows = np.array([*range(count), *(row for row, *_ in added)])
    changed = np.array([*of_row, *range(count, len(rows))])
    times = grid.times[rows]
    at = np.where(np.isnan(times), grid.slot_times(), times)[changed]
    ended = np.array([breaks[number].time for _, _, breaks, number in added])[:, None]
    times[count:][times[count:] >= ended] = np.nan
    reported = grid.reported[rows]
    reported[count:] &= grid.moment_times < ended

    def within(values: Coded, name: str, when: Floats) -> Coded:
        found: Coded = values[rows]
        some = found[changed]
        forget(some, (when < since[name][changed, None]) | (when >= until[name][changed, None]))
        found[changed] = some
        return found

    start = grid.end - grid.window * grid.cadence
    return replace(
        grid,
        stations=[*grid.stations, *(station for _, station, _, _ in added)],
        times=times,
        values=each(grid.values, lambda name, values: within(values, name, at)),
        moments=each(grid.moments, lambda name, values: within(values, name, grid.moment_times[None])),
        reported=reported,
        days=grid.days[rows],
        every=grid.every[rows],
        earlier=rows[count:],
        since=since,
        until=until,
        known={name: np.clip((start - since[name]) / DAY, 0, grid.days[rows]) for name in names},
    )


def outside(grid: Grid, name: str) -> Bools | None:
    """The window's slots in which a row is not the station as it was, rows × window slots; None if there are none."""
    if not grid.since:
        return None
    ends = grid.slot_times()[-grid.window :]
    found: Bools = (ends < grid.since[name][:, None]) | (ends >= grid.until[name][:, None])
    return found
