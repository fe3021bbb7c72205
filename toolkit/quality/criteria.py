"""What a test compared with which limit: the figures behind a flag, for somebody who asks why.

A test notes the arrays that it compares and what came of it (`base.Sample.note`). They are kept only where somebody
asks, and of the one station that is asked for. So what is shown is what was computed, and nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from toolkit.quality.arrays import Bools, Floats, Ints

Sign = Literal[">", "≥", "<", "≤"]
Met = Bools | np.bool  # an array of rows, or of rows × slots; the second for what numpy says of `any(axis=1)`


class Condition(NamedTuple):
    """A comparison that a test makes.

    Attributes:
        what: what is compared, in a phrase.
        value: how large it is: one number, or an array of rows, or of rows × slots with one slot if it is of all.
        sign: how it is compared.
        limit: with what, likewise.
        unit: of both; "" for a number, a share or a factor.
    """

    what: str
    value: Any
    sign: Sign
    limit: Any
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison as it came out at one station; a value or a limit is None where it is not known."""

    what: str
    value: float | None
    sign: Sign
    limit: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """Comparisons that together make a test flag readings.

    Attributes:
        what: what it means if all of them hold, in a phrase; "" where the comparisons say it.
        met: whether the test found it so.
        slot: of which slot the figures are: the one in which the first of them exceeds its limit by most, or comes
            nearest to it. Counted from the first of the window, negative before it; None where they are of no one slot.
        compared: the comparisons.
    """

    what: str
    met: bool
    slot: int | None
    compared: tuple[Compared, ...]


@dataclass(slots=True)
class Notes:
    """What a test compared at one station.

    Attributes:
        row: the station.
        window: how many slots are tested.
        criteria: what was noted.
    """

    row: int
    window: int
    criteria: list[Criterion] = field(default_factory=list)

    def part(self, block: slice) -> Notes | None:
        """The same where some stations are looked at alone; None where this one is none of them."""
        if not block.start <= self.row < block.stop:
            return None
        return Notes(self.row - block.start, self.window, self.criteria)

    def add(
        self,
        met: Met,
        conditions: Sequence[Condition],
        what: str = "",
        *,
        rows: Ints | None = None,
        after: int = 0,
        earlier: Met | None = None,
    ) -> None:
        """Note what was compared, if the station is among the rows.

        Args:
            met: what came of it: rows, or rows × slots.
            conditions: what was compared.
            what: what it means if it is so.
            rows: which stations the rows are; None for all.
            after: how many slots of the window follow that of the last column.
            earlier: rows whose slots before the window count as well; None for none.
        """
        at = np.flatnonzero(rows == self.row) if rows is not None else np.array([self.row])
        if not len(at):
            return
        place, all_met = int(at[0]), np.asarray(met)
        found, column, slot = all_met[place], None, None
        if all_met.ndim == 2:
            before = max(0, found.size - self.window + after)
            begin = 0 if earlier is not None and np.asarray(earlier)[place] else before
            if begin >= found.size:
                return
            column = begin + _farthest(found[begin:], conditions, place, begin, found.size)
            slot = column - (found.size - self.window + after)
            found = found[column]
        compared = tuple(
            Compared(one.what, _number(one.value, place, column), one.sign, _number(one.limit, place, column), one.unit)
            for one in conditions
        )
        self.criteria.append(Criterion(what, bool(found), slot, compared))


def _farthest(found: Bools, conditions: Sequence[Condition], place: int, begin: int, columns: int) -> int:
    """The slot, of those from `begin` on, whose figures say most: among those that are met, if any are."""
    among = np.where(found if found.any() else True, 0.0, np.nan)
    excess = np.zeros(found.size)
    if conditions:
        first = conditions[0]
        value, limit = (
            np.broadcast_to(_row(each, place), (columns,))[begin:].astype(np.float64)
            for each in (first.value, first.limit)
        )
        excess = (value - limit) * (1 if first.sign in {">", "≥"} else -1)
    excess = excess + among
    if np.isnan(excess).all():
        return int(np.argmax(found)) if found.any() else found.size - 1
    return int(np.nanargmax(excess))


def _row(numbers: Any, place: int) -> Floats:
    numbers = np.asarray(numbers, dtype=np.float64)
    return numbers if numbers.ndim == 0 else np.asarray(numbers[place])


def _number(numbers: Any, place: int, column: int | None) -> float | None:
    one = _row(numbers, place)
    if one.ndim:
        one = one[0 if one.size == 1 else column]
    return float(one) if np.isfinite(one) else None
