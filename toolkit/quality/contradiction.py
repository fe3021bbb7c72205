"""Tests of several kinds of contradiction, each with a sentence of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from toolkit.quality.arrays import Bools, Ints, intervals
from toolkit.quality.base import FlaggedInterval, QualityTest, Sample, WorstReading, number
from toolkit.quality.blocks import by_rows

Contradictions = Mapping[str, Bools]
"""Flagged readings, stations × window slots, by the clause that says what is wrong; `{value}` is the worst reading."""


def of_rows(contradictions: Contradictions, rows: Ints) -> Contradictions:
    """Those of some stations."""
    return {text: flagged[rows] for text, flagged in contradictions.items()}


def some_at_a_time(judge: Callable[[Sample, slice], Contradictions]) -> Callable[[Sample], Contradictions]:
    """What `judge` finds of all stations; it is asked of some of them at a time, so that its arrays stay small."""

    def of_all(sample: Sample) -> Contradictions:
        texts: list[str] = []

        def some(block: slice) -> list[Bools]:
            found = judge(sample, block)
            texts[:] = found
            return list(found.values())

        flagged = by_rows(some, len(sample.silent))
        return dict(zip(texts, flagged, strict=True))

    return of_all


def one_by_one(judge: Callable[[Sample], Contradictions]) -> Callable[[Sample], Contradictions]:
    """The same of a `judge` that looks at each station by itself."""
    return some_at_a_time(lambda sample, block: judge(sample.part(block)))


class ContradictionTest(QualityTest):
    """A test whose preparation returns `Contradictions`."""

    def run(self, sample: Sample, prepared: Contradictions) -> Bools:
        """Flag what contradicts anything, stations × window slots."""
        found: Bools = np.logical_or.reduce(list(prepared.values()))
        return found

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Contradictions) -> str:
        """What is contradicted for most of the interval."""
        slots = interval.row, slice(interval.first, interval.after)
        return max(prepared, key=lambda text: int(prepared[text][slots].sum())).format(value=number(worst.value))


def longest(flagged: Bools) -> Ints:
    """How many slots the longest run has, stations."""
    so_far = np.zeros(len(flagged), dtype=np.int64)
    most = so_far.copy()
    for slot in flagged.T:
        so_far = np.where(slot, so_far + 1, 0)
        most = np.maximum(most, so_far)
    return most


def lasting(flagged: Bools, slots: int) -> Bools:
    """The runs of at least so many slots, stations × slots."""
    found = np.zeros_like(flagged)
    for row in np.flatnonzero(flagged.any(axis=1)):
        for first, after in intervals(flagged[row]):
            found[row, first:after] = after - first >= slots
    return found
