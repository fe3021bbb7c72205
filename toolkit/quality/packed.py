"""Values of a large network in few bytes: where that loses nothing, as whole numbers of their variable's steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.variables import BY_NAME

Coded = npt.NDArray[Any]
"""Values of a variable: whole numbers of its steps in 16 bits, `ABSENT` where there is none, or 64-bit floats."""
SMALL = 500
"""A network of no more stations has memory enough: its values stay 64-bit floats, and what is freed stays here."""
ABSENT = np.int16(np.iinfo(np.int16).min)


class Packed(Mapping[str, Floats]):
    """By variable, values in its unit, NaN where there is none; stations × slots.

    An array is made whenever it is asked for. See `some_rows` and `there`, which need less.

    Args:
        coded: by variable, its values.
    """

    def __init__(self, coded: Mapping[str, Coded]) -> None:
        self._coded = coded

    def __getitem__(self, name: str) -> Floats:
        return floats(name, self._coded[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._coded)

    def __len__(self) -> int:
        return len(self._coded)

    def coded(self, name: str) -> Coded:
        """The values of a variable as they are kept."""
        return self._coded[name]


class Unpacked:
    """A variable's values that are made whenever some are asked for: it is indexed as an array is.

    Args:
        name: the variable.
        coded: its values as they are kept; stations × slots.
    """

    def __init__(self, name: str, coded: Coded) -> None:
        self._name, self.coded, self.shape = name, coded, coded.shape

    def __len__(self) -> int:
        return len(self.coded)

    def __getitem__(self, at: Any) -> Any:
        found = self.coded[at]
        return floats(self._name, found) if found.ndim else floats(self._name, found[None])[0]

    def as_kept(self, rows: Ints) -> Unpacked:
        """Those of some rows."""
        return Unpacked(self._name, self.coded[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        return floats(self._name, self.coded)


def unpacked(values: Mapping[str, Floats], name: str) -> Any:
    """The values of a variable, to be indexed: an array, or where they are kept in fewer bits `Unpacked`."""
    if isinstance(values, Packed) and values.coded(name).dtype == np.int16:
        return Unpacked(name, values.coded(name))
    return values[name]


def as_kept(values: Any, rows: Ints) -> Any:
    """Some rows of what `unpacked` returned, in as few bits."""
    return values.as_kept(rows) if isinstance(values, Unpacked) else values[rows]


def pack(name: str, values: Floats) -> Coded:
    """Values of a variable in its unit, NaN where there is none, of any shape; `floats` gives the very same again."""
    with np.errstate(over="ignore"):
        steps = values * BY_NAME[name].per_unit
    np.rint(steps, out=steps)
    coded = np.where(np.abs(steps) <= -(ABSENT + 1), steps, ABSENT).astype(np.int16)
    # What is between two steps, or beyond 16 bits, or a zero with a sign, is another value then.
    same = floats(name, coded).view(np.int64) == np.ascontiguousarray(values).view(np.int64)
    return coded if np.all(same | np.isnan(values)) else values


def floats(name: str, coded: Coded) -> Floats:
    """The values of a variable in its unit, NaN where there is none."""
    if coded.dtype != np.int16:
        return coded
    found: Floats = coded / BY_NAME[name].per_unit
    np.copyto(found, np.nan, where=coded == ABSENT)
    return found


def is_there(values: Any) -> Bools:
    """Where there is a value: of values as they are kept, or of what `unpacked` returned."""
    coded: Coded = values.coded if isinstance(values, Unpacked) else values
    found: Bools = coded != ABSENT if coded.dtype == np.int16 else ~np.isnan(coded)
    return found


def forget(coded: Coded, at: Any) -> None:
    """Take some values out of an array."""
    coded[at] = ABSENT if coded.dtype == np.int16 else np.nan


def some_rows(values: Mapping[str, Floats], name: str, at: Any) -> Floats:
    """A part of a variable's values: rows, or rows and slots, as one indexes an array."""
    return floats(name, values.coded(name)[at]) if isinstance(values, Packed) else values[name][at]


def rows_of(values: Mapping[str, Floats], names: Iterable[str], rows: Ints) -> Mapping[str, Floats]:
    """Some variables of some rows, as they are kept."""
    if isinstance(values, Packed):
        return Packed({name: values.coded(name)[rows] for name in names})
    return {name: values[name][rows] for name in names}


def there(values: Mapping[str, Floats], name: str) -> Bools:
    """Where a variable has values."""
    return is_there(values.coded(name) if isinstance(values, Packed) else values[name])


def each(values: Mapping[str, Floats], change: Callable[[str, Coded], Coded]) -> Mapping[str, Floats]:
    """What a function makes of each variable's values, as they are kept."""
    if isinstance(values, Packed):
        return Packed({name: change(name, values.coded(name)) for name in values})
    return {name: change(name, one) for name, one in values.items()}
