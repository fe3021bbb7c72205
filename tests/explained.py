"""That the figures which tests note are those of their verdicts."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from toolkit.detector.run_tests import Found, run_tests
from toolkit.quality.base import QualityTest, Sample
from toolkit.quality.criteria import Criterion, Sign

SIGNS: dict[Sign, Callable[[Any, Any], bool]] = {
    ">": operator.gt, "≥": operator.ge, "<": operator.lt, "≤": operator.le,
}  # fmt: skip


def explained(tests: Sequence[QualityTest], sample: Sample, results: Found) -> None:
    """Ask of each flagged station why it is flagged.

    Raises:
        AssertionError: nothing that was compared says so, or asking changes what is found.
    """
    rows = np.flatnonzero(np.logical_or.reduce(list(results.flags.values())).any(axis=1))
    for row in rows.tolist():
        again = run_tests(tests, sample, row)
        for name, flags in results.flags.items():
            assert np.array_equal(again.flags[name], flags), name
            if flags[row].any():
                assert any(one.met for one in again.criteria[name]), (name, row, again.criteria[name])
            hold(again.criteria[name])


def hold(criteria: Iterable[Criterion]) -> None:
    """What is met is so by its figures.

    Raises:
        AssertionError: it is not.
    """
    for one in criteria:
        if one.met:
            for each in one.compared:
                assert each.value is not None, one
                assert each.limit is not None, one
                assert SIGNS[each.sign](each.value, each.limit), one
