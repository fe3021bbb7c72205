"""A piece of a network judged: a tile, at one cadence of reports.

What is done here is a function of its arguments alone, which can be pickled: so it may be done by another process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from toolkit import times
from toolkit.detector import sites
from toolkit.detector.classifier import Classifier
from toolkit.detector.explaining import Explaining
from toolkit.detector.grid import Grid, OfNetwork
from toolkit.detector.judging import Judging
from toolkit.detector.kept import Kept, TestResults
from toolkit.detector.report import Anomaly
from toolkit.detector.run_tests import ROUNDS, run_tests
from toolkit.detector.tiles import with_neighbours
from toolkit.memory import give_back
from toolkit.quality import missing
from toolkit.quality.arrays import Bools, intervals
from toolkit.quality.base import FlaggedInterval, Sample
from toolkit.quality.catalogue import method_tests
from toolkit.quality.network import Figure, Network, Question
from toolkit.quality.packed import SMALL
from toolkit.settings import Settings
from toolkit.variables import STATION

Known = Mapping[str, Mapping[Any, Any]]
"""By variable, `STATION` for the stations as such, the figures of a network by their names; see `quality.network`."""
Parts = Mapping[str, Mapping[str, tuple[Figure, Any]]]
"""The same, with what one piece contributes to each figure."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is judged at once.

    Attributes:
        settings: method and variables.
        grid: the window; the stations of a tile and of its margin.
        how: how each sensor is judged.
        core: which rows are judged in this piece; None where it is the whole network.
        asked: of which rows anomalies are wanted.
        measured: the variables of which the network has a value in the window.
        known: the figures of the network; empty while they are gathered, and where the piece is all of it.
        rounds: by variable, how many rounds of exclusions are made, where the network made fewer than usual.
        questions: by variable, what is asked of each station; for `answers`.
    """

    settings: Settings
    grid: Grid
    how: Judging
    core: Bools | None
    asked: Bools
    measured: Sequence[str]
    known: Known = field(default_factory=dict)
    rounds: Mapping[str, int] = field(default_factory=dict)
    questions: Mapping[str, set[Question]] = field(default_factory=dict)


class Judged(NamedTuple):
    """What came of a piece.

    Attributes:
        anomalies: of the rows that were asked for.
        questions: by variable, what has to be asked of all stations before the anomalies count.
        rounds: by variable, of each round of exclusions whether a row was excluded, and whether one of the core was
            compared anew.
    """

    anomalies: list[Anomaly]
    questions: dict[str, set[Question]]
    rounds: dict[str, list[tuple[bool, bool]]]


def gathered(piece: Piece) -> Parts:
    """What a piece contributes to the figures of the network."""
    stations = Network(piece.core)
    silent = piece.grid.silent(network=stations)

    def parts_of(variable: str) -> dict[str, tuple[Figure, Any]]:
        network = Network(piece.core)
        _tested(piece, variable, silent, network, rounds=0)
        return network.parts

    return {STATION: stations.parts, **{variable: parts_of(variable) for variable in piece.measured}}


def answers(piece: Piece) -> dict[str, dict[Question, Any]]:
    """What the stations of a piece answer, those that can, by variable and question."""
    found: dict[str, dict[Question, Any]] = {}
    rows = slice(None) if piece.core is None else piece.core
    for variable, of_it in piece.questions.items():
        values = {name: piece.grid.values[name] for question in of_it for name in question.variables}
        for question in of_it:
            answer = question.of(values)[rows]
            found.setdefault(variable, {})[question] = answer[~np.isnan(answer)]
    return found


def judge(piece: Piece, explaining: Explaining | None = None) -> Judged:
    """Judge a piece.

    Args:
        piece: which.
        explaining: is told why its station is judged as it is, if that is one of the rows that are asked for.
    """
    networks = {
        name: Network(piece.core, None if piece.core is None else piece.known[name])
        for name in (STATION, *piece.measured)
    }
    rounds: dict[str, list[tuple[bool, bool]]] = {}
    anomalies = list(_anomalies(piece, networks, rounds, explaining))
    questions = {name: network.questions for name, network in networks.items() if network.questions}
    return Judged(anomalies, questions, rounds)


def _sample(piece: Piece, variable: str, silent: Bools, network: Network) -> Sample:
    grid, how = piece.grid, piece.how
    return Sample(
        grid.series(variable), how.neighbours_of(variable), silent, grid.values, grid.stations,
        looser=how.looser.get(variable), network=network,
    )  # fmt: skip


def _tested(
    piece: Piece, variable: str, silent: Bools, network: Network, rounds: int, row_explained: int | None = None
) -> Kept:
    """What the tests find in a variable."""
    grid, settings = piece.grid, piece.settings
    tests = method_tests(settings.detection_method, settings.temporal_threshold)
    found = run_tests(tests, _sample(piece, variable, silent, network), row_explained, rounds)
    if (outside := sites.outside(grid, variable)) is not None:
        found.flags.update({name: flags & ~outside for name, flags in found.flags.items()})
    of_network = grid.of_network.get(variable) or OfNetwork.of(found.series)
    kept = Kept.of(found, of_network)
    del found  # a large network has no memory for the next variable beside this one
    network.let_go()
    if len(grid.stations) > SMALL:
        give_back()
    return kept


def _anomalies(
    piece: Piece,
    networks: Mapping[str, Network],
    rounds: dict[str, list[tuple[bool, bool]]],
    explaining: Explaining | None,
) -> Iterator[Anomaly]:
    """Every anomaly of the rows that are asked for.

    Args:
        piece: the window, and how it is judged.
        networks: by variable, what is known of the network.
        rounds: is filled; see `Judged`.
        explaining: is told why its station is judged as it is, if that is asked for.
    """
    grid, rows = piece.grid, piece.asked
    row_explained = explaining.row(grid, rows) if explaining else None
    noted = explaining.silence(grid) if explaining and row_explained is not None else None
    silent = grid.silent(noted, networks[STATION])

    kept = {
        variable: _tested(
            piece, variable, silent, networks[variable], piece.rounds.get(variable, ROUNDS), row_explained
        )
        for variable in piece.measured
    }
    if piece.core is not None:
        for name, one in kept.items():
            rounds[name] = [(bool(worst.any()), bool(piece.core[again].any())) for worst, again in one.rounds]
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
    if concerned.any():
        yield from _classified(piece, kept, silent, concerned, explaining if row_explained is not None else None)


def _classified(
    piece: Piece, kept: Mapping[str, Kept], silent: Bools, concerned: Bools, explaining: Explaining | None
) -> Iterator[Anomaly]:
    """The anomalies of sensors.

    Args:
        piece: what is judged.
        kept: what was found in it, by variable.
        silent: slots in which a station reports nothing.
        concerned: the rows of which there may be any. Only of these and those around them more is looked at.
        explaining: is told why its station, which is one of these, is judged as it is; None where nobody asks.
    """
    station_rows = piece.grid.station_rows()
    # What is expected of a neighbour depends on its own neighbours.
    rows = np.flatnonzero(with_neighbours(concerned, station_rows, piece.how, 2))
    wanted = with_neighbours(concerned, station_rows, piece.how, 1)[rows]
    of_network = {name: one.of_network for name, one in kept.items()}
    grid, how = replace(piece.grid, of_network=of_network).rows(rows), piece.how.part(rows)
    part, settings = replace(piece, grid=grid, how=how), piece.settings
    results = {
        name: one.of_rows(rows, _sample(part, name, silent[rows], Network()), wanted) for name, one in kept.items()
    }
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
