"""One detection run: a window, a temporal method, spatial verification, a report."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from toolkit import times
from toolkit.detector import grid as grids
from toolkit.detector.grid import Grid
from toolkit.detector.report import SCHEMA, Anomaly, Insufficient, Report, Stations, Window
from toolkit.detector.spatial import UNVERIFIED, neighbours, verify
from toolkit.detector.temporal import METHODS, THRESHOLD
from toolkit.errors import UsageError
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.variables import BY_NAME

# A station with less than this share of what the window expects is not judged.
ENOUGH = 0.5


def detect(store: Store, settings: Settings, end: float, only: str | None = None) -> Report:
    """Judge the window that ends at `end`, in seconds since the epoch.

    Args:
        store: where the observations are.
        settings: window, method, variables, neighbourhood.
        end: the window's end.
        only: judge this station alone; the others are still asked as neighbours.

    Raises:
        UsageError: there is no station `only`.
    """
    start = end - settings.window_hours * 3600
    grid = grids.load(store, start, end, settings.cadence_seconds, settings.detection_variables)
    rows = [row for row, station in enumerate(grid.stations) if only in {None, station.station_id}]
    if only is not None and not rows:
        known = ", ".join(station.station_id for station in grid.stations)
        raise UsageError(f"there is no station {only!r}; there are: {known or 'none yet'}")

    anomalies: list[Anomaly] = []
    insufficient: list[Insufficient] = []
    judged = 0
    for row in rows:
        station_id = grid.stations[row].station_id
        observed = int(np.count_nonzero(~np.isnan(grid.times[row])))
        if observed < ENOUGH * grid.slots:
            insufficient.append(Insufficient(station_id, f"{observed} of {grid.slots} expected observations"))
            continue
        judged += 1
        for variable, values in grid.values.items():
            present = int(np.count_nonzero(~np.isnan(values[row])))
            if present >= ENOUGH * grid.slots:
                anomalies += _anomalies(grid, row, variable, settings)
            elif present:  # none at all: this station does not measure it
                insufficient.append(Insufficient(station_id, f"{variable}: {present} of {grid.slots} expected values"))
    return Report(
        schema=SCHEMA,
        generated_at=times.iso(times.now()),
        window=Window(_iso(start), _iso(end), settings.window_hours),
        method=settings.detection_method,
        stations=Stations(len(rows), judged, len({anomaly.station_id for anomaly in anomalies})),
        anomalies=sorted(anomalies, key=lambda anomaly: (anomaly.start, anomaly.station_id)),
        insufficient=insufficient,
    )


def _anomalies(grid: Grid, row: int, variable: str, settings: Settings) -> Iterator[Anomaly]:
    """The anomalies of one station's variable, each with its verdict."""
    values = grid.values[variable]
    judged = METHODS[settings.detection_method](values[row], BY_NAME[variable].accuracy)
    stretches = list(_stretches(judged.score > THRESHOLD))
    if not stretches:
        return
    verdict = UNVERIFIED
    if settings.spatial_verify:
        near = neighbours(grid.stations, row, settings.neighbour_km, settings.neighbour_elevation_m)
        verdict = verify(values, grid.stations, row, near)
    for slots in stretches:
        worst = slots.start + int(np.argmax(judged.score[slots]))
        yield Anomaly(
            station_id=grid.stations[row].station_id,
            variable=variable,
            start=_iso(grid.times[row, slots.start]),
            end=_iso(grid.times[row, slots.stop - 1]),
            value=float(values[row, worst]),
            expected=round(float(judged.expected[worst]), 2),
            score=round(float(judged.score[worst]), 2),
            test=settings.detection_method,
            class_=verdict.class_,
            correlation=verdict.correlation,
            neighbours=verdict.neighbours,
        )


def _stretches(flagged: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Iterator[slice]:
    """Runs of flagged slots: one anomaly each, however many readings it lasts."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flagged.astype(np.int8), [0]))))
    for first, after in edges.reshape(-1, 2).tolist():
        yield slice(first, after)


def _iso(epoch: float) -> str:
    return times.iso(times.from_epoch(epoch))
