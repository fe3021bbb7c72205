"""A better value for one that fails or is suspect: what the neighbours imply, as `quality.expected` has it.

The usual differences between stations are learnt without values that fail or are suspect, and no such value of a
neighbour counts. What is estimated is never put in the place of what was measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.detector import loading, sites
from toolkit.detector.grid import Grid, Source
from toolkit.detector.judging import Judging, judging
from toolkit.flagging.readings import FlaggedReadings
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.expected import Expectations
from toolkit.quality.series import unscaled
from toolkit.settings import Settings
from toolkit.sources import cadences_of
from toolkit.store import Span, Store
from toolkit.store.flag_views import FAIL, SUSPECT
from toolkit.store.flags import Decisive
from toolkit.store.selection import pieces
from toolkit.variables import BY_NAME, STATION

DAY = 86_400.0
# As much is read at a time as so many days of one station are, and a week at most.
STATION_DAYS, MOST_DAYS = 1000.0, 7.0
# The usual differences are learnt from so many days before: a fault may last for most of them.
PAST_DAYS = 30.0


def estimates(store: Store, settings: Settings, readings: FlaggedReadings) -> dict[str, npt.NDArray[np.float64]]:
    """What the neighbours imply for values that fail or are suspect.

    Args:
        store: from which the observations are.
        settings: which stations are neighbours.
        readings: the observations, with all variables that are wanted.

    Returns:
        By variable, in its unit, for each observation: NaN for a value of another flag, and see `implied`.
    """
    wanted = {name: np.isin(flags, (SUSPECT, FAIL)) for name, flags in readings.flags.items()}
    with store.snapshot():
        return implied(
            store, store.flags.decisive, settings, Places(readings.stations, readings.station, readings.time), wanted
        )


class Places(NamedTuple):
    """Where and when something is to be estimated.

    Attributes:
        stations: the ids to which `station` refers.
        station: of each place.
        time: seconds since the epoch.
    """

    stations: list[str]
    station: npt.NDArray[np.integer]
    time: Ints


def implied(
    source: Source,
    decisive: Callable[[Span], list[Decisive]],
    settings: Settings,
    at: Places,
    wanted: Mapping[str, Bools],
) -> dict[str, Floats]:
    """What the neighbours imply for stations at some times.

    Args:
        source: the stations and their observations.
        decisive: what is said of values in a span, see `store.flags.Flags.decisive`.
        settings: which stations are neighbours.
        at: where and when.
        wanted: by variable at which of these places.

    Returns:
        By variable, in its unit, at each place: NaN where it is not wanted, for a variable that is not compared with
        neighbours (such as a direction), and where no neighbour can tell: none is near, they were silent or are in
        doubt themselves, or too little is known of how the station usually differs from them.
    """
    found = {name: np.full(len(at.time), np.nan) for name in wanted}
    some = {
        name: of_it
        for name, of_it in wanted.items()
        if of_it.any() and BY_NAME[name].scale is not None and BY_NAME[name].nature != "circular"
    }
    if not some:
        return found
    times = at.time[np.logical_or.reduce([*some.values()])]
    days = min(MOST_DAYS, STATION_DAYS / max(1, len(at.stations)))
    for window in pieces([Span(float(times.min()) - 1, float(times.max()))], days * DAY):
        within = (at.time > window.start) & (at.time <= window.end)
        asked = {name: np.flatnonzero(of_it & within) for name, of_it in some.items()}
        asked = {name: places for name, places in asked.items() if len(places)}
        for name, places, values in _of_window(source, decisive, settings, at, window, asked):
            found[name][places] = values
    return found


def _of_window(
    source: Source,
    decisive: Callable[[Span], list[Decisive]],
    settings: Settings,
    at: Places,
    window: Span,
    asked: dict[str, Ints],
) -> Iterator[tuple[str, Ints, Floats]]:
    """By variable some of the observations that are asked for, and what their neighbours imply."""
    if not asked:
        return
    grid = sites.as_they_were(
        loading.load(source, *window, cadences_of(settings), [*asked], past_days=PAST_DAYS), source.changes()
    )
    since = min([*grid.moment_times[:1].tolist(), float(grid.slot_times()[0])]) - grid.cadence
    neighbours = sites.neighbours_of(grid, settings)
    how = judging(grid.stations, settings, neighbours, [*grid.values], window.end)
    grid = _without_wrong(how.read(grid), decisive(Span(since, window.end)))
    rows = {station.station_id: row for row, station in enumerate(grid.stations[: grid.number])}
    row_of = np.array([rows.get(name, -1) for name in at.stations])
    for part, of_it in grid.by_cadence():
        for name, places in asked.items():
            row = grid.row_at(name, row_of[at.station[places]], at.time[places])
            here = (row >= 0) & of_it[row]
            if here.any():
                yield name, places[here], _implied(part, how, name, row[here], at.time[places[here]])


def _implied(grid: Grid, how: Judging, name: str, row: Ints, time: Ints) -> Floats:
    """What the neighbours of some stations imply at some times, in the variable's unit."""
    series, variable = grid.series(name), BY_NAME[name]
    rows, of_rows = np.unique(row, return_inverse=True)
    expected = Expectations(series, how.neighbours_of(name)).many(rows, np.zeros(len(series.values), dtype=bool))
    slots = series.values.shape[1]
    slot = np.clip(slots - 1 - (grid.end - time) // grid.cadence, 0, slots - 1).astype(np.int64)
    implied = np.where(expected.has_close_neighbour[of_rows], expected.value[of_rows, slot], np.nan)
    return np.clip(unscaled(variable, implied), variable.low, variable.high)


def _without_wrong(grid: Grid, decisive: Iterable[Decisive]) -> Grid:
    """The observations without those that fail or are suspect.

    Args:
        grid: them.
        decisive: what is said of them, the deciding interval last.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for row, station in enumerate(grid.stations):
        rows[station.station_id].append(row)
    wrong = {name: np.zeros(values.shape, dtype=bool) for name, values in grid.values.items()}
    earlier = {name: np.zeros(values.shape, dtype=bool) for name, values in grid.moments.items()}
    for one in decisive:
        names = [*wrong] if one.variable == STATION else [one.variable]
        if names[0] not in wrong:
            continue
        moments = (grid.moment_times >= one.started) & (grid.moment_times <= one.ended)
        for row in rows.get(one.station_id, ()):
            times = grid.times[row]
            within = (times >= one.started) & (times <= one.ended)
            for name in names:
                wrong[name][row, within] = earlier[name][row, moments] = one.flag in {SUSPECT, FAIL}
    return replace(grid, values=_masked(grid.values, wrong), moments=_masked(grid.moments, earlier))


def _masked(values: Mapping[str, Floats], wrong: dict[str, Bools]) -> Mapping[str, Floats]:
    return {name: np.where(wrong[name], np.nan, of_it) for name, of_it in values.items()}
