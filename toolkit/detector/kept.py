"""What is kept of a variable that was tested, and the same for the stations of which more is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from toolkit.detector.grid import OfNetwork
from toolkit.detector.run_tests import Found, Round
from toolkit.quality.arrays import Bools, Ints
from toolkit.quality.base import QualityTest, Sample
from toolkit.quality.criteria import Criterion
from toolkit.quality.expected import Expectations, Expected
from toolkit.quality.series import Series


@dataclass(slots=True)
class TestResults:
    """What the tests found in one variable of some stations.

    Attributes:
        series: what was tested.
        tests, flags, prepared, criteria, excluded: see `run_tests.Found`.
        expected: what is expected of every station, without the excluded ones as neighbours; None for a variable that
            has no scale of comparison.
    """

    series: Series
    tests: Sequence[QualityTest]
    flags: dict[str, Bools]
    prepared: Mapping[str, Any]
    expected: Expected | None
    criteria: Mapping[str, Sequence[Criterion]]
    excluded: Bools


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a variable while others are tested: in a large network little beside its flags.

    Attributes:
        variable: which.
        measured: which stations measure it at all.
        of_network: what has to be known of the network where a part of it is looked at.
        tests, flags, prepared, criteria, excluded, rounds: see `run_tests.Found`.
    """

    variable: str
    measured: Bools
    of_network: OfNetwork
    tests: Sequence[QualityTest]
    flags: dict[str, Bools]
    prepared: Mapping[str, Any]
    criteria: Mapping[str, Sequence[Criterion]]
    excluded: Bools
    rounds: Sequence[Round]

    @classmethod
    def of(cls, results: Found, of_network: OfNetwork) -> Kept:
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
        expectations = Expectations(sample.series, sample.neighbours, sample.looser)
        first = expectations.many(np.flatnonzero(wanted & (last == 0)), excluded)
        found = _nothing_expected(first, len(rows))
        _replace_rows(found, first)
        for number, (worst, _) in enumerate(self.rounds, start=1):
            excluded = excluded | worst[rows]
            if len(some := np.flatnonzero(wanted & (last == number))):
                _replace_rows(found, expectations.many(some, excluded))
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


def _replace_rows(expected: Expected, anew: Expected) -> None:
    """Replace in `expected` the rows of `anew`."""
    for item in fields(anew):
        if item.name != "rows":
            getattr(expected, item.name)[anew.rows] = getattr(anew, item.name)
