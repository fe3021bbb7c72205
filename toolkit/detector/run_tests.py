"""All quality-control tests on one variable of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np

from toolkit.detector.grid import OfNetwork
from toolkit.quality.arrays import Bools, Ints
from toolkit.quality.base import Exclusion, QualityTest, Sample
from toolkit.quality.blocks import by_rows
from toolkit.quality.criteria import Criterion, Notes
from toolkit.quality.expected import Comparison, Expected, expect
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import Series

# A station that is wrong makes its neighbours look wrong. So many times the worst station of each neighbourhood is
# excluded, and its neighbours are compared anew without it.
ROUNDS = 3


@dataclass(slots=True)
class TestResults:
    """What the tests found in one variable.

    Attributes:
        series: what was tested.
        tests: which tests were run, by precedence.
        flags: by the name of a test, whether each reading is flagged; stations × window slots.
        prepared: what the preparation of each test returned, by the name of the test.
        expected: what is expected of every station, without the excluded ones as neighbours; None for a variable that
            has no scale of comparison.
        criteria: by the name of a test, what it compared at the station of which that is asked for.
        excluded: which stations were left out as neighbours of others, because they are thought wrong themselves.
        rounds: of each round, which stations were excluded in it, and which were compared anew.
    """

    __test__: ClassVar[bool] = False  # says to pytest that this is none of its tests

    series: Series
    tests: Sequence[QualityTest]
    flags: dict[str, Bools]
    prepared: Mapping[str, Any]
    expected: Expected | None
    criteria: Mapping[str, Sequence[Criterion]]
    excluded: Bools
    rounds: Sequence[tuple[Bools, Ints]] = ()


def run_tests(
    tests: Sequence[QualityTest], sample: Sample, asked: int | None = None, rounds: int = ROUNDS
) -> TestResults:
    """Run those of some tests that apply to a variable.

    Args:
        tests: the tests, by precedence.
        sample: the variable at all stations of the network, without an expectation.
        asked: the station of which it is noted what the tests compare.
        rounds: how many rounds of exclusions are made. Where the stations are a network, it ends with the first in
            which no other has to be compared anew; of a part of a network that is not known.
    """
    series, neighbours = sample.series, sample.neighbours
    stations = len(series.values)
    excluded = np.zeros(stations, dtype=bool)
    if series.compared:
        sample = replace(sample, expectation=_expect(sample, np.arange(stations), excluded))
    tests = [test for test in tests if test.applies(series.variable)]
    criteria: dict[str, list[Criterion]] = {test.name: [] for test in tests}
    prepared = _prepared(tests, sample, asked, criteria)
    noted_before = {name: len(noted) for name, noted in criteria.items()}

    def run(test: QualityTest, sample: Sample) -> Bools:
        notes = None if asked is None else Notes(asked, series.window)
        if test.compares:

            def some(block: slice) -> list[Bools]:
                part = replace(sample, notes=notes, expectation=sample.expected.part(block))
                return [test.run(part, prepared[test.name])]

            (flagged,) = by_rows(some, len(sample.expected.rows))
        else:
            flagged = test.run(replace(sample, notes=notes), prepared[test.name])
        if notes and notes.criteria:  # of what was compared anew the last counts
            criteria[test.name][noted_before[test.name] :] = notes.criteria
        return flagged

    flags = {test.name: run(test, sample) for test in tests}
    made: list[tuple[Bools, Ints]] = []
    expected = sample.expectation
    if expected is not None:
        for _ in range(rounds):
            worst = _worst(tests, flags, expected, neighbours, excluded)
            excluded |= worst
            relied_on_worst = (expected.weights > 0) & worst[neighbours.rows]
            again = np.flatnonzero(relied_on_worst.any(axis=1) & ~excluded)
            made.append((worst, again))
            if not len(again):
                if sample.network.whole:
                    break
                continue
            anew = _expect(sample, again, excluded)
            _replace_rows(expected, anew)
            for test in tests:
                if test.compares:
                    flags[test.name][again] = run(test, replace(sample, expectation=anew))
    compared = expected and expected.without_comparison()
    return TestResults(series, tests, flags, prepared, compared, criteria, excluded, made)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a variable while others are tested: in a large network little beside what `TestResults` holds.

    Attributes:
        variable: which.
        measured: which stations measure it at all.
        of_network: what has to be known of the network where a part of it is looked at.
        tests, flags, prepared, criteria, excluded, rounds: see `TestResults`.
    """

    variable: str
    measured: Bools
    of_network: OfNetwork
    tests: Sequence[QualityTest]
    flags: dict[str, Bools]
    prepared: Mapping[str, Any]
    criteria: Mapping[str, Sequence[Criterion]]
    excluded: Bools
    rounds: Sequence[tuple[Bools, Ints]]

    @classmethod
    def of(cls, results: TestResults, of_network: OfNetwork) -> Kept:
        """What is kept of some results."""
        kinds = {test.name: test.preparation for test in results.tests}
        prepared = {
            name: one for name, one in results.prepared.items() if (kind := kinds[name]) and kind.of_rows is not None
        }
        return cls(
            results.series.variable.name, results.series.measured, of_network, results.tests, _any(results.flags),
            prepared, results.criteria, results.excluded, results.rounds,
        )  # fmt: skip

    def of_rows(self, rows: Ints, sample: Sample, wanted: Bools) -> TestResults:
        """The results for some rows, in ascending order.

        Args:
            rows: which.
            sample: the variable at these rows.
            wanted: of which of them it is to be known what is expected; rows. Their neighbours are rows, too.
        """
        kinds = {test.name: test.preparation for test in self.tests}
        prepared = dict.fromkeys(kinds)
        for name, one in self.prepared.items():
            if (kind := kinds[name]) and kind.of_rows:
                prepared[name] = kind.of_rows(one, rows)
        return TestResults(
            sample.series, self.tests, {name: flags[rows] for name, flags in self.flags.items()}, prepared,
            self._expected(rows, sample, wanted) if sample.series.compared else None,
            self.criteria, self.excluded[rows],
        )  # fmt: skip

    def _expected(self, rows: Ints, sample: Sample, wanted: Bools) -> Expected:
        """What was expected of the wanted rows in the last of the rounds in which they were compared; else nothing."""
        last = np.zeros(len(self.measured), dtype=np.int64)
        for number, (_, again) in enumerate(self.rounds, start=1):
            last[again] = number
        last, excluded = last[rows], np.zeros(len(rows), dtype=bool)
        first = _expect(sample, np.flatnonzero(wanted & (last == 0)), excluded).without_comparison()
        found = _nothing_expected(first, len(rows))
        _replace_rows(found, first)
        for number, (worst, _) in enumerate(self.rounds, start=1):
            excluded = excluded | worst[rows]
            if len(some := np.flatnonzero(wanted & (last == number))):
                _replace_rows(found, _expect(sample, some, excluded).without_comparison())
        return found


