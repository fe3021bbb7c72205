"""Sensor health of a network that is too large to be looked at in one piece: part by part."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from toolkit.detector import in_parts, sensors
from toolkit.detector.sensors import Sensor, examine
from toolkit.errors import ToolkitError, UsageError
from toolkit.model import Document, Observation, Station
from toolkit.quality.neighbours import nearest
from toolkit.settings import load
from toolkit.simulator import faults
from toolkit.simulator.faults import Faulty
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_reading, open_for_writing

END = 1_763_827_200
DAYS = 4
# Two networks too far from each other to be neighbours.
HERE = list(default_network())
THERE = [
    one._replace(station_id=f"z-{one.station_id}", longitude=None if one.longitude is None else one.longitude + 20)
    for one in HERE
]


def observed(stations: list[Station], seed: int) -> list[Observation]:
    """Four days of a network with a drift, a silent station and a stuck sensor; one value lies between two steps."""
    first, second, third, *_ = (one.station_id for one in stations)
    specs = (
        f"station={first},variable=bar,kind=drift,at=-96h,for=96h,size=12",
        f"station={second},kind=silent,at=-30h,for=30h",
        f"station={third},variable=out_hum,kind=stuck,at=-50h,for=50h",
    )
    weather = Faulty(SimulatedWeather(stations, seed), [faults.parse(one, stations, END) for one in specs])
    times = range(END - DAYS * 86400 + 1800, END + 1, 1800)
    found = [one for at in times for one in weather.at(at) if one and one.time == at]
    return [found[0]._replace(temp_out=1 / 3), *found[1:]]


def database(path: Path, *networks: list[Station]) -> str:
    with open_for_writing(str(path)) as store:
        for seed, stations in enumerate(networks, start=4 if networks[0] is HERE else 5):
            store.add(Document(stations, observed(stations, seed)), END)
    return str(path)


def looked_at(db: str, only: str | None = None) -> dict[tuple[str, str], Sensor]:
    with open_for_reading(db) as store, store.snapshot():
        found = examine(
            store, load({}, {"WEATHER_DB": db, "WEATHER_CADENCE_SECONDS": "1800"}).settings, END, DAYS, only
        )
    order = [("critical", "warning", "healthy").index(one.state) for one in found.sensors]
    assert order == sorted(order)
    return {(one.station_id, one.variable): one for one in found.sensors}


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is of the stations of one of the two networks."""
    for name in ("STATION_DAYS", "PART_STATION_DAYS"):
        monkeypatch.setattr(sensors, name, len(HERE) * DAYS)
    monkeypatch.setattr(sensors, "LEAST_STATIONS", 1)


def test_each_part_is_judged_as_if_it_were_the_network(tmp_path: Path, small_parts: None) -> None:
    alone = looked_at(database(tmp_path / "here.db", HERE)) | looked_at(database(tmp_path / "there.db", THERE))
    both = database(tmp_path / "both.db", HERE, THERE)
    found = looked_at(both)
    assert found == alone
    wrong = {sensor for sensor, one in found.items() if one.state != "healthy"}
    for network in (HERE, THERE):
        assert (network[0].station_id, "bar") in wrong
        assert (network[2].station_id, "out_hum") in wrong
        assert {(network[1].station_id, name) for name in ("temp_out", "bar")} <= wrong
    some = THERE[0].station_id
    assert looked_at(both, some) == {sensor: one for sensor, one in alone.items() if sensor[0] == some}
    with pytest.raises(UsageError, match="there is no station 'nowhere'"):
        looked_at(both, "nowhere")


def test_parts_are_of_all_stations_with_their_neighbours() -> None:
    stations = [
        Station(
            f"s{number:03}", None, None, None if number % 50 == 7 else 38 + number * 37 % 101 / 20, number / 10, None
        )
        for number in range(300)
    ]
    near = nearest(stations, 60, 500)
    parts = in_parts.cut(stations, [near], 40)
    assert sorted(row for part in parts for row in part.own.tolist()) == [*range(300)]
    assert max(len(part.own) for part in parts) <= 40
    for part in parts:
        rows = {*part.rows.tolist()}
        for row in part.own.tolist():
            assert {row, *near.rows[row][near.exists[row]].tolist()} <= rows
    # Parts are compact: most of what is near a station is in its own part.
    assert sum(len(part.rows) for part in parts) < 2 * len(stations)


def test_no_room_for_what_was_read_is_said(tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    db = database(tmp_path / "both.db", HERE, THERE)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(ToolkitError, match=r"28 stations .* does not fit into /.*: no space left .* TMPDIR"):
        looked_at(db)
