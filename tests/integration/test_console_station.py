"""The data of a station's view, as the browser asks for them, on both engines."""

from __future__ import annotations

import time

from tests.console import Console
from tests.databases import change
from toolkit.model import Document, Station
from toolkit.store import open_for_reading, open_for_writing

HOUR = 3600
HOSTILE = "<b>?&/../é"


def test_a_station_is_known_with_its_newest_observation(console: Console) -> None:
    found = console.session().json("station", station="volos")
    assert (found["name"], found["name_gr"], found["state"]) == ("Volos", "Βόλος", "warning")
    assert found["oldest"] < found["newest"] <= time.time()
    assert {"temp_out", "bar", "rain"} <= set(found["measures"])
    with open_for_reading(console.db) as store:
        newest = next(one for one in store.latest() if one.station_id == "volos")
        described = next(one for one in store.stations() if one.station_id == "volos")
    assert {name: getattr(newest, name) for name in found["values"]} == found["values"]
    (now,) = found["history"]
    assert (now["name_gr"], now["latitude"], now["elevation"]) == ("Βόλος", described.latitude, described.elevation)


def test_a_station_that_has_moved_tells_where_it_was(console: Console) -> None:
    at = int(time.time())
    with open_for_writing(console.db) as store:
        for hours, elevation in ((2, 10.0), (1, 25.0)):
            station = Station(HOSTILE, "Moved", None, 200.0, 22.0, elevation)
            store.add(Document([station], []), at - hours * HOUR)
    client, end = console.session(), time.monotonic() + 30
    while (answer := client.get("station", station=HOSTILE)).status_code == 404:
        assert time.monotonic() < end, "an answer is at most a second old"
    found = answer.json()
    assert [(one["since"], one["elevation"]) for one in found["history"]] == [
        (at - HOUR, 25.0),
        (at - 2 * HOUR, 10.0),
    ]
    assert (found["latitude"], found["newest"], found["measures"], found["values"]) == (None, None, [], {})
    assert found["state"] == "silent"
    assert client.json("sensors", station=HOSTILE) == {"at": None, "days": None, "sensors": []}


def test_sensors_are_as_the_job_found_them(console: Console) -> None:
    console.run("sensors", "--days", "8", "--record")
    client, end = console.session(), time.monotonic() + 30
    while not (found := client.json("sensors", station="volos"))["sensors"]:
        assert time.monotonic() < end, found
    assert (round(found["days"]), found["at"] > time.time() - HOUR) == (8, True)
    temperature = found["sensors"][0]
    assert (temperature["variable"], temperature["state"]) == ("temp_out", "warning")
    assert temperature["reasons"]
    assert 0.9 < temperature["completeness"] <= 1
    assert temperature["last_good"] > time.time() - 2 * HOUR
    change(console.db, "UPDATE sensor_health SET health = '[1]' WHERE variable = 'bar'")  # of somebody else
    while (bar := next(one for one in found["sensors"] if one["variable"] == "bar"))["state"] != "unknown":
        assert time.monotonic() < end, bar
        found = client.json("sensors", station="volos")
    assert (bar["reasons"], bar["completeness"]) == ([], None)


def test_a_wrong_station_is_named(console: Console) -> None:
    for path in ("station", "sensors"):
        answer = console.session().get(path, station="vollos")
        assert (answer.status_code, "did you mean volos" in answer.json()["detail"]) == (404, True), answer.text
        assert console.session().get(path).status_code == 400
