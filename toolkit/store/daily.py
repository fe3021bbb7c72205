"""What each variable did on each day that is over: its values' number, least, mean and greatest, by station.

The table `daily` is derived from the observations. A day counts while it stands in `summarised`, out of which it is
taken by whatever changes its observations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from toolkit.store.dialect import Dialect
from toolkit.variables import STATION, Variable

DAY = 86_400
DAYS_PER_QUERY = 365


class Day(NamedTuple):
    """A day of one variable at a station.

    Attributes:
        day: days since 1970-01-01, UTC.
        variable: which; `all` for the observations.
        number: how many values there are.
        low, mean, high: of them, in the variable's unit; None for directions and for `all`.
    """

    day: int
    variable: str
    number: int
    low: float | None
    mean: float | None
    high: float | None


class Daily:
    """The days of a store. What writes has transactions of its own, so short that a collector hardly waits."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def days(self) -> list[int]:
        """The days that can be read, in order."""
        return [day for (day,) in self._dialect.query("SELECT day FROM summarised WHERE ready = 1 ORDER BY day")]

    def of(self, station_id: str, variables: Sequence[str], first: int, last: int) -> Iterator[Day]:
        """The days of a station, in order, read as they are asked for.

        Args:
            station_id: of which station.
            variables: names, or `all` for the observations.
            first: a day, days since 1970-01-01.
            last: another, which is included.
        """
        # CROSS JOIN: SQLite goes by the days, each of which is one look into the table, instead of through all of it.
        # PostgreSQL does so where the days are not too many.
        query = (
            "SELECT d.day, d.variable, d.number, d.low, d.mean, d.high FROM summarised AS s CROSS JOIN daily AS d "
            "WHERE s.day >= ? AND s.day < ? AND s.ready = 1 AND d.day = s.day AND d.station_id = ? "
            f"AND d.variable IN ({', '.join('?' * len(variables))}) ORDER BY s.day"
        )
        for start in range(first, last + 1, DAYS_PER_QUERY):
            end = min(start + DAYS_PER_QUERY, last + 1)
            yield from map(Day._make, self._dialect.query(query, (start, end, station_id, *variables)))

    def begin(self, day: int) -> None:
        """Note that a day is looked at: what is changed from now on takes that note away."""
        if self._dialect.alone:
            self._dialect.query(self._dialect.alone)
        self._dialect.query("DELETE FROM summarised WHERE day = ?", (day,))
        self._dialect.query("INSERT INTO summarised (day, ready) VALUES (?, 0)", (day,))
        self._dialect.query("DELETE FROM daily WHERE day = ?", (day,))

    def add(self, day: int, variable: Variable | None) -> None:
        """Write what a variable did on a day; None for the number of observations."""
        counted, name = "*", STATION
        low, mean, high = ["CAST(NULL AS double precision)"] * 3
        if variable:
            counted, name = self._dialect.value(variable), variable.name
            if variable.nature != "circular":
                low, mean, high = (f"{function}({counted})" for function in ("MIN", "AVG", "MAX"))
        columns = f"COUNT({counted}) AS number, {low} AS low, {mean} AS mean, {high} AS high"
        self._dialect.query(
            "INSERT INTO daily (day, station_id, variable, number, low, mean, high) "
            f"SELECT {int(day)}, station_id, '{name}', number, low, mean, high "
            f"FROM ({self._dialect.by_station(columns)}) AS found WHERE number > 0",
            (self._dialect.time(day * DAY), self._dialect.time((day + 1) * DAY)),
        )

    def finish(self, day: int) -> None:
        """Note that a day can be read, unless it was changed meanwhile."""
        self._dialect.query("UPDATE summarised SET ready = 1 WHERE day = ?", (day,))

    def remove_until(self, day: int) -> None:
        """Remove the days up to one, which is removed as well."""
        self._dialect.query("DELETE FROM summarised WHERE day <= ?", (day,))
        self._dialect.query("DELETE FROM daily WHERE day <= ?", (day,))
