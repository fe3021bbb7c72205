"""Feeds of other networks, from the document to the store."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Feed, Run

DATA = Path(__file__).parent.parent / "data"
METEOSWISS = (
    "station_id=Station/Location, time=Date [%Y%m%d%H%M], temp_out=tre200s0, out_hum=ure200s0, bar=prestas0, "
    "rain=rre150z0, wind_speed=fu3010z0, wind_dir=dkl010z0, hi_speed=fu3010z1"
)
NWS = (
    "station_id=stationId, station_name_en=stationName, elevation=elevation.value, time=timestamp, "
    "temp_out=temperature.value, out_hum=relativeHumidity.value, bar=barometricPressure.value [Pa], "
    "wind_speed=windSpeed.value, wind_dir=windDirection.value, hi_speed=windGust.value"
)


def stored(environment: dict[str, str], query: str) -> list[Any]:
    with sqlite3.connect(environment["WEATHER_DB"]) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def test_the_latest_values_of_meteoswiss(run: Run, feed: Feed, environment: dict[str, str], tmp_path: Path) -> None:
    feed.body = (DATA / "presets/meteoswiss.csv").read_bytes()
    (tmp_path / "stations.csv").write_text(
        "station_id,station_name_en,latitude,longitude,elevation\nABO,Adelboden,46.4917,7.5603,1321\n"
    )
    environment |= {"WEATHER_FEED_FORMAT": "csv", "WEATHER_FEED_FIELDS": METEOSWISS}
    done = run("collect", "--once", WEATHER_FEED_STATIONS=str(tmp_path / "stations.csv"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == "4 stations, 4 new observations\n"
    query = "SELECT time, station_id, temp_out, out_hum, bar, rain, wind_speed, wind_dir, hi_speed FROM observations"
    assert stored(environment, f"{query} WHERE station_id = 'ABO'") == [
        ("2020-10-23 15:30:00", "ABO", 9.4, 96.8, 867.6, 0.3, 2.5, 351.0, 5.4)
    ]
    query = "SELECT station_id, station_name_en, latitude, longitude, elevation FROM stations ORDER BY station_id"
    assert stored(environment, query)[:2] == [
        ("ABO", "Adelboden", 46.4917, 7.5603, 1321.0),
        ("AIG", None, None, None, None),
    ]


def test_nested_fields_with_units(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = (DATA / "presets/nws.geojson").read_bytes()
    done = run("collect", "--once", WEATHER_FEED_FIELDS=NWS)
    assert done.returncode == 0, done.stderr
    query = "SELECT time, station_id, temp_out, out_hum, bar, wind_speed, wind_dir, hi_speed FROM observations"
    assert stored(environment, query) == [("2026-01-31 12:53:00", "KSEA", 7.2, 83.2, 1015.6, 14.76, 180.0, None)]
    assert stored(environment, "SELECT latitude, longitude, elevation FROM stations") == [(47.44, -122.31, 137.0)]


@pytest.mark.parametrize(
    ("unit", "raw", "column", "kept"),
    [
        ("temp_out=x [°F]", 50, "temp_out", 10.0),
        ("temp_out=x [K]", 283.15, "temp_out", 10.0),
        ("out_hum=x [1]", 0.42, "out_hum", 42),
        ("bar=x [inHg]", 29.92, "bar", 1013.21),
        ("bar=x [mmHg]", 760, "bar", 1013.25),
        ("bar=x [kPa]", "101.3", "bar", 1013.0),
        ("rain=x [in]", 1, "rain", 25.4),
        ("wind_speed=x [kt]", 10, "wind_speed", 18.52),
        ("wind_speed=x [m/s]", 10, "wind_speed", 36.0),
        ("wind_speed=x [mph]", 10, "wind_speed", 16.09),
        ("temp_out=y|x", 3, "temp_out", 3.0),
    ],
)
def test_units(
    run: Run, feed: Feed, environment: dict[str, str], unit: str, raw: object, column: str, kept: float
) -> None:
    feed.body = json.dumps({"features": [{"properties": {"id": "a", "at": 1_763_827_200_000, "x": raw}}]}).encode()
    done = run("collect", "--once", WEATHER_FEED_FIELDS=f"station_id=id, time=at [ms], {unit}")
    assert done.returncode == 0, done.stderr
    assert stored(environment, f"SELECT time, {column} FROM observations") == [("2025-11-22 16:00:00", kept)]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ("temp_uot=x", "temp_uot is not stored; did you mean temp_out?"),
        ("temp_out=x [F]", "temp_out has no unit 'F': give one of °C, °F, K"),
        ("station_id=x [m]", "station_id has no unit 'm'"),
        ("time=x [hours]", "time is in 'hours': give s, ms, or a pattern such as %Y-%m-%dT%H:%M"),
        ("temp_out", "'temp_out' is not of the form OURS=THEIRS or OURS=THEIRS [UNIT]"),
        ("bar=x, bar=y", "bar is given twice"),
        ("value=x", "value is of a long table: say by variable= what names a row's variable, too"),
    ],
)
def test_a_wrong_mapping_is_refused_before_anything_is_fetched(run: Run, feed: Feed, fields: str, says: str) -> None:
    done = run("collect", "--once", WEATHER_FEED_FIELDS=fields)
    assert done.returncode == 2
    assert done.stderr == f"weather-tool: WEATHER_FEED_FIELDS={fields!r} (the environment): {says}\n"
    assert feed.requests == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            b"<html>sorry</html>",
            "the feed is no CSV with the fields station_id and time: it begins with '<html>sorry</html>'",
        ),
        (b"", "the feed is no CSV with the fields station_id and time: it begins with ''"),
        (b"station_id,time\n", "the feed holds no station: 0 rows, none with a station id"),
    ],
)
def test_what_is_no_csv_is_said(run: Run, feed: Feed, body: bytes, says: str) -> None:
    feed.body = body
    done = run("collect", "--once", WEATHER_FEED_FORMAT="csv", WEATHER_FEED_FIELDS="")
    assert done.returncode == 1
    assert done.stderr == f"weather-tool: {says}\n"


def test_rows_that_cannot_be_used_cost_the_others_nothing(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    rows = ["a,2025-11-22T16:00Z,1.5", "b,yesterday,2", "c,2025-11-22T16:00Z", "", ",2025-11-22T16:00Z,3", "d,-,4"]
    rows.append("é,2025-11-22T18:00+02:00,warm")
    feed.body = "\r\n".join(["Latest values", "", "station_id,time,temp_out", *rows]).encode("cp1252")
    done = run("collect", "--once", WEATHER_FEED_FORMAT="csv", WEATHER_FEED_FIELDS="")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "4 stations, 2 new observations, 5 left out\n"
    query = "SELECT time, station_id, temp_out FROM observations ORDER BY station_id"
    assert stored(environment, query) == [("2025-11-22 16:00:00", "a", 1.5), ("2025-11-22 16:00:00", "é", None)]


def test_the_doctor_reads_the_feed_in_its_form(run: Run, feed: Feed) -> None:
    feed.body = (DATA / "presets/meteoswiss.csv").read_bytes()
    words = ("doctor", "--area", "feed", "--all", "--json")
    form = {"WEATHER_FEED_FORMAT": "csv", "WEATHER_FEED_FIELDS": METEOSWISS}
    causes = [one["id"] for one in json.loads(run(*words, **form).stdout)["causes"]]
    assert "feed-readable" not in causes
    assert "feed-readable" in [one["id"] for one in json.loads(run(*words).stdout)["causes"]]


def test_json_whose_entries_an_expression_finds(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = json.dumps(
        {
            "generated": "2025-11-22T16:05:00Z",
            "sites": [
                {"code": "a1", "lat": 39.3, "lon": 22.9, "now": {"at": 1763827200, "t": 54.5, "p": "1 013"}},
                {"code": "b2", "now": {"at": 1763827200000, "t": 50}},
                "maintenance",
            ],
        }
    ).encode()
    fields = "station_id=code, latitude=lat, longitude=lon, time=now.at, temp_out=now.t [°F], bar=now.p"
    environment |= {"WEATHER_FEED_FORMAT": "json", "WEATHER_FEED_FIELDS": fields}
    done = run("collect", "--once", WEATHER_FEED_RECORDS="sites")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "2 stations, 1 new observations, 3 left out\n"
    assert stored(environment, "SELECT time, station_id, temp_out FROM observations") == [
        ("2025-11-22 16:00:00", "a1", 12.5)
    ]
    reshaped = "sites[?lat].{station_id: code, time: now.at, temp_out: now.t}"
    done = run("collect", "--once", WEATHER_FEED_RECORDS=reshaped, WEATHER_FEED_FIELDS="")
    assert done.stderr == "1 stations, 0 new observations, 1 corrected\n"


@pytest.mark.parametrize(
    ("format_", "records", "why"),
    [
        ("json", "sites[", "WEATHER_FEED_RECORDS=sites[: it is no JMESPath"),
        ("xml", "", "WEATHER_FEED_RECORDS=: give the path of the elements of which each is an entry"),
        ("xml", "a[1]/b", "WEATHER_FEED_RECORDS=a[1]/b: give the path"),
        ("csv", "rows", "WEATHER_FEED_RECORDS=rows: documents of the format csv have their entries in one place"),
    ],
)
def test_entries_that_cannot_be_found(run: Run, feed: Feed, format_: str, records: str, why: str) -> None:
    done = run("collect", "--once", WEATHER_FEED_FORMAT=format_, WEATHER_FEED_RECORDS=records)
    assert done.returncode == 2
    assert why in done.stderr
    assert done.stderr.count("\n") == 1
    assert not feed.requests


def test_a_long_table_in_lists_that_lie_in_others(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = json.dumps(
        {
            "data": [
                {
                    "source": {"id": "a1", "lat": 39.3, "lon": 22.9},
                    "time": "2025-11-22T16:00:00Z",
                    "observations": [
                        {"element": "air_temperature", "level": 2, "value": 286.15},
                        {"element": "air_temperature", "level": 10, "value": 280},
                        {"element": "wind", "value": "ESE"},
                        {"value": 1},
                    ],
                },
                {"source": {"id": "b2"}, "time": "2025-11-22T16:00:00Z", "observations": []},
                {"source": {"id": "c3"}},
                {
                    "source": {"id": "d4"},
                    "time": "2025-11-22T16:10:00Z",
                    "observations": {"element": "soil", "value": 9},
                },
            ]
        }
    ).encode()
    environment |= {
        "WEATHER_FEED_FORMAT": "json",
        "WEATHER_FEED_RECORDS": "data / observations",
        "WEATHER_FEED_FIELDS": "station_id=../source.id, time=../time, latitude=../source.lat, longitude=../source.lon, "
        "variable=element + level | element, temp_out=air_temperature 2 [K], wind_dir=wind",
    }
    done = run("collect", "--once")
    assert done.returncode == 2
    assert "give names with | or with +, not with both" in done.stderr
    fields = environment["WEATHER_FEED_FIELDS"].replace("element + level | element", "element")
    done = run("collect", "--once", WEATHER_FEED_FIELDS=fields.replace("air_temperature 2", "air_temperature"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == "2 stations, 1 new observations, 2 left out\n"
    query = "SELECT time, station_id, temp_out, wind_dir FROM observations"
    assert stored(environment, query) == [("2025-11-22 16:00:00", "a1", 6.85, 112.5)]
    assert stored(environment, "SELECT station_id, latitude, longitude FROM stations ORDER BY station_id") == [
        ("a1", 39.3, 22.9), ("d4", None, None),
    ]  # fmt: skip
    done = run("collect", "--once", WEATHER_FEED_FIELDS=fields.replace("variable=element", "variable=element + level"))
    assert done.returncode == 0, done.stderr
    assert stored(environment, query) == [("2025-11-22 16:00:00", "a1", 13.0, 112.5)]


def test_a_time_in_two_columns_of_a_long_table(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = b"id;Date;Time (UTC);what;number\na;22.11.25;16:00;T;13,9\na;22.11.25;16:00;RH;60\na;22.11.25;;T;9\n"
    fields = (
        "station_id=id, time=Date + Time (UTC) [%d.%m.%y %H:%M], variable=what, value=number, temp_out=T, out_hum=RH"
    )
    done = run("collect", "--once", WEATHER_FEED_FORMAT="csv", WEATHER_FEED_FIELDS=fields)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "1 stations, 1 new observations, 1 left out\n"
    assert stored(environment, "SELECT time, temp_out, out_hum FROM observations") == [
        ("2025-11-22 16:00:00", 13.9, 60.0)
    ]


def test_json_without_what_the_expression_names(run: Run, feed: Feed) -> None:
    feed.body = b'{"stations": "none today"}'
    done = run("collect", "--once", WEATHER_FEED_FORMAT="json", WEATHER_FEED_RECORDS="stations")
    assert done.returncode == 1
    assert "the feed has no list of objects at 'stations': it is a text" in done.stderr


PARALLEL = {
    "hourly": {
        "time": ["2025-11-22T16:00", "2025-11-22T17:00", "2025-11-22T18:00"],
        "temperature_2m": [13.9, 14.1],
        "model": "x",
    }
}


def test_parallel_lists(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    """The values of one place belong together; where a list is shorter nothing was measured."""
    feed.body = json.dumps({"stations": {"a1": PARALLEL, "b2": {}, "c3": {"hourly": [1]}}}).encode()
    environment["WEATHER_FEED_FORMAT"] = "json"
    environment["WEATHER_FEED_FIELDS"] = "station_id=../key, temp_out=temperature_2m"
    done = run("collect", "--once", WEATHER_FEED_RECORDS="to_entries(stations) / rows(value.hourly)")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "1 stations, 3 new observations, 2 left out\n"
    assert stored(environment, "SELECT time, station_id, temp_out FROM observations") == [
        ("2025-11-22 16:00:00", "a1", 13.9), ("2025-11-22 17:00:00", "a1", 14.1), ("2025-11-22 18:00:00", "a1", None),
    ]  # fmt: skip
    done = run("collect", "--once", WEATHER_FEED_RECORDS="rows(stations.a1)")
    assert done.returncode == 1
    assert "0 objects" in done.stderr


XML = """<?xml version="1.0" encoding="UTF-8"?>
<aemet xmlns="urn:example"><!-- of the last hour -->
  <station id="8025" name="Alicante"><lat>38.37</lat><lon>-0.49</lon>
    <obs time="2025-11-22T16:00:00Z"><v name="T">13.9</v><v name="RH">60</v></obs>
    <obs time="2025-11-22T16:10:00Z"><v name="T">14.1</v><v name="RH">-</v></obs>
  </station>
  <station id="8026"><obs time="soon"><v name="T">9</v></obs></station>
