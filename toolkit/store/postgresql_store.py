"""Observations in a PostgreSQL database, which several collectors may fill at the same time."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from toolkit.clock import AHEAD_SECONDS
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
from toolkit.store.flags import SAME_WITHIN
from toolkit.store.postgresql_connection import reason_of, translate_errors
from toolkit.store.postgresql_dialect import NUMBERED, PostgreSQLDialect
from toolkit.store.postgresql_moments import is_hypertable, of_stations
from toolkit.store.selection import Selection, Span, pieces
from toolkit.store.silence import Silent, bound_of
from toolkit.store.station_places import Changes
from toolkit.store.tables import Tables
from toolkit.text import one_line
from toolkit.times import from_epoch, stored
from toolkit.variables import COLUMNS

if TYPE_CHECKING:
    from toolkit.store.base import Floats
    from toolkit.store.columns import Columns

ROWS_PER_STEP = 5000
# The advisory lock of those who write incidents: any number that is not that of the migrations will do.
_ONE_AT_A_TIME = 0x77746B75

# The order in which a document's rows are copied to the server.
_ROW = ", ".join(("time", "station_id", *COLUMNS, "collected_at"))

_AHEAD = f"({{}} > clock_timestamp() + interval '{AHEAD_SECONDS} seconds')"
"""Whether a time is in the future by the server's clock."""

_ARRIVED = "CREATE TEMPORARY TABLE IF NOT EXISTS arrived (LIKE observations) ON COMMIT DELETE ROWS"


def _upsert(value: str, differs: str) -> sql.SQL:
    """One statement for a whole document; it returns the numbers of new and of changed rows.

    Rows are in the same order for every collector, so that two never wait for one another. A document does not change
    a row that came from a later document, because another collector may be storing what it had spooled. A row that was
    collected in the future, by the server's clock, came from a host with a wrong clock: every document corrects it.
    """

    def each(template: str, joint: str) -> str:
        return joint.join(template.format(name=name) for name in COLUMNS)

    return sql.SQL(
        f"""
        WITH put AS (
            INSERT INTO observations AS o ({_ROW}) SELECT {_ROW} FROM arrived ORDER BY time, station_id
            ON CONFLICT (time, station_id) DO UPDATE
            SET {each("{name} = " + value, ", ")}, collected_at = excluded.collected_at
            WHERE (excluded.collected_at >= o.collected_at OR {_AHEAD.format("o.collected_at")})
                AND ({each(differs, " OR ")})
            RETURNING xmax = 0 AS is_new
        )
        SELECT COUNT(*) FILTER (WHERE is_new), COUNT(*) FILTER (WHERE NOT is_new) FROM put
        """,
    )


# A value that the feed no longer offers is kept.
_CORRECT = _upsert(
    "coalesce(excluded.{name}, o.{name})",
    "excluded.{name} IS NOT NULL AND excluded.{name} IS DISTINCT FROM o.{name}",
)

_FILL = _upsert("coalesce(o.{name}, excluded.{name})", "excluded.{name} IS NOT NULL AND o.{name} IS NULL")

_STATIONS = f"""
INSERT INTO stations AS s ({", ".join(Station._fields)}, first_seen, last_seen, source)
SELECT {", ".join(Station._fields)}, %(at)s, %(at)s, %(source)s FROM unnest(
    %(station_id)s::text[], %(station_name_en)s::text[], %(station_name_gr)s::text[], %(latitude)s::float8[],
    %(longitude)s::float8[], %(elevation)s::float8[], %(wigos_id)s::text[]
) AS told ({", ".join(Station._fields)}) ORDER BY station_id
ON CONFLICT (station_id) DO UPDATE SET
    station_name_en = coalesce(excluded.station_name_en, s.station_name_en),
    station_name_gr = coalesce(excluded.station_name_gr, s.station_name_gr),
    latitude = coalesce(excluded.latitude, s.latitude),
    longitude = coalesce(excluded.longitude, s.longitude),
    elevation = coalesce(excluded.elevation, s.elevation),
    wigos_id = coalesce(s.wigos_id, excluded.wigos_id),
    last_seen = CASE WHEN {_AHEAD.format("s.last_seen")} THEN excluded.last_seen
        ELSE greatest(s.last_seen, excluded.last_seen) END,
    source = coalesce(excluded.source, s.source)
"""

