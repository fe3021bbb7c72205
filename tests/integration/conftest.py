"""A network's weather in a database, good or spoilt."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import in_one_file
from tests.console import NOW, Console, catch_up, copied
from tests.console import sample as make_sample
from tests.feeds import parse
from tests.network import usual_weather
from tests.postgresql import Server
from tests.shared import made_once
from toolkit.model import Document
from toolkit.simulator import faults
from toolkit.simulator.faults import Faulty
from toolkit.simulator.server import compose
from toolkit.store import open_for_writing

END = 1_763_827_200  # 2025-11-22 16:00:00 UTC
HOURS = 78


@pytest.fixture(scope="session")
def good_weather(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with three days and a window of good weather."""

    def make(path: Path) -> None:
        source = usual_weather()
        with open_for_writing(str(path)) as store:
            store.add(Document(list(source.stations), []), END - HOURS * 3600)
            rows = [one for step in reversed(range(HOURS * 6)) for one in source.at(END - 600 * step) if one]
            store.add(Document([], rows), END + 60)
        in_one_file(path)

    return made_once(tmp_path_factory, "good_weather.db", make)


Spoil = Callable[..., None]


@pytest.fixture
def spoil(good_weather: Path, environment: dict[str, str]) -> Spoil:
    """Good weather, with readings changed as an operator might: by SQL."""
    shutil.copy(good_weather, environment["WEATHER_DB"])

    def change(what: str, where: str, hours: float, until: float = 0) -> None:
        bounds = f"time > datetime({END}, 'unixepoch', '-{hours} hours') AND time <= datetime({END}, 'unixepoch', '-{until} hours')"
        with sqlite3.connect(environment["WEATHER_DB"]) as connection:
            sql = f"DELETE FROM observations WHERE {where} AND {bounds}"
            if what:
                sql = f"UPDATE observations SET {what} WHERE {where} AND {bounds}"
            connection.execute(sql)
        connection.close()

    return change


@pytest.fixture
def fill(environment: dict[str, str]) -> Callable[..., None]:
    """Put the hours before END into the database, as the feed would have brought them."""

    def put(*specs: str, hours: float = 6, without: tuple[str, ...] = ()) -> None:
        weather = usual_weather()
        stations = weather.stations
        source = Faulty(weather, [faults.parse(spec, stations, END) for spec in specs])
        with open_for_writing(environment["WEATHER_DB"]) as store:
            for step in reversed(range(int(hours * 6))):
                document = parse(compose(stations, source.at(END - 600 * step)))
                document.observations = [one for one in document.observations if one.station_id not in without]
                store.add(document, END - 600 * step + 60)

    return put


@pytest.fixture(scope="session")
def sample_of_postgresql(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the network of `tests.console.sample`: to be copied."""

    def make(path: Path) -> None:
        make_sample(postgresql.database("first_sample"))
        postgresql.dump("first_sample", path)

    made = made_once(tmp_path_factory, f"sample-{NOW}.dump", make)
    postgresql.database("sample")
    postgresql.load("sample", made)
    return "sample"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def console(
    request: pytest.FixtureRequest, sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Console]:
    """A service with a console for the tests of one file, on a copy of the sample in either engine."""
    folder = tmp_path_factory.mktemp("console")
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        db = server.copy(request.getfixturevalue("sample_of_postgresql"), f"console_{uuid4().hex}")
        catch_up(db)
    else:
        db = copied(sample, folder)
    running = Console(db, folder)
    yield running
    running.stop()
