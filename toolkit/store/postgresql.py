"""Observations in a PostgreSQL database, which several collectors may fill at the same time."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from toolkit import credentials
from toolkit.address import shown, without_secrets
from toolkit.clock import AHEAD_SECONDS
from toolkit.credentials import Credential, CredentialError
from toolkit.database import PostgreSQLDatabase
from toolkit.model import Document, Observation, Rejected, Station
from toolkit.store.base import (
    SAME_WITHIN,
    Count,
    DocumentRefusedError,
    Extent,
    Logged,
    NewerSchemaError,
    Selection,
    Span,
    Stored,
    StoredAnomaly,
    StoreError,
    StoreGoneError,
    StoreRefusedError,
    counts,
    migrations,
    pieces,
    summary,
    without_logged_secrets,
)
from toolkit.text import one_line
from toolkit.times import from_epoch, stored
from toolkit.variables import COLUMNS

if TYPE_CHECKING:
    from toolkit.store.base import Floats

BUSY_SECONDS = 2
ROWS_PER_STEP = 5000
# Held while the schema is looked at and changed, so that two collectors do not migrate at once: any number will do.
_MIGRATING = 0x77746B74
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


# A feed that no longer offers a value does not take back the one it offered before.
_CORRECT = _upsert(
    "coalesce(excluded.{name}, o.{name})",
    "excluded.{name} IS NOT NULL AND excluded.{name} IS DISTINCT FROM o.{name}",
)
_FILL = _upsert("coalesce(o.{name}, excluded.{name})", "excluded.{name} IS NOT NULL AND o.{name} IS NULL")

_STATIONS = f"""
INSERT INTO stations AS s ({", ".join(Station._fields)}, first_seen, last_seen)
SELECT {", ".join(Station._fields)}, %(at)s, %(at)s FROM unnest(
    %(station_id)s::text[], %(station_name_en)s::text[], %(station_name_gr)s::text[], %(latitude)s::float8[],
    %(longitude)s::float8[], %(elevation)s::float8[]
) AS told ({", ".join(Station._fields)}) ORDER BY station_id
ON CONFLICT (station_id) DO UPDATE SET
    station_name_en = coalesce(excluded.station_name_en, s.station_name_en),
    station_name_gr = coalesce(excluded.station_name_gr, s.station_name_gr),
    latitude = coalesce(excluded.latitude, s.latitude),
    longitude = coalesce(excluded.longitude, s.longitude),
    elevation = coalesce(excluded.elevation, s.elevation),
    last_seen = CASE WHEN {_AHEAD.format("s.last_seen")} THEN excluded.last_seen
        ELSE greatest(s.last_seen, excluded.last_seen) END
"""

# Whether a time is one of the calendar: plain SQL can write `infinity`, which Python cannot represent.
_SOUND = "{time} < '10000-01-01' AND {time} >= '0001-01-01'"

_NEWEST = """
INSERT INTO newest AS n (station_id, time)
SELECT station_id, MAX(time) FROM (
    SELECT station_id, time FROM arrived UNION ALL SELECT unnest(%(ids)s::text[]), '-infinity'
) AS told GROUP BY 1 ORDER BY 1
ON CONFLICT (station_id) DO UPDATE SET time = excluded.time WHERE excluded.time > n.time
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

_COUNT = """
INSERT INTO counters AS c (name, label, count) VALUES (%s, %s, %s)
ON CONFLICT (name, label) DO UPDATE SET count = c.count + excluded.count
"""

_LOG = """
INSERT INTO collection_log (timestamp, status, stations_count, observations_count, message) VALUES (%s, %s, %s, %s, %s)
"""

_REJECTED = """
INSERT INTO rejected (time, station_id, variable, value) VALUES (%s, %s, %s, %s)
ON CONFLICT (time, station_id, variable) DO UPDATE SET value = excluded.value
"""

