"""The data of a station's views, as the browser asks for them, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.databases import query
from tests.integration.conftest import END
from tests.integration.test_api import FIRST, HOUR, Client, fill, served
from toolkit.store import open_for_writing
from toolkit.store.incidents import Affected, Incident, Maintenance
from toolkit.times import stored

DAY = 86_400
HOSTILE = '<b>"evil"</b>/../?x=1&y'


def trouble(db: str) -> None:
    """An incident of a sensor, one of the network, and maintenance."""
    with open_for_writing(db) as store, store.transaction():
        one = Incident(
            0, FIRST, "temp_out", "data_wrong", "spatial", "warning", "open", END - 6 * HOUR, END, END - 5 * HOUR,
            None, None, END, None, None, None, 0, None, "{}",
        )  # fmt: skip
        store.incidents.add(one)
        over = one._replace(station_id=None, kind="data_missing", state="resolved", resolved=END, ended=END - 10 * HOUR)
        number = store.incidents.add(over._replace(started=END - 12 * HOUR, variable="all"))
        store.incidents.affect([Affected(number, FIRST, END - 11 * HOUR, END - 10 * HOUR)])
        store.incidents.plan(Maintenance(0, FIRST, "all", END - 20 * HOUR, END - 19 * HOUR, "eleni", "<i>mast</i>"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def console(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, good_weather: Path
) -> Iterator[Client]:
    """A service on three days of good weather, of either engine."""
    folder = tmp_path_factory.mktemp("console")
    db = str(folder / "weather.db")
    if request.param == "postgresql":
        db = request.getfixturevalue("postgresql").database(f"console_{uuid4().hex}")
    fill(db, good_weather)
    trouble(db)
    environment = {"PATH": "/usr/bin:/bin", "WEATHER_ENV_FILE": str(folder / "none"), "WEATHER_DB": db}
    with served(environment, folder, WEATHER_REPORTS=str(folder / "reports")) as client:
        yield client


def series(console: Client, **asked: Any) -> Any:
    told = {"station": FIRST, "from": END - DAY, "to": END, "variables": "temp_out", **asked}
    answer = console("/console/data/series", params=told)
    assert answer.status_code == 200, answer.text
    return answer.json()


def stored_values(console: Client, start: int, name: str = "temp_out") -> list[float | None]:
    rows = query(
        console.db, f"SELECT {name} FROM observations WHERE station_id = '{FIRST}' AND time > '{stored(start)}' "
        f"AND time <= '{stored(END)}' ORDER BY time",
    )  # fmt: skip
    return [row[0] for row in rows]


def test_a_day_has_each_observation(console: Client) -> None:
    found = series(console, variables="temp_out,wind_dir")
    assert found["step"] == 0
    assert found["time"][0] == END - DAY + 600
    assert found["time"][-1] == found["newest"] == END
    for name in ("temp_out", "wind_dir"):
        assert found["variables"][name]["value"] == pytest.approx(stored_values(console, END - DAY, name))
        assert not {"low", "high"} & found["variables"][name].keys()


def test_a_long_span_keeps_the_least_and_the_greatest_of_each_bucket(console: Client) -> None:
    found = series(console, **{"from": END - 3 * DAY, "width": 60})
    assert found["step"] == 2 * HOUR
    assert len(found["time"]) <= 60 + 1
    temperature, whole = found["variables"]["temp_out"], stored_values(console, END - 3 * DAY)
    assert min(temperature["low"]) == min(value for value in whole if value is not None)
    assert max(temperature["high"]) == max(value for value in whole if value is not None)
    bucket = found["time"][5] - HOUR
    [expected] = query(
        console.db, "SELECT MIN(temp_out), MAX(temp_out), AVG(temp_out) FROM observations "
        f"WHERE station_id = '{FIRST}' AND time >= '{stored(bucket)}' AND time < '{stored(bucket + 2 * HOUR)}'",
    )  # fmt: skip
    assert [temperature[key][5] for key in ("low", "high", "value")] == pytest.approx(expected, abs=0.001)
    moved = series(console, **{"from": END - 3 * DAY - 600, "to": END - 600, "width": 60})
    assert moved["time"][5] in found["time"]  # buckets stay where they are while a view is moved


def test_flags_are_intervals_with_what_decided(console: Client) -> None:
    found = series(console, variables="temp_out,out_hum,bar")["variables"]
    assert found["temp_out"]["flags"] == [
        [END - 20 * HOUR, END - 19 * HOUR, 4, "maintenance"],
        [END - 6 * HOUR, END, 4, "spatial"],
    ]
    assert found["out_hum"]["flags"][-1] == [END - 3 * HOUR, END - HOUR, 3, "step"]
    reduced = series(console, **{"from": END - 3 * DAY, "width": 60})["variables"]["temp_out"]["flags"]
    assert [one[2:] for one in reduced] == [[4, "maintenance"], [4, "spatial"]]
    assert reduced[1][0] % (2 * HOUR) == 0


def test_incidents_and_maintenance_are_bands(console: Client) -> None:
    bands = {(one["kind"], one["variable"]): one for one in series(console)["bands"]}
    assert bands["incident", "temp_out"]["ended"] is None
    network = bands["incident", "all"]
    assert network["of_network"]
    assert (network["started"], network["ended"]) == (END - 11 * HOUR, END - 10 * HOUR)
    assert bands["maintenance", "all"]["note"] == "<i>mast</i>"
    assert series(console, to=END - 22 * HOUR)["bands"] == []


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"station": HOSTILE}, 404, "there is no station"),
        ({"station": FIRST[:-1]}, 404, f"did you mean {FIRST}?"),
        ({"from": END}, 400, "before the one of `to`"),
        ({"from": -5}, 400, "from='-5'"),
        ({"to": 10**15}, 400, "to="),
        ({"width": 10}, 400, "width='10'"),
        ({"variables": "temp_in"}, 400, "variables='temp_in'"),
        ({"colour": "red"}, 400, "there is no parameter 'colour' here"),
    ],
)
def test_what_cannot_be_asked_for_is_told(console: Client, asked: dict[str, Any], status: int, told: str) -> None:
    answer = console("/console/data/series", params={"station": FIRST, "from": END - DAY, "to": END, **asked})
    assert answer.status_code == status
    assert told in answer.json()["detail"]


def test_a_time_without_observations_is_empty(console: Client) -> None:
    found = series(console, **{"from": END - 900 * DAY, "to": END - 800 * DAY})
    assert found["time"] == found["variables"]["temp_out"]["value"] == []
    assert series(console, **{"from": END - 900 * DAY, "to": END - 800 * DAY, "variables": ""})["variables"] == {}
