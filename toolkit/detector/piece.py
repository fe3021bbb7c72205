"""A network judged at one cadence of reports: what the tests find, and what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from toolkit import times
from toolkit.detector import in_parts, sites
from toolkit.detector.classifier import Classifier
from toolkit.detector.explaining import Explaining
from toolkit.detector.grid import Grid
from toolkit.detector.judging import Judging
from toolkit.detector.kept import Kept, TestResults
from toolkit.detector.learning import Divided
from toolkit.detector.report import Anomaly
from toolkit.detector.run_tests import run_tests
from toolkit.memory import give_back
from toolkit.quality import missing
from toolkit.quality.arrays import Bools, intervals
from toolkit.quality.base import FlaggedInterval, Sample
from toolkit.quality.catalogue import method_tests
from toolkit.quality.packed import SMALL
from toolkit.settings import Settings
from toolkit.variables import STATION

# So many stations' anomalies are classified at once, and those of stations that are near one another.
AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Piece:
    """What is judged at once.

    Attributes:
        settings: method and variables.
        grid: the window; all stations, whatever their cadence.
        how: how each sensor is judged.
        asked: of which rows anomalies are wanted.
        measured: the variables of which the network has a value in the window.
        divided: who learns what has to be known of each station.
    """

    settings: Settings
    grid: Grid
    how: Judging
    asked: Bools
    measured: Sequence[str]
    divided: Divided


def _sample(piece: Piece, variable: str, silent: Bools) -> Sample:
    grid, how = piece.grid, piece.how
    return Sample(
        grid.series(variable), how.neighbours_of(variable), silent, grid.values, grid.stations,
        looser=how.looser.get(variable),
    )  # fmt: skip


def _tested(piece: Piece, variable: str, silent: Bools, row_explained: int | None) -> Kept:
    """What the tests find in a variable."""
    grid, settings = piece.grid, piece.settings
    tests = method_tests(settings.detection_method, settings.temporal_threshold)
    found = run_tests(tests, _sample(piece, variable, silent), row_explained, piece.divided)
    if (outside := sites.outside(grid, variable)) is not None:
        found.flags.update({name: flags & ~outside for name, flags in found.flags.items()})
    kept = Kept.of(found)
    del found  # a large network has no memory for the next variable beside this one
    if len(grid.stations) > SMALL:
        give_back()
    return kept


def anomalies(piece: Piece, explaining: Explaining | None = None) -> Iterator[Anomaly]:
    """Every anomaly of the rows that are asked for.

    Args:
        piece: what is judged.
        explaining: is told why its station is judged as it is, if that is one of these rows.
    """
    grid, rows = piece.grid, piece.asked
    row_explained = explaining.row(grid, rows) if explaining else None
    noted = explaining.silence(grid) if explaining and row_explained is not None else None
    silent = grid.silent(noted)

    kept = {variable: _tested(piece, variable, silent, row_explained) for variable in piece.measured}
    lost = _lost_together(kept, silent.shape)
    for row in np.flatnonzero((silent | lost).any(axis=1) & rows):
        for first, after in intervals((silent | lost)[row]):
            hours = (after - first) * grid.cadence / 3600
            reason = f"the station has been silent for {hours:.1f} h, while it used to report and others do"
            if lost[row, first:after].any():
                reason = f"most of what the station measures has had no value for {hours:.1f} h"
            yield _silent(grid, int(row), first, after, reason)
    if explaining and row_explained is not None:
        explaining.station(grid, silent | lost)
    concerned = np.zeros(len(rows), dtype=bool)
    for one in kept.values():
        concerned[one.rows] = True
    concerned &= rows
    if row_explained is not None:
        concerned[row_explained] = True
    # What is expected of all of them at once would take more memory than to test the network.
    for part in in_parts.cut(grid.stations, [], AT_ONCE) if concerned.any() else ():
        here = np.zeros(len(rows), dtype=bool)
        here[part.own] = concerned[part.own]
        if here.any():
            asks = row_explained is not None and here[row_explained]
            yield from _classified(piece, kept, silent, here, explaining if asks else None)


def _classified(
    piece: Piece, kept: Mapping[str, Kept], silent: Bools, concerned: Bools, explaining: Explaining | None
) -> Iterator[Anomaly]:
    """The anomalies of sensors.

    Args:
        piece: what is judged.
        kept: what was found in it, by variable.
        silent: slots in which a station reports nothing.
        concerned: the rows of which they are wanted. Only of these and those around them more is looked at.
        explaining: is told why its station, which is one of these, is judged as it is; None where nobody asks.
    """
    station_rows = piece.grid.station_rows()
    # What is expected of a neighbour depends on its own neighbours.
    rows = np.flatnonzero(piece.how.with_neighbours(concerned, station_rows, 2))
    wanted = piece.how.with_neighbours(concerned, station_rows, 1)[rows]
    of_network = {name: one.of_network for name, one in kept.items()}
    grid, how = replace(piece.grid, of_network=of_network).rows(rows), piece.how.part(rows)
    part, settings = replace(piece, grid=grid, how=how), piece.settings
    results = {name: one.of_rows(rows, _sample(part, name, silent[rows]), wanted) for name, one in kept.items()}
    asked = concerned[rows]
    if explaining:
        explaining.row(grid, asked)
    for variable, one in results.items():
        classifier = Classifier(
            grid, how.neighbours_of(variable), results, settings.correlations, verify=settings.spatial_verify
        )
        if explaining:
            explaining.add(grid, one, classifier)
        for interval in _flagged_intervals(one, asked):
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


def _lost_together(kept: Mapping[str, Kept], shape: tuple[int, ...]) -> Bools:
    """Slots in which a station lacks most of its variables at once, and no longer flagged as missing one by one.

    Its sensors share a cable or a transmitter: that is one fault.
    """
    asked = [one for one in kept.values() if missing.Missing.name in one.flags]
    absent, measured = np.zeros(shape, dtype=int), np.zeros(shape[0], dtype=int)
    for one in asked:
        absent[one.rows] += one.flags[missing.Missing.name]
        measured += one.measured
    lost: Bools = (absent > 1) & (2 * absent > measured[:, None])
    for one in asked:
        one.flags[missing.Missing.name] &= ~lost[one.rows]
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
