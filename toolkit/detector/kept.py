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
        rows: the stations of which anything is flagged, in ascending order.
        of_network: what has to be known of the network where a part of it is looked at.
        flags, prepared: see `run_tests.Found`; of these rows alone.
        tests, criteria, excluded, rounds: see `run_tests.Found`.
    """

    variable: str
    measured: Bools
    rows: Ints
    of_network: OfNetwork
    tests: Sequence[QualityTest]
    flags: dict[str, Bools]
    prepared: Mapping[str, Any]
    criteria: Mapping[str, Sequence[Criterion]]
    excluded: Bools
    rounds: Sequence[Round]

    @classmethod
    def of(cls, results: Found) -> Kept:
        """What is kept of some results."""
        rows = np.flatnonzero(np.logical_or.reduce([flags.any(axis=1) for flags in results.flags.values()]))
        prepared = {}
        for test in results.tests:
            if (kind := test.preparation) and kind.of_rows and len(rows):
                prepared[test.name] = kind.of_rows(results.prepared[test.name], rows)
        return cls(
            variable=results.series.variable.name,
            measured=results.series.measured,
            rows=rows,
            of_network=OfNetwork.of(results.series),
            tests=results.tests,
            flags={name: flags[rows] for name, flags in results.flags.items()},
            prepared=prepared,
            criteria=results.criteria,
            excluded=results.excluded,
            rounds=results.rounds,
        )

    def of_rows(self, rows: Ints, sample: Sample, wanted: Bools) -> TestResults:
        """The results for some rows, in ascending order.

        Args:
            rows: which.
            sample: the variable at these rows.
            wanted: of which of them it is to be known what is expected; rows. Their neighbours are rows, too.
        """
        place = np.minimum(np.searchsorted(self.rows, rows), max(len(self.rows) - 1, 0))
        flagged = np.isin(rows, self.rows)
        flags = {name: np.zeros((len(rows), sample.series.window), dtype=bool) for name in self.flags}
        for name, found in self.flags.items():
            flags[name][flagged] = found[place[flagged]]
        # Nobody asks of a row that is not flagged: it has what another one has.
        prepared = {
            test.name: test.preparation.of_rows(self.prepared[test.name], place)
            for test in self.tests
            if test.name in self.prepared and test.preparation and test.preparation.of_rows
        }
        return TestResults(
            series=sample.series,
            tests=self.tests,
            flags=flags,
            prepared={**dict.fromkeys(flags), **prepared},
            expected=self._expected(rows, sample, wanted) if sample.series.compared else None,
            criteria=self.criteria,
            excluded=self.excluded[rows],
        )

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