# Whether a time is one of the calendar: plain SQL can write `infinity`, which Python cannot represent.
_SOUND = "{time} < '10000-01-01' AND {time} >= '0001-01-01'"

_NEWEST = """
INSERT INTO newest AS n (station_id, time)
SELECT station_id, MAX(time) FROM arrived GROUP BY 1 ORDER BY 1
ON CONFLICT (station_id) DO UPDATE SET time = excluded.time WHERE excluded.time > n.time
"""

# Of stations that have no observation yet.
_NO_NEWEST = """
INSERT INTO newest (station_id, time) SELECT unnest(%s::text[]) AS id, '-infinity' ORDER BY 1
ON CONFLICT (station_id) DO NOTHING
"""

# The days whose observations may be others than before.
_CHANGED = """
DELETE FROM summarised WHERE day IN (SELECT DISTINCT floor(extract(epoch FROM time) / 86400)::integer FROM arrived)
"""

# The newest observations of some stations, by one pass over the whole table.
_SOUGHT = (
    "SELECT station_id, MAX(time) AS time FROM observations "
    f"WHERE station_id = ANY(%s) AND {_SOUND.format(time='time')} GROUP BY 1"
)

# The stations whose row in the table newest is missing, or names an observation that is not there.
_ASTRAY = f"""
SELECT s.station_id FROM stations AS s LEFT JOIN newest AS n USING (station_id)
WHERE n.time IS DISTINCT FROM '-infinity'
AND NOT EXISTS (
    SELECT FROM observations AS o
    WHERE o.time = n.time AND o.station_id = s.station_id AND {_SOUND.format(time="o.time")}
)
"""

# The end of the newest chunk of which everything is older than a time.
_CHUNKS_BEFORE = """
SELECT MAX(range_end) FROM timescaledb_information.chunks
WHERE hypertable_name = 'observations' AND hypertable_schema = current_schema() AND range_end <= %s
"""

_COUNT_BEFORE = "SELECT COUNT(*) FROM observations WHERE time < %s"

_COUNT = """
INSERT INTO counters AS c (name, label, count) VALUES (%s, %s, %s)
ON CONFLICT (name, label) DO UPDATE SET count = c.count + excluded.count
"""

_LOG = """
INSERT INTO collection_log (timestamp, status, stations_count, observations_count, message, source, kind)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""

_REJECTED = """
INSERT INTO rejected (time, station_id, variable, value) VALUES (%s, %s, %s, %s)
ON CONFLICT (time, station_id, variable) DO UPDATE SET value = excluded.value
"""

# A run over an older window extends an anomaly, but what a newer run said of it stays.
_EXTEND = """
UPDATE anomalies AS a SET
    started = least(started, %(started)s), ended = greatest(ended, %(ended)s),
    (state, class, test, value, expected, score, reason, confidence) = (
        SELECT CASE WHEN newer THEN %(state)s ELSE a.state END, CASE WHEN newer THEN %(class_)s ELSE a.class END,
               CASE WHEN newer THEN %(test)s ELSE a.test END, CASE WHEN newer THEN %(value)s ELSE a.value END,
               CASE WHEN newer THEN %(expected)s ELSE a.expected END, CASE WHEN newer THEN %(score)s ELSE a.score END,
               CASE WHEN newer THEN %(reason)s ELSE a.reason END,
               CASE WHEN newer THEN %(confidence)s ELSE a.confidence END
        FROM (SELECT %(run)s >= a.last_run AS newer) AS this
    ),
    first_run = least(first_run, %(run)s), last_run = greatest(last_run, %(run)s)
