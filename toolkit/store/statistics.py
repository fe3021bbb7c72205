"""Counts, means and delays of many observations, computed where they are: none is read one by one.

The SQL is the part that SQLite and PostgreSQL share; a `Dialect` says how each aggregates and reads values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from toolkit.store.dialect import Dialect
from toolkit.variables import BY_NAME

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from toolkit.store.selection import Span

    Floats = npt.NDArray[np.float64]

# Delays are told in whole seconds up to so many, then rounded up to whole minutes, and beyond a day to whole hours.
EXACT_SECONDS = 600
HOUR, DAY = 3600, 86400
# Places of more stations are not put in order, but those of a sample.
MOST_SORTED = 10_000


class Seen(NamedTuple):
    """When a station was in the feed first and last, seconds since the epoch; None where the store's time is none."""

    station_id: str
    first: float | None
    last: float | None


class Flagged(NamedTuple):
    """How many values of a sensor one test found wrong."""

    station_id: str
    variable: str
    test: str
    number: int


class Located(NamedTuple):
    """Where stations are said to be.

    Attributes:
        stations: how many there are.
        nowhere: how many are at latitude 0, longitude 0.
        first: one of these.
        located: how many have a place.
        crowd: how many are at the place that most have, or, of many stations, that most of a sample have; where more
            than half are at one place, it is this.
        place: that, degrees; None where no station has one.
    """

    stations: int
    nowhere: int
    first: str | None
    located: int
    crowd: int
    place: tuple[float, float] | None


class Statistics:
    """The statistics of a store's observations."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def seen(self) -> list[Seen]:
        """When each station was seen first and last, by station."""
        first, last = (self._dialect.seconds(name) for name in ("first_seen", "last_seen"))
        rows = self._dialect.query(f"SELECT station_id, {first}, {last} FROM stations ORDER BY station_id")
        return [Seen(*row) for row in rows]

    def located(self) -> Located:
        """Where stations are said to be, without a row for each.

        Of many stations a sample tells which place may have more than half; then all are counted that are there.
        """
        nowhere = "latitude = 0 AND longitude = 0"
        ((stations, at_nothing, first, located),) = self._dialect.query(
            f"SELECT COUNT(*), COUNT(CASE WHEN {nowhere} THEN 1 END), MIN(CASE WHEN {nowhere} THEN station_id END), "
            "COUNT(latitude) FROM stations"
        )
        some = f"AND {self._dialect.sampled} " if located > MOST_SORTED else ""
        places = self._dialect.query(
            f"SELECT latitude, longitude FROM stations WHERE latitude IS NOT NULL {some}GROUP BY 1, 2 "
            "ORDER BY COUNT(*) DESC, 1, 2 LIMIT 1"
        )
        number = 0
        for place in places:
            ((number,),) = self._dialect.query(
                "SELECT COUNT(*) FROM stations WHERE latitude = ? AND longitude = ?", place
            )
        return Located(stations, at_nothing, first, located, number, (*places[0],) if places else None)

    def open_anomalies(self, since: float) -> dict[str, int]:
        """How many anomalies last that were seen after a time, by class; of none there is no entry."""
        known = " AND ".join(
            f"{self._dialect.seconds(name)} IS NOT NULL" for name in ("started", "ended", "first_run", "last_run")
        )
        rows = self._dialect.query(
            f"SELECT class, COUNT(*) FROM anomalies WHERE ended > ? AND state = 'open' AND {known} GROUP BY class",
            (self._dialect.time(since),),
        )
        return {str(name): int(number) for name, number in rows}

    def counts(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """How many observations and values each station has.

        Yields:
            For each span an array of columns × stations: the stations' numbers, the times of their first observations
            in seconds since the epoch, how many observations there are, and how many values of each variable.
        """
        columns = [self._dialect.seconds("MIN(time)"), "COUNT(*)", *(f"COUNT({name})" for name in variables)]
        for span in spans:
            yield self._dialect.grouped(columns, span)

    def means(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """The mean of each variable at each station.

        Yields:
            For each span an array of columns × stations: the stations' numbers, then the means, NaN where there is
            nothing that a working sensor reads.
        """
        columns = [self._dialect.mean(BY_NAME[name]) for name in variables]
        for span in spans:
            yield self._dialect.grouped(columns, span)

    def delays(self, spans: Sequence[Span]) -> Iterator[Floats]:
        """How long after their time observations were collected; where one was corrected, the correction.

        Yields:
            For each span an array of columns × groups: the station's number, the delay in seconds (rounded up, see
            `EXACT_SECONDS`; negative if it was collected before its time), and how many observations had it.
        """
        delay = self._dialect.delay
        rounded = (
            f"CASE WHEN {delay} <= {EXACT_SECONDS} THEN {delay} WHEN {delay} <= {DAY} THEN ({delay} + 59) / 60 * 60 "
            f"ELSE ({delay} + {HOUR - 1}) / {HOUR} * {HOUR} END"
        )
        for span in spans:
            yield self._dialect.grouped(["COUNT(*)"], span, by=rounded)

    def flagged(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[list[Flagged]]:
        """How many values are wrong: those within anomalies, but for weather events and what people dismissed.

        Yields:
            For each span the numbers that are not zero; where anomalies of one sensor and test overlap, a value counts
            for each.
        """
        cases = " ".join(f"WHEN '{name}' THEN o.{name} IS NOT NULL" for name in variables)
        counted = f"COUNT(CASE WHEN CASE a.variable {cases} ELSE FALSE END THEN 1 END)"
        where = (
            "FROM anomalies WHERE started <= ? AND ended > ? AND class <> 'weather_event' AND NOT EXISTS "
            "(SELECT 1 FROM incidents WHERE incidents.id = anomalies.incident_id AND incidents.state = 'dismissed')"
        )
        sql = self._dialect.joined(f"SELECT station_id, variable, test, started, ended {where}", counted)
        for span in spans:
            start, end = self._dialect.time(span.start), self._dialect.time(span.end)
            (number,) = self._dialect.query(f"SELECT COUNT(*) {where}", (end, start))[0]
            rows = self._dialect.query(sql, (end, start, start, end)) if number else []
            yield [Flagged(*row) for row in rows if row[3]]
