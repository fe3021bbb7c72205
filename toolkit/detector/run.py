"""One detection run: the tests on a window, the classes of what they flagged, a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from toolkit import times
from toolkit.detector import in_parts, loading, sites
from toolkit.detector.confidence import rated
from toolkit.detector.explaining import Explaining
from toolkit.detector.grid import Grid, Source
from toolkit.detector.judging import judging
from toolkit.detector.learning import ALONE, Divided, Map
from toolkit.detector.piece import Piece
from toolkit.detector.piece import anomalies as anomalies_of
from toolkit.detector.report import SCHEMA, Anomaly, Insufficient, Report, Stations, Window
from toolkit.model import require_station
from toolkit.quality.arrays import Bools
from toolkit.quality.catalogue import TESTS
from toolkit.quality.packed import there
from toolkit.settings import COMBINED, Settings
from toolkit.sources import cadences_of
from toolkit.variables import BY_NAME, DETECTED, STATION


def detect(
    store: Source,
    settings: Settings,
    end: float,
    only: str | None = None,
    explaining: Explaining | None = None,
    apply: Map = map,
    stations_in_tile: int | None = None,
) -> Report:
    """Look for anomalies in the window that ends at `end`.

    Args:
        store: where the observations are.
        settings: window, method, variables, neighbourhood.
        end: the window's end, seconds since the epoch.
        only: report this station alone; the others still count as its neighbours.
        explaining: is told why a station is judged as it is.
        apply: makes a function of tiles do its work, here or elsewhere, as `map` does.
        stations_in_tile: of how many stations one of them is at most, without those near them; None: the network is not
            divided. The report is the same whatever it is.

    Raises:
        UsageError: there is no station `only`, or none that is to be explained.
    """
    start = end - settings.window_hours * 3600
    variables = judged_variables(settings)
    grid = sites.as_they_were(
        loading.load(store, start, end, cadences_of(settings), variables, needed_besides(variables), packs=True),
        store.changes(),
    )
    names = [station.station_id for station in grid.stations[: grid.number]]
    require_station(only, names)
    if explaining:
        require_station(explaining.station_id, names)
    rows = np.array([only in {None, one.station_id} for one in grid.stations], dtype=bool)

    how = judging(grid.stations, settings, sites.neighbours_of(grid, settings), [*grid.values], end)
    divided = ALONE
    if stations_in_tile is not None and stations_in_tile < len(grid.stations):
        divided = Divided(apply, in_parts.cut(grid.stations, how.every, stations_in_tile))
    anomalies: list[Anomaly] = []
    insufficient: list[Insufficient] = []
    for part, of_it in how.read(grid).by_cadence():
        if (asked := rows & of_it & ~how.left_out).any():
            measured = [name for name in variables if there(part.values, name)[:, -part.window :].any()]
            anomalies += anomalies_of(Piece(settings, part, how, asked, measured, divided), explaining)
            insufficient += _insufficient(part, settings, asked)
    rows = rows[: grid.number]
    insufficient += how.not_judged(grid.stations, rows, variables)
    with_data = {*names} - {one.station_id for one in insufficient if one.variable == STATION}
    return Report(
        schema=SCHEMA,
        generated_at=times.iso(times.now()),
        window=Window(times.iso_of(start), times.iso_of(end), settings.window_hours),
        method=settings.detection_method,
        stations=Stations(
            int(rows.sum()),
            sum(asked and name in with_data for name, asked in zip(names, rows.tolist(), strict=True)),
            len({anomaly.station_id for anomaly in anomalies}),
        ),
        anomalies=sorted(map(rated, anomalies), key=lambda one: (one.start, one.station_id, one.variable)),
        insufficient=insufficient,
        exceptions=how.exceptions(grid.stations, rows),
    )


def judged_variables(settings: Settings) -> tuple[str, ...]:
    """The variables that a run judges.

    Of those that it judges by default a temporal method gets the ones that vary around a mean: every rain would be an
    outlier, and an extreme is one where its mean is.
    """
    variables = settings.detection_variables
    if settings.detection_method == COMBINED or variables != DETECTED:
        return variables
    return tuple(name for name in variables if BY_NAME[name].scale and not BY_NAME[name].follows)


def needed_besides(variables: Sequence[str]) -> list[str]:
    """The variables that a run reads besides those that it judges, because a test of these needs them."""
    judged = [BY_NAME[name] for name in variables]
    needed = {other for test in TESTS for one in judged if test.applies(one) for other in test.needs(one)}
    return sorted(needed - set(variables))


def _insufficient(grid: Grid, settings: Settings, rows: Bools) -> Iterator[Insufficient]:
    """The stations, and the variables of the others, that reported too rarely to be judged."""
    rows = rows[: grid.number]
    present = (~np.isnan(grid.times[: grid.number, -grid.window :])).sum(axis=1)
    enough = present >= settings.minimum_data * grid.window
    for row in np.flatnonzero(rows & ~enough):
        yield Insufficient(
            grid.stations[row].station_id, STATION, f"{present[row]} of {grid.window} expected observations"
        )
    for variable in judged_variables(settings):
        if BY_NAME[variable].follows or BY_NAME[variable].nature == "circular":
            continue  # a calm has no direction, and not every report a gust
        of_rows = there(grid.values, variable)[:, -grid.window :].sum(axis=1)
        present = of_rows[: grid.number].copy()
        np.add.at(present, grid.earlier, of_rows[grid.number :])
        for row in np.flatnonzero(rows & enough & (present > 0) & (present < settings.minimum_data * grid.window)):
            reason = f"{variable}: {present[row]} of {grid.window} expected values"
            yield Insufficient(grid.stations[row].station_id, variable, reason)