WHERE id = (
    SELECT id FROM anomalies
    WHERE station_id = %(station_id)s AND variable = %(variable)s AND started <= %(after)s AND ended >= %(before)s
    ORDER BY ended DESC LIMIT 1
)
"""

_FOUND = """
INSERT INTO anomalies (
    station_id, variable, started, ended, state, class, test, value, expected, score, reason, confidence, first_run,
    last_run
) VALUES (
    %(station_id)s, %(variable)s, %(started)s, %(ended)s, %(state)s, %(class_)s, %(test)s, %(value)s, %(expected)s,
    %(score)s, %(reason)s, %(confidence)s, %(run)s, %(run)s
)
"""


class PostgreSQLStore(Tables):
    """A store on a server. See `base.Store`."""

    def __init__(self, connection: psycopg.Connection, place: str) -> None:
        dialect = PostgreSQLDialect(connection, place)
        super().__init__(dialect)
        self._query = dialect.rows
        self._connection = connection
        self._place = place

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def add(self, document: Document, collected: float, *, replace: bool = True, status: str = "success") -> Stored:
        """See `base.Store`."""
        at = from_epoch(int(collected))
        with self._transaction() as cursor, _translate_refusals(self._place):
            if stations := self.records.note(document, collected) if document.stations else []:
                told = zip(Station._fields, map(list, zip(*stations, strict=True)), strict=True)
                cursor.execute(_STATIONS, {"at": at, "source": document.source, **dict(told)})
            new = corrected = 0
            cursor.execute(_ARRIVED)
            for observations, statement in _parts(document, replace):
                with cursor.copy(f"COPY arrived ({_ROW}) FROM STDIN (FORMAT csv)") as copy:
                    copy.write(_copied(observations, f"{stored(collected)}+00"))
                cursor.execute(statement)
                more, changed = cast("tuple[int, int]", cursor.fetchone())
                new, corrected = new + more, corrected + changed
                cursor.execute(_CHANGED)
                cursor.execute(_NEWEST)
                cursor.execute("TRUNCATE arrived")
            cursor.execute(_NO_NEWEST, [[station.station_id for station in stations]])
            done = Stored(new, corrected, len(document.observations) - new - corrected)
            rejected = [(from_epoch(time), *rest) for time, *rest in document.rejected]
            cursor.executemany(_REJECTED, rejected)
            for count in counts(done, document.left_out, status):
                cursor.execute(_COUNT, count)
            message = summary(done, document.left_out)
            cursor.execute(_LOG, (at, status, len(document.stations), new + corrected, message, document.source, None))
            self.sources.stored(document, collected, new + corrected, message)
        return done

    def log_failure(self, message: str, at: float, source: str, kind: str | None = None) -> None:
        """See `base.Store`."""
        with self._transaction() as cursor:
            cursor.execute(_COUNT, Count("cycles", "failed", 1))
            cursor.execute(_LOG, (from_epoch(at), "failed", 0, 0, message, source, kind))
            self.sources.failed(source, at, message)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `base.Store`."""
        with self._transaction() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
            yield

    def stations(self) -> list[Station]:
        """See `base.Store`."""
        names = sql.SQL(", ").join(map(sql.Identifier, Station._fields))
        return [Station(*row) for row in self._query(sql.SQL("SELECT {} FROM stations ORDER BY 1").format(names))]

    def changes(self) -> Changes:
        """See `base.Store`."""
        return self.records.changes()

    def owners(self) -> dict[str, str | None]:
        """See `base.Store`."""
        return self.sources.owners()

    def new_stations(self, at: float, source: str) -> int:
        """See `base.Store`."""
        number: int = self._query(
            "SELECT COUNT(*) FROM stations WHERE first_seen > %s AND first_seen <= %s AND source = %s "
            "AND first_seen > (SELECT MIN(first_seen) FROM stations WHERE source = %s)",
            (from_epoch(at - 86400), from_epoch(at), source, source),
        )[0][0]
        return number

    def oldest(self, after: float | None = None) -> str | None:
        """See `base.Store`."""
        if after is None:
            return self._extreme("MIN")
        return self._extreme("MIN", "time > %s AND ", [from_epoch(int(after))])

    def newest(self) -> str | None:
        """See `base.Store`."""
        return self._extreme("MAX")

    def _extreme(self, which: str, where: str = "", values: Sequence[object] = ()) -> str | None:
        where += _SOUND.format(time="time")
        found = self._query(f"SELECT {which}(time) FROM observations WHERE {where}", values)[0][0]
        return stored(found.timestamp()) if found else None

    def stamp(self) -> str:
        """See `base.Store`."""
        # Which transactions can be seen. Those of other databases on the server count as well: once too often.
        return str(self._query("SELECT pg_current_snapshot()::text")[0][0])

    def numbers(self) -> list[int]:
        """See `base.Store`."""
        return list(range(self._query("SELECT COUNT(*) FROM stations")[0][0]))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See `base.Store`."""
        if self._connection.info.transaction_status == TransactionStatus.INTRANS:
            yield
            return
        with translate_errors(self._place), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    def readings(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """See `base.Store`."""
        import numpy as np  # not for those who only write

        columns = [sql.SQL("number"), sql.SQL("extract(epoch FROM time)::int8"), *map(sql.Identifier, variables)]
        arrays = sql.SQL(", ").join(sql.SQL("array_agg({})").format(column) for column in columns)
        query = sql.SQL(
            f"SELECT {{}} FROM observations JOIN ({NUMBERED}) AS s USING (station_id) WHERE time > %s AND time <= %s"
        ).format(arrays)
        for span in pieces(spans):
            (found,) = self._query(query, (from_epoch(span.start), from_epoch(span.end)))
            yield np.array([column or [] for column in found], dtype=np.float64)

    def columns(self, span: Span, names: Sequence[str], stations: Sequence[str] = ()) -> Columns:
        """See `base.Store`."""
        from toolkit.store import postgresql_columns  # not for those who only write

        with translate_errors(self._place):
            return postgresql_columns.read(self._connection, span, names, stations, NUMBERED)

    def rejected(self, span: Span) -> list[Rejected]:
        """See `base.Store`."""
        rows = self._query(
            "SELECT extract(epoch FROM time)::int8, station_id, variable, value FROM rejected "
            "WHERE time > %s AND time <= %s",
            (from_epoch(span.start), from_epoch(span.end)),
        )
        return [Rejected(*row) for row in rows]

    def record(self, run: Span, stations: Sequence[str], anomalies: Sequence[StoredAnomaly]) -> None:
        """See `base.Store`."""
        at, edge = from_epoch(run.end), run.end - SAME_WITHIN
        with self._transaction() as cursor:
            for one in anomalies:
                values = {
                    **one._asdict(),
                    "started": from_epoch(one.started),
                    "ended": from_epoch(one.ended),
                    "before": from_epoch(one.started - SAME_WITHIN),
                    "after": from_epoch(one.ended + SAME_WITHIN),
                    "state": "open" if one.ended > edge else "closed",
                    "run": at,
                }
                if not cursor.execute(_EXTEND, values).rowcount:
                    cursor.execute(_FOUND, values)
                    cursor.execute(_COUNT, Count("anomalies", one.class_, 1))
            cursor.execute(_COUNT, Count("detections", "made", 1))
            cursor.execute(
                "UPDATE anomalies SET state = 'closed' WHERE state = 'open' AND ended <= %s AND last_run <= %s "
                "AND station_id = ANY(%s)",
                (from_epoch(edge), at, list(stations)),
            )

    def anomalies(self, selection: Selection) -> list[StoredAnomaly]:
        """See `base.Store`."""
        rows = self._query(
            "SELECT station_id, variable, extract(epoch FROM started)::float8, extract(epoch FROM ended)::float8, "
            "class, test, value, expected, score, reason, confidence, state, extract(epoch FROM first_run)::float8, "
            "extract(epoch FROM last_run)::float8 FROM anomalies "
            "WHERE ended > coalesce(%s, '-infinity'::timestamptz) AND started <= coalesce(%s, 'infinity'::timestamptz) "
            "ORDER BY started DESC, id",
            [None if bound is None else from_epoch(bound) for bound in (selection.start, selection.end)],
        )
        wanted = selection.stations
        return [StoredAnomaly(*row) for row in rows if not wanted or row[0] in wanted]

    def observations(self, selection: Selection) -> Iterator[Observation]:
        """See `base.Store`."""
        found, values = self._selected(selection)
        query = sql.SQL(
            f"SELECT extract(epoch FROM time)::int8, station_id, {', '.join(COLUMNS)} {found} ORDER BY time, station_id"
        )
        # A cursor on the server: a year of observations need not fit into memory.
        with (
            translate_errors(self._place),
            self._connection.transaction(),
            self._connection.cursor("selected") as cursor,
        ):
            cursor.itersize = 10_000
            for row in cursor.execute(query, values):
                yield Observation._make(row)

    def count(self, selection: Selection) -> int:
        """See `base.Store`."""
        found, values = self._selected(selection)
        number: int = self._query(f"SELECT COUNT(*) {found}", values)[0][0]
        return number

    def _selected(self, selection: Selection) -> tuple[str, list[object]]:
        """SQL from FROM on, for the selected observations, and its values."""
        start = "-infinity" if selection.start is None else from_epoch(selection.start)
        end = "infinity" if selection.end is None else from_epoch(selection.end)
        with translate_errors(self._place):
            source, values = of_stations(self._connection, start, end, selection.stations)
        return f"FROM ({source}) AS selected WHERE {_SOUND.format(time='time')}", values

    def tally(self, span: Span) -> dict[str, int]:
        """See `base.Store`."""
        return dict(
            self._query(
                "SELECT station_id, COUNT(*) FROM observations WHERE time > %s AND time <= %s GROUP BY 1",
                (from_epoch(span.start), from_epoch(span.end)),
            )
        )

    def latest(self) -> list[Observation]:
        """See `base.Store`."""
        return [Observation._make(row) for row in self._latest(COLUMNS)]

    def latest_times(self, stations: Sequence[str] | None = None) -> dict[str, int]:
        """See `base.Store`."""
        where, values = "true", list[object]()
        if stations is not None:
            where = "station_id = ANY(%s)"
            values.append([*stations])
        query, before = self._newest(())
        chosen = sql.SQL(f"SELECT time, station_id FROM ({{}}) AS newest WHERE {where}").format(query)
        return {station: time for time, station in self._query(chosen, [*before, *values])}

    def silent(self, since: float, until: float, of_sources: Mapping[str, float], most: int) -> Silent:
        """See `base.Store`."""
        bound, bounds = bound_of(until, of_sources, float, "%s::float8")
        query, before = self._newest(())
        # One row says how many there are, also where none is silent; those that are named follow it.
        counted = sql.SQL(
            "WITH lately AS MATERIALIZED ("
            f"SELECT station_id, time, time <= {bound} AS is_silent FROM ({{}}) AS newest "
            "JOIN stations USING (station_id) WHERE time > %s) "
            "(SELECT NULL, COUNT(*), COUNT(*) FILTER (WHERE is_silent) FROM lately) UNION ALL "
            "(SELECT station_id, time, NULL FROM lately WHERE is_silent ORDER BY time DESC, station_id LIMIT %s)"
        ).format(query)
        (_, observed, number), *some = self._query(counted, [*bounds, *before, since, most])
        return Silent(observed, number, [(name, time) for name, time, _ in some])

    def some_observed(self, most: int) -> list[str]:
        """See `base.Store`."""
        return [name for (name,) in self._query("SELECT station_id FROM newest ORDER BY station_id LIMIT %s", [most])]

    def observed_since(self, times: Sequence[float]) -> list[int]:
        """See `base.Store`."""
        query, before = self._newest(())
        later = ", COUNT(*) FILTER (WHERE time > %s)" * len(times)
        counted = sql.SQL(f"SELECT COUNT(*){later} FROM ({{}}) AS newest").format(query)
        return [*self._query(counted, [*times, *before])[0]]

    def _latest(self, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """The time, the station and some columns of the newest observation of each station."""
        return self._query(*self._newest(columns))

    def _newest(self, columns: Sequence[str]) -> tuple[sql.Composed, list[object]]:
        """A query of them, with its values."""
        names = sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier("o", name)) for name in columns)
        astray = [name for (name,) in self._query(_ASTRAY)]
        sought = sql.SQL(_SOUGHT + " UNION ALL" if astray else "")
        # A row that plain SQL inserted after the newest is found, too.
        query = sql.SQL(
            "SELECT DISTINCT ON (s.station_id) extract(epoch FROM o.time)::int8 AS time, s.station_id{} FROM ("
            "SELECT station_id, time FROM newest UNION ALL {} "
            "SELECT station_id, MAX(time) FROM observations WHERE time > (SELECT MAX(time) FROM newest) "
            f"AND {_SOUND.format(time='time')} GROUP BY 1"
            ") AS n JOIN observations AS o USING (time, station_id) JOIN stations AS s USING (station_id) "
            f"WHERE {_SOUND.format(time='o.time')} "
            "ORDER BY s.station_id, o.time DESC"
        ).format(names, sought)
        return query, [astray] if astray else []

    def extents(self) -> list[Extent]:
        """See `base.Store`."""
        rows = self._query(
            "SELECT station_id, extract(epoch FROM MIN(time))::int8, extract(epoch FROM MAX(time))::int8, COUNT(*) "
            f"FROM observations WHERE {_SOUND.format(time='time')} GROUP BY 1 ORDER BY 1"
        )
        return [Extent(*row) for row in rows]

    def identity(self) -> str | None:
        """See `base.Store`."""
        try:
            with self._connection.transaction():
                ((server, number),) = self._query(
                    "SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database()) "
                    "FROM pg_control_system()"
                )
        except StoreError:  # some servers keep it from users
            return None
        return f"{server}/{number}"

    def size_bytes(self) -> int:
        """See `base.Store`."""
        size: int = self._query("SELECT pg_database_size(current_database())")[0][0]
        return size

    def counters(self) -> list[Count]:
        """See `base.Store`."""
        return [Count(*row) for row in self._query("SELECT name, label, count FROM counters ORDER BY name, label")]

    def log(self, number: int) -> list[Logged]:
        """See `base.Store`."""
        rows = self._query(
            "SELECT extract(epoch FROM timestamp)::float8, status, stations_count, observations_count, message, "
            "source, kind "
            # A line that a host with a fast clock wrote is not shown as the newest for years.
            f"FROM collection_log ORDER BY {_AHEAD.format('timestamp')}, timestamp DESC LIMIT %s",
            [number],
        )
        return [without_logged_secrets(Logged(*row)) for row in rows]

    def remove_before(self, before: float, log_before: float, pause: Callable[[], None]) -> tuple[int, int]:
        """See `base.Store`."""
        self._remove("rejected", "time", before, pause)
        self._remove("anomalies", "ended", log_before, pause)
        observations = self._drop_chunks(before)
        if observations is None:
            observations = self._remove("observations", "time", before, pause, "station_id")
        self._remove("detector_flags", "ended", before, pause)
        self._remove("judged", "ended", before, pause)
        return observations, self._remove("collection_log", "timestamp", log_before, pause)

    def _drop_chunks(self, before: float) -> int | None:
        """Drop the chunks of TimescaleDB that are older than a time; returns how many observations they had.

        Observations of a chunk that also has later ones stay until all of it is old. None where there are no chunks.
        """
        with self._transaction() as cursor:
            if not is_hypertable(self._connection):
                return None
            bound = cursor.execute(_CHUNKS_BEFORE, (from_epoch(before),)).fetchone()
            if bound is None or bound[0] is None:
                return 0
            number = cast("tuple[int]", cursor.execute(_COUNT_BEFORE, bound).fetchone())[0]
            cursor.execute("SELECT drop_chunks('observations', %s::timestamptz)", bound)
        return number

    def _remove(self, table: str, column: str, before: float, pause: Callable[[], None], besides: str = "") -> int:
        """Remove rows in the order of a column, and of another where many rows have one value of the first."""
        key = f"{column}, {besides}" if besides else column
        places = ", ".join(["%s"] * len(key.split()))
        ahead = f"SELECT {key} FROM {table} WHERE {column} < %s ORDER BY {key} LIMIT 1 OFFSET {ROWS_PER_STEP}"
        removed = 0
        while True:
            with self._transaction() as cursor:
                if bound := cursor.execute(sql.SQL(ahead), (from_epoch(before),)).fetchone():
                    step = cursor.execute(sql.SQL(f"DELETE FROM {table} WHERE ({key}) <= ({places})"), bound)
                else:
                    step = cursor.execute(sql.SQL(f"DELETE FROM {table} WHERE {column} < %s"), (from_epoch(before),))
                removed += step.rowcount
            if bound is None:
                return removed
            pause()

    def tidy(self, pause: Callable[[], None]) -> None:  # noqa: ARG002 - PostgreSQL gives free space back by itself
        """See `base.Store`."""
        # Correct it where plain SQL removed or inserted rows, in one pass. A row added meanwhile is later, and stays.
        self._query(
            "INSERT INTO newest AS n (station_id, time) "
            "SELECT station_id, coalesce(MAX(time), '-infinity') FROM stations "
            "LEFT JOIN observations USING (station_id) GROUP BY 1 ORDER BY 1 "
            "ON CONFLICT (station_id) DO UPDATE SET time = excluded.time WHERE excluded.time > n.time "
            "OR NOT EXISTS (SELECT FROM observations AS o WHERE o.time = n.time AND o.station_id = n.station_id)"
        )
        for table in ("stations", "observations", "collection_log"):
            self._query(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Cursor]:
        with translate_errors(self._place), self._connection.transaction(), self._connection.cursor() as cursor:
            yield cursor


def _parts(document: Document, replace: bool) -> Iterator[tuple[list[Observation], sql.SQL]]:
    """The observations of a document that replace what is there, and those that fill gaps, each with its statement."""
    own = [one for one in document.observations if one.station_id not in document.foreign]
    foreign = [one for one in document.observations if one.station_id in document.foreign]
    if own:
        yield own, _CORRECT if replace else _FILL
    if foreign:
        yield foreign, _FILL


def _copied(observations: Sequence[Observation], at: str) -> str:
    """The rows of a document in COPY's CSV format, in the order of `_ROW`; None is an empty field."""
    times = {time: f"{stored(time)}+00" for time in {observation.time for observation in observations}}
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows((times[one.time], *one[1:], at) for one in observations)
    return text.getvalue()


@contextmanager
def _translate_refusals(place: str) -> Iterator[None]:
    """Raise what the content of a document causes as a DocumentRefusedError; other errors concern the database.

    The content causes data of the wrong kind or range, a violated constraint, an entry too large for an index.
    """
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as error:
        raise DocumentRefusedError(f"the database {place} does not take the document: {reason_of(error)}") from error
    except (ValueError, OverflowError, TypeError) as error:
        raise DocumentRefusedError(
            f"the database {place} does not take the document: {one_line(str(error))}"
        ) from error
