"""Why a detection run judges a station as it does: what it read, what was expected, and what each test compared.

All of it is what the run computed: the tests note it while they run (`quality.criteria`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from toolkit.detector.classifier import NEAR, Classifier
from toolkit.detector.grid import Grid
from toolkit.detector.kept import TestResults
from toolkit.detector.report import Neighbour
from toolkit.quality.arrays import Bools, Floats, intervals
from toolkit.quality.base import QualityTest
from toolkit.quality.criteria import Compared, Criterion, Notes
from toolkit.quality.missing import Missing
from toolkit.quality.series import unscaled
from toolkit.variables import STATION


@dataclass(frozen=True, slots=True)
class Figures:
    """What a test compared: see `quality.criteria.Criterion`.

    Attributes:
        at: when that was, seconds since the epoch; None where the figures are of no one time.
        what: what it means if all comparisons hold, in a phrase; "" where they say it.
        met: whether the test found it so.
        compared: the comparisons.
    """

    at: int | None
    what: str
    met: bool
    compared: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What a test says of a sensor.

    Attributes:
        test: its name.
        finds: what it finds, in a phrase.
        evidence: what its flag proves, in a phrase.
        flagged: the times of the first and the last flagged slot of each run of them, seconds since the epoch.
        criteria: what it compared. A reading is flagged if one of them is met.
    """

    test: str
    finds: str
    evidence: str
    flagged: list[tuple[int, int]]
    criteria: list[Figures]


@dataclass(frozen=True, slots=True)
class Implied:
    """A neighbour of the sensor.

    Attributes:
        now: the neighbour in the newest slot in which the station has a reading.
        excluded: whether it was left out, because it is thought wrong itself.
        values: what it implies for the station in each slot of the window, in the variable's unit.
    """

    now: Neighbour
    excluded: bool
    values: list[float | None]


@dataclass(frozen=True, slots=True)
class Sensor:
    """A variable of the station as a run sees it. All lists are of the window's slots, in the variable's unit.

    Attributes:
        variable: which; `all` for the station as a whole, which has nothing but the outcome of one test.
        times: when the reading of each slot was observed, or the slot ends; seconds since the epoch.
        values: what was read; None where nothing was.
        expected: what is expected; None where nothing can be, for want of neighbours or of a scale of comparison.
        low, high: three standard deviations of the residual below and above that: up to here a reading is weather.
        neighbours: those that were compared with, nearest first.
        verdicts: of each test that applies.
    """

    variable: str
    times: list[int]
    values: list[float | None] = field(default_factory=list)
    expected: list[float | None] = field(default_factory=list)
    low: list[float | None] = field(default_factory=list)
    high: list[float | None] = field(default_factory=list)
    neighbours: list[Implied] = field(default_factory=list)
    verdicts: list[TestOutcome] = field(default_factory=list)


class Explaining:
    """What a run says of one station; filled by `run.detect`.

    Attributes:
        station_id: which.
        sensors: its variables, in the order of the run.
    """

    def __init__(self, station_id: str) -> None:
        self.station_id = station_id
        self.sensors: list[Sensor] = []
        self._row = 0
        self._silence: Notes | None = None

    def row(self, grid: Grid, rows: Bools) -> int | None:
        """The station's row in a grid; None where it is not one of those that are judged there."""
        self._row = next(row for row, one in enumerate(grid.stations) if one.station_id == self.station_id)
        return self._row if rows[self._row] else None

    def silence(self, grid: Grid) -> Callable[..., None]:
        """Where to note how long stations are silent."""
        self._silence = notes = Notes(self._row, grid.window)
        return lambda met, *conditions: notes.add(met, conditions)

    def station(self, grid: Grid, silent: Bools) -> None:
        """Add the outcome for the station as a whole; `silent` is stations × window slots."""
        times, criteria = self._times(grid), self._silence.criteria if self._silence else []
        outcome = _outcome(Missing(), silent[self._row], criteria, times)
        self.sensors.append(Sensor(STATION, times[-grid.window :], verdicts=[outcome]))

    def _times(self, grid: Grid) -> list[int]:
        observed = grid.times[self._row]
        return [round(one) for one in np.where(np.isnan(observed), grid.slot_times(), observed).tolist()]

    def add(self, grid: Grid, results: TestResults, classifier: Classifier) -> None:
        """Add a variable.

        Args:
            grid: the window.
            results: what the tests found in it.
            classifier: knows what neighbours imply.
        """
        series, row, window = results.series, self._row, grid.window
        if not series.measured[row] and np.isnan(series.values[row]).all():
            return
        times = self._times(grid)
        there = np.flatnonzero(~np.isnan(series.values[row]))
        newest = int(there[-1]) if len(there) else series.values.shape[1] - 1
        _, implied = classifier.implied(series, row)
        near = classifier.compared_with(series, row, newest)
        number = {one.station_id: place for place, one in enumerate(grid.stations[: grid.number])}
        expected, compared = [np.full(window, np.nan)] * 3, results.expected
        if compared is not None and compared.has_reference[row]:
            value, sigma = compared.value[row, -window:], compared.sigma[row, -window:]
            expected = [unscaled(series.variable, value + off * sigma) for off in (0, -NEAR, NEAR)]
        self.sensors.append(
            Sensor(
                series.variable.name,
                times[-window:],
                values=_numbers(series.values[row, -window:]),
                expected=_numbers(expected[0]),
                low=_numbers(expected[1]),
                high=_numbers(expected[2]),
                neighbours=[
                    Implied(one, bool(results.excluded[number[one.station_id]]), _numbers(values[-window:]))
                    for one, values in zip(near, implied, strict=True)
                ],
                verdicts=[
                    _outcome(test, results.flags[test.name][row], results.criteria[test.name], times)
                    for test in results.tests
                ],
            )
        )


def _outcome(test: QualityTest, flagged: Bools, criteria: Sequence[Criterion], times: list[int]) -> TestOutcome:
    first_of_window = len(times) - len(flagged)
    return TestOutcome(
        test.name,
        test.finds,
        test.evidence.value,
        [(times[first_of_window + first], times[first_of_window + after - 1]) for first, after in intervals(flagged)],
        [
            Figures(None if one.slot is None else times[first_of_window + one.slot], one.what, one.met, one.compared)
            for one in criteria
        ],
    )


def _numbers(values: Floats) -> list[float | None]:
    """To two decimals, None for NaN."""
    return [None if np.isnan(one) else round(one, 2) for one in values.tolist()]
