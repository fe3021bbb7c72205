"""One detection run: the tests on a window, the classes of what they flagged, a report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from toolkit import times
from toolkit.detector import grid as grids
from toolkit.detector import sites
from toolkit.detector.classifier import Classifier
from toolkit.detector.confidence import rated
from toolkit.detector.explaining import Explaining
from toolkit.detector.grid import Grid, Source
from toolkit.detector.judging import Judging, judging
from toolkit.detector.report import SCHEMA, Anomaly, Insufficient, Report, Stations, Window
from toolkit.detector.run_tests import TestResults, run_tests
from toolkit.model import require_station
from toolkit.quality import missing
from toolkit.quality.arrays import Bools, intervals
from toolkit.quality.base import FlaggedInterval, Sample
from toolkit.quality.catalogue import TESTS, method_tests
from toolkit.settings import COMBINED, Settings
from toolkit.sources import cadences_of
from toolkit.variables import BY_NAME, DETECTED, STATION


def detect(
    store: Source, settings: Settings, end: float, only: str | None = None, explaining: Explaining | None = None
) -> Report:
    """Look for anomalies in the window that ends at `end`.

    Args:
        store: where the observations are.
        settings: window, method, variables, neighbourhood.
        end: the window's end, seconds since the epoch.
        only: report this station alone; the others still count as its neighbours.
        explaining: is told why a station is judged as it is.

    Raises:
        UsageError: there is no station `only`, or none that is to be explained.
    """
    start = end - settings.window_hours * 3600
    variables = judged_variables(settings)
    grid = sites.as_they_were(
        grids.load(store, start, end, cadences_of(settings), variables, needed_besides(variables)), store.changes()
    )
    names = [station.station_id for station in grid.stations[: grid.number]]
    require_station(only, names)
    if explaining:
        require_station(explaining.station_id, names)
    rows = np.array([only in {None, one.station_id} for one in grid.stations], dtype=bool)

    anomalies: list[Anomaly] = []
    insufficient: list[Insufficient] = []
    neighbours = sites.neighbours_of(grid, settings)
    how = judging(grid.stations, settings, neighbours, [*grid.values], end)
    for part, of_it in how.read(grid).by_cadence():
        if (asked := rows & of_it & ~how.left_out).any():
            anomalies += _anomalies(part, settings, how, asked, explaining)
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


def _anomalies(
    grid: Grid, settings: Settings, how: Judging, rows: Bools, explaining: Explaining | None
) -> Iterator[Anomaly]:
    """Every anomaly of some stations.

    Args:
        grid: the window.
        settings: method and variables.
        how: how each sensor is judged.
        rows: whether each station is asked for.
        explaining: is told why its station is judged as it is, if that is asked for.
    """
    row_explained = explaining.row(grid, rows) if explaining else None
    silent = grid.silent(explaining.silence(grid) if explaining and row_explained is not None else None)
    tests = method_tests(settings.detection_method, settings.temporal_threshold)

    def results_of(variable: str) -> TestResults:
        sample = Sample(
            grid.series(variable), how.neighbours_of(variable), silent, grid.values, grid.stations,
            looser=how.looser.get(variable),
        )  # fmt: skip
        found = run_tests(tests, sample, row_explained)
        if (outside := sites.outside(grid, variable)) is not None:
            found.flags.update({name: flags & ~outside for name, flags in found.flags.items()})
        return found

    # Variables are tested independently of one another, and numpy lets other threads run while it computes.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        in_window = {name: grid.values[name][:, -grid.window :] for name in judged_variables(settings)}
        measured = [name for name, values in in_window.items() if not np.isnan(values).all()]
        results = dict(zip(measured, pool.map(results_of, measured), strict=True))
    lost = _lost_together(results, silent.shape)
    for row in np.flatnonzero((silent | lost).any(axis=1) & rows):
        for first, after in intervals((silent | lost)[row]):
            hours = (after - first) * grid.cadence / 3600
            reason = f"the station has been silent for {hours:.1f} h, while it used to report and others do"
            if lost[row, first:after].any():
                reason = f"most of what the station measures has had no value for {hours:.1f} h"
            yield _silent(grid, int(row), first, after, reason)
    if explaining and row_explained is not None:
        explaining.station(grid, silent | lost)
    for variable, one in results.items():
        classifier = Classifier(
            grid, how.neighbours_of(variable), results, settings.correlations, verify=settings.spatial_verify
        )
        if explaining and row_explained is not None:
            explaining.add(grid, one, classifier)
        for interval in _flagged_intervals(one, rows):
            if interval.test.follows and _named_already(results, interval):
                continue
            found = classifier.classify(interval)
            start, end = _extent(grid, interval)
            yield Anomaly(
                station_id=grid.stations[interval.row].station_id,
                variable=variable,
                start=start,
                end=end,
                value=found.worst.value,
                expected=found.worst.expected,
                score=found.worst.score,
                test=interval.test.name,
                class_=found.class_,
                reason=found.reason,
                correlation=found.correlation,
                neighbours=found.neighbours,
            )


def _flagged_intervals(results: TestResults, rows: Bools) -> Iterator[FlaggedInterval]:
    """The flagged slots as intervals, those less than an hour apart joined.

    Each is named by the test that flagged most of it; of several that flagged as much, by the first in precedence.
    """
    series, flags = results.series, results.flags
    any_test = np.logical_or.reduce(list(flags.values()))
    for row in np.flatnonzero(any_test.any(axis=1) & rows):
        for first, after in intervals(any_test[row], series.per_hour - 1):
            test = max(results.tests, key=lambda one: int(flags[one.name][row, first:after].sum()))
            yield FlaggedInterval(series, int(row), first, after, test)


def _named_already(results: Mapping[str, TestResults], interval: FlaggedInterval) -> bool:
    """Whether a variable that the flagged one follows is flagged at the same time, or within an hour of it."""
    hour = interval.series.per_hour
    slots = interval.row, slice(max(0, interval.first - hour), interval.after + hour)
    return any(
        flagged[slots].any()
        for name in interval.series.variable.follows
        if name in results
        for flagged in results[name].flags.values()
    )


def _lost_together(results: Mapping[str, TestResults], shape: tuple[int, ...]) -> Bools:
    """Slots in which a station lacks most of its variables at once, and no longer flagged as missing one by one.

    Its sensors share a cable or a transmitter: that is one fault.
    """
    asked = [one for one in results.values() if missing.Missing.name in one.flags]
    absent, measured = np.zeros(shape, dtype=int), np.zeros(shape[0], dtype=int)
    for one in asked:
        absent += one.flags[missing.Missing.name]
        measured += one.series.measured
    lost: Bools = (absent > 1) & (2 * absent > measured[:, None])
    for one in asked:
        one.flags[missing.Missing.name] = one.flags[missing.Missing.name] & ~lost
    return lost


def _silent(grid: Grid, row: int, first: int, after: int, reason: str) -> Anomaly:
    """The anomaly of a station that reports nothing, in the window's slots from `first` up to but not `after`."""
    slots = grid.slot_times()[-grid.window :]
    return Anomaly(
        station_id=grid.stations[row].station_id,
        variable=STATION,
        start=times.iso_of(slots[first]),
        end=times.iso_of(slots[after - 1]),
        value=None,
        expected=None,
        score=None,
        test=missing.Missing.name,
        class_="device_failure",
        reason=reason,
        correlation=None,
        neighbours=[],
    )


def _extent(grid: Grid, interval: FlaggedInterval) -> tuple[str, str]:
    """When an interval began and ended: the times of its readings, or of its slots where nothing was reported."""
    ends = grid.slot_times()[-grid.window :]
    observed = grid.times[interval.row, -grid.window :]
    at = np.where(np.isnan(observed), ends, observed)
    return times.iso_of(at[interval.first]), times.iso_of(at[interval.after - 1])


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
        of_rows = (~np.isnan(grid.values[variable][:, -grid.window :])).sum(axis=1)
        present = of_rows[: grid.number].copy()
        np.add.at(present, grid.earlier, of_rows[grid.number :])
        for row in np.flatnonzero(rows & enough & (present > 0) & (present < settings.minimum_data * grid.window)):
            reason = f"{variable}: {present[row]} of {grid.window} expected values"
            yield Insufficient(grid.stations[row].station_id, variable, reason)
