"""A console that runs: a service as systemd would run it, on a network with faults whose data end now."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import requests

from tests import preloaded
from tests.collector import Service
from tests.conftest import TOOL
from tests.ports import free_port
from toolkit.commands.detect import record
from toolkit.detector.run import detect
from toolkit.model import Document, Observation, Station
from toolkit.settings import load
from toolkit.simulator import faults
from toolkit.simulator.faults import Faulty
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_reading, open_for_writing

CADENCE, HOUR, DAY = 600, 3600, 86400
# Where the sample's data end; `catch_up` brings what was measured since.
NOW = int(time.time()) // CADENCE * CADENCE
BEGIN = NOW - 8 * DAY
# A thermometer that reads too high, a silent station, a gauge that drips, two sensors that are stuck, and a wrong offset
# that is over: incidents of every severity, some active and some resolved.
FAULTS = (
    "station=volos,variable=temp_out,kind=spike,at=-30h,for=90h,size=7",
    "station=sparti,kind=silent,at=-5h,for=90h",
    "station=zagora,variable=rain,kind=dripping,at=-20h,for=6h,size=2",
    "station=vlasti,variable=bar,kind=offset,at=-50h,for=9h,size=9",
    "station=dodoni,variable=out_hum,kind=stuck,at=-14h,for=90h",
    "station=portaria,variable=wind_speed,kind=stuck,at=-26h,for=9h",
)
PASSWORD = "a long word, and another 7"
Role = Literal["viewer", "operator"]


def _weather() -> Faulty:
    stations = default_network()
    return Faulty(SimulatedWeather(stations, 1), [faults.parse(one, stations, NOW) for one in FAULTS])


def _observe(db: str, weather: Faulty, begin: int, end: int) -> None:
    """Let the observations of (begin, end] arrive."""
    steps = range(begin + CADENCE, end + 1, CADENCE)
    rows = [one for step in steps for one in weather.at(step) if one and one.time == step]
    with open_for_writing(db) as store:
        store.add(Document(list(weather.stations), []), begin)
        store.add(Document([], rows), end)


def sample(db: str) -> None:
    """Fill an empty database, of either engine: 8 days of 14 stations, of which the last 2 were watched every 6 hours."""
    weather = _weather()
    watched = range(NOW - 2 * DAY, NOW + 1, 6 * HOUR)
    _observe(db, weather, BEGIN, watched[0])
    for at in watched:
        if at > watched[0]:
            _observe(db, weather, at - 6 * HOUR, at)
        _judge(db, at)


def _judge(db: str, at: int) -> None:
    """Run the detector, as its timer does."""
    settings = load({}, {"WEATHER_DB": db, "WEATHER_ENV_FILE": os.devnull}).settings
    with open_for_reading(db) as store, store.snapshot():
        report = detect(store, settings, at)
    record(settings, report, at, None)


def catch_up(db: str) -> None:
    """Let what was measured since `NOW` arrive and be judged, so that a sample that was copied later is like a new one."""
    now = int(time.time()) // CADENCE * CADENCE
    if now > NOW:
        _observe(db, _weather(), NOW, now)
        _judge(db, now)


def in_europe(number: int) -> list[Station]:
    """So many stations, which lie all over Europe, row by row from its south-west."""
    side = int(number**0.5) + 1
    return [
        Station(
            f"made_{one:05}", f"Station {one}", f"Σταθμός {one}", round(36 + 24 * (one // side) / side, 4),
            round(-9 + 39 * (one % side) / side, 4), float(one % 900),
        )
        for one in range(number)
    ]  # fmt: skip


def large(db: str, number: int) -> None:
    """Fill an empty database with an hour of so many stations, which lie all over Europe."""
    stations = in_europe(number)
    weather = SimulatedWeather(stations, 1)
    begin = int(time.time()) // CADENCE * CADENCE - HOUR
    rows: list[Observation] = []
    for step in range(begin + CADENCE, begin + HOUR + 1, CADENCE):
        rows += [one for one in weather.at(step) if one]
    with open_for_writing(db) as store:
        store.add(Document(stations, rows), begin + HOUR)


def largest(db: str, number: int) -> None:
    """Fill an empty database with the newest observations of so many stations, of which each thousand has one weather."""
    stations, some = in_europe(number), 1000
    at = int(time.time()) // CADENCE * CADENCE
    weather = [one for one in SimulatedWeather(stations[:some], 1).at(at) if one]
    with open_for_writing(db) as store:
        for first in range(0, number, some):
            part = stations[first : first + some]
            rows = [row._replace(station_id=one.station_id) for one, row in zip(part, weather, strict=False)]
            store.add(Document(part, rows), at)


class Console:
    """A service on a database, at one address however often it is started anew.

    Args:
        db: a value of WEATHER_DB.
        folder: an empty folder of its own.
        settings: settings that are not the defaults, as in the environment.

    Attributes:
        origin: such as `http://127.0.0.1:1234`.
        root: the console's address, with a slash at its end.
    """

    def __init__(self, db: str, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.db, self.folder = db, folder
        self.origin = f"http://127.0.0.1:{self.port}"
        self.root = f"{self.origin}/console/"
        self.environment = {
            **preloaded.at_start(os.environ),
            "PATH": os.environ["PATH"],
            "WEATHER_ENV_FILE": str(folder / "none"),
            "WEATHER_DB": db,
            "WEATHER_SPOOL": str(folder / "spool"),
            "WEATHER_BACKUPS": str(folder / "backups"),
            "WEATHER_REPORTS": str(folder / "reports"),
            "WEATHER_API_ADDRESS": f"127.0.0.1:{self.port}",
            "WEATHER_API_REQUESTS_PER_MINUTE": "0",
            **settings,
        }
        self._accounts: set[str] = set()
        self.start()

    def start(self) -> None:
        """Start the service; it answers when this returns."""
        self.service = Service(self.environment, self.folder, does=("api",))
        self.service.wait_for("READY=1")

    def kill(self) -> None:
        """Kill the service, as a crash would; `start` brings it back."""
        self.service.close()

    def stop(self) -> None:
        """Stop the service as systemd does.

        Raises:
            AssertionError: it failed.
        """
        log = self.service.stop()
        self.service.close()
        assert self.service.process.returncode == 0, log

    def run(self, *words: str, said: str = "") -> str:
        """What `weather-tool` prints on the service's database; `said` is its standard input.

        Raises:
            AssertionError: the command failed.
        """
        done = preloaded.run([TOOL, *words], self.environment, said)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def account(self, name: str, role: Role = "operator") -> None:
        """See that a person has an account, whose password is `PASSWORD`."""
        if name not in self._accounts:
            self.run("accounts", "add", name, "--role", role, said=f"{PASSWORD}\n")
            self._accounts.add(name)

    def forget(self) -> None:
        """Take every account for gone, which a test has removed from the store."""
        self._accounts.clear()

    def session(self, name: str = "", role: Role = "operator") -> Client:
        """An HTTP client, of a person who has signed in, or of nobody."""
        client = Client(self)
        if name:
            self.account(name, role)
            client.sign_in(name)
        return client


class Client:
    """Asks a console over HTTP, as its pages do."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.http = requests.Session()

    def sign_in(self, name: str) -> None:
        """Begin a session, and remember its token."""
        answer = self.post("session", {"name": name, "password": PASSWORD})
        assert answer.ok, answer.text
        self.http.headers["X-CSRF-Token"] = self.json("about")["csrf"]

    def get(self, path: str, **query: Any) -> requests.Response:
        """The answer for data, such as `network`; words of the query are given by name."""
        return self.http.get(f"{self.console.root}data/{path}", params=query, timeout=30)

    def json(self, path: str, **query: Any) -> Any:
        """Data that must be there."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object) -> requests.Response:
        """The answer to an action, such as `incidents/1/acknowledge`."""
        return self.http.post(f"{self.console.root}data/{path}", json=body, timeout=30)


def copied(sample_file: Path, folder: Path) -> str:
    """A copy of an SQLite sample, brought up to now: a value of WEATHER_DB."""
    db = str(folder / f"{uuid4().hex}.db")
    shutil.copy(sample_file, db)
    catch_up(db)
    return db
