"""The stores: size on disk, time to read a window, rows a second."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Figure
from tests.postgresql import Server
from toolkit.model import Document, Observation, Station
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import Span, open_for_reading, open_for_writing
from toolkit.variables import MONITORED

START = 1_448_236_800  # ten years before 2025-11-20
DAYS = 365


def a_year() -> Iterator[Document]:
    """Simulated weather of the default network every 10 minutes, a day in each document."""
    source = SimulatedWeather(default_network(), seed=1)
    for day in range(DAYS):
        begin = START + day * 86400
        seen = [one for step in range(144) for one in source.at(begin + step * 600)]
        yield Document(list(source.stations), [one for one in seen if one])


def fill(path: Path) -> None:
    """Put a year into a database."""
    with open_for_writing(str(path)) as store:
        for document in a_year():
            store.add(document, document.observations[-1].time + 60)
        store.tidy(lambda: None)


def repeat(path: Path, years: int) -> None:
    """Make the one year in a database so many: the same again, each after the other."""
    connection = sqlite3.connect(path, isolation_level=None)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(observation)")]
    rest = ", ".join(columns[1:])
    for year in range(1, years):
        moved = f"datetime(time, '{year * DAYS} days')"
        connection.execute(
            f"INSERT INTO observation SELECT {moved}, {rest} FROM observation WHERE time < datetime({START}, 'unixepoch', '{DAYS} days')"
        )
    connection.close()


def ten_years_of_sqlite(folder: Path) -> Iterator[Figure]:
    """The size of one year, and a window's reading time in ten."""
    path = folder / "weather.db"
    fill(path)
    yield Figure("14 stations for a year in SQLite", path.stat().st_size / 1e6, "MB", 60, against="the guide's: 181 MB")

    repeat(path, 10)
    with open_for_reading(str(path)) as store:
        end = START + 10 * DAYS * 86400 - 600.0
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            read = list(store.readings([Span(end - 6 * 3600, end)], MONITORED))
            seconds.append(time.perf_counter() - began)
        assert sum(part.shape[1] for part in read) == 36 * 14
        began = time.perf_counter()
        everything = (
            sqlite3.connect(path).execute("SELECT COUNT(*) FROM observation NOT INDEXED WHERE bar > 0").fetchone()[0]
        )
        scan = time.perf_counter() - began
    yield Figure(
        "6-hour window of ten years in SQLite", sorted(seconds)[2] * 1000, "ms", 20,
        against=f"all {everything:,} rows: {scan * 1000:,.0f} ms",
    )  # fmt: skip


def described_into_postgresql(folder: Path) -> Iterator[Figure]:
    """Cycles of 100,000 stations that the documents describe as well, in parts, as a collector stores them."""
    folder.chmod(0o755)
    server = Server(folder / "cluster")
    nothing = [None] * (len(Observation._fields) - 3)
    try:
        with open_for_writing(server.database("bench")) as store:
            seconds = []
            for at in (START, START + 600, START + 1200):
                documents = []
                for first in range(0, 100_000, 5000):
                    names = [f"s{number:06d}" for number in range(first, first + 5000)]
                    stations = [Station(name, name, None, 38.0, 23.0, 50.0) for name in names]
                    seen = [Observation(at, name, 13.9, *nothing) for name in names]
                    documents.append(Document(stations, seen, source="feed"))
                began = time.perf_counter()
                for document in documents:
                    store.add(document, at + 60)
                seconds.append(time.perf_counter() - began)
        rate = 100_000 / min(seconds[1:])
        yield Figure("the same, of 100,000 stations that are described", rate, "/s", 50_000, at_least=True)
    finally:
        server.stop()


def rows_into_postgresql(folder: Path) -> Iterator[Figure]:
    """New observations a second, in documents of 10,000 stations, each committed."""
    folder.chmod(0o755)
    server = Server(folder / "cluster")
    try:
        db = server.database("bench")
        documents = [
            Document(
                [],
                [
                    Observation(START + 600 * step, f"s{number:05d}", 13.9, 14.1, 13.7, 60.0, 1016.4, 0.2, 3.2, 22.5, "NNE", 6.4, 0.0, "N")
                    for number in range(10_000)
                ],
            )
            for step in range(20)
        ]  # fmt: skip
        with open_for_writing(db) as store:
            store.add(documents[0], START)
            began = time.perf_counter()
            for document in documents[1:]:
                store.add(document, START)
            seconds = time.perf_counter() - began
        yield Figure("observations a second into PostgreSQL", 190_000 / seconds, "/s", 50_000, at_least=True)
    finally:
        server.stop()


BENCHES = (ten_years_of_sqlite, rows_into_postgresql, described_into_postgresql)