# A run over an older window extends an anomaly, but what a newer run said of it stays.
_EXTEND = """
UPDATE anomalies AS a SET
    started = least(started, %(started)s), ended = greatest(ended, %(ended)s),
    (state, class, test, value, expected, score, reason) = (
        SELECT CASE WHEN newer THEN %(state)s ELSE a.state END, CASE WHEN newer THEN %(class_)s ELSE a.class END,
               CASE WHEN newer THEN %(test)s ELSE a.test END, CASE WHEN newer THEN %(value)s ELSE a.value END,
               CASE WHEN newer THEN %(expected)s ELSE a.expected END, CASE WHEN newer THEN %(score)s ELSE a.score END,
               CASE WHEN newer THEN %(reason)s ELSE a.reason END
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
    station_id, variable, started, ended, state, class, test, value, expected, score, reason, first_run, last_run
) VALUES (
    %(station_id)s, %(variable)s, %(started)s, %(ended)s, %(state)s, %(class_)s, %(test)s, %(value)s, %(expected)s,
    %(score)s, %(reason)s, %(run)s, %(run)s
)
"""


class PostgreSQLStore:
    """A store on a server. See `base.Store`."""

    def __init__(self, connection: psycopg.Connection, place: str) -> None:
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
            if document.stations:
                columns = map(list, zip(*document.stations, strict=True))
                cursor.execute(_STATIONS, {"at": at, **dict(zip(Station._fields, columns, strict=True))})
            new = corrected = 0
            cursor.execute(_ARRIVED)
            if document.observations:
                with cursor.copy(f"COPY arrived ({_ROW}) FROM STDIN (FORMAT csv)") as copy:
                    copy.write(_copied(document.observations, f"{stored(collected)}+00"))
                cursor.execute(_CORRECT if replace else _FILL)
                new, corrected = cast("tuple[int, int]", cursor.fetchone())
            cursor.execute(_NEWEST, {"ids": [station.station_id for station in document.stations]})
            done = Stored(new, corrected, len(document.observations) - new - corrected)
            rejected = [(from_epoch(time), *rest) for time, *rest in document.rejected]
            cursor.executemany(_REJECTED, rejected)
            for count in counts(done, document.left_out, status):
                cursor.execute(_COUNT, count)
            message = summary(done, document.left_out)
            cursor.execute(_LOG, (at, status, len(document.stations), new + corrected, message))
        return done

    def log_failure(self, message: str, at: float) -> None:
        """See `base.Store`."""
        with self._transaction() as cursor:
            cursor.execute(_COUNT, Count("cycles", "failed", 1))
            cursor.execute(_LOG, (from_epoch(at), "failed", 0, 0, message))

    def stations(self) -> list[Station]:
        """See `base.Store`."""
        names = sql.SQL(", ").join(map(sql.Identifier, Station._fields))
        return [Station(*row) for row in self._query(sql.SQL("SELECT {} FROM stations ORDER BY 1").format(names))]

    def new_stations(self, at: float) -> int:
        """See `base.Store`."""
        number: int = self._query(
            "SELECT COUNT(*) FROM stations WHERE first_seen > %s AND first_seen <= %s "
            "AND first_seen > (SELECT MIN(first_seen) FROM stations)",
            (from_epoch(at - 86400), from_epoch(at)),
        )[0][0]
        return number

    def newest(self) -> str | None:
        """See `base.Store`."""
        newest = self._query(f"SELECT MAX(time) FROM observations WHERE {_SOUND.format(time='time')}")[0][0]
        return stored(newest.timestamp()) if newest else None

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

        columns = sql.SQL(", ").join(sql.SQL("array_agg({})").format(sql.Identifier(name)) for name in variables)
        query = sql.SQL(
            "SELECT array_agg(number), array_agg(extract(epoch FROM time)::int8), {} FROM observations "
            "JOIN (SELECT station_id, row_number() OVER (ORDER BY station_id) - 1 AS number FROM stations) AS s "
            "USING (station_id) WHERE time > %s AND time <= %s"
        ).format(columns)
        for span in pieces(spans):
            (found,) = self._query(query, (from_epoch(span.start), from_epoch(span.end)))
            yield np.array([column or [] for column in found], dtype=np.float64)

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
            "class, test, value, expected, score, reason, state, extract(epoch FROM first_run)::float8, "
            "extract(epoch FROM last_run)::float8 FROM anomalies "
            "WHERE ended > coalesce(%s, '-infinity'::timestamptz) AND started <= coalesce(%s, 'infinity'::timestamptz) "
            "ORDER BY started DESC, id",
            [None if bound is None else from_epoch(bound) for bound in (selection.start, selection.end)],
        )
        wanted = selection.stations
        return [StoredAnomaly(*row) for row in rows if not wanted or row[0] in wanted]

    def observations(self, selection: Selection) -> Iterator[Observation]:
        """See `base.Store`."""
        where, values = _where(selection)
        names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
        query = sql.SQL(
            "SELECT extract(epoch FROM time)::int8, station_id, {} FROM observations {} ORDER BY time, station_id"
        ).format(names, where)
        # A cursor of the server's: a year of observations does not have to fit into memory.
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
        where, values = _where(selection)
        number: int = self._query(sql.SQL("SELECT COUNT(*) FROM observations {}").format(where), values)[0][0]
        return number

    def latest(self) -> list[Observation]:
        """See `base.Store`."""
        names = sql.SQL(", ").join(sql.Identifier("o", name) for name in COLUMNS)
        astray = [name for (name,) in self._query(_ASTRAY)]
        sought = sql.SQL(_SOUGHT + " UNION ALL" if astray else "")
        # What was put in by hand after all that the collectors stored is seen at once.
        query = sql.SQL(
            "SELECT DISTINCT ON (s.station_id) extract(epoch FROM o.time)::int8, s.station_id, {} FROM ("
            "SELECT station_id, time FROM newest UNION ALL {} "
            "SELECT station_id, MAX(time) FROM observations WHERE time > (SELECT MAX(time) FROM newest) "
            f"AND {_SOUND.format(time='time')} GROUP BY 1"
            ") AS n JOIN observations AS o USING (time, station_id) JOIN stations AS s USING (station_id) "
            f"WHERE {_SOUND.format(time='o.time')} "
            "ORDER BY s.station_id, o.time DESC"
        ).format(names, sought)
        return [Observation._make(row) for row in self._query(query, [astray] if astray else [])]

    def extents(self) -> list[Extent]:
        """See `base.Store`."""
        rows = self._query(
            "SELECT station_id, extract(epoch FROM MIN(time))::int8, extract(epoch FROM MAX(time))::int8, COUNT(*) "
            f"FROM observations WHERE {_SOUND.format(time='time')} GROUP BY 1 ORDER BY 1"
        )
        return [Extent(*row) for row in rows]

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
            "SELECT extract(epoch FROM timestamp)::float8, status, stations_count, observations_count, message "
            # What a clock that was ahead wrote is not the newest for years.
            f"FROM collection_log ORDER BY {_AHEAD.format('timestamp')}, timestamp DESC LIMIT %s",
            [number],
        )
        return [without_logged_secrets(Logged(*row)) for row in rows]

    def remove_before(self, before: float, log_before: float, pause: Callable[[], None]) -> tuple[int, int]:
        """See `base.Store`."""
        self._remove("rejected", "time", before, pause)
        self._remove("anomalies", "ended", log_before, pause)
        return (
            self._remove("observations", "time", before, pause),
            self._remove("collection_log", "timestamp", log_before, pause),
        )

    def _remove(self, table: str, column: str, before: float, pause: Callable[[], None]) -> int:
        names = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
        ahead = sql.SQL("SELECT {column} FROM {table} WHERE {column} < %s ORDER BY {column} LIMIT 1 OFFSET %s")
        up_to = sql.SQL("DELETE FROM {table} WHERE {column} <= %s").format(**names)
        the_rest = sql.SQL("DELETE FROM {table} WHERE {column} < %s").format(**names)
        removed = 0
        while True:
            with self._transaction() as cursor:
                bound = cursor.execute(ahead.format(**names), (from_epoch(before), ROWS_PER_STEP)).fetchone()
                step = cursor.execute(up_to, bound) if bound else cursor.execute(the_rest, (from_epoch(before),))
                removed += step.rowcount
            if bound is None:
                return removed
            pause()

    def tidy(self, pause: Callable[[], None]) -> None:  # noqa: ARG002 - PostgreSQL gives free space back by itself
        """See `base.Store`."""
        # Rows that were removed, or put in by hand: one pass over all. What comes meanwhile is later, and stays.
        self._query(
            "INSERT INTO newest AS n (station_id, time) "
            "SELECT station_id, coalesce(MAX(time), '-infinity') FROM stations "
            "LEFT JOIN observations USING (station_id) GROUP BY 1 ORDER BY 1 "
            "ON CONFLICT (station_id) DO UPDATE SET time = excluded.time WHERE excluded.time > n.time "
            "OR NOT EXISTS (SELECT FROM observations AS o WHERE o.time = n.time AND o.station_id = n.station_id)"
        )
        for table in ("stations", "observations", "collection_log"):
            self._query(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))

    def _query(self, query: str | sql.Composed, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with translate_errors(self._place):
            cursor = self._connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Cursor]:
        with translate_errors(self._place), self._connection.transaction(), self._connection.cursor() as cursor:
            yield cursor


