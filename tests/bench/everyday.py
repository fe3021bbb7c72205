"""What is done every minute, in a large network of which a fifth was taken down long ago."""

from __future__ import annotations

import gc
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from tests.bench.figure import Figure
from tests.bench.process import tool
from toolkit.checks.host import Host
from toolkit.exporter.checks import CheckResults
from toolkit.exporter.metrics import Weather
from toolkit.model import Document, Observation, Station
from toolkit.settings import load
from toolkit.store import Selection, open_for_reading, open_for_writing

TIME = 1_763_827_200
SLOTS = 36
RETIRED_DAYS = 60


def document(names: list[str], at: int) -> Document:
    return Document(
        [Station(name, None, None, 38.0, 23.0, None) for name in names],
        [Observation(at, name, 13.9, 14.1, 13.7, 60.0, 1016.4, 0.2, 3.2, 22.5, "NNE", 6.4, 0.0, "N") for name in names],
    )


def fill(path: Path, reporting: int, retired: int, slots: int = SLOTS, since: int = TIME) -> None:
    long_ago = since - RETIRED_DAYS * 86400
    with open_for_writing(str(path)) as store:
        store.add(document([f"old{number:05d}" for number in range(retired)], long_ago), long_ago)
        for at in range(since, since + 600 * slots, 600):
            store.add(document([f"s{number:05d}" for number in range(reporting)], at), at)
        store.tidy(lambda: None)


def cpu(call: Callable[[], object]) -> float:
    """The CPU seconds of a call that was made before."""
    call()
    gc.freeze()  # what the other benches import is not looked through within the call
    began = time.process_time()
    call()
    return time.process_time() - began


def scrape(path: Path) -> float:
    registry, weather = CollectorRegistry(), Weather(load({}, {"WEATHER_DB": str(path)}).settings, CheckResults())
    weather.count()
    registry.register(weather)
    return cpu(lambda: generate_latest(registry))


def every_minute(folder: Path) -> Iterator[Figure]:
    """The newest observation of each station, a scrape, and what the health check asks."""
    small, path = folder / "small.db", folder / "weather.db"
    fill(small, 14, 3)
    fill(path, 8_000, 2_000)
    with open_for_reading(str(path)) as store:
        newest = cpu(store.latest)
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT COUNT(*) FROM observation").fetchone()[0]
    scan = cpu(lambda: connection.execute("SELECT station, MAX(time) FROM observation GROUP BY station").fetchall())
    connection.close()
    against = f"a look at all {rows:,} rows: {scan * 1000:,.0f} ms"
    yield Figure("newest of 10,000 stations, 2,000 retired, CPU", newest * 1000, "ms", 150, against=against)
    yield Figure("scrape of 14 stations, CPU", scrape(small) * 1000, "ms", 20)
    yield Figure("scrape of 10,000 stations, 2,000 retired, CPU", scrape(path) * 1000, "ms", 600)
    loaded = load({}, {"WEATHER_DB": str(path)})
    asked = cpu(lambda: Host(loaded).latest)
    yield Figure("the same as the health check asks, CPU", asked * 1000, "ms", 200)


def hundred_thousand(folder: Path) -> Iterator[Figure]:
    """What is read of 100,000 stations, and one of them."""
    path = folder / "weather.db"
    number, slots = 100_000, 4
    names = [f"s{one:06d}" for one in range(number)]
    with open_for_writing(str(path)) as store:
        for slot in range(slots):
            for first in range(0, number, 5000):
                store.add(document(names[first : first + 5000], TIME + 600 * slot), TIME + 600 * slot)
        store.tidy(lambda: None)
    with open_for_reading(str(path)) as store:
        yield Figure("newest of 100,000 stations, CPU", cpu(store.latest) * 1000, "ms", 1500)
        yield Figure("the times of these, CPU", cpu(store.latest_times) * 1000, "ms", 400)
        yield Figure("100,000 stations, CPU", cpu(store.stations) * 1000, "ms", 300)
        one = Selection(stations=[names[777]])
        read = cpu(lambda: [*store.observations(one)])
    with closing(sqlite3.connect(path)) as connection:
        scan = cpu(lambda: connection.execute("SELECT * FROM observation NOT INDEXED WHERE bar = 0").fetchall())
    against = f"through all {number * slots:,} rows: {scan * 1000:,.0f} ms"
    yield Figure("one of 100,000 stations by its times, CPU", read * 1000, "ms", 10, against=against)


def of_a_hundred_thousand(folder: Path) -> Iterator[Figure]:
    """The same, of 100,000 stations, of which a fifth was taken down, and the others are silent since six hours.

    Each fifth has an incident of which nobody took notice. Processes are measured against those of 14 stations.
    """
    small, path = folder / "small.db", folder / "weather.db"
    since = int(time.time()) // 600 * 600 - 6 * 3600
    fill(small, 14, 3, slots=3, since=since)
    fill(path, 80_000, 20_000, slots=3, since=since)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO incidents (station_id, variable, kind, symptoms, severity, state, started, ended, opened, "
            "judged, reopened, evidence) SELECT station_id, 'temp_out', 'data_wrong', 'spatial', 'warning', 'open', "
            "at, at, at, at, 0, '{}' FROM stations, (SELECT datetime('now', '-5 days') AS at) WHERE number % 5 = 0"
        )
    yield Figure("scrape of 100,000 stations, CPU", scrape(path) * 1000, "ms", 600)
    for command, bound in (("healthcheck", 150), ("doctor", 300)):
        few, many = (
            min(tool(command, WEATHER_DB=str(db), WEATHER_ENV_FILE=os.devnull).cpu for _ in range(3))
            for db in (small, path)
        )
        against = f"{few * 1000:,.0f} ms, beyond which it is counted"
        yield Figure(f"{command} of 100,000 stations, CPU", (many - few) * 1000, "ms", bound, against=against)


BENCHES = (every_minute, hundred_thousand, of_a_hundred_thousand)
