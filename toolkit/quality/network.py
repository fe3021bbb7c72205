"""What the tests take from all stations of a network: counts, medians and the like.

A part of a network (`detector.tiles`) is judged by these figures of the whole. They are gathered part by part, each
from the stations that the part is judged for, and joined: the result does not depend on how the network was cut.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.packed import some_rows


class Figure(ABC):
    """A figure of many stations, which can be joined from those of parts."""

    @abstractmethod
    def of(self, rows: Any) -> Any:
        """What a part contributes; `rows` is an array whose first axis is stations."""

    @abstractmethod
    def joined(self, parts: Sequence[Any]) -> Any:
        """The figure of the network, from what each part contributes."""


class _Total(Figure):
    """The sum over all stations, of whole numbers or truth values."""

    def of(self, rows: Any) -> Any:
        return np.sum(rows, axis=0, dtype=np.int64)

    def joined(self, parts: Sequence[Any]) -> Any:
        return np.sum(parts, axis=0, dtype=np.int64)


class _Each(Figure):
    """The value of each station, in no order."""

    def of(self, rows: Any) -> Any:
        return np.array(rows)

    def joined(self, parts: Sequence[Any]) -> Any:
        return np.concatenate(parts)


class _Largest(Figure):
    """The largest value of each column, NaN for a column without values."""

    def of(self, rows: Any) -> Any:
        return np.fmax.reduce(np.asarray(rows, dtype=np.float64), axis=0, initial=np.nan)

    def joined(self, parts: Sequence[Any]) -> Any:
        return np.fmax.reduce(np.stack(parts), axis=0)


class _MedianAboveOne(Figure):
    """The median of each column, 1 at least; NaN counts as 0.

    What a part contributes of each column: how many values are 1 at most, the largest of these, and the others.
    """

    def of(self, rows: Any) -> Any:
        below, largest_below, above = [], [], []
        for column in np.asarray(rows, dtype=np.float64).T:  # a large network has no memory for all of them twice
            values = np.nan_to_num(column)
            is_above = values > 1
            above.append(values[is_above])
            below.append(len(values) - len(above[-1]))
            largest_below.append(values.max(where=~is_above, initial=-np.inf))
        return np.array(below, dtype=np.int64), np.array(largest_below), above

    def joined(self, parts: Sequence[Any]) -> Any:
        below = np.sum([part[0] for part in parts], axis=0)
        found = np.ones(below.shape)
        for column, few in enumerate(below.tolist()):
            above = np.sort(np.concatenate([part[2][column] for part in parts]))
            count = few + len(above)
            middle = [(count - 1) // 2, count // 2]
            if count and middle[1] >= few:
                largest_below = max(float(part[1][column]) for part in parts)
                lower, upper = (float(above[one - few]) if one >= few else largest_below for one in middle)
                found[column] = max((lower + upper) / 2, 1.0)
        return found


class Counted:
    """How many stations have which whole number in each column; see `COUNTED`."""

    def __init__(self, counts: Ints) -> None:
        self._counts = counts

    def median_of_others(self, column: int, own: int) -> float:
        """The median of a column without one station that has the number `own`; NaN if there is no other."""
        counts = self._counts[column].copy()
        counts[own] -= 1
        so_far = np.cumsum(counts)
        number = int(so_far[-1])
        if not number:
            return float("nan")
        lower, upper = np.searchsorted(so_far, [(number - 1) // 2 + 1, number // 2 + 1])
        return float(lower + upper) / 2


class _Counted(Figure):
    """How often each whole number from 0 to the number of columns occurs in each column; see `Counted`."""

    def of(self, rows: Any) -> Any:
        columns = rows.shape[1]
        counts = [np.bincount(column, minlength=columns + 1) for column in rows.T]
        return np.array(counts, dtype=np.int64).reshape(columns, columns + 1)

    def joined(self, parts: Sequence[Any]) -> Any:
        return Counted(np.sum(parts, axis=0))


TOTAL, EACH, LARGEST, MEDIAN_ABOVE_ONE, COUNTED = _Total(), _Each(), _Largest(), _MedianAboveOne(), _Counted()


class Question(Protocol):
    """Something that is asked of every station, and only where a station makes it necessary. It can be hashed."""

    @property
    def variables(self) -> Sequence[str]:
        """The variables of which the answers are."""

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """The answers of some stations, NaN where there is none.

        Args:
            values: by variable, in its unit; stations × slots.
        """


class Network:
    """The figures of a network for one variable, or for its stations as such.

    Args:
        core: which rows are of the part that figures are gathered from; None for all. The others are around it.
        known: the figures of the whole network; None where the rows are the network, or where figures are gathered.

    Attributes:
        parts: by name, the figures that were gathered, and what this part contributes to them; none of a whole network.
        questions: what was asked of each station and is not known; see `of_others`.
    """

    def __init__(self, core: Bools | None = None, known: Mapping[Any, Any] | None = None) -> None:
        self._core = core
        self._known = known
        self._found: dict[str, Any] = {}
        self.parts: dict[str, tuple[Figure, Any]] = {}
        self.questions: set[Question] = set()

    @property
    def whole(self) -> bool:
        """Whether the rows are the network."""
        return self._core is None

    def of(self, name: str, figure: Figure, rows: Any, where: Bools | None = None) -> Any:
        """A figure of the network.

        Args:
            name: the same figure has the same name everywhere. What is asked for again is what it was at first.
            figure: which.
            rows: what it is of; an array whose first axis is these rows, or the first of them.
            where: which rows count; None for all.
        """
        if self._known is not None:
            return self._known[name]
        if name not in self._found:
            counted = self._counted(len(rows), where)
            part = figure.of(rows if counted is None or counted.all() else rows[counted])
            self._found[name] = figure.joined([part])
            if not self.whole:
                self.parts[name] = (figure, part)
        return self._found[name]

    def let_go(self) -> None:
        """Let the figures go, when nobody will ask for one again; `parts` and `questions` stay."""
        self._found.clear()

    def of_others(self, question: Question, row: int, values: Mapping[str, Floats]) -> Floats:
        """The answer of each other station of the network that has one, in no order.

        Args:
            question: what is asked.
            row: the station whose own answer is left out.
            values: what answers of these rows follow from; see `Question.of`.
        """
        if self.whole:
            answers = question.of({name: values[name] for name in question.variables})
            return np.array([one for one in np.delete(answers, row).tolist() if not np.isnan(one)])
        if self._known is None or question not in self._known:  # the part is judged anew when this is answered
            self.questions.add(question)
            return np.empty(0)
        everybody: Floats = self._known[question]
        own = question.of({name: some_rows(values, name, [row]) for name in question.variables})
        return np.delete(everybody, np.flatnonzero(everybody == own[0])[:1])

    def _counted(self, rows: int, where: Bools | None) -> Bools | None:
        core = None if self._core is None else self._core[:rows]
        if core is None or where is None:
            return core if where is None else where
        return core & where