def _copied(observations: Sequence[Observation], at: str) -> str:
    """The rows of a document in COPY's CSV format, in the order of `_ROW`; None is an empty field."""
    times = {time: f"{stored(time)}+00" for time in {observation.time for observation in observations}}
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows((times[one.time], *one[1:], at) for one in observations)
    return text.getvalue()


def _where(selection: Selection) -> tuple[sql.Composed, list[object]]:
    terms: list[sql.Composable] = [sql.SQL(_SOUND.format(time="time"))]
    values: list[object] = []
    for term, bound in (("time > %s", selection.start), ("time <= %s", selection.end)):
        if bound is not None:
            terms.append(sql.SQL(term))
            values.append(from_epoch(bound))
    if selection.stations:
        terms.append(sql.SQL("station_id = ANY(%s)"))
        values.append(list(selection.stations))
    return sql.SQL("WHERE ").format() + sql.SQL(" AND ").join(terms), values


def open_for_writing(db: PostgreSQLDatabase, *, begin: bool = True) -> PostgreSQLStore:
    """See `store.open_for_writing`."""
    place = shown(db.url)
    with translate_errors(place), ExitStack() as opening:
        connection = connect(db.url, BUSY_SECONDS)
        opening.callback(connection.close)
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
            if not begin and not holds_tables(connection):
                raise StoreGoneError(f"the database {place} is empty: its tables are gone")
            connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)")
            version = _version(connection, place) or _empty(connection, place)
            if version < len(migrations("postgresql")):
                bring_up_to_date(connection, version)
        opening.pop_all()
    return PostgreSQLStore(connection, place)


