"""What every store offers, whichever engine it runs on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from math import ceil
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from toolkit.address import without_secrets
from toolkit.errors import ToolkitError
from toolkit.model import Document, Observation, Rejected, Station

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


class StoreError(ToolkitError):
    """The store cannot be opened, read or written just now: the reason in words."""


class StoreGoneError(StoreError):
    """There is no database, or an empty one, where there is to be one with observations in it."""


class StoreRefusedError(StoreError):
    """The store is not for this program, and waiting will not help."""

    exit_code = 2


class NewerSchemaError(StoreRefusedError):
    """The database's schema is newer than this program."""


class DocumentRefusedError(StoreError):
    """The store is well, and cannot take this document for what it holds: it will never be taken."""


class Stored(NamedTuple):
    """What one document changed.

    Attributes:
        new: rows that were not there.
        corrected: rows in which a value replaced another, or filled a gap.
        unchanged: rows that were there already.
    """

    new: int
    corrected: int
    unchanged: int

    def __str__(self) -> str:
        return f"{self.new} new, {self.corrected} corrected"


class Count(NamedTuple):
    """A counter that only grows: `name` and `label` as a metric would have them."""

    name: str
    label: str
    number: int


class Logged(NamedTuple):
    """A line of the collection log; its time in seconds since the epoch."""

    time: float
    status: str
    stations: int
    observations: int
    message: str


class Extent(NamedTuple):
    """The observations of one station: the times of the first and the last (seconds since the epoch), and how many."""

    station_id: str
    first: int
    last: int
    number: int


class Finding(NamedTuple):
    """An anomaly as the store keeps it; times in seconds since the epoch. See `detector.report.Anomaly`."""

    station_id: str
    variable: str
    started: float
    ended: float
    class_: str
    test: str
    value: float | None
    expected: float | None
    score: float | None
    reason: str


class Verdict(NamedTuple):
    """A finding, and what runs made of it: whether the newest still sees it, and which saw it first and last."""

    finding: Finding
    state: str
    first_run: float
    last_run: float


class Span(NamedTuple):
    """After `start` up to and including `end`, seconds since the epoch."""

    start: float
    end: float


# Findings less than this apart, in seconds, are one.
SAME_WITHIN = 3600


def pieces(spans: Sequence[Span], seconds: float = 3600) -> Iterator[Span]:
    """The same spans in pieces of at most so many seconds."""
    for start, end in spans:
        number = max(1, ceil((end - start) / seconds))
        bounds = [start + place * seconds for place in range(number)] + [end]
        yield from map(Span._make, pairwise(bounds))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which observations.

    Attributes:
        start, end: after `start`, up to and including `end`, seconds since the epoch; None for no bound.
        stations: ids; none for all.
    """

    start: float | None = None
    end: float | None = None
    stations: Sequence[str] = ()


class Store(Protocol):
    """An open database. Made by `open_for_writing` and `open_for_reading`; closed by leaving a `with`.

    Every method raises StoreError where the store cannot do it.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def add(self, document: Document, collected: float, *, replace: bool = True, status: str = "success") -> Stored:
        """Store a document and its line in the log, whole or not at all.

        Args:
            document: what is to be stored.
            collected: when it was fetched, seconds since the epoch.
            replace: whether a value that differs replaces the one that is there; otherwise only gaps are filled.
            status: what the log calls it.
        """

    def log_failure(self, message: str, at: float) -> None:
        """Note in the log that a cycle brought nothing, and why."""

    def stations(self) -> list[Station]:
        """Every station ever seen, by id."""

    def new_stations(self, at: float) -> int:
        """How many stations were first seen in the 24 hours up to a time; those that came first of all do not count.

        What was first seen later than that does not count either: a clock that ran ahead must not keep others out.
        """

    def newest(self) -> str | None:
        """The time of the newest observation, as `times.stored` writes it; None where there is none."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Within it everything that is read is of one moment, whatever others write; nothing is written in it.

        A run that reads more than once opens one; a snapshot within a snapshot is the same.
        """

    def numbers(self) -> list[int]:
        """By which `readings` names the stations, in the order of `stations()`."""

    def readings(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """What some variables were in some spans of time: many readings at once, in no order.

        Yields:
            Rows of one length: the stations' numbers, times in seconds since the epoch, each variable's values (NaN
            where there is none), to 15 significant digits.
        """

    def rejected(self, span: Span) -> list[Rejected]:
        """Values that were offered for a span of time and cannot be true."""

    def note(self, run: Span, stations: Sequence[str], findings: Sequence[Finding]) -> None:
        """Keep what a detection run found, whole or not at all.

        A finding that overlaps one of an earlier run, or is less than an hour from it, is the same: its row grows.
        What a run no longer sees at the end of its window is closed.

        Args:
            run: the window that was judged.
            stations: which stations were judged.
            findings: what was found.
        """

    def verdicts(self, selection: Selection) -> list[Verdict]:
        """What was found in a span of time, the latest first."""

    def observations(self, selection: Selection) -> Iterator[Observation]:
        """The selected observations, in order of time, read as they are asked for."""

    def count(self, selection: Selection) -> int:
        """How many observations are selected."""

    def latest(self) -> list[Observation]:
        """The newest observation of each station, by station."""

    def extents(self) -> list[Extent]:
        """What there is of each station that has observations, by station."""

    def size_bytes(self) -> int:
        """The space that the store takes."""

    def counters(self) -> list[Count]:
        """What the collector has done since the database was made."""

    def log(self, number: int) -> list[Logged]:
        """The last lines of the collection log, the newest first."""

    def remove_before(self, before: float, log_before: float, pause: Callable[[], None]) -> tuple[int, int]:
        """Remove observations and log lines of long ago, in steps so short that a collector hardly waits.

        Args:
            before: observations before this are removed, seconds since the epoch.
            log_before: the same for the log.
            pause: called between steps.

        Returns:
            How many observations and log lines were removed.
        """

    def tidy(self, pause: Callable[[], None]) -> None:
        """Refresh the planner's statistics and give free space back, in short steps."""


def as_told(line: Logged) -> Logged:
    """A line of the log for people: an older release logged addresses with the secrets in them."""
    return line._replace(message=without_secrets(str(line.message)))


def counts(stored: Stored, left_out: Counter[str], status: str) -> list[Count]:
    """What a document adds to the counters."""
    rows = [Count("observations", name, number) for name, number in stored._asdict().items()]
    reasons = [Count("left_out", *item) for item in left_out.items()]
    return [count for count in [Count("cycles", status, 1), *rows, *reasons] if count.number]


def summary(stored: Stored, left_out: Counter[str]) -> str:
    """What a document changed, in words, for the log."""
    parts = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items()))
    return str(stored) + (f"; left out: {parts}" if parts else "")


def migrations(engine: str) -> list[str]:
    """The scripts that lead to the present schema, `NNNN_name.sql`, in order; the schema's version is their number."""
    folder = resources.files("toolkit.store") / "migrations" / engine
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [file.read_text("utf-8") for file in files if file.name.endswith(".sql")]
