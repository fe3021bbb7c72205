"""Incidents in a large network: what a run does with them, and a look at them after many years."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.everyday import TIME, document
from tests.bench.figure import Figure
from tests.conftest import TOOL
from tests.databases import change
from tests.postgresql import Server
from toolkit.incidents.bookkeeping import keep
from toolkit.incidents.planning import Run
from toolkit.incidents.trouble import JudgedSensors, Sensor, Trouble
from toolkit.settings import load
from toolkit.store import open_for_writing
from toolkit.store.incidents import ACTIVE, IncidentFilter

STATIONS = [f"s{number:05d}" for number in range(10_000)]
OPEN = 2_000
CLOSED = 1_000_000
HOUR = 3600
_COLUMNS = "station_id, variable, kind, symptoms, severity, state, started, ended, opened, resolved, judged, reopened, evidence"
# A million incidents of the twenty years before.
_CLOSED = {
    "sqlite": f"""
        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {CLOSED - 1}), t AS (
            SELECT i, datetime({TIME} - 630000000 + i * 600, 'unixepoch') AS at FROM n
        )
        INSERT INTO incidents ({_COLUMNS}) SELECT 's' || (i % 10000), 'temp_out', 'data_wrong', 'spatial', 'warning',
            'resolved', at, at, at, at, at, 0, '{{}}' FROM t
    """,
    "postgresql": f"""
        INSERT INTO incidents ({_COLUMNS}) SELECT 's' || (i % 10000), 'temp_out', 'data_wrong', 'spatial', 'warning',
            'resolved', at, at, at, at, at, 0, '{{}}'
        FROM (SELECT i, to_timestamp({TIME} - 630000000 + i * 600) AS at FROM generate_series(0, {CLOSED - 1}) AS i) AS t
    """,
}


def troubles(end: float) -> list[Trouble]:
    """A fault of every fifth station, for all of the window."""
    return [
        Trouble(
            Sensor(name, "temp_out"), "data_wrong", ("spatial", "step"), "warning", end - 6 * HOUR, end,
            0.9, {"symptom": "spatial", "reason": "it reads 28.4 °C for 13.1 °C", "value": 28.4, "expected": 13.1},
        )
        for name in STATIONS[:: len(STATIONS) // OPEN]
    ]  # fmt: skip


def runs(db: str) -> Iterator[float]:
    """The seconds of each of some runs, one an hour."""
    settings = load(environ={"WEATHER_DB": db}).settings
    judged = JudgedSensors(frozenset(STATIONS), frozenset({"temp_out", "bar"}))
    with open_for_writing(db) as store:
        for hours in range(4):
            end = TIME + hours * HOUR
            store.add(document(STATIONS, end), end)
            found = troubles(end)
            began = time.perf_counter()
            with store.transaction():
                keep(store, settings, Run("detector", end - 6 * HOUR, end, judged, end), found)
            yield time.perf_counter() - began
        assert len(store.incidents.find(IncidentFilter(states=ACTIVE))) == OPEN


def listing(db: str) -> float:
    """The CPU seconds of `weather-tool incidents list`."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    environment = {**os.environ, "WEATHER_DB": db, "WEATHER_ENV_FILE": "/nowhere"}
    seconds = []
    for _ in range(4):
        before = spent()
        subprocess.run([TOOL, "incidents", "list"], env=environment, capture_output=True, check=True)
        seconds.append(spent() - before)
    return min(seconds)


def figures(db: str, name: str, engine: str) -> Iterator[Figure]:
    """What a run takes, and a list when there are many."""
    open_for_writing(db).__exit__(None, None, None)
    change(db, _CLOSED[engine])
    change(db, "ANALYZE")
    yield Figure(f"A run with 2,000 open incidents, {name}", sorted(runs(db))[0], "s", 0.5)
    yield Figure(f"incidents list, 1,000,000 closed, {name}", listing(db), "s", 0.3)


def incidents_in_sqlite(folder: Path) -> Iterator[Figure]:
    """Incidents in one file."""
    yield from figures(str(folder / "weather.db"), "SQLite", "sqlite")


def incidents_in_postgresql(folder: Path) -> Iterator[Figure]:
    """Incidents on a server."""
    folder.chmod(0o755)
    server = Server(folder / "cluster")
    try:
        yield from figures(server.database("bench"), "PostgreSQL", "postgresql")
    finally:
        server.stop()


BENCHES: tuple[Callable[[Path], Iterator[Figure]], ...] = (incidents_in_sqlite, incidents_in_postgresql)