def bring_up_to_date(connection: psycopg.Connection, version: int) -> None:
    """Take the steps from a schema's version to this program's; the caller has the transaction."""
    scripts = migrations("postgresql")
    for script in scripts[version:]:
        connection.execute(sql.SQL(script))
    connection.execute("DELETE FROM schema_version")
    connection.execute("INSERT INTO schema_version (version) VALUES (%s)", (len(scripts),))


def open_for_reading(db: PostgreSQLDatabase, patience: float, *, look: bool = False) -> PostgreSQLStore:  # noqa: ARG001
    """See `store.open_for_reading`."""
    place = shown(db.url)
    with translate_errors(place), ExitStack() as opening:
        connection = connect(db.url, patience)
        opening.callback(connection.close)
        connection.read_only = True
        version = _version(connection, place) if holds_tables(connection) else 0
        if version < (known := len(migrations("postgresql"))):
            what = f"has schema {version}, older than this program's {known}" if version else "is empty"
            raise StoreError(f"the database {place} {what}: the collector puts it right when it starts")
        opening.pop_all()
    return PostgreSQLStore(connection, place)


def schema(db: PostgreSQLDatabase) -> tuple[int | None, int]:
    """See `store.schema`; an empty database that is not in UTF-8 is refused."""
    place = shown(db.url)
    with translate_errors(place), connect(db.url, BUSY_SECONDS) as connection:
        if holds_tables(connection):
            return _version(connection, place), len(migrations("postgresql"))
        _empty(connection, place)
        return None, len(migrations("postgresql"))


