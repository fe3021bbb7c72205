"""All quality-control tests on one variable of a network.

What is expected of the stations is computed some stations at a time and let go: first to learn what the tests need to
know of each (`learning`), then for those stations that a test may flag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.detector.learning import ALONE, Divided, of_network
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.base import Exclusion, Preparation, QualityTest, Sample
from toolkit.quality.blocks import by_rows
from toolkit.quality.criteria import Criterion, Notes
from toolkit.quality.expected import Expectations
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import Series

# A station that is wrong makes its neighbours look wrong. So many times the worst station of each neighbourhood is
# excluded, and its neighbours are compared anew without it.
ROUNDS = 3


class Round(NamedTuple):
    """A round of exclusions.

    Attributes:
        excluded: which stations were excluded in it; stations.
        again: which were compared anew, as rows.
    """

    excluded: Bools
    again: Ints


@dataclass(slots=True)
class Found:
    """What the tests found in one variable.

    Attributes:
        series: what was tested.
        tests: which tests were run, by precedence.
        flags: by the name of a test, whether each reading is flagged; stations × window slots.
        prepared: what the preparation of each test returned, by the name of the test.
        criteria: by the name of a test, what it compared at the station of which that is asked for.
        compared_with: with which of its neighbours each station is compared, without the excluded ones; stations ×
            neighbours, none of a variable that has no scale of comparison.
        excluded: which stations were left out as neighbours of others, because they are thought wrong themselves.
        rounds: how that came.
    """

    series: Series
    tests: Sequence[QualityTest]
    flags: dict[str, Bools]
    prepared: Mapping[str, Any]
    criteria: Mapping[str, Sequence[Criterion]]
    compared_with: Bools
    excluded: Bools
    rounds: Sequence[Round]


def run_tests(
    tests: Sequence[QualityTest], sample: Sample, asked: int | None = None, divided: Divided = ALONE
) -> Found:
    """Run those of some tests that apply to a variable.

    Args:
        tests: the tests, by precedence.
        sample: the variable at all stations of the network, without an expectation.
        asked: the station of which it is noted what the tests compare.
        divided: who learns what has to be known of each station.
    """
    run = _Run([test for test in tests if test.applies(sample.series.variable)], sample, asked, divided)
    made = run.compared() if sample.series.compared else []
    return Found(sample.series, run.tests, run.flags, run.prepared, run.criteria, run.compared_with, run.excluded, made)


class _Run:
    """Runs the tests that do not compare when it is made; see `compared`, `Found` and `run_tests`."""

    def __init__(self, tests: Sequence[QualityTest], sample: Sample, asked: int | None, divided: Divided) -> None:
        stations = len(sample.series.values)
        self.tests, self.excluded = tests, np.zeros(stations, dtype=bool)
        self.compared_with = np.zeros(sample.neighbours.rows.shape, dtype=bool)
        self.criteria: dict[str, list[Criterion]] = {test.name: [] for test in tests}
        self._sample, self._asked = sample, asked
        self.prepared = self._prepared(divided)
        if sample.series.compared:
            self._expectations = Expectations(sample.series, sample.neighbours, sample.looser)
        self._noted_before = {name: len(noted) for name, noted in self.criteria.items()}
        self.flags = {
            test.name: np.zeros((stations, sample.series.window), dtype=bool)
            if test.compares
            else self._run(test, sample)
            for test in tests
        }
        # How far off each flagged station is by the tests that make the farthest one excluded; see `_off`.
        self._far = np.zeros(stations)

    def compared(self) -> list[Round]:
        """Run the tests that compare, and exclude stations in rounds, as long as any is to be compared anew."""
        sample, made = self._sample, []
        flagged = self._flagged_by(Exclusion.IF_FARTHEST_OFF).any(axis=1)  # so far by tests that do not compare
        of_tests = [test.suspects(sample, self.prepared[test.name]) for test in self.tests if test.compares]
        suspects = np.logical_or.reduce([flagged, *of_tests])
        if self._asked is not None:
            suspects[self._asked] = True
        self._compare(np.flatnonzero(suspects))
        for _ in range(ROUNDS):
            worst = self._worst(sample.neighbours)
            self.excluded |= worst
            relied_on_worst = self.compared_with & worst[sample.neighbours.rows]
            again = np.flatnonzero(relied_on_worst.any(axis=1) & ~self.excluded)
            made.append(Round(worst, again))
            if not len(again):
                break
            self._compare(again)
        return made

    def _run(self, test: QualityTest, sample: Sample) -> Bools:
        """What a test flags, with what it compares at the station that is asked for noted."""
        notes = None if self._asked is None else Notes(self._asked, sample.series.window)
        flagged = test.run(replace(sample, notes=notes), self.prepared[test.name])
        if notes and notes.criteria:  # of what was compared anew the last counts
            self.criteria[test.name][self._noted_before[test.name] :] = notes.criteria
        return flagged

    def _compare(self, rows: Ints) -> None:
        """Run the tests that compare on some stations, without the excluded ones as neighbours."""
        tests = [test for test in self.tests if test.compares]

        def some(block: slice) -> list[npt.NDArray[Any]]:
            expected = self._expectations.few(rows[block], self.excluded)
            sample = replace(self._sample, expectation=expected)
            for test in tests:
                self.flags[test.name][rows[block]] = self._run(test, sample)
            flagged = self._flagged_by(Exclusion.IF_FARTHEST_OFF, rows[block])
            return [expected.weights > 0, _off(flagged, expected.unweighted_residual)]

        if len(rows):
            self.compared_with[rows], self._far[rows] = by_rows(some, len(rows))

    def _prepared(self, divided: Divided) -> dict[str, Any]:
        """What the preparation of each test returns, by the name of the test; each preparation is made once.

        What is compared in it at the station that is asked for is added to the criteria of its tests.
        """
        sample, kinds = self._sample, dict.fromkeys(test.preparation for test in self.tests)
        learnt: dict[Preparation, list[npt.NDArray[Any]]] = {}
        if sample.series.compared:
            self.compared_with, learnt = of_network(self.tests, sample, divided)
        made: dict[str, Any] = {}
        for one in kinds:
            notes = None if self._asked is None else Notes(self._asked, sample.series.window)
            prepared = one.of(replace(sample, notes=notes), *learnt.pop(one, ())) if one else None
            for test in self.tests:
                if test.preparation is one:
                    made[test.name] = prepared
                    self.criteria[test.name].extend(notes.criteria if notes else [])
        return made

    def _worst(self, neighbours: Neighbours) -> Bools:
        """The flagged stations that are to be excluded next: in each neighbourhood the one that is farthest off."""
        # A station that is to be excluded whatever it reads is farther off than any other.
        off = np.where(self._flagged_by(Exclusion.ALWAYS).any(axis=1), np.inf, self._far)
        off = np.where(self.excluded, 0, off)
        of_others = np.where(neighbours.exists, off[neighbours.rows], 0).max(axis=1, initial=0)
        worst: Bools = (off > 0) & (off >= of_others)
        return worst

    def _flagged_by(self, exclusion: Exclusion, rows: Any = slice(None)) -> Bools:
        """What tests of a kind have flagged of some stations, rows × window slots."""
        nothing = np.zeros((len(self.excluded[rows]), self._sample.series.window), dtype=bool)
        of_kind = [self.flags[test.name][rows] for test in self.tests if test.exclusion is exclusion]
        found: Bools = np.logical_or.reduce([nothing, *of_kind])
        return found


def _off(flagged: Bools, unweighted_residual: Floats) -> Floats:
    """How far off each station is where it is flagged, rows; 0 where it is not, and more where it is off by nothing.

    Args:
        flagged: rows × window slots.
        unweighted_residual: see `Comparison`.
    """
    off = np.nan_to_num(np.where(flagged, np.abs(unweighted_residual), 0)).max(axis=1, initial=0)
    return np.where(flagged.any(axis=1), off + 1e-9, 0)
