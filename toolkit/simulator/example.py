"""A database with weeks of simulated weather, to try things on: always the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.model import Document
from toolkit.simulator import faults
from toolkit.simulator.faults import Faulty
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_writing
from toolkit.times import epoch_of

CADENCE = 600


def example_database(path: str | Path, start: str, days: int, fault: Sequence[str] = ()) -> None:
    """Write observations of the simulator's default network into a new database.

    Args:
        path: of the SQLite file.
        start: after this time, ISO 8601.
        days: for how many days.
        fault: as `weather-tool simulate --fault` has them.

    Raises:
        UsageError: there is something at the path already, a fault is none, or the time is none.
    """
    if Path(path).exists():
        raise UsageError(f"there is something at {path} already: name another file, or remove it")
    try:
        begin = int(epoch_of(start))
    except ValueError as error:
        raise UsageError(str(error)) from None
    network = default_network()
    specs = [faults.parse(one, network, begin) for one in fault]
    source = Faulty(SimulatedWeather(network, 1), specs)
    with open_for_writing(str(path)) as store:
        store.add(Document(network, []), begin)
        for day in range(begin, begin + 86_400 * days, 86_400):
            moments = range(day + CADENCE, day + 86_400 + 1, CADENCE)
            store.add(Document([], [one for moment in moments for one in source.at(moment) if one]), day + 86_400)