def holds_tables(connection: psycopg.Connection) -> bool:
    """Whether the database has this program's tables, of any version."""
    row = connection.execute(
        "SELECT to_regclass('schema_version') IS NOT NULL AND to_regclass('observations') IS NOT NULL"
    ).fetchone()
    return bool(row and row[0])


TABLES = ("stations", "observations", "collection_log", "counters", "rejected", "anomalies", "newest")
_LACKS = """
SELECT kind || ' ' || name || ' is gone' FROM (VALUES
    ('table', 'stations'), ('table', 'observations'), ('table', 'collection_log'), ('table', 'counters'),
    ('table', 'rejected'), ('table', 'anomalies'), ('table', 'newest')
) AS wanted (kind, name) WHERE to_regclass(name) IS NULL
UNION ALL
SELECT 'the primary key of ' || name || ' is gone' FROM (VALUES ('stations'), ('observations'), ('counters'))
AS keyed (name) WHERE to_regclass(name) IS NOT NULL
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass(name) AND contype = 'p')
UNION ALL
SELECT 'the index ' || name || ' is gone' FROM (VALUES
    ('collection_log_timestamp'), ('anomalies_station'), ('anomalies_ended')
) AS wanted (name) WHERE to_regclass(name) IS NULL
UNION ALL
SELECT 'the column ' || attname || ' of observations is ' || format_type(atttypid, atttypmod)
FROM pg_attribute WHERE attrelid = to_regclass('observations') AND attnum > 0 AND NOT attisdropped
AND atttypid NOT IN ('float8'::regtype, 'text'::regtype, 'timestamptz'::regtype)
UNION ALL
SELECT 'the service may not write to ' || name FROM (VALUES ('stations'), ('observations'), ('collection_log'))
AS owned (name) WHERE to_regclass(name) IS NOT NULL AND NOT has_table_privilege(to_regclass(name), 'INSERT, UPDATE')
UNION ALL
SELECT 'it takes no writes: the server is a standby' WHERE pg_is_in_recovery()
UNION ALL
SELECT 'it takes no writes: default_transaction_read_only is on'
WHERE current_setting('default_transaction_read_only') = 'on' AND NOT EXISTS (
    SELECT FROM pg_roles, unnest(rolconfig) AS one
    WHERE rolname = current_user AND one ~ '^default_transaction_read_only'
)
"""


def differences(db: PostgreSQLDatabase) -> list[str]:
    """What the database lacks of this program's schema, and what keeps the service from writing.

    Raises:
        StoreError: it does not answer.
    """
    place = shown(db.url)
    with translate_errors(place), connect(db.url, BUSY_SECONDS) as connection:
        if not holds_tables(connection):
            return []
        return [str(row[0]) for row in connection.execute(_LACKS)]


# What others put upon the tables and the role, and what takes it away; the first three are the owner's to do.
_IMPOSED = r"""
SELECT 'a trigger ' || tgname || ' on ' || tgrelid::regclass,
    format('DROP TRIGGER %%I ON %%s', tgname, tgrelid::regclass)
FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY (%(tables)s::regclass[]) AND tgname NOT LIKE 'ts\_%%'
UNION ALL
SELECT 'a constraint ' || conname || ' on ' || conrelid::regclass,
    format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname)
FROM pg_constraint WHERE contype IN ('c', 'x') AND conrelid = ANY (%(tables)s::regclass[])
UNION ALL
SELECT 'row-level security on ' || oid::regclass,
    format('ALTER TABLE %%s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', oid::regclass)
FROM pg_class WHERE relrowsecurity AND oid = ANY (%(tables)s::regclass[])
UNION ALL
SELECT 'the setting ' || one, format('ALTER ROLE %%I RESET %%I', rolname, split_part(one, '=', 1))
FROM pg_roles, unnest(rolconfig) AS one WHERE rolname = current_user
AND one ~ '^(default_transaction_read_only=on|statement_timeout=|search_path=|idle_in_transaction|transaction_timeout=)'
"""


