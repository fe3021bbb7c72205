"""The data of a station's views, as the browser asks for them, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.databases import change, query
from tests.integration.conftest import END
from tests.integration.test_api import FIRST, HOUR, Client, fill, served
from toolkit.store import open_for_writing
from toolkit.store.incidents import Affected, Incident, Maintenance
from toolkit.store.summarising import summarise
from toolkit.times import iso_of, stored

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


def ask(console: Client, what: str, **asked: Any) -> Any:
    told = {"station": FIRST, "from": END - 3 * DAY, "to": END, **asked}
    answer = console(f"/console/data/{what}", params=told)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_rain_of_days_is_what_the_gauge_counted(console: Client) -> None:
    found = ask(console, "rain", step="day")
    rows = query(
        console.db, f"SELECT time, rain FROM observations_qc WHERE station_id = '{FIRST}' AND rain_qc < 4 ORDER BY time"
    )  # fmt: skip
    assert found["step"] == "day"
    assert len(found["time"]) == len(found["sum"]) == 4
    for start, end, total in zip(found["time"][1:-1], found["end"][1:-1], found["sum"][1:-1], strict=True):
        within = [rain for time, rain in rows if stored(start) < str(time)[:19] <= stored(end)]
        assert total == pytest.approx(sum(within), abs=0.01)  # the simulated gauge tells the amount of an interval
    hours = ask(console, "rain", step="hour")
    assert len(hours["sum"]) == 72
    assert sum(filter(None, hours["sum"])) == pytest.approx(sum(filter(None, found["sum"])), abs=0.3)
    assert ask(console, "rain", **{"from": 0, "to": 253402300799})["step"] == "month"


def test_a_rose_has_every_wind_that_did_not_fail(console: Client) -> None:
    found = ask(console, "rose")
    [(number,)] = query(
        console.db, f"SELECT COUNT(*) FROM observations WHERE station_id = '{FIRST}' AND wind_speed IS NOT NULL "
        f"AND time > '{stored(END - 3 * DAY)}'",
    )  # fmt: skip
    assert 0 < found["number"] <= number - 6  # an hour was maintenance
    assert sum(map(sum, found["share"])) + found["calm"] == pytest.approx(1, abs=0.002)
    assert [len(one) for one in found["share"]] == [16] * len(found["edges"])
    assert ask(console, "rose", **{"to": END - 2 * DAY, "from": END - 900 * DAY})["number"] > 0
    assert ask(console, "rose", **{"to": END - 800 * DAY, "from": END - 900 * DAY})["number"] == 0


def test_a_calendar_has_what_each_day_received_and_what_fails(console: Client) -> None:
    found = ask(console, "completeness", variable="temp_out")
    assert found["expected"] == 144
    assert [one % DAY for one in found["day"]] == [0] * 4
    for day, received in zip(found["day"], found["received"], strict=True):
        [(number,)] = query(
            console.db, f"SELECT COUNT(temp_out) FROM observations WHERE station_id = '{FIRST}' "
            f"AND time >= '{stored(day)}' AND time < '{stored(day + DAY)}'",
        )  # fmt: skip
        assert received == number
    assert sum(found["failed"]) == 44
    assert ask(console, "completeness")["variable"] == "all"


def test_neighbours_imply_what_a_station_would_have_measured(console: Client) -> None:
    found = ask(console, "neighbours", station="volos", variable="temp_out", **{"from": END - DAY, "to": END})
    pairs = dict(zip(found["time"], found["implied"], strict=True))
    day = series(console, station="volos")
    own = dict(zip(day["time"], day["variables"]["temp_out"]["value"], strict=True))
    apart = [abs(own[time] - value) for time, value in pairs.items() if own.get(time) is not None and value is not None]
    assert len(apart) > 90
    assert sum(apart) / len(apart) < 1
    near = found["neighbours"]
    assert near
    assert [one["km"] for one in near] == sorted(one["km"] for one in near)
    assert all(len(one["value"]) == len(found["time"]) for one in near)
    assert not any(ask(console, "neighbours", variable="wind_dir", **{"from": END - HOUR})["implied"])
    long = console("/console/data/neighbours", params={"station": FIRST, "variable": "bar", "from": 0, "to": END})
    assert long.status_code == 413


def test_a_download_has_every_observation_and_its_flags(console: Client) -> None:
    answer = console(
        "/console/data/download", params={"station": FIRST, "variables": "temp_out", "from": 0, "to": 253402300799}
    )
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{FIRST}_')
    lines = answer.text.splitlines()
    rows = query(
        console.db, f"SELECT time, temp_out, temp_out_qc FROM observations_qc WHERE station_id = '{FIRST}' ORDER BY time"
    )  # fmt: skip
    assert lines[0] == "time,station_id,temp_out,temp_out_qc"
    assert len(lines) == len(rows) + 1
    assert lines[-1] == f"{iso_of(END)},{FIRST},{rows[-1][1]},{rows[-1][2]}"
    assert console("/console/data/download", params={"station": HOSTILE, "from": 0, "to": 9}).status_code == 404


def test_years_are_shown_from_what_is_kept_of_each_day(console: Client) -> None:
    def years(to: int) -> Any:
        found = series(console, **{"from": END - 199 * DAY, "to": to, "width": 100, "variables": "temp_out,wind_dir"})
        assert found["step"] == 2 * DAY
        assert set(found["variables"]["wind_dir"]["value"]) == {None}
        return found["time"], found["variables"]["temp_out"]

    def of_days(to: int) -> Any:
        rain, calendar = (
            ask(console, what, **{"from": END - 500 * DAY, "to": to}) for what in ("rain", "completeness")
        )
        return rain, calendar["received"][-5:-1], ask(console, "completeness", to=END)["received"]

    from_observations, others = years(END), of_days(END)
    assert min(from_observations[1]["low"]) == min(filter(None, stored_values(console, 0)))
    assert others[0]["step"] == "month"
    assert sum(filter(None, others[0]["sum"])) == pytest.approx(sum(filter(None, ask(console, "rain")["sum"])), abs=1)
    assert set(others[1]) <= {0, *others[2]}
    with open_for_writing(console.db) as store:
        summarise(store, END + 3 * DAY, lambda: None)
        assert len(store.daily.days()) == 4
    assert years(END + 1) == from_observations
    assert of_days(END + 1) == others
    change(console.db, f"UPDATE daily SET high = 999 WHERE station_id = '{FIRST}' AND variable = 'temp_out'")
    assert set(years(END + 2)[1]["high"]) == {999}
