"""What every store offers, whichever engine it runs on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import resources
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from toolkit.address import without_secrets
from toolkit.errors import ToolkitError
from toolkit.model import Document, Observation, Rejected, Station
from toolkit.store.selection import Selection, Span
from toolkit.store.silence import Silent
from toolkit.store.sources import Sources
from toolkit.store.station_places import Changes
from toolkit.store.station_records import StationRecords

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from toolkit.store.accounts import Accounts
    from toolkit.store.columns import Columns
    from toolkit.store.daily import Daily
    from toolkit.store.flags import Flags
    from toolkit.store.incidents import Incidents
    from toolkit.store.statistics import Statistics

    Floats = npt.NDArray[np.float64]


class StoreError(ToolkitError):
    """The store cannot be opened, read or written just now: the reason in words."""


class StoreGoneError(StoreError):
    """There is no database, or an empty one, where one with observations is expected."""


class StoreRefusedError(StoreError):
    """The store belongs to another program or to another release; waiting will not help."""

    exit_code = 2


class NewerSchemaError(StoreRefusedError):
    """The database's schema is newer than this program."""


class DocumentRefusedError(StoreError):
    """The store works, but cannot take this document because of what it holds; another try would not help."""


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
    """A counter that only grows, with the `name` and `label` of a metric."""

    name: str
    label: str
    number: int


class Logged(NamedTuple):
    """A line of the collection log.

    Attributes:
        time: seconds since the epoch.
        status: `success`, `failed` or `import`.
        stations, observations: how many a document had, and how many were new or corrected.
        message: what became of it.
        source: the name of the source; None for imports and for what is older than sources.
        kind: of a failure the class of the error; None where it is not known.
    """

    time: float
    status: str
    stations: int
    observations: int
    message: str
    source: str | None = None
    kind: str | None = None


class Extent(NamedTuple):
    """The observations of one station: the times of the first and the last (seconds since the epoch), and how many."""

    station_id: str
    first: int
    last: int
    number: int