def imposed(db: PostgreSQLDatabase) -> list[tuple[str, str]]:
    """What others put upon the tables and the role of this program, each with the statement that takes it away.

    Raises:
        StoreError: it does not answer.
    """
    place = shown(db.url)
    with translate_errors(place), connect(db.url, BUSY_SECONDS) as connection:
        tables = [name for name in TABLES if _is_there(connection, name)]
        return [(str(what), str(away)) for what, away in connection.execute(_IMPOSED, {"tables": tables})]


def _is_there(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])


# Row locks are held by RowExclusiveLock too: of others than this program's own role it tells of an unfinished change.
_HELD = """
SELECT a.pid, coalesce(a.usename, '?'), l.mode FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.granted AND l.relation = ANY (%(tables)s::regclass[]) AND a.pid != pg_backend_pid() AND (
    l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    OR (l.mode = 'RowExclusiveLock' AND a.usename != current_user))
"""


def holders(db: PostgreSQLDatabase) -> dict[int, str]:
    """The sessions that keep others from writing to the tables, and what they hold.

    Raises:
        StoreError: it does not answer.
    """
    place = shown(db.url)
    with translate_errors(place), connect(db.url, BUSY_SECONDS) as connection:
        tables = [name for name in TABLES if _is_there(connection, name)]
        rows = connection.execute(_HELD, {"tables": tables}).fetchall()
        return {int(pid): f"session {pid} of {user} holds a {mode}" for pid, user, mode in rows}


def _empty(connection: psycopg.Connection, place: str) -> int:
    """The version of a database without tables: 0, if its encoding can hold the names of stations."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreRefusedError(
            f"the database {place} has the encoding {encoding}, which backups cannot carry: "
            "make it anew by CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"
        )
    return 0


def _version(connection: psycopg.Connection, place: str) -> int:
    row = connection.execute("SELECT version FROM schema_version").fetchone()
    version: int = row[0] if row else 0
    if version > (known := len(migrations("postgresql"))):
        raise NewerSchemaError(
            f"the database {place} has schema {version}, this program knows up to {known}: run the newer release"
        )
    return version


def connect(url: str, patience: float) -> psycopg.Connection:
    """A connection that gives up within bounds when the server is silent or somebody holds a lock."""
    connection = psycopg.connect(
        url,
        password=password(),
        autocommit=True,
        connect_timeout=max(2, int(patience)),
        application_name="weather-tool",
        tcp_user_timeout=10_000,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=2,
    )
    with connection.transaction():
        connection.execute("SET timezone TO 'UTC'")
        connection.execute(sql.SQL("SET lock_timeout TO {}").format(f"{int(patience * 1000)}ms"))
    return connection


def password() -> str | None:
    """The password, where it was handed over; without it libpq looks into ~/.pgpass."""
    try:
        return credentials.read(Credential.POSTGRESQL_PASSWORD)
    except CredentialError as error:
        raise StoreError(str(error)) from error


@contextmanager
def translate_errors(place: str) -> Iterator[None]:
    """Raise what psycopg raises as a StoreError that names the database."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreError(f"the database {place} cannot be used: {_reason(error)}") from error


@contextmanager
def _translate_refusals(place: str) -> Iterator[None]:
    """Raise what the content of a document causes as a DocumentRefusedError; other errors concern the database.

    The content causes data of the wrong kind or range, a violated constraint, an entry too large for an index.
    """
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as error:
        raise DocumentRefusedError(f"the database {place} does not take the document: {_reason(error)}") from error
    except (ValueError, OverflowError, TypeError) as error:
        raise DocumentRefusedError(
            f"the database {place} does not take the document: {one_line(str(error))}"
        ) from error


def _reason(error: psycopg.Error) -> str:
    lines = str(error).strip().splitlines()
    return one_line(without_secrets(lines[0])) if lines else type(error).__name__