def _any(flags: Mapping[str, Bools]) -> dict[str, Bools]:
    """The same flags. A large network has little memory for what most tests find at most variables: nothing."""
    return {name: found if found.any() else np.broadcast_to(np.False_, found.shape) for name, found in flags.items()}


def _nothing_expected(like: Expected, rows: int) -> Expected:
    """That nothing is expected of so many rows, in arrays as wide as others."""
    found: dict[str, Any] = {"rows": np.arange(rows)}
    for item in fields(Expected):
        if item.name != "rows":
            one = getattr(like, item.name)
            found[item.name] = np.full((rows, *one.shape[1:]), False if one.dtype == bool else np.nan, dtype=one.dtype)
    return Expected(**found)


def _expect(sample: Sample, rows: Ints, excluded: Bools) -> Comparison:
    """What is expected of the stations at `rows`, with the wider spread of those that may be farther off."""
    expected = expect(sample.series, sample.neighbours, rows, excluded)
    if sample.looser is not None:
        expected.sigma *= sample.looser[rows, None]
        expected.residual_sigma *= sample.looser[rows]
    return expected


def _prepared(
    tests: Sequence[QualityTest], sample: Sample, asked: int | None, criteria: Mapping[str, list[Criterion]]
) -> dict[str, Any]:
    """What the preparation of each test returns, by the name of the test; each preparation is made once.

    What is compared in it at the station `asked` is added to the criteria of its tests.
    """
    made: dict[str, Any] = dict.fromkeys(test.name for test in tests)
    for one in {test.preparation for test in tests} - {None}:
        notes = None if asked is None else Notes(asked, sample.series.window)
        found = one.of(replace(sample, notes=notes)) if one else None
        for test in tests:
            if test.preparation is one:
                made[test.name] = found
                criteria[test.name].extend(notes.criteria if notes else [])
    return made


def _worst(
    tests: Sequence[QualityTest],
    flags: Mapping[str, Bools],
    expected: Comparison,
    neighbours: Neighbours,
    excluded: Bools,
) -> Bools:
    """The flagged stations that are to be excluded next: in each neighbourhood the one that is farthest off.

    Args:
        tests: the tests that were run.
        flags: what they flagged, stations × window slots.
        expected: what is expected of all stations.
        neighbours: which stations are near which.
        excluded: which stations are excluded already.
    """
    nothing = np.zeros(next(iter(flags.values())).shape, dtype=bool)

    def flagged_by(exclusion: Exclusion) -> Bools:
        of_kind = [flags[test.name] for test in tests if test.exclusion is exclusion]
        found: Bools = np.logical_or.reduce([nothing, *of_kind])
        return found

    always = flagged_by(Exclusion.ALWAYS).any(axis=1)
    if_farthest = flagged_by(Exclusion.IF_FARTHEST_OFF)
    residual = np.abs(expected.unweighted_residual)
    off = np.nan_to_num(np.where(if_farthest, residual, 0)).max(axis=1, initial=0)
    # A flagged station counts as off, even by nothing; one that is excluded always, by more than any other.
    off = np.where(always, np.inf, np.where(if_farthest.any(axis=1), off + 1e-9, 0))
    off = np.where(excluded, 0, off)
    of_others = np.where(neighbours.exists, off[neighbours.rows], 0).max(axis=1, initial=0)
    worst: Bools = (off > 0) & (off >= of_others)
    return worst


def _replace_rows(expected: Expected, anew: Expected) -> None:
    """Replace in `expected` the rows of `anew`, which is of the same kind."""
    for item in fields(anew):
        if item.name != "rows":
            getattr(expected, item.name)[anew.rows] = getattr(anew, item.name)
