"""Large networks: the page, and the health of sensors over weeks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tests.bench.detecting import END, database, stations
from tests.bench.figure import Figure
from tests.bench.process import tool
from toolkit import times
from toolkit.model import Document
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_writing

UNTIL = times.iso(times.from_epoch(END))
SLOTS = 144


def page_of_5000(folder: Path) -> Iterator[Figure]:
    """A page of a window, from the detection run to the last plot."""
    used = tool("report", "--html", str(folder / "page.html"), "--end", UNTIL, "--db", str(database(folder, 5_000)))
    assert used.exit_code == 0, used
    yield Figure("page of 5,000 stations", used.seconds, "s", 15, against=f"{used.cpu:.1f} s of CPU")
    yield Figure("the same, memory at most", used.megabytes, "MB", 400)


def month(path: Path, number: int, days: int) -> None:
    """Fill a database with a day of simulated weather every ten minutes, which is that of each other day, too."""
    network = stations(number)
    source = SimulatedWeather(network, seed=3)
    with open_for_writing(str(path)) as store:
        store.add(Document(network, []), END)
        for slot in range(SLOTS):
            at = END - 600 * slot
            store.add(Document([], [one for one in source.at(at) if one]), at)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    rest = ", ".join(row[1] for row in connection.execute("PRAGMA table_info(observation)") if row[1] != "time")
    day = f"FROM observation WHERE time > datetime({END - 86400}, 'unixepoch') AND time <= datetime({END}, 'unixepoch')"
    for before in range(days - 1, 0, -1):
        connection.execute(
            f"INSERT INTO observation (time, {rest}) SELECT datetime(time, '-{before} days'), {rest} {day}"
        )
    connection.close()


def sensors_of_10000(folder: Path) -> Iterator[Figure]:
    """The health of all sensors over thirty days."""
    month(folder / "weather.db", 10_000, 30)
    used = tool("sensors", "--days", "30", "--end", UNTIL, "--db", str(folder / "weather.db"))
    assert used.exit_code == 0, used
    yield Figure("sensors of 10,000 stations over 30 days", used.seconds, "s", 60, against=f"{used.cpu:.1f} s of CPU")
    yield Figure("the same, memory at most", used.megabytes, "MB", 800)


BENCHES = (page_of_5000, sensors_of_10000)
