"""The flags of values, as intervals: what detection runs and people say, on both engines.

The views that give every value its flag, and the order of precedence, are in `flag_views`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from toolkit.store.dialect import Dialect
from toolkit.store.flag_views import MEANINGS
from toolkit.variables import STATION

if TYPE_CHECKING:
    from toolkit.store.selection import Span

SAME_WITHIN = 3600
"""Anomalies, and intervals with one flag, of one sensor that are less than this apart, in seconds, are one."""


STATIONS_PER_QUERY = 500


class FlagInterval(NamedTuple):
    """What a detection run says of the values of a sensor. Times are seconds since the epoch.

    Attributes:
        station_id, variable: of which sensor; `all` for the station as a whole.
        started, ended: the times of the first and the last value.
        flag: QARTOD's: 1, 2, 3 or 4; see `flag_views`.
        test: what decided; empty where there were too few values.
    """

    station_id: str
    variable: str
    started: float
    ended: float
    flag: int
    test: str


class Decisive(NamedTuple):
    """A row of the view `flags`: as `FlagInterval`, of detection runs, incidents and people alike.

    Attributes:
        precedence: of several intervals with a value, the one with the lowest number decides.
    """

    station_id: str
    variable: str
    started: float
    ended: float
    flag: int
    test: str
    precedence: int


class ValueFlag(NamedTuple):
    """The flag of one value.

    Attributes:
        flag: QARTOD's.
        test: what decided; None where no test did.
    """

    flag: int
    test: str | None

    def __str__(self) -> str:
        meaning = MEANINGS[self.flag].replace("_", " ")
        return meaning if self.test is None else f"{meaning} ({self.test})"


class JudgedTime(NamedTuple):
    """Time that a detection run judged. Times are seconds since the epoch.

    Attributes:
        started, ended: after the one, up to and including the other.
        judged_at: when; a value that was collected later was not judged.
        variables: of which variables.
    """

    started: float
    ended: float
    judged_at: float
    variables: frozenset[str]


class Flags:
    """The flags of a store. What writes is called within the store's `transaction`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def decisive(self, span: Span, stations: Sequence[str] = ()) -> list[Decisive]:
        """The intervals that are within a span of time, of some stations or of all.

        The one that decides comes last: whoever writes them over one another in this order has the right flags.
        """
        seconds, time = self._dialect.seconds, self._dialect.time
        where, values = "", list[object]()
        if stations:
            where, values = f"AND station_id IN ({', '.join('?' * len(stations))})", list(stations)
        rows = self._dialect.query(
            f"SELECT station_id, variable, {seconds('started')}, {seconds('ended')}, flag, test, precedence FROM flags "
            f"WHERE ended > ? AND started <= ? {where} ORDER BY precedence DESC, started",
            (time(span.start), time(span.end), *values),
        )
        return [Decisive(*row) for row in rows if None not in row]

    def judged(self, span: Span) -> list[JudgedTime]:
        """The time that was judged, as far as it is within a span, in order."""
        seconds, time = self._dialect.seconds, self._dialect.time
        rows = self._dialect.query(
            f"SELECT {seconds('started')}, {seconds('ended')}, {seconds('judged_at')}, variables FROM judged "
            "WHERE ended > ? AND started < ? ORDER BY ended, started",
            (time(span.start), time(span.end)),
        )
        return [
            JudgedTime(started, ended, judged_at, frozenset(filter(None, names.split(","))))
            for started, ended, judged_at, names in rows
            if None not in {started, ended, judged_at}
        ]

    def of(self, time: float, stations: Sequence[str], variables: Sequence[str]) -> dict[str, dict[str, ValueFlag]]:
        """The flags of what stations observed at a time (seconds since the epoch), by station and variable."""
        columns = ", ".join(f"{name}_qc, {name}_qc_test" for name in variables)
        found: dict[str, dict[str, ValueFlag]] = {}
        for start in range(0, len(stations), STATIONS_PER_QUERY):
            some = stations[start : start + STATIONS_PER_QUERY]
            rows = self._dialect.query(
                f"SELECT station_id, {columns} FROM observations_qc "
                f"WHERE time = ? AND station_id IN ({', '.join('?' * len(some))})",
                (self._dialect.time(time), *some),
            )
            for station_id, *said in rows:
                found[station_id] = dict(zip(variables, map(ValueFlag, said[::2], said[1::2]), strict=True))
        return found

    def replace(
        self,
        window: Span,
        judged_at: float,
        variables: Collection[str],
        intervals: Iterable[FlagInterval],
        stations: Collection[str] | None = None,
    ) -> None:
        """Keep what a run says of a window, in the place of what earlier runs said of it.

        Args:
            window: what it judged.
            judged_at: when.
            variables: of which variables.
            intervals: what it says. Those of one sensor do not overlap; each ends within the window, and begins before
                it only where that was traced back.
            stations: of which stations; None for all, and then the window counts as judged.
        """
        found = list(intervals)
        since: dict[tuple[str, str], float] = {}
        for one in found:
            if one.started <= window.start:
                since[one.station_id, one.variable] = one.started - 1
        kept = self._cut(window, {*variables, STATION}, stations, since)
        begun = {(one.station_id, one.variable, one.flag, one.test): one for one in kept if one.ended <= window.start}
        found = [_joined(one, begun.get((one.station_id, one.variable, one.flag, one.test))) for one in found]
        joined = {(one.station_id, one.variable, one.started) for one in found}
        self._insert([*(one for one in kept if (one.station_id, one.variable, one.started) not in joined), *found])
        if stations is None:
            self._count_as_judged(window, judged_at, variables)

    def _cut(
        self,
        window: Span,
        variables: Collection[str],
        stations: Collection[str] | None,
        since: Mapping[tuple[str, str], float],
    ) -> list[FlagInterval]:
        """Remove the intervals of some sensors that reach into a window, for some sensors into an earlier time.

        Returns:
            What is left of them outside it: of each sensor at most one interval before it, and one after it.
        """
        seconds, time = self._dialect.seconds, self._dialect.time
        rows = self._dialect.query(
            f"SELECT station_id, variable, {seconds('started')}, {seconds('ended')}, flag, test, started "
            "FROM detector_flags WHERE ended > ? AND started <= ?",
            (time(min([window.start, *since.values()])), time(window.end)),
        )
        left, gone = [], []
        for *values, key in rows:
            one = FlagInterval(*values)
            if one.variable not in variables or (stations is not None and one.station_id not in stations):
                continue
            start = since.get((one.station_id, one.variable), window.start)
            is_sound = None not in values  # plain SQL may have written a time that is none
            if is_sound and one.ended <= start:
                continue
            gone.append((one.station_id, one.variable, key))
            if is_sound and one.started <= start:
                left.append(one._replace(ended=start))
            if is_sound and one.ended > window.end:
                left.append(one._replace(started=window.end + 1))
        self._dialect.many("DELETE FROM detector_flags WHERE station_id = ? AND variable = ? AND started = ?", gone)
        return left

    def _insert(self, intervals: Iterable[FlagInterval]) -> None:
        time = self._dialect.time
        self._dialect.many(
            "INSERT INTO detector_flags (station_id, variable, started, ended, flag, test) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (one.station_id, one.variable, time(one.started), time(one.ended), one.flag, one.test)
                for one in intervals
            ],
        )

    def _count_as_judged(self, window: Span, judged_at: float, variables: Collection[str]) -> None:
        """Add a row to `judged`, and take its variables out of those that it overlaps."""
        rows = self.judged(window)
        time = self._dialect.time
        self._dialect.many(
            "DELETE FROM judged WHERE ended > ? AND started < ?", [(time(window.start), time(window.end))]
        )
        parts = [part for row in rows for part in _without(row, window, variables)]
        parts.append(JudgedTime(*window, judged_at, frozenset(variables)))
        self._dialect.many(
            "INSERT INTO judged (started, ended, judged_at, variables) VALUES (?, ?, ?, ?)",
            [
                (time(one.started), time(one.ended), time(one.judged_at), f",{','.join(sorted(one.variables))},")
                for one in sorted(parts, key=lambda one: one[:3])
            ],
        )


def _joined(one: FlagInterval, begun: FlagInterval | None) -> FlagInterval:
    """An interval with what the window cut off before it, if it is the same that goes on."""
    if begun is None or one.started - begun.ended > SAME_WITHIN:
        return one
    return one._replace(started=begun.started)


def _without(row: JudgedTime, window: Span, variables: Collection[str]) -> Iterator[JudgedTime]:
    """What is left of a row where some variables are judged anew in a window."""
    if row.started < window.start:
        yield row._replace(ended=window.start)
    if rest := row.variables.difference(variables):
        yield row._replace(started=max(row.started, window.start), ended=min(row.ended, window.end), variables=rest)
    if row.ended > window.end:
        yield row._replace(started=window.end)
