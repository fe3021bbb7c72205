"""A year with the flag of each value, as a file and as a DataFrame."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Figure
from tests.bench.process import tool
from tests.bench.storing import DAYS, START, fill
from toolkit.analysis import Database
from toolkit.simulator.network import default_network
from toolkit.store import Span, open_for_writing
from toolkit.store.flags import FlagInterval
from toolkit.variables import DETECTED

END = START + DAYS * 86400
# Intervals in which a sensor is flagged: one in six days.
INTERVALS = 60


def flag(path: Path) -> None:
    """Put flags into a database of a year: all of it was judged, and each sensor is flagged now and then."""
    chance = random.Random(1)
    found = []
    for station in default_network():
        for variable in DETECTED:
            for start in sorted(chance.sample(range(START, END, 3 * 3600), INTERVALS)):
                said = chance.choice(((3, "step"), (4, "persistence")))
                found.append(FlagInterval(station.station_id, variable, start, start + 2 * 3600, *said))
    with open_for_writing(str(path)) as store, store.transaction():
        store.flags.replace(Span(START - 600, END), END + 3600, DETECTED, found)


def a_year_with_flags(folder: Path) -> Iterator[Figure]:
    """The time that the command takes as a whole, and its memory; the time of a DataFrame."""
    path = folder / "weather.db"
    fill(path)
    flag(path)
    words = ["data", "export", str(folder / "year.csv"), "--qc", "flags", "--db", str(path)]
    used = tool(*words)
    assert used.exit_code == 0, used
    size = (folder / "year.csv").stat().st_size / 1e6
    yield Figure("14 stations for a year, with flags, as CSV", used.seconds, "s", 5, against=f"{size:,.0f} MB")
    yield Figure("memory for it", used.megabytes, "MB", 200)
    with Database(path) as database:
        began = time.perf_counter()
        rows = len(database.observations(qc="flags"))
        yield Figure("the same as a DataFrame", time.perf_counter() - began, "s", 2, against=f"{rows:,} rows")


BENCHES = (a_year_with_flags,)
