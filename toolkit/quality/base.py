"""What a quality-control test is, and what it is given to look at.

A test is one object, declared in one file of this package and named in the tuple `catalogue.TESTS`. The detector knows
nothing else of it: what a flag of it means is said by its fields, never by its name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.criteria import Condition, Met, Notes
from toolkit.quality.expected import Comparison
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.packed import each
from toolkit.quality.series import Series
from toolkit.variables import Variable

BENCH = "`make bench-detection`, 2026-11-24"
"""The origin of a threshold that no standard gives: it was chosen so that the benchmark's figures are what they are."""
TAIWAN = "eleven stations in the north of Taiwan, 21 months of hourly reports"
"""Another origin: it was chosen so that what is no fault there is none."""


class Evidence(Enum):
    """What a flag of a test proves by itself, and so what it takes to classify it."""

    CONCLUSIVE = "wrong, whatever neighbours measured"
    NOT_SHARED = "wrong, if neighbours that could have shown the same did not"
    CONTRADICTED = "wrong, if what neighbours imply is another value"
    SHARED = "weather, for neighbours showed the same"
    OWN_PAST = "unusual for the station; what neighbours imply decides"


class Exclusion(Enum):
    """When a flagged station is no longer compared with its neighbours, because it would make them look wrong."""

    ALWAYS = "as soon as it is flagged"
    IF_FARTHEST_OFF = "if no flagged station near it is farther from what is expected"
    NEVER = "a flag says nothing against its readings as a neighbour"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The numbers of a test, each declared by `threshold` with its unit, its meaning and its origin."""


def threshold(value: float, unit: str, meaning: str, origin: str = BENCH) -> Any:
    """A field of `Thresholds`.

    Args:
        value: the number.
        unit: what it counts; "" for a factor or a share.
        meaning: what it decides, in a phrase.
        origin: the standard that gives it, or the benchmark that chose it.
    """
    return field(default=value, metadata={"unit": unit, "meaning": meaning, "origin": origin})


@dataclass(frozen=True, slots=True)
class Sample:
    """One variable of a network, as a test sees it.

    Attributes:
        series: the readings: the window, and what was before it.
        neighbours: which stations are near which.
        silent: slots in which a whole station reports nothing; stations × window slots.
        values: of this variable and of those that the tests need besides, in the variable's unit; stations × slots of
            `series.values`, NaN before the window for a variable that is needed but not judged.
        stations: the rows.
        expectation: what neighbours imply for the stations at `expectation.rows`; None for a variable that has no scale
            of comparison.
        looser: how many times as far from what neighbours imply as elsewhere each station's readings may be; None where
            there is no exception.
        notes: where to note what is compared; None where nobody asks.
    """

    series: Series
    neighbours: Neighbours
    silent: Bools
    values: Mapping[str, Floats]
    stations: Sequence[Station] = ()
    expectation: Comparison | None = None
    looser: Floats | None = None
    notes: Notes | None = None

    def note(
        self,
        met: Met,
        *conditions: Condition,
        what: str = "",
        rows: Ints | None = None,
        after: int = 0,
        earlier: Met | None = None,
    ) -> None:
        """Note what a test compares, if somebody asks why; see `Notes.add`."""
        if self.notes is not None:
            self.notes.add(met, conditions, what, rows=rows, after=after, earlier=earlier)

    def part(self, block: slice) -> Sample:
        """Some stations alone, for what looks at no others: without neighbours, and what is expected by them."""
        return replace(
            self,
            series=self.series.part(block),
            silent=self.silent[block],
            values=each(self.values, lambda _, values: values[block]),
            stations=self.stations[block],
            expectation=None,
            notes=self.notes.part(block) if self.notes else None,
        )

    @property
    def expected(self) -> Comparison:
        """What neighbours imply; only for tests that compare."""
        if self.expectation is None:
            raise ValueError(f"{self.series.variable.name} is not compared with neighbours")
        return self.expectation


@dataclass(frozen=True, slots=True)
class Preparation:
    """Something that tests need besides a sample, such as limits learnt from the network's past.

    Attributes:
        of: what it is of a sample, and of what `each` found, one argument for each of its arrays.
        of_rows: the same for some rows, in ascending order, as `QualityTest.explain` needs it; None where that needs
            nothing of it.
        each: what has to be known of each station beforehand: of a sample that says what is expected of some stations,
            arrays whose first axis is these. It is called for some stations at a time, so that a large network needs
            no memory for what is expected of all of them, and sees no others but their neighbours
            (`detector.learning`); of variables besides the sample's, those that the tests need.
    """

    of: Callable[..., Any]
    of_rows: Callable[[Any, Ints], Any] | None = None
    each: Callable[[Sample], Sequence[npt.NDArray[Any]]] | None = None


class WorstReading(NamedTuple):
    """The reading of a flagged interval that is farthest off.

    Attributes:
        value: in the variable's unit; None where nothing was measured.
        expected: what was expected then, in the same unit; None where nothing can be.
        score: the distance between the two, in standard deviations of the residual then; None likewise.
    """

    value: float | None
    expected: float | None
    score: float | None


@dataclass(frozen=True, slots=True)
class FlaggedInterval:
    """Successive slots of one station's window that are flagged, named by the test that flagged most of them.

    Attributes:
        series: the variable.
        row: the station.
        first, after: the slots of the window, `first` up to but not including `after`.
        test: which test.
    """

    series: Series
    row: int
    first: int
    after: int
    test: QualityTest

    @property
    def slots(self) -> slice:
        """The same slots, counted in the series instead of in the window."""
        before = self.series.values.shape[1] - self.series.window
        return slice(before + self.first, before + self.after)

    @property
    def hours(self) -> float:
        """How long it is."""
        return (self.after - self.first) * self.series.slot_hours


class QualityTest(ABC):
    """A quality-control test.

    Attributes:
        name: what reports and the table `anomalies` call it.
        standard_name: what the QARTOD manuals or WMO-No. 8 call it; "" where they have no such test.
        source: the manual, guide or paper that describes it.
        finds: what it finds, in a phrase.
        limit: what it compares with, in a phrase.
        thresholds: its numbers.
        evidence: what its flag proves.
        exclusion: whether a flagged station still counts as a neighbour of others.
        compares: whether it needs to know what neighbours imply. It is run for its `suspects` alone, and again for
            the stations whose expectation changed when another station was excluded.
        follows: whether its flag of a variable that follows from others may be their fault: it says nothing new while
            they are flagged.
        with_method: whether it is also run where a temporal method takes the place of the tests that compare.
        may_pass: whether a flag that neighbours do not share may still be weather, on its way across the network or of
            one place.
        at_once: whether what it flags began with a jump, which no course of the day has.
        may_be_air: whether such a flag of temperature or humidity is weather where the other one jumps with it as that
            of air does: no two sensors jump together.
        expects_own_past: whether a station without neighbours is expected to be as in its own past.
        preparation: what else is computed before the test is run, once for the whole network and before any station is
            excluded. Tests with the same preparation share its result.
    """

    name: ClassVar[str]
    standard_name: ClassVar[str] = ""
    source: ClassVar[str]
    finds: ClassVar[str]
    limit: ClassVar[str]
    thresholds: ClassVar[Thresholds] = Thresholds()
    evidence: ClassVar[Evidence]
    exclusion: ClassVar[Exclusion]
    compares: ClassVar[bool] = False
    follows: ClassVar[bool] = False
    with_method: ClassVar[bool] = False
    may_pass: ClassVar[bool] = False
    at_once: ClassVar[bool] = False
    may_be_air: ClassVar[bool] = False
    expects_own_past: ClassVar[bool] = False
    preparation: ClassVar[Preparation | None] = None

    def applies(self, variable: Variable) -> bool:
        """Whether the test makes sense for a variable: by default, for one that has a scale of comparison."""
        return variable.scale is not None

    def needs(self, variable: Variable) -> set[str]:
        """The names of other variables whose window is needed to test this one."""
        return set()

    def suspects(self, sample: Sample, prepared: Any) -> Bools:
        """Which stations a test that `compares` may flag, before any is excluded: no others; stations.

        Args:
            sample: the variable, without what is expected.
            prepared: what the test's preparation returned; None if it has none.
        """
        return np.ones(len(sample.series.values), dtype=bool)

    @abstractmethod
    def run(self, sample: Sample, prepared: Any) -> Bools:
        """Flag readings of the window.

        Args:
            sample: the variable.
            prepared: what the test's preparation returned; None if it has none.

        Returns:
            Whether each reading is flagged, rows × window slots: a row for each station, or for each of
            `sample.expected.rows` where the test `compares`.
        """

    @abstractmethod
    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Any) -> str:
        """What was found, as a clause whose subject is the station or its reading, without a full stop."""

    def distance(self, interval: FlaggedInterval, residual: Floats) -> Floats:
        """How far off each reading of an interval is, in any unit; NaN for those that cannot be the worst.

        Args:
            interval: the flagged slots.
            residual: what was measured less what is expected in each of them, on the scale of comparison.
        """
        if not np.isnan(residual).all():
            return np.abs(residual)
        values = interval.series.values[interval.row, interval.slots]
        return np.where(np.isnan(values), np.nan, 0.0)


def number(value: float | None) -> str:
    """A value in a sentence."""
    return "nothing" if value is None else f"{value:.4g}"
