"""The columns of an export, whatever its format: values, their flags and what decided, estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from toolkit.store.flag_views import NOT_EVALUATED, PASS
from toolkit.variables import BY_NAME

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from toolkit.flagging.readings import FlaggedReadings

    Array = npt.NDArray[Any]

Advance = Callable[[int], None]

QUALITIES = {
    "all": "all values, as they were collected",
    "good": "those alone that pass (flag 1)",
    "flags": "all, each with its flag and the test that decided",
}
"""What `--qc` can say."""


@dataclass(frozen=True, slots=True)
class ExportContent:
    """What an export is to have.

    Attributes:
        variables: in their order.
        quality: one of QUALITIES.
        estimates: whether what the neighbours imply stands beside values that fail or are suspect.
    """

    variables: tuple[str, ...]
    quality: str = "all"
    estimates: bool = False

    @property
    def flags(self) -> bool:
        """Whether each value has its flag beside it."""
        return self.quality == "flags"


class Column(NamedTuple):
    """A column after time and station.

    Attributes:
        name: as in the view `observations_qc`.
        variable: the variable that it belongs to.
        what: what it has of the variable.
    """

    name: str
    variable: str
    what: Literal["value", "flag", "test", "estimate", "words"]


def columns(wanted: ExportContent) -> list[Column]:
    """The columns after time and station, in their order."""
    found = []
    for name in wanted.variables:
        found.append(Column(name, name, "value"))
        if wanted.flags:
            found += [Column(f"{name}_qc", name, "flag"), Column(f"{name}_qc_test", name, "test")]
        if wanted.estimates and BY_NAME[name].scale:  # others are not compared with neighbours
            found.append(Column(f"{name}_estimate", name, "estimate"))
        if words := BY_NAME[name].words:
            found.append(Column(words, name, "words"))
    return found


class Piece(NamedTuple):
    """Some of the observations, in order of time.

    Attributes:
        readings: the values and their flags.
        estimates: what the neighbours imply, by variable, NaN where there is none; empty where it was not asked for.
    """

    readings: FlaggedReadings
    estimates: Mapping[str, npt.NDArray[np.float64]]


@dataclass(slots=True)
class Good:
    """Takes the values out that do not pass.

    Attributes:
        not_evaluated: how many were taken out because no test has looked at them.
    """

    not_evaluated: int = field(default=0, init=False)

    def of(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The same pieces, with NaN and None in place of the values that do not pass."""
        import numpy as np

        for readings, estimates in pieces:
            values, words = dict(readings.values), dict(readings.words)
            for name, flags in readings.flags.items():
                self.not_evaluated += int(np.count_nonzero((flags == NOT_EVALUATED) & ~np.isnan(values[name])))
                values[name] = np.where(flags == PASS, values[name], np.nan)
                if (column := BY_NAME[name].words) in words:
                    words[column] = words[column].copy()
                    words[column][flags != PASS] = None
            yield Piece(replace(readings, values=values, words=words), estimates)
