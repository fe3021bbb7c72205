"""What SQLite and PostgreSQL write differently in the SQL that both share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from toolkit.variables import Variable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from toolkit.store.selection import Span

    Floats = npt.NDArray[np.float64]


class Dialect(Protocol):
    """The SQL of an engine, and how it is run.

    Attributes:
        delay: SQL for how much later than its time an observation was collected, in whole seconds.
        alone: SQL that waits for whoever is changing `summarised`, at the beginning of a transaction; may be empty.
        sampled: SQL for whether a row of `stations` is one of a sample of about one in a hundred.
    """

    delay: str
    alone: str
    sampled: str

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, in which `?` stands for each value."""

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement for each row of values."""

    def seconds(self, column: str) -> str:
        """SQL for a column's time in seconds since the epoch."""

    def time(self, seconds: float) -> object:
        """A time as the engine takes it for a value."""

    def among(self, column: str, texts: Collection[str]) -> tuple[str, object]:
        """SQL for whether a column is one of many texts, with a `?`, and the value for that."""

    def value(self, variable: Variable) -> str:
        """SQL for a variable's value in its unit; NULL for what is no number."""

    def by_station(self, columns: str) -> str:
        """A query of station_id and aggregates; its two values are the first time and the time after the last."""

    def grouped(self, columns: Sequence[str], span: Span, by: str = "") -> Floats:
        """Aggregates of the observations of a span, by station and one thing more.

        Args:
            columns: SQL of each aggregate.
            span: which observations.
            by: SQL of what else to group by; a column of its own if it is given.

        Returns:
            The stations' numbers, as `Store.readings` has them, what else they are grouped by, and each aggregate; an
            array of columns × groups, NaN for NULL.
        """

    def mean(self, variable: Variable) -> str:
        """SQL for the mean of a variable's values, in its unit, without those that no working sensor reads."""

    def joined(self, found: str, counted: str) -> str:
        """SQL that counts observations by station, variable and test of anomalies.

        Args:
            found: a query of anomalies, with station_id, variable, test, started and ended.
            counted: SQL of what is counted, with `o` for the observation and `a` for the anomaly.

        Returns:
            A query with the values of `found`, then the start and the end of a span.
        """
