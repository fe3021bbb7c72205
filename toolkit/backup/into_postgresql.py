"""Putting a backup in the place of a PostgreSQL database, by one transaction of psql."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryFile
from urllib.parse import urlsplit, urlunsplit

from psycopg import sql

from toolkit import times
from toolkit.address import shown
from toolkit.backup import creating, postgresql
from toolkit.backup.engine import LATE_SECONDS, Restored
from toolkit.backup.folder import Backup, Folder
from toolkit.backup.postgresql import started
from toolkit.feed.document import Observation
from toolkit.files import free_name
from toolkit.store import StoreError, open_for_writing
from toolkit.store.postgresql import connect, holds_tables, said

# Of the database that rehearsals are made in, beside the live one on its server.
REHEARSAL = "_drill"
# How long a rehearsal waits for those of other hosts.
TURN = "10min"
_COLUMNS = (*Observation._fields, "collected_at")
_NAMES = ", ".join(_COLUMNS)
_NEWER = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])


def put(folder: Folder, backup: Backup, db: str, *, merge: bool) -> Restored:
    """See `engine.Into`. What is replaced is kept as a backup of its own.

    Raises:
        ToolkitError: it cannot be done; the database is as it was.
    """
    done = Restored(backup)
    if _is_there(db):
        at = free_name(folder.path, "replaced-%Y%m%d_%H%M%S", times.now())
        creating.create(Folder(str(at)), db)
        done.replaced = at
    done.merged = _run(folder, backup, db, merge=merge and done.replaced is not None)
    with open_for_writing(db) as store:  # an older schema is brought up to date
        store.tidy(lambda: None)
    return done


def undo(folder: Folder, db: str, replaced: Path) -> None:
    """See `engine.Into`."""
    _run(folder, Folder(str(replaced)).find("LATEST"), db, merge=False)


@contextmanager
def rehearsed(folder: Folder, backup: Backup, db: str) -> Iterator[str]:
    """See `engine.Into`: a database named like the live one, with `_drill` after it, which has to be there."""
    parts = urlsplit(db)
    scratch = urlunsplit(parts._replace(path=parts.path + REHEARSAL))
    try:
        _is_there(scratch)
    except StoreError as error:
        raise StoreError(f"{error} (a rehearsal needs an empty database {parts.path[1:]}{REHEARSAL})") from None
    # Hosts that share a database share this one, too: one rehearsal at a time.
    with said(shown(scratch)), connect(scratch, postgresql.PATIENCE_SECONDS) as turn:
        turn.execute(sql.SQL("SET lock_timeout TO {}").format(TURN))
        turn.execute("SELECT pg_advisory_lock(1)")
        try:
            _run(folder, backup, scratch, merge=False)
            with open_for_writing(scratch):
                pass
            yield scratch
        finally:
            _empty(scratch)


def _run(folder: Folder, backup: Backup, db: str, *, merge: bool) -> int:
    """Replace all tables, and count what was taken over of them: all of it happens, or nothing."""
    dump = folder.scratch("dump")
    try:
        creating.unpack(backup, dump)
        with said(shown(db)), connect(db, postgresql.PATIENCE_SECONDS) as connection:
            (schema,) = connection.execute("SELECT quote_ident(current_schema())").fetchone() or ("public",)
        before = _take_aside(backup) if merge else ""
        after = _require_all(backup, schema) + (_take_over(schema) if merge else "")
        return _psql(db, before, dump, after)
    finally:
        dump.unlink(missing_ok=True)


def _psql(db: str, before: str, dump: Path, after: str) -> int:
    """Feed psql; COMMIT is said only when all of the dump has been read."""
    words = ["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", f"--dbname={db}"]
    with postgresql.client() as environment, TemporaryFile() as told, TemporaryFile() as errors:
        with started(words, environment, stdin=PIPE, stdout=told, stderr=errors) as psql:
            assert psql.stdin  # noqa: S101 - for the type checker
            try:
                psql.stdin.write(f"BEGIN;\n{before}".encode())
                psql.stdin.flush()
                read = ["pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--file=-", str(dump)]
                wrong = started(read, environment, stdout=psql.stdin).wait()
                if not wrong:
                    psql.stdin.write(f"{after}COMMIT;\n".encode())
            except BrokenPipeError:
                wrong = 0  # psql says why
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines()
        if psql.returncode or wrong:
            reason = lines[0] if lines else "the dump cannot be read"
            raise StoreError(f"the database {shown(db)} is as it was: {reason}")
        told.seek(0)
        merged = [line for line in told.read().decode().splitlines() if line.startswith("merged|")]
    return int(merged[0].partition("|")[2]) if merged else 0


def _take_aside(backup: Backup) -> str:
    """What the present database may have beyond the backup, before its tables are replaced."""
    held = backup.manifest.content
    last = f"'{held.last}+00'::timestamptz" if held.last else "'-infinity'::timestamptz"
    # Rows that were imported make the past larger than the backup knew it: then all of it is compared.
    return f"""
LOCK TABLE observations, stations IN ACCESS EXCLUSIVE MODE;
CREATE TEMPORARY TABLE kept_stations ON COMMIT DROP AS SELECT * FROM stations;
CREATE TEMPORARY TABLE kept_counters ON COMMIT DROP AS SELECT * FROM counters;
CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT {_NAMES} FROM observations WHERE time > CASE
    WHEN (SELECT COUNT(*) FROM observations WHERE time <= {last}) = {held.observations}
    THEN {last} - interval '{LATE_SECONDS} seconds' ELSE '-infinity' END;
"""


def _require_all(backup: Backup, schema: str) -> str:
    """A look at what was restored, that ends the transaction if it is not what the manifest says."""
    number = backup.manifest.content.observations
    return f"""
DO $$ BEGIN
    IF (SELECT COUNT(*) FROM {schema}.observations) <> {number} THEN
        RAISE EXCEPTION 'not all of the {number} observations came back';
    END IF;
END $$;
"""


def _take_over(schema: str) -> str:
    return f"""
INSERT INTO {schema}.stations SELECT * FROM pg_temp.kept_stations ON CONFLICT DO NOTHING;
INSERT INTO {schema}.counters AS c SELECT * FROM pg_temp.kept_counters
    ON CONFLICT (name, label) DO UPDATE SET count = greatest(c.count, excluded.count);
WITH put AS (
    INSERT INTO {schema}.observations AS o ({_NAMES}) SELECT {_NAMES} FROM pg_temp.kept
    ON CONFLICT (time, station_id) DO UPDATE SET {_NEWER} WHERE excluded.collected_at > o.collected_at RETURNING 1
)
SELECT 'merged', COUNT(*) FROM put;
"""


def _is_there(db: str) -> bool:
    with said(shown(db)), connect(db, postgresql.PATIENCE_SECONDS) as connection:
        return holds_tables(connection)


def _empty(db: str) -> None:
    with said(shown(db)), connect(db, postgresql.PATIENCE_SECONDS) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {', '.join(postgresql.TABLES)}")