</aemet>
"""
XML_FIELDS = (
    """station_id=../@id, station_name_en=../@name, latitude=../lat, longitude=../lon, time=@time, """
    """temp_out="v[@name='T']", out_hum="v[@name='RH']" """
)


def test_xml_whose_values_xpath_finds(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = XML.encode()
    environment |= {
        "WEATHER_FEED_FORMAT": "xml",
        "WEATHER_FEED_FIELDS": XML_FIELDS,
        "WEATHER_FEED_RECORDS": "station/obs",
    }
    done = run("collect", "--once")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "2 stations, 2 new observations, 1 left out\n"
    assert stored(environment, "SELECT time, station_id, temp_out, out_hum FROM observations ORDER BY time") == [
        ("2025-11-22 16:00:00", "8025", 13.9, 60.0),
        ("2025-11-22 16:10:00", "8025", 14.1, None),
    ]
    assert stored(environment, "SELECT station_name_en, latitude FROM stations WHERE station_id = '8025'") == [
        ("Alicante", 38.37)
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('<!DOCTYPE a [<!ENTITY b "x">]><a><station id="&b;"/></a>', "XML with a DTD"),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a><station/></a>', "XML with a DTD"),
        ("<a>" * 200 + "</a>" * 200, "nested more than 100 deep"),
        ("<a><b></a>", "the feed is not XML"),
        ("", "the feed is not XML"),
        ("<a><other/></a>", "the feed has no element station"),
    ],
    ids=["entity", "remote DTD", "deep", "broken", "empty", "another"],
)
def test_xml_that_is_not_read(run: Run, feed: Feed, body: str, why: str) -> None:
    feed.body = body.encode()
    done = run("collect", "--once", WEATHER_FEED_FORMAT="xml", WEATHER_FEED_RECORDS="station")
    assert done.returncode == 1
    assert why in done.stderr
    assert done.stderr.count("\n") == 1


def test_xml_of_names_that_are_none_without_their_prefix(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    odd = XML.replace("<aemet ", '<n:aemet xmlns:n="urn:n" n:1st="x" ').replace("</aemet>", "<n:0ame/></n:aemet>")
    feed.body = odd.encode()
    environment |= {
        "WEATHER_FEED_FORMAT": "xml",
        "WEATHER_FEED_RECORDS": "station/obs",
        "WEATHER_FEED_FIELDS": XML_FIELDS,
    }
    done = run("collect", "--once")
    assert done.returncode == 0, done.stderr


def test_xml_that_is_broken_in_the_middle(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = XML.replace("14.1</v>", "14.1<").encode()
    environment |= {
        "WEATHER_FEED_FORMAT": "xml",
        "WEATHER_FEED_FIELDS": XML_FIELDS,
        "WEATHER_FEED_RECORDS": "station/obs",
    }
    done = run("collect", "--once")
    assert done.stderr == "1 stations, 1 new observations, 1 left out\n"


def test_reports_as_airports_send_them(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = (
        b"2025/11/22 15:50\nLGAV 221550Z 03012G25KT 9999 FEW030 14/06 Q1018 NOSIG\n\n"
        b"2025/11/22 15:53\nKSEA 221553Z 00000KT 10SM CLR M02/M05 A2992 RMK AO2\n"
        b"METAR LGBL 221600Z NIL=\nMETAR LGTS 221600Z /////KT\n  9999 ///// Q////=\nLGKR 329999Z 11/10 Q1000\n"
    )
    done = run("collect", "--once", WEATHER_FEED_FORMAT="metar", WEATHER_FEED_FIELDS="")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "4 stations, 3 new observations, 2 left out\n"
    query = "SELECT time, station_id, temp_out, dew_point, bar, wind_speed, wind_dir, hi_speed FROM observations"
    assert stored(environment, f"{query} ORDER BY time, station_id") == [
        ("2025-11-22 15:50:00", "LGAV", 14.0, 6.0, 1018.0, 22.2, 30.0, 46.3),
        ("2025-11-22 15:53:00", "KSEA", -2.0, -5.0, 1013.2, 0.0, None, None),
        ("2025-11-22 16:00:00", "LGTS", None, None, None, None, None, None),
    ]


def test_coverages_of_another_service_like_ours(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = json.dumps(
        {
            "type": "CoverageCollection",
            "coverages": [
                {
                    "type": "Coverage",
                    "eumetnet:locationId": "06240",
                    "domain": {
                        "axes": {
                            "x": {"values": [4.79]},
                            "y": {"values": [52.32]},
                            "t": {"values": ["2025-11-22T16:00:00Z", "2025-11-22T16:10:00Z"]},
                        }
                    },
                    "ranges": {"ta": {"values": [9.1, None]}, "ff": {"values": [5]}},
                },
                {"type": "Coverage", "domain": {"axes": {"x": {"values": [1, 2]}, "t": {"values": [1]}}}},
            ],
        }
    ).encode()
    fields = "station_id=eumetnet:locationId, temp_out=ta, wind_speed=ff [m/s]"
    done = run("collect", "--once", WEATHER_FEED_FORMAT="coveragejson", WEATHER_FEED_FIELDS=fields)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "1 stations, 2 new observations, 1 left out\n"
    assert stored(environment, "SELECT time, temp_out, wind_speed FROM observations ORDER BY time") == [
        ("2025-11-22 16:00:00", 9.1, None),
        ("2025-11-22 16:10:00", None, None),
    ]
