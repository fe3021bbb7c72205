"""A simulated network over whose weather the detector runs hour by hour, as its timer would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from toolkit.commands import sensors
from toolkit.commands.detect import record
from toolkit.detector.run import detect
from toolkit.detector.sensors import examine
from toolkit.model import Document, Observation, Station
from toolkit.settings import Settings, load
from toolkit.simulator import faults
from toolkit.simulator.faults import Faulty
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.incidents import Action, Affected, Incident, IncidentFilter

BEGIN = 1_763_740_800  # 2025-11-21 16:00:00 UTC
PAST_HOURS = 48
EVERYTHING = IncidentFilter(parts=True)


class Kept:
    """Weather of which every time is made once: tests look at the same days again and again."""

    def __init__(self, source: SimulatedWeather) -> None:
        self.stations = source.stations
        self.at: Callable[[int], list[Observation | None]] = cache(source.at)


@cache
def usual_weather() -> Kept:
    """The weather of the default network, for all tests of a process."""
    return Kept(SimulatedWeather(default_network(), 1))


class Network:
    """Stations whose observations arrive hour by hour.

    Args:
        db: a value of WEATHER_DB, of a database that is empty.
        specs: the faults, as `weather-tool simulate --fault` has them; times are from `BEGIN` on.
        stations: other stations than the default network's.
        hours: how many hours of observations there are before `BEGIN`.
        settings: settings that are not the defaults, as in the environment.
    """

    def __init__(
        self, db: str, *specs: str, stations: Sequence[Station] = (), hours: int = PAST_HOURS, **settings: str
    ) -> None:
        self.settings: Settings = load(environ={"WEATHER_DB": db, **settings}).settings
        source = SimulatedWeather(list(stations), 1) if stations else usual_weather()
        self.stations = list(source.stations)
        self._source = Faulty(source, [faults.parse(one, self.stations, BEGIN) for one in specs])
        self.now = BEGIN - hours * 3600
        with open_for_writing(self.settings.db) as store:
            store.add(Document(self.stations, []), self.now)
        self.observe(hours)

    def observe(self, hours: int) -> None:
        """Let so many hours of observations arrive."""
        steps = range(self.now + 600, self.now + hours * 3600 + 1, 600)
        self.arrive([one for step in steps for one in self._source.at(step) if one])
        self.now += hours * 3600

    def arrive(self, observations: Iterable[Observation]) -> None:
        """Put observations into the database."""
        with open_for_writing(self.settings.db) as store:
            store.add(Document([], list(observations)), self.now)

    def detect(self, end: float | None = None, only: str | None = None) -> None:
        """A detection run, as `weather-tool detect` makes it."""
        with open_for_reading(self.settings.db) as store, store.snapshot():
            report = detect(store, self.settings, end or self.now, only)
        record(self.settings, report, self.now, [only] if only else None)

    def examine(self) -> None:
        """A look at the sensors' health, as `weather-tool sensors --record` has it."""
        with open_for_reading(self.settings.db) as store, store.snapshot():
            health = examine(store, self.settings, self.now, 30)
        sensors.record(self.settings, health, self.now, 30, whole=True)

    def run(self, hours: int) -> None:
        """Let hours pass, with a detection run after each."""
        for _ in range(hours):
            self.observe(1)
            self.detect()

    def incidents(self, wanted: IncidentFilter = EVERYTHING) -> list[Incident]:
        """The incidents, the oldest first."""
        with open_for_reading(self.settings.db) as store:
            return store.incidents.find(wanted)[::-1]

    def history(self, incident: Incident) -> list[Action]:
        """What happened to one."""
        with open_for_reading(self.settings.db) as store:
            return store.incidents.history(incident.id)

    def affected(self, incident: Incident) -> list[Affected]:
        """Its stations, if it is one of the network."""
        with open_for_reading(self.settings.db) as store:
            return store.incidents.affected([incident.id])
