"""What tests have to know of each station of a network beforehand: most of the work of a detection run.

It is known of a station by its own readings and its neighbours'. So the stations can be divided, and other processes
can be given some of them each; what they find is the same to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from toolkit.detector import in_parts
from toolkit.quality.arrays import Bools, Ints
from toolkit.quality.base import Preparation, QualityTest, Sample
from toolkit.quality.blocks import by_rows
from toolkit.quality.expected import Expectations
from toolkit.quality.packed import rows_of

Given = TypeVar("Given")
Found = TypeVar("Found")


class Map(Protocol):
    """Applies a function to each of some things, in order; `map` does. Function, things and results can be pickled."""

    def __call__(self, function: Callable[[Given], Found], things: Iterable[Given], /) -> Iterable[Found]:
        """What the function returns for each of them."""


class Divided(NamedTuple):
    """How the stations of a network are divided.

    Attributes:
        apply: has them do their work.
        parts: what each is given; none where this process learns of all stations.
    """

    apply: Map
    parts: Sequence[in_parts.Part]


ALONE = Divided(map, ())


class Tile(NamedTuple):
    """One variable of some stations of a network.

    Attributes:
        tests: those that apply to the variable.
        sample: the variable at these stations and at those near them.
        own: these stations, as its rows.
    """

    tests: Sequence[QualityTest]
    sample: Sample
    own: Ints


class Learnt(NamedTuple):
    """What is known of some stations.

    Attributes:
        arrays: with which of its neighbours each station is compared, stations × neighbours; and what the tests'
            preparations found (`Preparation.each`), one after the other. Each array has a row for each station.
        number: how many arrays each of the preparations found.
    """

    arrays: list[npt.NDArray[Any]]
    number: list[int]


def learnt(tile: Tile) -> Learnt:
    """What is known of a tile's own stations."""
    kinds, sample = _preparations(tile.tests), tile.sample
    expectations = Expectations(sample.series, sample.neighbours, sample.looser)
    nobody = np.zeros(len(sample.series.scaled), dtype=bool)
    number: list[int] = []

    def some(block: slice) -> list[npt.NDArray[Any]]:
        expected = expectations.few(tile.own[block], nobody)
        with_it = replace(sample, expectation=expected)
        found = [one.each(with_it) for one in kinds if one.each]
        number[:] = map(len, found)
        return [expected.weights > 0, *(array for of_one in found for array in of_one)]

    return Learnt(by_rows(some, len(tile.own)), number)


def of_network(
    tests: Sequence[QualityTest], sample: Sample, divided: Divided
) -> tuple[Bools, dict[Preparation, list[npt.NDArray[Any]]]]:
    """With which of its neighbours each station of a network is compared, and what each preparation found.

    Args:
        tests: those that apply to the variable.
        sample: the variable at all stations, without an expectation.
        divided: who finds it.
    """
    stations = len(sample.series.scaled)
    if divided.parts:
        whole = Learnt([], [])
        tiles = divided.apply(learnt, _tiles(tests, sample, divided.parts))
        for part, (arrays, number) in zip(divided.parts, tiles, strict=True):
            if not whole.arrays:
                whole = Learnt([np.empty((stations, *one.shape[1:]), one.dtype) for one in arrays], number)
            for of_all, of_part in zip(whole.arrays, arrays, strict=True):
                of_all[part.own] = of_part
    else:
        whole = learnt(Tile(tests, sample, np.arange(stations)))
    compared_with, *arrays = whole.arrays
    by_kind = zip(_preparations(tests), whole.number, strict=True)
    return compared_with, {one: [arrays.pop(0) for _ in range(number)] for one, number in by_kind}


def _preparations(tests: Sequence[QualityTest]) -> list[Preparation]:
    """Those of some tests that have to know something of each station."""
    kinds = dict.fromkeys(test.preparation for test in tests)
    return [one for one in kinds if one is not None and one.each is not None]


def _tiles(tests: Sequence[QualityTest], sample: Sample, parts: Sequence[in_parts.Part]) -> Iterator[Tile]:
    """The parts of a network, each made when it is asked for."""
    kinds, variable = _preparations(tests), sample.series.variable
    needed = {name for test in tests if test.preparation in kinds for name in test.needs(variable)} & {*sample.values}
    for part in parts:
        yield Tile(
            tests,
            Sample(
                sample.series.of_network(part.rows),
                sample.neighbours.part(part.rows),
                sample.silent[part.rows],
                rows_of(sample.values, sorted(needed), part.rows),
                looser=None if sample.looser is None else sample.looser[part.rows],
            ),
            np.searchsorted(part.rows, part.own),
        )
