"""`weather-tool feed`: what a feed offers, and how it may be read."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.chaos.test_documents import BUFR, COVERAGEJSON, CSV, GEOJSON, JSON, METAR, WORDS, XML
from tests.conftest import Feed, Run, collection, feature
from tests.fuzzing import mutated
from tests.integration.test_feeds import METEOSWISS, NWS
from tests.integration.test_feeds import XML as NESTED
from toolkit.errors import ToolkitError
from toolkit.feed.guessing.guess import best
from toolkit.feed.guessing.samples import samples
from toolkit.mapping import parse_mapping
from toolkit.presets import names

DATA = Path(__file__).parent.parent / "data"
NOW = 1_764_000_000


def guessed(run: Run, source: Path) -> dict[str, Any]:
    done = run("feed", "guess", str(source), "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def as_pairs(text: str) -> dict[str, Any]:
    return dict(parse_mapping(text).named)


@pytest.mark.parametrize(
    ("name", "format_", "fields"),
    [("presets/meteoswiss.csv", "csv", METEOSWISS), ("presets/nws.geojson", "geojson", NWS)],
)
def test_the_configurations_of_our_documents_are_found(run: Run, name: str, format_: str, fields: str) -> None:
    found = guessed(run, DATA / name)
    assert found["settings"]["weather_feed_format"] == format_
    assert as_pairs(fields).items() <= as_pairs(found["settings"]["weather_feed_fields"]).items()


EXAMPLES = {
    "a list in JSON, in metres a second": (
        [
            {"idema": "8025", "ubi": "ALACANT", "lat": 38.3, "lon": -0.5, "alt": 81.0, "fint": "2025-11-22T16:00:00+0000"}
            | {"ta": 13.9, "hr": 60.0, "pres": 1008.2, "vv": 2.6, "dv": 351.0, "vmax": 5.1, "prec": 0.0},
            {"idema": "8026", "ubi": "ELX", "lat": 38.2, "lon": -0.7, "alt": 90.0, "fint": "2025-11-22T17:00:00+0000"}
            | {"ta": 14.1, "hr": 58.0, "pres": 1008.3, "vv": 2.1, "dv": 12.0, "vmax": 4.0, "prec": 0.2},
        ],
        "",
        "station_id=idema, time=fint, station_name_en=ubi, latitude=lat, longitude=lon, elevation=alt, temp_out=ta, "
        "out_hum=hr, bar=pres, rain=prec, wind_speed=vv, wind_dir=dv, hi_speed=vmax",
    ),
    "American units, in names and in values": (
        {"data": {"sites": [
            {"id": f"a{n}", "obs": {"epoch": 1763827200000 + 600000 * n, "tempf": 57.1 + n, "humidity": 60}}
            | {"baromin": 29.92, "windspeedmph": 5.2, "windgustmph": 9.1, "winddir": 350, "dailyrainin": 0.04}
            for n in range(4)
        ]}},
        "data.sites",
        "station_id=id, time=obs.epoch [ms], out_hum=obs.humidity, wind_dir=winddir",
    ),
    "a name that is no word": (
        {"latest values": [{"Station ID": "x", "Time": "22/11/2025 16:00", "Temp [out], °F": 55.0}]},
        '"latest values"',
        'station_id=Station ID, time=Time [%d/%m/%Y %H:%M], temp_out="Temp [out], °F" [°F]',
    ),
    "parallel lists of each station": (
        {"STATION": [
            {"STID": name, "LATITUDE": "40.7", "LONGITUDE": "-111.9", "OBSERVATIONS": {
                "date_time": ["2025-11-22T16:00:00Z", "2025-11-22T16:05:00Z"],
                "air_temp": [13.9, 14.1], "relative_humidity": [60, None], "wind_speed": [5, 6],
            }} for name in ("KSLC", "WBB")
        ]},
        "STATION / rows(OBSERVATIONS)",
        "station_id=../STID, time=date_time, latitude=../LATITUDE, temp_out=air_temp, out_hum=relative_humidity",
    ),
    "an object with a member for each station": (
        {"stations": {
            name: {"at": "2025-11-22T16:00:00Z", "lat": 38.3, "lon": -0.5, "temp": {"value": 13.9}, "humidity": 60}
            for name in ("a1", "b2", "c3")
        }},
        "to_entries(stations)",
        "station_id=key, time=value.at, latitude=value.lat, temp_out=value.temp.value, out_hum=value.humidity",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EXAMPLES)
def test_json_of_many_kinds(run: Run, tmp_path: Path, case: str) -> None:
    document, records, fields = EXAMPLES[case]
    (tmp_path / "feed.json").write_text(json.dumps(document))
    found = guessed(run, tmp_path / "feed.json")
    settings = found["settings"]
    assert settings["weather_feed_format"] == "json"
    assert settings.get("weather_feed_records", "") == records
    pairs = as_pairs(settings["weather_feed_fields"])
    assert as_pairs(fields).items() <= pairs.items(), pairs
    done = run(
        "feed", "try", str(tmp_path / "feed.json"), "--format", "json", "--records", records,
        "--fields", settings["weather_feed_fields"], "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["left_out"] == {}


def test_units_that_names_say(run: Run, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(
        "stationId,obsTimeUtc,lat,lon,temp_f,humidity,pressure_inhg,wind_speed_mph,gust_kt,rain_in,sea\n"
        "KA1,2025-11-22T16:00:00Z,47.1,-122.3,50.2,71,29.92,3.1,8,0.02,x\n"
        "KA1,2025-11-22T16:05:00Z,47.1,-122.3,50.3,71,29.92,3.1,8,0.02,x\n"
    )
    found = guessed(run, tmp_path / "feed.csv")
    pairs = as_pairs(found["settings"]["weather_feed_fields"])
    units = {stored: one.unit for stored, one in pairs.items() if one.unit}
    assert units == {"temp_out": "°F", "bar": "inHg", "wind_speed": "mph", "hi_speed": "kt", "rain": "in"}
    assert found["settings"]["weather_cadence_seconds"] == 300
    assert found["unused"] == ["sea"]
    assert found["look_at"] == []


def test_a_long_table_in_lists_that_lie_in_others(run: Run) -> None:
    found = guessed(run, DATA / "presets" / "metno-frost.json")
    assert found["settings"]["weather_feed_records"] == "data / observations"
    pairs = as_pairs(found["settings"]["weather_feed_fields"])
    wanted = (
        "variable=elementId, value=value, station_id=../sourceId, time=../referenceTime, temp_out=air_temperature, "
    )
    wanted += "out_hum=relative_humidity, bar=surface_air_pressure, wind_speed=wind_speed [m/s]"
    assert as_pairs(wanted).items() <= pairs.items(), pairs


def test_a_long_table_in_rows(run: Run, tmp_path: Path) -> None:
    rows = [("T", 53.6, "°F"), ("RH", 60, "%"), ("wind speed", 3, "m/s")]
    head = "station;time;parameter;value;unit\n"
    lines = [f"{at};2025-11-22T16:00:00Z;{name};{value};{unit}\n" for at in "ab" for name, value, unit in rows]
    (tmp_path / "feed.csv").write_text(head + "".join(lines), encoding="utf-8")
    fields = guessed(run, tmp_path / "feed.csv")["settings"]["weather_feed_fields"]
    assert as_pairs(
        "variable=parameter, value=value, temp_out=T [°F], out_hum=RH, wind_speed=wind speed [m/s]"
    ).items() <= (as_pairs(fields).items())
    done = run("feed", "try", str(tmp_path / "feed.csv"), "--format", "csv", "--fields", fields, "--json")
    assert json.loads(done.stdout)["values"] == {"temp_out": 2, "out_hum": 2, "wind_speed": 2}


def test_local_times_and_points_of_the_compass(run: Run, tmp_path: Path) -> None:
    local = f"{datetime.now(ZoneInfo('Pacific/Auckland')):%d/%m/%Y %H:%M}"
    rows = [{"id": name, "time": local, "wind_dir": point} for name, point in (("a", "NNE"), ("b", "-"))]
    (tmp_path / "feed.json").write_text(json.dumps(rows))
    found = guessed(run, tmp_path / "feed.json")
    pairs = as_pairs(found["settings"]["weather_feed_fields"])
    assert pairs["time"].unit == "%d/%m/%Y %H:%M"
    assert "wind_dir" not in found["unused"]
    assert found["look_at"][0].startswith("time: it has no offset and is later than now: it is a local time")
    fields = "station_id=id, time=time [%d/%m/%Y %H:%M Pacific/Auckland]"
    done = run("feed", "try", str(tmp_path / "feed.json"), "--format", "json", "--fields", fields, "--json")
    assert json.loads(done.stdout)["values"] == {"wind_dir": 1}


def test_a_source_is_tried_by_its_name(run: Run, feed: Feed, environment: dict[str, str], tmp_path: Path) -> None:
    feed.body = (DATA / "presets" / "meteoswiss.csv").read_bytes()
    (tmp_path / "sources.toml").write_text(
        f'[[source]]\nname = "alps"\npreset = "meteoswiss"\nurl = "{environment["WEATHER_FEED_URL"]}"\n'
    )
    environment["WEATHER_SOURCES_FILE"] = str(tmp_path / "sources.toml")
    found = json.loads(run("feed", "try", "--name", "alps", "--json").stdout)
    assert (found["stations"], found["values"]["bar"]) == (4, 4)
    done = run("feed", "try", "--name", "alp")
    assert done.returncode == 2
    assert done.stderr == "weather-tool: there is no source 'alp'; did you mean alps?\n"


def test_xml_that_says_what_a_station_is_around_its_observations(run: Run, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(NESTED.replace('time="soon"', 'time="2025-11-22T16:00:00Z"'))
    found = guessed(run, tmp_path / "feed.xml")
    assert found["settings"]["weather_feed_records"] == "station/obs"
    pairs = as_pairs(found["settings"]["weather_feed_fields"])
    assert pairs["station_id"].names == ("../@id",)
    assert pairs["temp_out"].names == ("v[@name='T']",)
    assert pairs["latitude"].names == ("../lat",)


def test_what_is_doubtful_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text("name;when;wind speed\nx;soon;3\n")
    done = run("feed", "guess", str(tmp_path / "feed.csv"))
    assert done.returncode == 1
    assert "no field looks like the time: name it by time=" in done.stdout
    assert "the configuration is not complete" in done.stderr


def test_a_feed_is_tried_and_nothing_is_stored(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = collection(feature("volos", temp_out=13.9), feature("zagora", temp_out="broken"), feature(""))
    done = run("feed", "try")
    assert done.returncode == 0, done.stderr
    assert "3 stations" in done.stdout
    assert "1  temp_out is no number" in done.stdout
    assert not Path(environment["WEATHER_DB"]).exists()


def test_a_feed_of_which_nothing_can_be_stored(run: Run, feed: Feed) -> None:
    feed.body = collection(feature("volos", ts="never"))
    done = run("feed", "try")
    assert done.returncode == 1
    assert "no time" in done.stdout


def test_the_networks_that_are_known(run: Run) -> None:
    done = run("feed", "presets")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "name\tnetwork\twhere\tneeds"
    assert [line.split("\t")[0] for line in done.stdout.splitlines()[1:]] == list(names())
    listed = json.loads(run("feed", "presets", "--json").stdout)
    assert [one["name"] for one in listed] == list(names())
    done = run("feed", "presets", "metno-frost")
    assert done.returncode == 0, done.stderr
    assert "licence: CC BY 4.0 or NLOD 2.0" in done.stdout
    assert "weather_source_secrets:\n  # For basic.\n  metno-frost: |-\n" in done.stdout
    assert json.loads(run("feed", "presets", "metno-frost", "--json").stdout)["source"]["auth"] == "basic"


def test_a_document_is_tried_with_a_preset_and_what_differs_is_said(run: Run) -> None:
    words = ("feed", "try", str(DATA / "presets" / "synoptic.json"), "--preset", "synoptic", "--json")
    done = run(*words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["values"]["solar_radiation"] == 1
    done = run(*words, "--fields", "station_id=STID, time=OBSERVATIONS.air_temp_value_1.date_time")
    assert json.loads(done.stdout)["values"] == {}


def test_a_file_of_a_station_that_does_not_say_which_has_the_stations_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "10147.csv").write_bytes((DATA / "presets" / "dwd.csv").read_bytes())
    done = run("feed", "try", str(tmp_path / "10147.csv"), "--preset", "dwd")
    assert done.returncode == 0, done.stderr
    assert "1 stations, 0 of them with a place, 2 observations" in done.stdout
    assert "2  no time" in done.stdout


def test_a_preset_that_there_is_not(run: Run) -> None:
    for words in (("presets", "noah"), ("try", "--preset", "noah")):
        done = run("feed", *words)
        assert done.returncode == 2
        assert done.stderr == "weather-tool: there is no preset 'noah'; did you mean noa?\n"


def test_a_network_that_is_known_is_told(run: Run) -> None:
    assert guessed(run, DATA / "presets" / "aemet.json")["preset"] == "aemet"
    done = run("feed", "guess", str(DATA / "presets" / "aemet.json"))
    assert "# The preset aemet reads it, too" in done.stdout


@pytest.mark.parametrize("action", ["try", "guess"])
def test_what_is_neither_an_address_nor_a_file(run: Run, action: str) -> None:
    done = run("feed", action, "/nowhere/feed.csv")
    assert done.returncode == 2
    assert "/nowhere/feed.csv is no address and no file that can be read" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_key_in_the_address_is_not_shown(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = collection(feature("volos"))
    done = run("feed", "guess", f"{environment['WEATHER_FEED_URL']}?key=0123456789abcdef")
    assert "0123456789abcdef" not in done.stdout + done.stderr


def test_mutated_documents_are_guessed_or_refused() -> None:
    at = random.Random(17)
    good = [*GEOJSON, *CSV, *JSON, *XML, *COVERAGEJSON, *METAR, *BUFR, NESTED.encode()]
    complete = 0
    for number in range(1500):
        body = mutated(at.choice(good), at, WORDS)
        try:
            found = best(samples(body), NOW)
        except ToolkitError:
            continue
        except Exception as error:
            raise AssertionError(f"{number}: {body!r}") from error
        parse_mapping(found.fields())
        complete += {"station_id", "time"} <= {one.stored for one in found.named}
    assert complete > 100
