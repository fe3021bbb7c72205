"""One detection run: a window, the tests, a temporal method, verdicts, a report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from toolkit import times
from toolkit.detector import grid as grids
from toolkit.detector.grid import Grid
from toolkit.detector.judge import judge
from toolkit.detector.report import SCHEMA, STATION, Anomaly, Insufficient, Report, Stations, Window
from toolkit.detector.verdict import Court, Stretch
from toolkit.errors import UsageError
from toolkit.quality import consistency, missing
from toolkit.quality.arrays import Bools, stretches
from toolkit.quality.neighbours import nearest
from toolkit.settings import COMBINED, Settings
from toolkit.store import Store

# A station with less than this share of what the window expects is not judged.
ENOUGH = 0.5
# Which test an anomaly is named by, where several found it for as long.
ORDER = ("range", "missing", "persistence", "resolution", "noise", "step", "spatial", "consistency", "shared")


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
    variables = settings.detection_variables
    more = set().union(*(consistency.needed(name) for name in variables)) - set(variables)
    grid = grids.load(store, start, end, settings.cadence_seconds, variables, sorted(more))
    names = [station.station_id for station in grid.stations]
    if only is not None and only not in names:
        raise UsageError(f"there is no station {only!r}; there are: {', '.join(names) or 'none yet'}")
    rows = np.array([only in {None, name} for name in names], dtype=bool)

    present = ~np.isnan(grid.times[:, -grid.window :])
    enough = present.sum(axis=1) >= ENOUGH * grid.window
    anomalies = list(_anomalies(grid, settings, present, rows)) if grid.stations else []
    return Report(
        schema=SCHEMA,
        generated_at=times.iso(times.now()),
        window=Window(_iso(start), _iso(end), settings.window_hours),
        method=settings.detection_method,
        stations=Stations(
            int(rows.sum()), int((rows & enough).sum()), len({anomaly.station_id for anomaly in anomalies})
        ),
        anomalies=sorted(anomalies, key=lambda one: (one.start, one.station_id, one.variable)),
        insufficient=[
            Insufficient(names[row], f"{present[row].sum()} of {grid.window} expected observations")
            for row in np.flatnonzero(rows & ~enough)
        ]
        + _partly(grid, settings, rows & enough),
    )


def _anomalies(grid: Grid, settings: Settings, present: Bools, rows: Bools) -> Iterator[Anomaly]:
    """Every anomaly of the stations in `rows`."""
    method = settings.detection_method
    neighbours = nearest(grid.stations, settings.neighbour_km, settings.neighbour_elevation_m)
    # One variable has nothing to do with another, and numpy lets threads run while it computes.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        each = pool.map(
            lambda name: judge(grid.series(name), neighbours, settings.detection_method), settings.detection_variables
        )
        judged = dict(zip(settings.detection_variables, each, strict=True))
    court = Court(grid, neighbours, judged, ask=settings.spatial_verify)

    silent = missing.flag(present, ~np.isnan(grid.times[:, : -grid.window]), grid.per_hour)
    for row in np.flatnonzero(silent.any(axis=1) & rows):
        for first, after in stretches(silent[row]):
            yield _silent(grid, int(row), first, after)
    for variable, one in judged.items():
        flags = one.flags
        flags["missing"] &= ~silent
        values = {name: readings[:, -grid.window :] for name, readings in grid.values.items()}
        says = [""] * len(rows)
        if method == COMBINED:
            flags["consistency"], says = consistency.flag(variable, values)
        for stretch in _stretches(flags, rows, grid.per_hour):
            verdict = court.verdict(variable, stretch, says[stretch.row] if stretch.test == "consistency" else "")
            start, end = _extent(grid, stretch)
            yield Anomaly(
                station_id=grid.stations[stretch.row].station_id,
                variable=variable,
                start=start,
                end=end,
                value=verdict.value,
                expected=verdict.expected,
                score=verdict.score,
                test=stretch.test,
                class_=verdict.class_,
                reason=verdict.reason,
                correlation=verdict.correlation,
                neighbours=verdict.neighbours,
            )


def _stretches(flags: dict[str, Bools], rows: Bools, per_hour: int) -> Iterator[Stretch]:
    """Flagged slots as stretches, those of less than an hour apart joined; each is named by what found most of it."""
    any_test = np.logical_or.reduce(list(flags.values()))
    order = {name: place for place, name in enumerate(ORDER)}
    for row in np.flatnonzero(any_test.any(axis=1) & rows):
        for first, after in stretches(any_test[row], per_hour - 1):
            found = {name: int(flagged[row, first:after].sum()) for name, flagged in flags.items()}
            test = max(found, key=lambda name: (found[name], -order.get(name, len(order))))
            yield Stretch(int(row), first, after, test)


def _silent(grid: Grid, row: int, first: int, after: int) -> Anomaly:
    hours = (after - first) / grid.per_hour
    slots = grid.slot_times()[-grid.window :]
    return Anomaly(
        station_id=grid.stations[row].station_id,
        variable=STATION,
        start=_iso(slots[first]),
        end=_iso(slots[after - 1]),
        value=None,
        expected=None,
        score=None,
        test="missing",
        class_="device_failure",
        reason=f"the station has been silent for {hours:.1f} h, while it used to report and others do",
        correlation=None,
        neighbours=[],
    )


def _extent(grid: Grid, stretch: Stretch) -> tuple[str, str]:
    """When a stretch began and ended: the times of its readings, of its slots where there is none."""
    ends = grid.slot_times()[-grid.window :]
    observed = grid.times[stretch.row, -grid.window :]
    at = np.where(np.isnan(observed), ends, observed)
    return _iso(at[stretch.first]), _iso(at[stretch.after - 1])


def _partly(grid: Grid, settings: Settings, rows: Bools) -> list[Insufficient]:
    """Variables that a station measured some of the time, but too rarely to be judged."""
    found = []
    for variable in settings.detection_variables:
        present = (~np.isnan(grid.values[variable][:, -grid.window :])).sum(axis=1)
        for row in np.flatnonzero(rows & (present > 0) & (present < ENOUGH * grid.window)):
            reason = f"{variable}: {present[row]} of {grid.window} expected values"
            found.append(Insufficient(grid.stations[row].station_id, reason))
    return found


def _iso(epoch: float) -> str:
    return times.iso(times.from_epoch(epoch))
