"""The data of the network's view, as the browser asks for them, on both engines."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from tests.console import Console
from toolkit.location import without_impossible_place
from toolkit.model import Document, Station
from toolkit.quality.neighbours import nearest
from toolkit.settings import load
from toolkit.store import Span, open_for_reading, open_for_writing
from toolkit.store.base import StoredAnomaly
from toolkit.store.incidents import Affected, Incident, Maintenance, Severity, State

HOUR = 3600
HOSTILE = "<b>?&/../é\u202e"


def network(console: Console, until: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
    """The stations by id, once they are so: an answer may be a second old."""
    client, end = console.session(), time.monotonic() + 30
    while not until(found := {one["id"]: one for one in client.json("network")["stations"]}):
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


def incident(station: str | None, severity: Severity, variable: str = "bar", state: State = "open") -> Incident:
    at = time.time()
    return Incident(
        0, station, variable, "data_wrong", "step", severity, state, at - HOUR, at, at - HOUR, None, None, at, None, None,
        None, 0, None, "{}",
    )  # fmt: skip


def test_stations_have_their_newest_values_and_the_state_that_a_run_gave_them(console: Console) -> None:
    answer = console.session().json("network")
    stations = {one["id"]: one for one in answer["stations"]}
    assert len(stations) == 14
    assert stations["sparti"]["state"] == "critical", "it is silent, which is an incident of its own"
    assert stations["volos"]["state"] == "warning"
    assert stations["volos"]["incidents"] == 1
    quiet = stations["heraclion"]
    assert (quiet["name_en"], quiet["name_gr"], quiet["state"], quiet["incidents"]) == (
        "Heraclion",
        "Ηράκλειο",
        "well",
        0,
    )
    assert (round(quiet["latitude"]), round(quiet["longitude"])) == (35, 25)
    latest = {
        feature["properties"]["station_id"]: feature["properties"]
        for feature in console.session().http.get(f"{console.origin}/collections/latest/items").json()["features"]
    }
    for name, one in stations.items():
        assert one["values"] == [latest[name].get(variable) for variable in answer["variables"]]
        assert one["flags"] == [latest[name].get(f"{variable}_qc") for variable in answer["variables"]]
    assert abs(time.time() - stations["volos"]["newest"]) < HOUR


def test_the_worst_that_applies_is_the_state(console: Console) -> None:
    at = time.time()
    with open_for_writing(console.db) as store, store.transaction():
        add, plan = store.incidents.add, store.incidents.plan
        add(incident("amfissa", "info"))
        add(incident("grevena", "warning", state="maintenance"))
        add(incident("pylos", "info", "all"))
        everywhere = add(incident(None, "critical"))
        store.incidents.affect([Affected(everywhere, "vlasti", at - HOUR, at)])
        plan(Maintenance(0, "embonas", "rain", at - HOUR, at + HOUR, "maria", ""))
        plan(Maintenance(0, "amfissa", "rain", at + HOUR, at + 2 * HOUR, "maria", "ahead"))
        plan(Maintenance(0, "kolympari", "rain", at - 2 * HOUR, at - HOUR, "maria", "over"))
        store.record(
            Span(at - HOUR, at),
            ["zagora"],
            [StoredAnomaly("zagora", "rain", at - HOUR, at, "weather_event", "", 1, 0, 9, "")],
        )
    expected = {
        "amfissa": "well",
        "grevena": "maintenance",
        "vlasti": "critical",
        "embonas": "maintenance",
        "kolympari": "well",
        "zagora": "weather",
    }
    network(console, lambda found: all(found[name]["state"] == state for name, state in expected.items()))


def test_a_new_station_is_silent_and_one_that_is_worked_at_is_not(console: Console) -> None:
    at = time.time()
    places = [Station(HOSTILE, HOSTILE, None, 0.0, 0.0, None), Station("moved", "Moved", None, 39.4, 22.9, 9999.0)]
    with open_for_writing(console.db) as store:
        store.add(Document(places, []), at)
        with store.transaction():
            store.incidents.plan(Maintenance(0, "moved", "all", at - HOUR, at + HOUR, "maria", ""))
    found = network(console, lambda found: HOSTILE in found and "moved" in found)
    assert found["moved"]["state"] == "maintenance"
    assert found["moved"]["elevation"] is None
    new = found[HOSTILE]
    assert (new["state"], new["latitude"], new["newest"], new["values"]) == ("silent", None, None, [])
    assert new["name_en"] == "<b>?&/../é", "no character that turns the direction of text"
    client = console.session()
    assert client.json("network/neighbours", station=HOSTILE) == []


def test_the_neighbours_are_those_that_the_detector_asks(console: Console) -> None:
    client = console.session()
    with open_for_reading(console.db) as store:
        stations = [without_impossible_place(one) for one in store.stations()]
    settings = load({}, {"WEATHER_DB": console.db, "WEATHER_ENV_FILE": os.devnull}).settings
    all_of = nearest(stations, settings.neighbour_km, settings.neighbour_elevation_m)
    ids = [one.station_id for one in stations]
    for row, name in enumerate(ids):
        expected = [ids[place] for place in all_of.rows[row][all_of.close[row]]]
        assert [one["id"] for one in client.json("network/neighbours", station=name)] == expected
    missing = client.get("network/neighbours", station="nowhere")
    assert missing.status_code == 404
    assert "nowhere" in missing.json()["detail"]


def test_an_answer_that_the_browser_has_is_not_sent_again(console: Console) -> None:
    client = console.session()
    first = client.get("network")
    client.http.headers["If-None-Match"] = first.headers["ETag"]
    assert client.get("network").status_code == 304


def test_the_land_is_as_detailed_as_its_box(console: Console) -> None:
    client = console.session()
    box = {"west": 20, "east": 28, "south": 34, "north": 42}
    near = client.json("land", **box)
    for ring in near["land"]:
        x = [one * near["step"] for one in accumulate(ring[0::2])]
        y = [one * near["step"] for one in accumulate(ring[1::2])]
        assert 20 - 0.01 <= min(x) <= max(x) <= 28 + 0.01
        assert 34 - 0.01 <= min(y) <= max(y) <= 42 + 0.01
    assert len(near["land"]) > 40, "the islands of the Aegean"
    assert near["borders"], "that of Greece and Turkey"
    assert inside(near, 22.0, 39.5), "Thessaly"
    assert not inside(near, 25.0, 38.0), "the Aegean"
    far = client.json("land", west=-180, east=180, south=-85, north=85)
    assert inside(far, 22.0, 39.5)
    assert inside(client.json("land", west=340, east=400, south=30, north=60), 22.0 + 360, 39.5), "beyond 180°"
    for wrong in ({"east": 19}, {"north": 3}, {"west": "nan"}, {"west": 1000}, {"further": 1}):
        assert client.get("land", **{**box, **wrong}).status_code == 400


def inside(answer: dict[str, Any], longitude: float, latitude: float) -> bool:
    """Whether a place is on land, by the even-odd rule."""
    crossings = 0
    for ring in answer["land"]:
        x = [one * answer["step"] for one in accumulate(ring[0::2])]
        y = [one * answer["step"] for one in accumulate(ring[1::2])]
        for (x1, y1), (x2, y2) in zip(
            zip(x, y, strict=True), zip([*x[1:], x[0]], [*y[1:], y[0]], strict=True), strict=True
        ):
            if (y1 > latitude) != (y2 > latitude) and longitude < x1 + (latitude - y1) / (y2 - y1) * (x2 - x1):
                crossings += 1
    return crossings % 2 == 1
