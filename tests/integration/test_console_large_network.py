"""The data of the network's view where the network is too large to be shown at once, on both engines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.console import Client, Console, in_europe, largest
from tests.postgresql import Server
from toolkit.model import Document, Station
from toolkit.store import open_for_writing
from toolkit.store.incidents import Incident

NUMBER = 12_000
UNPLACED, WEST = "nowhere", "far_west"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Asks a console on 12,000 stations in Europe, one at 179° W, and one that has no place; 7,000 are in trouble."""
    folder = tmp_path_factory.mktemp("large")
    db = str(folder / "weather.db")
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        db = server.database(f"large_{uuid4().hex}")
    largest(db, NUMBER)
    at = time.time()
    with open_for_writing(db) as store:
        places = [Station(UNPLACED, None, None, None, None, None), Station(WEST, None, None, 52.0, -179.0, None)]
        store.add(Document(places, []), at)
        with store.transaction():
            for number in range(7000):
                store.incidents.add(
                    Incident(
                        0, f"made_{number:05}", "bar", "data_wrong", "step", "warning" if number % 2 else "critical",
                        "open", at, at, at, None, None, at, None, None, None, 0, None, "{}",
                    )
                )  # fmt: skip
    running = Console(db, folder)
    yield running.session()
    running.stop()


def ids(answer: dict[str, Any]) -> set[str]:
    return {one["id"] for one in answer["stations"]}


def test_no_region_is_empty_and_the_worst_are_there(client: Client) -> None:
    answer = client.json("network")
    about = answer["all"]
    assert (about["number"], about["found"], about["unplaced"]) == (NUMBER + 2, NUMBER + 2, 1)
    assert about["states"] == {"critical": 3500, "warning": 3500, "silent": 2, "well": 5000}
    assert (about["box"][:2], about["box"][2] < 30) == ([-179.0, 36.0], True)
    assert abs(about["newest"] - time.time()) < 3600
    assert len(answer["stations"]) == 5000
    assert {UNPLACED, WEST} < ids(answer)
    shown = [one for one in answer["stations"] if one["id"].startswith("made")]
    there = {(round(one.latitude or 0), round(one.longitude or 0)) for one in in_europe(NUMBER)}
    # The grid lies over all stations, from 179° W on.
    assert {column for row, column in there if not column % 6} <= {round(one["longitude"]) for one in shown}
    assert {row for row, _ in there} <= {round(one["latitude"]) for one in shown}
    assert sum(one["state"] == "critical" for one in shown) == 3500
    assert all(len(one["values"]) == len(answer["variables"]) for one in shown)


def test_all_stations_of_a_box_are_told(client: Client) -> None:
    answer = client.json("network", west=10, east=14.5, south=40, north=44)
    wanted = {
        one.station_id
        for one in in_europe(NUMBER)
        if 10 <= (one.longitude or 0) <= 14.5 and 40 <= (one.latitude or 0) <= 44
    }
    assert len(wanted) > 100
    assert ids(answer) == wanted
    assert answer["all"]["found"] == len(wanted)
    assert ids(client.json("network", west=170, east=190, south=-90, north=90)) == {WEST}
    assert ids(client.json("network", west=-200, east=-175, south=-90, north=90)) == {WEST}


def test_stations_are_found_by_words_and_states(client: Client) -> None:
    assert ids(client.json("network", q="ΣΤΑΘΜΟΣ 7777")) == {"made_07777"}
    assert ids(client.json("network", q=" STATION 777")) == {"made_00777", *(f"made_0777{one}" for one in range(10))}
    assert ids(client.json("network", q="station 777", state="critical,silent")) == set()
    assert ids(client.json("network", state="silent")) == {UNPLACED, WEST}
    troubled = client.json("network", state="critical,warning")
    states = [one["state"] for one in troubled["stations"]]
    assert (troubled["all"]["found"], len(states)) == (7000, 5000)
    assert states.count("critical") > states.count("warning"), "of a cell with both the worse one is told"
    critical = client.json("network", state="critical", west=-10, east=31, south=36, north=38)
    assert {one["state"] for one in critical["stations"]} == {"critical"}


@pytest.mark.parametrize(
    "wrong", [{"west": 1}, {"west": 1, "east": 2, "south": 3}, {"west": 600}, {"q": "x" * 201}, {"further": 1}]
)
def test_a_box_that_is_none_is_refused(client: Client, wrong: dict[str, Any]) -> None:
    assert client.get("network", **wrong).status_code == 400
