"""Observations in one SQLite file: WAL, one transaction a cycle, readers never wait for the writer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from toolkit.model import Document, Observation, Rejected, Station
from toolkit.store.base import (
    Count,
    DocumentRefusedError,
    Extent,
    Logged,
    Stored,
    StoredAnomaly,
    StoreError,
    counts,
    summary,
    without_logged_secrets,
)
from toolkit.store.encoding import pack, read_sql
from toolkit.store.flags import SAME_WITHIN
from toolkit.store.selection import Selection, Span, pieces
from toolkit.store.silence import Silent, bound_of, of_known
from toolkit.store.sqlite_dialect import SOUND, SQLiteDialect
from toolkit.store.sqlite_file import translate_errors
from toolkit.store.sqlite_moments import of_stations
from toolkit.store.station_places import Changes
from toolkit.store.tables import Tables
from toolkit.text import one_line
from toolkit.times import from_stored, stored
from toolkit.variables import COLUMNS

if TYPE_CHECKING:
    from toolkit.store.base import Floats
    from toolkit.store.columns import Columns

# How much maintenance does in one transaction: some milliseconds' work.
ROWS_PER_STEP = 5000

PAGES_PER_STEP = 500

# Far fewer than the parameters that a statement may have.
STATIONS_PER_STEP = 1000


@cache
def _insert(columns: tuple[str, ...]) -> str:
    """SQL that inserts a row of `encoding.Rows` unless there is one of its station and time."""
    row = ("time", "station", *columns, "delay")
    return (
        f"INSERT INTO observation ({', '.join(row)}) VALUES ({', '.join('?' * len(row))}) "
        "ON CONFLICT (time, station) DO NOTHING"
    )


@cache
def _update(columns: tuple[str, ...], *, replace: bool) -> str:
    """SQL that brings a row up to date; see `base.Store.add` for `replace`.

    A value that the feed no longer offers is kept.
    """
    becomes = "coalesce({place}, {name})" if replace else "coalesce({name}, {place})"
    is_news = "{place} IS NOT NULL AND {place} IS NOT {name}" if replace else "{place} IS NOT NULL AND {name} IS NULL"
    places = {name: f"?{place}" for place, name in enumerate(("time", "station", *columns, "delay"), start=1)}

    def each(template: str, joint: str) -> str:
        return joint.join(template.format(name=name, place=places[name]) for name in columns) or "false"

    delay = places["delay"]
    # What is stored later counts as later, whatever the clock said: of two rows a restore takes the later one.
    values = [
        f"delay = iif({delay} < delay, delay + 1, {delay})",
        *([each("{name} = " + becomes, ", ")] * bool(columns)),
    ]
    return (
        f"UPDATE observation SET {', '.join(values)} "
        f"WHERE time = {places['time']} AND station = {places['station']} AND ({each(is_news, ' OR ')})"
    )


# The last time that there is.
_LAST = "9999-12-31 23:59:59"

_VALUES = ", ".join(map(read_sql, COLUMNS))

_OBSERVED_AT = "CAST(unixepoch(observation.time) AS INTEGER), station_id"
_OBSERVED = f"{_OBSERVED_AT}, {_VALUES}"

# Whether the row of a station in the table newest is missing, or names an observation that is not there.
_ASTRAY = "newest.time IS NOT '' AND (newest.time IS NULL OR datetime(observation.time) IS NOT newest.time)"

# The newest observation of each station.
_NEWEST = (
    "stations LEFT JOIN newest ON newest.station = number "
    "LEFT JOIN observation ON observation.time = newest.time AND observation.station = number"
)

# The newest observations of some stations, by one pass over the whole table.
_SOUGHT = (
    "SELECT station, MAX(time) AS time FROM observation WHERE station IN (SELECT value FROM json_each(?)) "
    f"AND {SOUND.format(time='time')} GROUP BY 1"
)

_STATION = """
INSERT INTO stations
    (
        station_id, station_name_en, station_name_gr, latitude, longitude, elevation, wigos_id, first_seen, last_seen,
        source
    )
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9)
ON CONFLICT (station_id) DO UPDATE SET
    station_name_en = coalesce(excluded.station_name_en, station_name_en),
    station_name_gr = coalesce(excluded.station_name_gr, station_name_gr),
    latitude = coalesce(excluded.latitude, latitude),
    longitude = coalesce(excluded.longitude, longitude),
    elevation = coalesce(excluded.elevation, elevation),
    wigos_id = coalesce(wigos_id, excluded.wigos_id),
    last_seen = excluded.last_seen,
    source = coalesce(excluded.source, source)