class StoredAnomaly(NamedTuple):
    """An anomaly as the store keeps it; see `detector.report.Anomaly`.

    Attributes:
        station_id, variable: where.
        started, ended: the times of its first and last value, seconds since the epoch.
        class_, test, value, expected, score, reason, confidence: what the newest run said of it; no confidence where it
            is of a release that had none.
        state: `open` while the newest run sees it at the end of its window, then `closed`. The store sets it.
        first_run, last_run: the ends of the windows in which it was seen first and last, seconds since the epoch. The
            store sets them.
    """

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
    confidence: float | None = None
    state: str = "open"
    first_run: float = 0.0
    last_run: float = 0.0


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

    def log_failure(self, message: str, at: float, source: str, kind: str | None = None) -> None:
        """Note in the log that a cycle of a source brought nothing, why, and the class of the error."""

    @property
    def incidents(self) -> Incidents:
        """The incidents and what belongs to them; what writes is called within `transaction`."""

    @property
    def flags(self) -> Flags:
        """The flags of values, as intervals; what writes is called within `transaction`."""

    @property
    def accounts(self) -> Accounts:
        """Who may sign in to the console, and who has; what writes is called within `transaction`."""

    @property
    def records(self) -> StationRecords:
        """How the feed has described stations, and the health of their sensors; `transaction` for what writes."""

    @property
    def sources(self) -> Sources:
        """How each source does, and which stations belong to it."""

    @property
    def daily(self) -> Daily:
        """What each variable did on each day that is over."""

    @property
    def statistics(self) -> Statistics:
        """Counts, means and delays of many observations."""

    def transaction(self) -> AbstractContextManager[None]:
        """What is written within it is written as a whole or not at all, and by one process at a time."""

    def stations(self) -> list[Station]:
        """Every station ever seen, by id."""

    def changes(self) -> Changes:
        """What of the stations was another at another time."""

    def owners(self) -> dict[str, str | None]:
        """The source to which each station belongs; None where no source has told of it."""

    def new_stations(self, at: float, source: str) -> int:
        """How many stations of a source were first seen in the 24 hours up to a time; its very first do not count.

        What was first seen later than that does not count either: a clock that ran ahead must not keep others out.
        """

    def oldest(self, after: float | None = None) -> str | None:
        """The time of the oldest observation, as `times.stored` writes it; None where there is none.

        Args:
            after: only of observations after this, seconds since the epoch.
        """

    def newest(self) -> str | None:
        """The time of the newest observation, as `times.stored` writes it; None where there is none."""

    def tells_since(self, time: float) -> bool:
        """Whether an observation after this time, seconds since the epoch, has a value of any variable."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Within it everything that is read is of one moment, whatever others write; nothing is written in it.

        A run that reads more than once opens one; a snapshot within a snapshot is the same.
        """

    def stamp(self) -> str:
        """A text that changes when anything is stored. Ask outside of a snapshot, and compare within one open store."""

    def numbers(self) -> list[int]:
        """The numbers by which `readings` names the stations, in the order of `stations()`."""

    def readings(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """The values of some variables in some spans of time, in no order.

        Yields:
            Arrays of shape (2 + variables, observations): the stations' numbers, the times in seconds since the epoch,
            and each variable's values in its unit, with 15 significant digits and NaN where there is none.
        """

    def columns(self, span: Span, names: Sequence[str], stations: Sequence[str] = ()) -> Columns:
        """The observations of a span of time as arrays, all at once: whoever reads long spans divides them.

        Args:
            span: of which time.
            names: which columns of values, of `variables.COLUMNS`.
            stations: ids of those that are wanted; none for all.
        """

    def rejected(self, span: Span) -> list[Rejected]:
        """The rejected values of a span of time."""

    def record(self, run: Span, stations: Sequence[str], anomalies: Sequence[StoredAnomaly]) -> None:
        """Keep the anomalies of a detection run, whole or not at all.

        An anomaly that overlaps one of an earlier run, or is less than an hour from it, is the same: its row grows.
        One that a run no longer sees at the end of its window is closed.

        Args:
            run: the window of the run.
            stations: the stations that it tested.
            anomalies: what it found.
        """

    def anomalies(self, selection: Selection) -> list[StoredAnomaly]:
        """The anomalies of a span of time, the latest first."""

    def observations(self, selection: Selection) -> Iterator[Observation]:
        """The selected observations, in order of time, read as they are asked for."""

    def count(self, selection: Selection) -> int:
        """How many observations are selected."""

    def tally(self, span: Span) -> dict[str, int]:
        """How many observations there are of each station in a span of time; stations without any are left out."""

    def latest(self) -> list[Observation]:
        """The newest observation of each station, by station."""

    def latest_times(self, stations: Sequence[str] | None = None) -> dict[str, int]:
        """When each station was observed last, seconds since the epoch; stations without observations are left out.

        Args:
            stations: ids of those that are asked for; None for all.
        """

    def silent(self, since: float, until: float, of_sources: Mapping[str, float], most: int) -> Silent:
        """Which stations were observed lately, but not of late enough.

        Args:
            since: a station whose newest observation is after this was observed lately; seconds since the epoch.
            until: it is silent if that is up to this.
            of_sources: the same for the stations that belong to sources, by these; `until` is of all others.
            most: so many are named.
        """

    def some_observed(self, most: int) -> list[str]:
        """Some of the stations that were observed, by id: the first ones."""

    def observed_since(self, times: Sequence[float]) -> list[int]:
        """How many stations were ever observed, then how many of them after each of some times."""

    def extents(self) -> list[Extent]:
        """The extent of each station's observations, by station; of stations without any there is none."""

    def identity(self) -> str | None:
        """An identifier of a server's database, the same for all clients; None for a file, or where it has none."""

    def size_bytes(self) -> int:
        """The space that the store takes."""

    def counters(self) -> list[Count]:
        """What the collector has done since the database was made."""

    def log(self, number: int) -> list[Logged]:
        """The last lines of the collection log, the newest first."""

    def remove_before(self, before: float, log_before: float, pause: Callable[[], None]) -> tuple[int, int]:
        """Remove observations and log lines of long ago, in steps so short that a collector hardly waits.

        Args:
            before: observations before this are removed, with their flags; seconds since the epoch.
            log_before: the same for the log.
            pause: called between steps.

        Returns:
            How many observations and log lines were removed.
        """

    def tidy(self, pause: Callable[[], None]) -> None:
        """Refresh the planner's statistics and give free space back, in short steps."""


def without_logged_secrets(line: Logged) -> Logged:
    """A line of the log without secrets: an older release logged addresses with passwords in them."""
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
    """An engine's scripts `NNNN_name.sql`, in order: each is one step of the schema, whose version is their number."""
    folder = resources.files("toolkit.store") / "migrations" / engine
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [file.read_text("utf-8") for file in files if file.name.endswith(".sql")]
