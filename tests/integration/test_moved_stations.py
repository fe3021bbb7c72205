"""Stations that moved, and the past, which is judged with the place where they stood."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import netCDF4
import pytest

from tests.conftest import TOOL, Run
from toolkit.model import Document, Observation, Station
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import Store, open_for_reading, open_for_writing
from toolkit.times import iso_of

BEGIN = 1_763_740_800  # 2025-11-21 16:00:00 UTC
MOVED = BEGIN + 4 * 3600
END = BEGIN + 8 * 3600
STEP = 600
THERE = default_network()
(VOLOS,) = [one for one in THERE if one.station_id == "volos"]
# Fifty kilometres to the west, and a thousand metres up.
HIGHER = VOLOS._replace(longitude=(VOLOS.longitude or 0) - 0.58, elevation=(VOLOS.elevation or 0) + 1000)
AFTER = [HIGHER if one is VOLOS else one for one in THERE]


def weather(first: int, end: int) -> Iterator[Observation]:
    """What the network measures after `first`, volos from `MOVED` on at its new place."""
    before, after = SimulatedWeather(THERE, 1), SimulatedWeather(AFTER, 1)
    for at in range(first + STEP, end + 1, STEP):
        yield from (one for one in (after if at >= MOVED else before).at(at) if one)


def collected(db: str, *, told: bool = True) -> None:
    """A database with three days before the move and four hours after it, told by the feed or not."""
    with open_for_writing(db) as store:
        store.add(Document(THERE, list(weather(BEGIN - 60 * 3600, MOVED - STEP))), MOVED - STEP)
        for at in range(MOVED, END + 1, STEP):
            store.add(Document(AFTER if told else THERE, list(weather(at - STEP, at))), at + 30)


def alarms(run: Run, db: str, end: float, *words: str) -> list[tuple[str, str, str]]:
    done = run("detect", "--end", iso_of(end), "--json", *words, WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    return [
        (one["station_id"], one["variable"], one["test"])
        for one in json.loads(done.stdout)["anomalies"]
        if one["class"] != "weather_event"
    ]


def test_a_station_that_moved_is_no_fault(run: Run, db: str) -> None:
    collected(db)
    for end in (MOVED, MOVED + 3600, END):
        assert alarms(run, db, end) == []


def test_a_move_of_which_nobody_tells_is_one(run: Run, db: str) -> None:
    collected(db, told=False)
    assert {sensor[:2] for sensor in alarms(run, db, END)} >= {("volos", "temp_out")}


def test_the_first_observation_at_the_new_place_is_of_it(db: str) -> None:
    collected(db)
    with open_for_reading(db) as store:
        assert [one.since for one in store.records.history("volos")] == [MOVED, MOVED - STEP]
        assert [place.since for place in store.changes().places["volos"]] == [float("-inf"), MOVED]


def tell(store: Store, at: float, place: Station) -> None:
    store.add(Document([place], []), at)


@pytest.mark.parametrize(
    ("what", "sites"),
    [
        ({"latitude": 39.3668}, 1),  # as far as the next whole minute
        ({"elevation": 450.0}, 1),  # another height of the same place
        ({"latitude": 39.39, "elevation": 20.0}, 2),
        ({"latitude": 39.366, "elevation": 152.0}, 2),
        ({"latitude": None, "longitude": None}, 1),
    ],
)
def test_what_a_move_is(db: str, what: dict[str, float], sites: int) -> None:
    before = Station("volos", None, None, 39.36, 22.94, 20.0)
    with open_for_writing(db) as store:
        tell(store, BEGIN, before)
        tell(store, MOVED, before._replace(**what))  # type: ignore[arg-type]
        places = store.changes().places.get("volos", [()])
    assert len(places) == sites


def test_a_place_that_a_feed_tells_by_mistake_is_none(db: str) -> None:
    with open_for_writing(db) as store:
        for at, place in enumerate((VOLOS, HIGHER, VOLOS, HIGHER, VOLOS)):
            tell(store, BEGIN + at * STEP, place)
        assert store.changes().places == {}
        tell(store, BEGIN + 10 * STEP, HIGHER)
        assert [one.elevation for one in store.changes().places["volos"]] == [VOLOS.elevation, HIGHER.elevation]


def declare(run: Run, db: str, content: str | bytes, *words: str, named: str = "-") -> tuple[int, str, str]:
    body = content if isinstance(content, bytes) else content.encode()
    done = subprocess.run(
        [TOOL, "stations", "import", named, "--by", "maria", *words],
        env={**os.environ, "WEATHER_DB": db}, input=body, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def stations_of(run: Run, db: str) -> dict[str, dict[str, object]]:
    done = run("data", "stations", "--json", WEATHER_DB=db)
    return {one["station_id"]: one for one in json.loads(done.stdout)}


def test_a_move_that_was_a_correction_applies_to_the_past(run: Run, db: str) -> None:
    with open_for_writing(db) as store:
        tell(store, BEGIN, VOLOS)
        tell(store, MOVED, HIGHER)
        assert len(store.changes().places["volos"]) == 2
    done = run("stations", "correct", "volos", "--by", "maria", WEATHER_DB=db)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "volos: always at 39.3745, 22.3819, 1052 m")
    with open_for_writing(db) as store:
        (place,) = store.changes().places["volos"]
        assert (place.since, place.elevation) == (float("-inf"), 1052)
        tell(store, time.time() + 60, VOLOS)  # a later move counts
        assert [one.elevation for one in store.changes().places["volos"]] == [1052, 52]
        assert store.stations()[0].elevation == 52
    assert run("stations", "correct", "volos", "--forget", "--by", "maria", WEATHER_DB=db).returncode == 0
    with open_for_reading(db) as store:
        assert [one.elevation for one in store.changes().places["volos"]] == [52, 1052, 52]


def test_what_is_declared_counts_more_than_the_feed(run: Run, db: str) -> None:
    with open_for_writing(db) as store:
        tell(store, BEGIN, VOLOS)
    words = ("--latitude", "39.5", "--longitude", "22.5", "--elevation", "900", "--by", "maria")
    assert run("stations", "correct", "volos", *words, WEATHER_DB=db).returncode == 0
    with open_for_writing(db) as store:
        for at in range(3):
            tell(store, MOVED + at * STEP, VOLOS)
        assert store.stations()[0][3:6] == (39.5, 22.5, 900)
        assert len(store.records.history("volos")) == 1


PLAIN = """station_id,wigos_id,latitude,longitude,elevation,valid_from,valid_to,variable,sensor
volos,0-20000-0-16665,39.2,22.8,10,,2025-11-21T20:00Z,,
volos,0-20000-0-16665,39.37,22.96,52,2025-11-21T20:00Z,,,
volos,,,,,2025-11-01,,temp_out,SHT35 no 4711
zagora,,,,,,,,
"""


def test_a_plain_csv_declares_a_history(run: Run, db: str, tmp_path: Path) -> None:
    with open_for_writing(db) as store:
        store.add(Document(THERE, []), BEGIN)
    before = run("stations", "export", WEATHER_DB=db).stdout
    dry = declare(run, db, PLAIN, "--dry-run")
    assert (dry[0], "nothing was changed" in dry[1]) == (0, True)
    assert run("stations", "export", WEATHER_DB=db).stdout == before
    assert declare(run, db, PLAIN)[:2] == (
        0,
        "CSV: 2 stations with 2 places, 1 replaced sensors and 1 WIGOS identifiers\n",
    )
    found = stations_of(run, db)["volos"]
    assert (found["wigos_id"], found["latitude"]) == ("0-20000-0-16665", 39.37)
    history = json.loads(run("stations", "history", "--json", WEATHER_DB=db).stdout)
    assert [(one["since"], one["what"], one["latitude"], one["by"]) for one in history] == [
        (None, "place", 39.2, "maria: standard input"),
        ("2025-11-21T20:00:00Z", "place", 39.37, "maria: standard input"),
        ("2025-11-01T00:00:00Z", "new sensor of temp_out: SHT35 no 4711", None, "maria: standard input"),
    ]
    kept = run("stations", "export", WEATHER_DB=db).stdout
    assert declare(run, db, before)[0] == 0
    assert run("stations", "export", WEATHER_DB=db).stdout == before
    assert stations_of(run, db)["volos"]["latitude"] == VOLOS.latitude
    assert declare(run, db, kept)[0] == 0
    assert run("stations", "export", WEATHER_DB=db).stdout == kept


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("nowhere,,39.2,22.8,10,,", "row 3: there is no station 'nowhere'"),
        ("volos,16665,39.2,22.8,10,,", "row 3: '16665' is no WIGOS identifier"),
        ("volos,,0,0,0,,", "row 3: latitude '0' and longitude '0' are no place"),
        ("volos,,39.2,22.8,9999999m,,", "row 3: elevation '9999999m' is no height"),
        ("volos,,39.2,22.8,10,yesterday,", "row 3: valid_from 'yesterday' is no time"),
        ("volos,,39.2,22.8,10,2025-11-02,2025-11-01", "row 3: valid_to '2025-11-01' is not after valid_from"),
        ("volos,,39.2,22.8,10,,\nvolos,,39.3,22.8,10,,", "row 4: the station is in two places at the same time"),
        (
            "volos,,39.2,22.8,10,,2026-01-01\nvolos,,39.3,22.8,10,2025-12-01,",
            "row 4: it begins before the end of row 3",
        ),
        ("volos,0-20000-0-16665,,,,,", "the WIGOS identifier 0-20000-0-16665 would be of two stations"),
        ("volos,,39.2,22.8,10,,,7", "row 3: it cannot be read"),
    ],
)
def test_one_bad_row_and_nothing_is_imported(run: Run, tmp_path: Path, rows: str, says: str) -> None:
    db = str(tmp_path / "weather.db")
    with open_for_writing(db) as store:
        store.add(Document(THERE, []), BEGIN)
    head = "station_id,wigos_id,latitude,longitude,elevation,valid_from,valid_to\n"
    good = "zagora,0-20000-0-16665,39.45,23.1,480,,\n"
    code, out, said = declare(run, db, head + good + rows + "\n")
    assert (code, out) == (1, "")
    assert says in said.splitlines()[0]
    assert "nothing was imported" in said.splitlines()[-1]
    assert stations_of(run, db)["zagora"]["wigos_id"] is None


OSCAR = json.dumps(
    {
        "stationSearchResults": [
            {
                "name": "VOLOS", "latitude": 39.3745, "longitude": 22.962, "elevation": 53.5,
                "wigosStationIdentifiers": [
                    {"wigosStationIdentifier": "0-300-0-V", "primary": False},
                    {"wigosStationIdentifier": "0-20000-0-volos", "primary": True},
                ],
            },
            {"name": "ELSEWHERE", "latitude": 1, "longitude": 2, "wigosStationIdentifiers": []},
            {"name": "OTHER", "latitude": 1, "longitude": 2, "wigosId": "0-20000-0-99999"},
        ]
    }
)  # fmt: skip
OSCAR_CSV = (
    "Station,Station type,WIGOS Station Identifier(s),Latitude,Longitude,Elevation\n"
    "VOLOS,Land (fixed),0-20000-0-volos|0-300-0-V,39.3745,22.962,53.5\nOTHER,,0-20000-0-9,1,2,\n"
)
WIS2BOX = (
    "station_name,wigos_station_identifier,traditional_station_identifier,facility_type,latitude,longitude,elevation\n"
    "VOLOS,0-20000-0-16665,volos,landFixed,39.3745,22.962,53.5\n"
)
WMDR = """<?xml version="1.0"?>
<wmdr:WIGOSMetadataRecord xmlns:wmdr="http://def.wmo.int/wmdr/1.0" xmlns:gml="http://www.opengis.net/gml/3.2">
<wmdr:facility><wmdr:ObservingFacility>
<gml:identifier codeSpace="http://wigos.wmo.int">http://wigos.wmo.int/0-20000-0-volos</gml:identifier>
<gml:name>VOLOS</gml:name>
<wmdr:geospatialLocation><wmdr:GeospatialLocation><wmdr:geoLocation><gml:Point><gml:pos>39.2 22.8 10</gml:pos>
</gml:Point></wmdr:geoLocation><wmdr:validPeriod><gml:TimePeriod><gml:beginPosition>1957-09-28T00:00:00
</gml:beginPosition><gml:endPosition>2025-11-21T20:00:00Z</gml:endPosition></gml:TimePeriod></wmdr:validPeriod>
</wmdr:GeospatialLocation></wmdr:geospatialLocation>
<wmdr:geospatialLocation><wmdr:GeospatialLocation><wmdr:geoLocation><gml:Point><gml:pos>39.3745 22.962 53.5</gml:pos>
</gml:Point></wmdr:geoLocation><wmdr:validPeriod><gml:TimePeriod><gml:beginPosition>2025-11-21Z</gml:beginPosition>
<gml:endPosition/></gml:TimePeriod></wmdr:validPeriod></wmdr:GeospatialLocation></wmdr:geospatialLocation>
</wmdr:ObservingFacility></wmdr:facility></wmdr:WIGOSMetadataRecord>
"""


@pytest.mark.parametrize(
    ("content", "form", "wigos_id", "places"),
    [
        (OSCAR, "JSON of OSCAR/Surface", "0-20000-0-volos", 1),
        (OSCAR_CSV, "CSV of OSCAR/Surface", "0-20000-0-volos", 1),
        (WIS2BOX, "station list of wis2box", "0-20000-0-16665", 1),
        (WMDR.replace("2025-11-21T20:00:00Z", "2025-11-21"), "WMDR", "0-20000-0-volos", 2),
    ],
)
def test_the_wmos_forms_are_read(run: Run, tmp_path: Path, content: str, form: str, wigos_id: str, places: int) -> None:
    db = str(tmp_path / "weather.db")
    with open_for_writing(db) as store:
        store.add(Document(THERE, []), BEGIN)
    code, out, said = declare(run, db, content, "--json")
    assert (code, said) == (0, "")
    assert (json.loads(out)["form"], json.loads(out)["places"]) == (form, places)
    found = stations_of(run, db)["volos"]
    assert (found["wigos_id"], found["station_name_en"], found["elevation"]) == (wigos_id, "VOLOS", 53.5)
    with open_for_reading(db) as store:
        assert len(store.changes().places["volos"]) == places


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is no JSON"),
        ('{"stations": 1}', "without stationSearchResults"),
        ("<a><b></a>", "is no XML"),
        ("<a/>", "without a wmdr:ObservingFacility"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "/etc/passwd">]><a>&x;</a>', "a DTD, which is not read"),
        ("a,b\n1,2\n", "has no header with station_id or wigos_id"),
        ("station_id,lat\nvolos,1\n", "there is no column 'lat'"),
        (OSCAR_CSV.replace("volos", "zzz"), "no row is of a station that the database has"),
        (b"\xff\xfe\x00", "has no header"),
    ],
)
def test_what_is_no_file_of_metadata(run: Run, tmp_path: Path, content: str | bytes, says: str) -> None:
    db = str(tmp_path / "weather.db")
    with open_for_writing(db) as store:
        store.add(Document(THERE, []), BEGIN)
    code, out, said = declare(run, db, content)
    assert code in {1, 2}
    assert (out, said.count("\n")) == ("", 1)
    assert says in said


def test_a_restore_loses_no_declaration(run: Run, db: str) -> None:
    with open_for_writing(db) as store:
        store.add(Document(THERE, []), BEGIN)
    assert declare(run, db, PLAIN)[0] == 0
    first = run("stations", "export", WEATHER_DB=db).stdout
    assert run("backup", "create", WEATHER_DB=db).returncode == 0
    later = PLAIN.replace("39.37", "39.38").replace("16665", "16666")
    assert declare(run, db, later)[0] == 0
    second = run("stations", "export", WEATHER_DB=db).stdout
    done = run("restore", "LATEST", WEATHER_DB=db)
    assert (done.returncode, "metadata" in done.stderr) == (0, False), done.stderr
    assert run("stations", "export", WEATHER_DB=db).stdout == second
    done = run("restore", "LATEST", "--discard-newer", WEATHER_DB=db)
    assert (done.returncode, run("stations", "export", WEATHER_DB=db).stdout) == (0, first), done.stderr


def test_a_replaced_sensor_begins_a_new_history_of_its_own(run: Run, db: str) -> None:
    source = SimulatedWeather(THERE, 1)
    alone = {"hi_temp": None, "low_temp": None, "dew_point": None}  # or the rules between variables would tell
    warmer = [
        one._replace(temp_out=(one.temp_out or 0) + 6 * (one.station_id == "volos" and at >= MOVED), **alone)
        for at in range(BEGIN - 60 * 3600, END + 1, STEP)
        for one in source.at(at)
        if one
    ]
    with open_for_writing(db) as store:
        store.add(Document(THERE, warmer), END)
    assert {sensor[:2] for sensor in alarms(run, db, END)} >= {("volos", "temp_out")}
    rows = f"volos,temp_out,{iso_of(MOVED)},SHT35\n"
    assert declare(run, db, "station_id,variable,valid_from,sensor\n" + rows)[0] == 0
    assert [one for one in alarms(run, db, END) if one[1] == "temp_out"] == []
    assert declare(run, db, "station_id\nvolos\n")[0] == 0
    assert {sensor[:2] for sensor in alarms(run, db, END)} >= {("volos", "temp_out")}


def test_a_wigos_identifier_is_shown(run: Run, tmp_path: Path) -> None:
    db = str(tmp_path / "weather.db")
    told = [one._replace(wigos_id=f"0-20000-0-{place}") for place, one in enumerate(THERE)]
    with open_for_writing(db) as store:
        store.add(Document(told, list(weather(END - 3600, END))), END)
        store.add(Document(THERE, []), END + 60)  # what a feed does not say stays
    wanted = {one.station_id: one.wigos_id for one in told}
    assert {name: one["wigos_id"] for name, one in stations_of(run, db).items()} == wanted
    assert "0-20000-0-3" in run("data", "stations", WEATHER_DB=db).stdout
    exported = json.loads(run("data", "export", "-", "--format", "geojson", WEATHER_DB=db).stdout)
    assert {one["id"]: one["properties"]["wigos_id"] for one in exported["features"]} == wanted
    done = run("data", "export", str(tmp_path / "out.nc"), WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as file:
        assert dict(zip(file["station_id"][:], file["wigos_id"][:], strict=True)) == wanted