"""

_COUNT = """
INSERT INTO counters (name, label, count) VALUES (?, ?, ?)
ON CONFLICT (name, label) DO UPDATE SET count = count + excluded.count
"""

_REJECTED = """
INSERT INTO rejected (time, station_id, variable, value) VALUES (datetime(?, 'unixepoch'), ?, ?, ?)
ON CONFLICT (time, station_id, variable) DO UPDATE SET value = excluded.value
"""

# A run over an older window extends an anomaly, but what a newer run said of it stays.
_EXTEND = """
UPDATE anomalies SET
    started = min(started, :started), ended = max(ended, :ended),
    state = iif(:run >= last_run, :state, state), class = iif(:run >= last_run, :class_, class),
    test = iif(:run >= last_run, :test, test), value = iif(:run >= last_run, :value, value),
    expected = iif(:run >= last_run, :expected, expected), score = iif(:run >= last_run, :score, score),
    reason = iif(:run >= last_run, :reason, reason), confidence = iif(:run >= last_run, :confidence, confidence),
    first_run = min(first_run, :run), last_run = max(last_run, :run)
WHERE id = (
    SELECT id FROM anomalies
    WHERE station_id = :station_id AND variable = :variable AND started <= :after AND ended >= :before
    ORDER BY ended DESC LIMIT 1
)
"""

_FOUND = """
INSERT INTO anomalies (
    station_id, variable, started, ended, state, class, test, value, expected, score, reason, confidence, first_run,
    last_run
) VALUES (
    :station_id, :variable, :started, :ended, :state, :class_, :test, :value, :expected, :score, :reason, :confidence,
    :run, :run
)
"""


class SQLiteStore(Tables):
    """A store in one file. See `base.Store`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        dialect = SQLiteDialect(connection, path)
        super().__init__(dialect)
        self._query = dialect.query
        self._connection = connection
        # A client may have stored text that is not UTF-8: it must not end a query.
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        self._path = path
        self._inode = path.stat().st_ino

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def add(self, document: Document, collected: float, *, replace: bool = True, status: str = "success") -> Stored:
        """See `base.Store`."""
        at = stored(collected)
        with self._transaction() as connection, _translate_refusals(self._path):
            stations = self.records.note(document, collected)
            connection.executemany(_STATION, [(*station, at, document.source) for station in stations])
            numbers = _numbers(connection, {observation.station_id for observation in document.observations})
            new = corrected = 0
            number = len(document.observations)
            if number:
                columns, rows = pack(document.observations, numbers, int(collected))
                new = connection.executemany(_insert(columns), rows).rowcount
                if new < number:
                    foreign = {numbers[one] for one in document.foreign if one in numbers}
                    own = [row for row in rows if row[1] not in foreign] if foreign else rows
                    corrected = connection.executemany(_update(columns, replace=replace), own).rowcount
                    if foreign:
                        others = [row for row in rows if row[1] in foreign]
                        corrected += connection.executemany(_update(columns, replace=False), others).rowcount
            done = Stored(new, corrected, number - new - corrected)
            connection.executemany(_REJECTED, document.rejected)
            connection.executemany(_COUNT, counts(done, document.left_out, status))
            message = summary(done, document.left_out)
            _log(connection, at, status, len(document.stations), new + corrected, message, document.source)
            self.sources.stored(document, collected, new + corrected, message)
        return done

    def log_failure(self, message: str, at: float, source: str, kind: str | None = None) -> None:
        """See `base.Store`."""
        with self._transaction() as connection:
            connection.execute(_COUNT, Count("cycles", "failed", 1))
            _log(connection, stored(at), "failed", 0, 0, message, source, kind)
            self.sources.failed(source, at, message)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `base.Store`."""
        with self._transaction():
            yield

    def stations(self) -> list[Station]:
        """See `base.Store`."""
        rows = self._query(f"SELECT {', '.join(Station._fields)} FROM stations ORDER BY station_id")
        return [Station(*row) for row in rows]

    def changes(self) -> Changes:
        """See `base.Store`."""
        return self.records.changes()

    def owners(self) -> dict[str, str | None]:
        """See `base.Store`."""
        return self.sources.owners()

    def new_stations(self, at: float, source: str) -> int:
        """See `base.Store`."""
        number: int = self._query(
            "SELECT COUNT(*) FROM stations WHERE first_seen > ?1 AND first_seen <= ?2 AND source = ?3 "
            "AND first_seen > (SELECT MIN(first_seen) FROM stations WHERE source = ?3)",
            (stored(at - 86400), stored(at), source),
        )[0][0]
        return number

    def oldest(self, after: float | None = None) -> str | None:
        """See `base.Store`."""
        return self._first("ASC", "" if after is None else stored(after))

    def newest(self) -> str | None:
        """See `base.Store`."""
        return self._first("DESC")

    def _first(self, order: str, after: str = "") -> str | None:
        where = f"time > ? AND {SOUND.format(time='time')}"
        rows = self._query(f"SELECT time FROM observation WHERE {where} ORDER BY time {order} LIMIT 1", [after])
        return str(rows[0][0]) if rows else None

    def stamp(self) -> str:
        """See `base.Store`."""
        with translate_errors(self._path):
            if self._path.stat().st_ino != self._inode:
                raise StoreError(f"the database {self._path} was replaced while it was in use")
        return str(self._query("PRAGMA data_version")[0][0])

    def numbers(self) -> list[int]:
        """See `base.Store`."""
        return [number for (number,) in self._query("SELECT number FROM stations ORDER BY station_id")]

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See `base.Store`."""
        if self._connection.in_transaction:
            yield
            return
        self._query("BEGIN")
        try:
            yield
        finally:
            self._query("ROLLBACK")

    def readings(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """See `base.Store`."""
        from toolkit.store import sqlite_columns  # not for those who only write

        read = sqlite_columns.Readings(variables, max(self.numbers(), default=0))
        for span in pieces(spans):
            yield read.of(self._query, span)

    def columns(self, span: Span, names: Sequence[str], stations: Sequence[str] = ()) -> Columns:
        """See `base.Store`."""
        from toolkit.store import sqlite_columns  # not for those who only write

        with self.snapshot():
            wanted = [*_numbers(self._connection, stations).values()] or [-1] if stations else []
            return sqlite_columns.read(self._query, span, names, wanted, self.numbers())

    def rejected(self, span: Span) -> list[Rejected]:
        """See `base.Store`."""
        rows = self._query(
            "SELECT unixepoch(time), station_id, variable, value FROM rejected WHERE time > ? AND time <= ? "
            f"AND {SOUND.format(time='time')} AND station_id IN (SELECT station_id FROM stations)",
            (stored(span.start), stored(span.end)),
        )
        return [Rejected(*row) for row in rows]

    def record(self, run: Span, stations: Sequence[str], anomalies: Sequence[StoredAnomaly]) -> None:
        """See `base.Store`."""
        at, edge = stored(run.end), run.end - SAME_WITHIN
        with self._transaction() as connection:
            for one in anomalies:
                values = {
                    **one._asdict(),
                    "started": stored(one.started),
                    "ended": stored(one.ended),
                    "before": stored(one.started - SAME_WITHIN),
                    "after": stored(one.ended + SAME_WITHIN),
                    "state": "open" if one.ended > edge else "closed",
                    "run": at,
                }
                if not connection.execute(_EXTEND, values).rowcount:
                    connection.execute(_FOUND, values)
                    connection.execute(_COUNT, Count("anomalies", one.class_, 1))
            connection.execute(_COUNT, Count("detections", "made", 1))
            connection.execute(
                "UPDATE anomalies SET state = 'closed' WHERE state = 'open' AND ended <= ? AND last_run <= ? "
                "AND station_id IN (SELECT value FROM json_each(?))",
                (stored(edge), at, json.dumps(list(stations))),
            )

    def anomalies(self, selection: Selection) -> list[StoredAnomaly]:
        """See `base.Store`."""
        rows = self._query(
            "SELECT station_id, variable, unixepoch(started), unixepoch(ended), class, test, value, expected, score, "
            "reason, confidence, state, unixepoch(first_run), unixepoch(last_run) FROM anomalies "
            "WHERE ended > ? AND started <= ? "
            "AND unixepoch(started) + unixepoch(ended) + unixepoch(first_run) + unixepoch(last_run) IS NOT NULL "
            "ORDER BY started DESC, id",
            (
                "" if selection.start is None else stored(selection.start),
                "9999" if selection.end is None else stored(selection.end),
            ),
        )
        wanted = selection.stations
        return [StoredAnomaly(*row) for row in rows if not wanted or row[0] in wanted]

    def observations(self, selection: Selection) -> Iterator[Observation]:
        """See `base.Store`."""
        found, values = self._selected(selection)
        with translate_errors(self._path):
            rows = self._connection.execute(
                f"SELECT CAST(unixepoch(time) AS INTEGER), station_id, {_VALUES} {found} ORDER BY time, station",
                values,
            )
            # As `Observation._make` does, but without a Python call for each of millions of rows.
            yield from map(partial(tuple.__new__, Observation), rows)

    def count(self, selection: Selection) -> int:
        """See `base.Store`."""
        found, values = self._selected(selection)
        number: int = self._query(f"SELECT COUNT(*) {found}", values)[0][0]
        return number

    def _selected(self, selection: Selection) -> tuple[str, list[str]]:
        """SQL from FROM on, for the selected observations with their stations, and its values."""
        start = "" if selection.start is None else stored(selection.start)
        end = _LAST if selection.end is None else stored(selection.end)
        wanted = selection.stations
        numbers = [*_numbers(self._connection, wanted).values()] or [-1] if wanted else []
        source, where, values = of_stations(self._query, start, end, numbers)
        return (
            f"FROM {source} CROSS JOIN stations ON number = station WHERE {SOUND.format(time='time')} AND {where}",
            values,
        )

    def tally(self, span: Span) -> dict[str, int]:
        """See `base.Store`."""
        # Of millions of rows no time is looked at: one that is not sound hardly ever lies within a span of sound ones.
        counted = "SELECT station, COUNT(*) AS rows FROM observation WHERE time > ? AND time <= ? GROUP BY station"
        return dict(
            self._query(
                f"SELECT station_id, rows FROM ({counted}) JOIN stations ON number = station",
                (stored(span.start), stored(span.end)),
            )
        )

    def latest(self) -> list[Observation]:
        """See `base.Store`."""
        return sorted(map(Observation._make, self._latest(_OBSERVED)), key=lambda one: one.station_id)

    def latest_times(self, stations: Sequence[str] | None = None) -> dict[str, int]:
        """See `base.Store`."""
        where, values = "true", list[object]()
        if stations is not None:
            where = "station_id IN (SELECT value FROM json_each(?))"
            values.append(json.dumps([*stations]))
        return {station: time for time, station in self._latest(_OBSERVED_AT, where, values)}

    def silent(self, since: float, until: float, of_sources: Mapping[str, float], most: int) -> Silent:
        """See `base.Store`."""
        bound, bounds = bound_of(until, of_sources, stored, "?")
        is_silent, values = f"newest.time <= {bound}", [stored(since)]
        ((rows, observed, number, sound),) = self._query(
            f"SELECT COUNT(*), COUNT(newest.time), SUM({is_silent}), SUM(datetime(observation.time) = newest.time) "
            f"FROM {_NEWEST} WHERE newest.time > ? OR newest.time IS NULL",
            [*bounds, *values],
        )
        if rows != (sound or 0):
            return of_known(self.latest_times(), self.owners(), since, until, of_sources, most)
        some = self._query(
            "SELECT station_id, CAST(unixepoch(newest.time) AS INTEGER) FROM stations "
            f"JOIN newest ON newest.station = number WHERE newest.time > ? AND {is_silent} "
            "ORDER BY newest.time DESC, station_id LIMIT ?",
            [*values, *bounds, most if number else 0],
        )
        return Silent(observed, number or 0, some)

    def some_observed(self, most: int) -> list[str]:
        """See `base.Store`."""
        rows = self._query(
            "SELECT station_id FROM stations JOIN newest ON newest.station = number WHERE newest.time <> '' "
            "ORDER BY station_id LIMIT ?",
            (most,),
        )
        return [name for (name,) in rows]

    def observed_since(self, times: Sequence[float]) -> list[int]:
        """See `base.Store`."""
        later = "".join(f", SUM(observation.time > '{stored(one)}')" for one in times)
        ((astray, *found),) = self._query(f"SELECT SUM({_ASTRAY}), COUNT(observation.time){later} FROM {_NEWEST}")
        if astray:
            known = self.latest_times().values()
            return [len(known), *(sum(at > one for at in known) for one in times)]
        return [number or 0 for number in found]

    def _latest(self, columns: str, where: str = "true", values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Columns of the newest observation of each station."""
        rows = self._query(f"SELECT {columns}, {_ASTRAY}, number FROM {_NEWEST} WHERE {where}", values)
        found = [row[:-2] for row in rows if row[0] is not None and not row[-2]]
        if astray := [number for *_, is_astray, number in rows if is_astray]:
            found += self._query(
                f"SELECT {columns} FROM ({_SOUGHT}) AS sought JOIN observation "
                "ON observation.time = sought.time AND observation.station = sought.station "
                "JOIN stations ON number = sought.station",
                [json.dumps(astray)],
            )
        return found

    def extents(self) -> list[Extent]:
        """See `base.Store`."""
        query = (
            "SELECT station_id, CAST(unixepoch(first) AS INTEGER), CAST(unixepoch(last) AS INTEGER), number_of, "
            f"{SOUND.format(time='first')} AND {SOUND.format(time='last')}, number "
            "FROM (SELECT station, MIN(time) AS first, MAX(time) AS last, COUNT(*) AS number_of FROM observation {} "
            "GROUP BY 1) JOIN stations ON number = station"
        )
        rows = self._query(query.format(""))
        found = [row for row in rows if row[4]]
        if odd := [row[5] for row in rows if not row[4]]:
            where = f"WHERE {SOUND.format(time='time')} AND station IN (SELECT value FROM json_each(?))"
            found += self._query(query.format(where), [json.dumps(odd)])
        return sorted(Extent(*row[:4]) for row in found)

    def identity(self) -> str | None:
        """See `base.Store`."""
        return None

    def size_bytes(self) -> int:
        """See `base.Store`."""
        files = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def counters(self) -> list[Count]:
        """See `base.Store`."""
        return [Count(*row) for row in self._query("SELECT name, label, count FROM counters ORDER BY name, label")]

    def log(self, number: int) -> list[Logged]:
        """See `base.Store`."""
        sound = SOUND.format(time="timestamp")
        rows = self._query(
            "SELECT timestamp, status, stations_count, observations_count, message, source, kind FROM collection_log "
            f"WHERE {sound} ORDER BY rowid DESC LIMIT ?",
            [number],
        )
        return [without_logged_secrets(Logged(from_stored(time).timestamp(), *rest)) for time, *rest in rows]

    def remove_before(self, before: float, log_before: float, pause: Callable[[], None]) -> tuple[int, int]:
        """See `base.Store`."""
        self._remove("rejected", "time", stored(before), pause)
        self._remove("anomalies", "ended", stored(log_before), pause)
        observations = self._remove("observation", "time", stored(before), pause, "station")
        self._remove("detector_flags", "ended", stored(before), pause)
        self._remove("judged", "ended", stored(before), pause)
        return observations, self._remove("collection_log", "timestamp", stored(log_before), pause)

    def _remove(self, table: str, column: str, before: str, pause: Callable[[], None], besides: str = "") -> int:
        """Remove rows in the order of a column, and of another where many rows have one value of the first."""
        key = f"{column}, {besides}" if besides else column
        places = ", ".join("?" * len(key.split()))
        ahead = f"SELECT {key} FROM {table} WHERE {column} < ? ORDER BY {key} LIMIT 1 OFFSET {ROWS_PER_STEP}"
        removed = 0
        while True:
            with self._transaction() as connection:
                if bound := connection.execute(ahead, (before,)).fetchone():
                    step = connection.execute(f"DELETE FROM {table} WHERE ({key}) <= ({places})", bound)
                else:
                    step = connection.execute(f"DELETE FROM {table} WHERE {column} < ?", (before,))
                removed += step.rowcount
            if bound is None:
                return removed
            pause()

    def tidy(self, pause: Callable[[], None]) -> None:
        """See `base.Store`."""
        # The limit makes ANALYZE a matter of milliseconds at any size.
        self._find_astray()
        self._query("PRAGMA analysis_limit = 1000")
        self._query("ANALYZE")
        while self._query("PRAGMA freelist_count")[0][0]:
            pause()
            with translate_errors(self._path):
                # executescript goes on until it is done; execute would stop after the first page.
                self._connection.executescript(f"PRAGMA incremental_vacuum({PAGES_PER_STEP})")
        # A write-ahead log that grew during a long read is truncated, unless somebody is reading.
        self._query("PRAGMA wal_checkpoint(TRUNCATE)")

    def _find_astray(self) -> None:
        """Correct the table newest where rows were removed; the search holds no lock."""
        astray = [
            number
            for (number,) in self._query(
                "SELECT number FROM stations LEFT JOIN newest ON newest.station = number "
                f"LEFT JOIN observation ON observation.time = newest.time AND observation.station = number "
                f"WHERE {_ASTRAY}"
            )
        ]
        if not astray:
            return
        found = dict(self._query(_SOUGHT, [json.dumps(astray)]))
        with self._transaction() as connection:
            # A row that was added meanwhile is later, and stays.
            connection.executemany(
                "INSERT INTO newest (station, time) VALUES (?1, ?2) "
                "ON CONFLICT (station) DO UPDATE SET time = excluded.time "
                "WHERE NOT EXISTS (SELECT 1 FROM observation AS o WHERE o.time = newest.time AND o.station = ?1 "
                f"AND {SOUND.format(time='o.time')})",
                [(number, found.get(number, "")) for number in astray],
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        within_another = self._connection.in_transaction
        if within_another:
            yield self._connection
            return
        with translate_errors(self._path):
            # IMMEDIATE: the lock is taken before anything is read, so that a second writer waits and does not fail.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                # Only now that the lock is held: a restore may have held it until now.
                if self._path.stat().st_ino != self._inode:
                    raise StoreError(f"the database {self._path} was replaced while it was in use")
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _numbers(connection: sqlite3.Connection, ids: Collection[str]) -> dict[str, int]:
    """The numbers of these stations, by id."""
    found: dict[str, int] = {}
    rest = iter(ids)
    while some := list(islice(rest, STATIONS_PER_STEP)):
        places = ", ".join("?" * len(some))
        found.update(
            connection.execute(f"SELECT station_id, number FROM stations WHERE station_id IN ({places})", some)
        )
    return found


def _log(
    connection: sqlite3.Connection,
    at: str,
    status: str,
    stations: int,
    observations: int,
    message: str,
    source: str | None,
    kind: str | None = None,
) -> None:
    connection.execute(
        "INSERT INTO collection_log (timestamp, status, stations_count, observations_count, message, source, kind) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (at, status, stations, observations, message, source, kind),
    )


@contextmanager
def _translate_refusals(file: Path) -> Iterator[None]:
    """Raise what the content of a document causes as a DocumentRefusedError; other errors concern the database."""
    try:
        yield
    except (
        sqlite3.DataError,
        sqlite3.IntegrityError,
        sqlite3.InterfaceError,
        ValueError,
        OverflowError,
        TypeError,
        KeyError,
    ) as error:
        raise DocumentRefusedError(f"the database {file} does not take the document: {one_line(str(error))}") from error
