"""Networks that people know: each preset can be used as it is, and reads a document of its network."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documents import ROOT
from toolkit.collector.trial import trial
from toolkit.feed.guessing.known import known
from toolkit.feed.guessing.samples import sample
from toolkit.presets import names, preset
from toolkit.settings import DECLARATIONS, load
from toolkit.sources import FIELDS
from toolkit.times import iso_of

SAMPLES = ROOT / "tests" / "data" / "presets"
NOW = 1_788_400_000
NOON = "2026-01-31T12:00:00Z"

# Of each sample: how many stations and observations it has, and one of these with the values that stand in it.
READ: dict[str, tuple[int, int, str, str, dict[str, float]]] = {
    "aemet": (2, 2, "8025", NOON, {
        "temp_out": 13.9, "hi_temp": 14.1, "low_temp": 13.4, "out_hum": 60, "bar": 1008.2, "rain": 0, "wind_speed": 9.36,
        "wind_dir": 351, "hi_speed": 18.36, "hi_dir": 343, "dew_point": 6.3,
    }),
    "aviationweather": (2, 2, "LGAV", "2026-01-31T12:20:00Z", {
        "temp_out": 14, "bar": 1018, "wind_speed": 22.22, "wind_dir": 30, "hi_speed": 46.3, "dew_point": 6,
    }),
    "dwd": (1, 2, "10147", "2026-08-31T20:00:00Z", {
        "temp_out": 15.3, "dew_point": 11.8, "out_hum": 80, "bar": 1009.6, "rain": 0.3, "wind_speed": 14, "wind_dir": 240,
        "hi_speed": 27,
    }),
    "eccc": (2, 2, "6106000", NOON, {
        "temp_out": -12.5, "out_hum": 81, "bar": 1002.1, "rain": 0.4, "wind_speed": 15, "wind_dir": 270, "hi_speed": 22,
        "dew_point": -15.1, "snow_depth": 23,
    }),
    "ecowitt": (1, 1, "AA:BB:CC:DD:EE:FF", NOON, {
        "temp_out": 12.4, "dew_point": 6.9, "out_hum": 69, "bar": 1017.2, "rain": 1.8, "wind_speed": 6.1, "wind_dir": 185,
        "hi_speed": 11.2, "solar_radiation": 312.6,
    }),
    "fmi": (1, 2, "100971", NOON, {
        "temp_out": -6.4, "out_hum": 88, "bar": 1011.3, "dew_point": -8, "wind_speed": 12.6, "wind_dir": 215,
    }),
    "geosphere-austria": (1, 1, "11035", NOON, {
        "temp_out": 2.4, "dew_point": -1.2, "out_hum": 77, "bar": 992.6, "rain": 0.1, "wind_speed": 12.6, "wind_dir": 290,
        "hi_speed": 23.4, "solar_radiation": 140,
    }),
    "imgw": (2, 2, "12650", "2026-01-31T09:00:00Z", {"temp_out": -11.2, "out_hum": 71.5, "rain": 0, "wind_dir": 220}),
    "knmi": (1, 2, "0-20000-0-06260", "2026-01-31T12:10:00Z", {
        "temp_out": 6.4, "out_hum": 87, "bar": 1011.6, "rain": 0.4, "wind_dir": 228.9, "hi_speed": 25.56,
        "solar_radiation": 131,
    }),
    "met-eireann": (1, 2, "phoenix-park", "2026-01-31T01:00:00Z", {
        "temp_out": 6, "out_hum": 90, "bar": 1005, "rain": 0, "wind_speed": 20.37, "wind_dir": 270, "hi_speed": 40.74,
    }),
    "meteo-france": (2, 2, "69029001", NOON, {
        "temp_out": 6.2, "hi_temp": 6.4, "low_temp": 5.1, "dew_point": 1, "out_hum": 69, "bar": 992.1, "rain": 0,
        "wind_speed": 18.36, "wind_dir": 350, "hi_speed": 35.28, "hi_dir": 350, "snow_depth": 0,
    }),
    "meteoswiss": (4, 4, "TAE", "2020-10-23T15:30:00Z", {
        "temp_out": 13.5, "dew_point": 11.7, "out_hum": 89.1, "bar": 952.5, "rain": 0.5, "wind_speed": 7.2,
        "wind_dir": 253, "hi_speed": 15.1, "solar_radiation": 10,
    }),
    "metno-frost": (1, 1, "SN18700:0", NOON, {
        "temp_out": -4.6, "out_hum": 81, "bar": 1003.4, "wind_speed": 9, "wind_dir": 35, "hi_speed": 14.76,
    }),
    "metoffice": (1, 2, "gcpvj0", "2026-01-31T11:00:00Z", {
        "temp_out": 6.3, "out_hum": 91.2, "bar": 1004, "wind_speed": 22.32, "wind_dir": 247.5, "hi_speed": 42.48,
    }),
    "netatmo": (2, 2, "70:ee:50:00:00:01", NOON, {
        "temp_out": 14.2, "out_hum": 62, "bar": 1018.6, "rain": 0.2, "wind_speed": 7, "wind_dir": 315, "hi_speed": 16,
        "hi_dir": 300,
    }),
    "noa": (2, 2, "zagora", "2025-11-22T16:00:00Z", {
        "temp_out": 8.2, "hi_temp": 8.4, "low_temp": 8.1, "out_hum": 91, "bar": 1015.9, "rain": 0, "wind_speed": 0,
        "hi_speed": 1.6, "hi_dir": 45,
    }),
    "noaa-ghcnh": (1, 2, "GRW00014713", "2026-01-31T13:50:00Z", {
        "temp_out": 13, "dew_point": 8, "out_hum": 72, "bar": 1001, "rain": 0.3, "wind_speed": 25.92, "wind_dir": 340,
        "hi_speed": 40.68,
    }),
    "nws": (1, 1, "KSEA", "2026-01-31T12:53:00Z", {
        "temp_out": 7.2, "dew_point": 4.6, "out_hum": 83.2, "bar": 1015.6, "wind_speed": 14.76, "wind_dir": 180,
    }),
    "opensensemap": (1, 1, "5e0000000000000000000001", "2026-01-31T12:00:12Z", {"temp_out": 2.36, "out_hum": 82.26}),
    "smhi": (2, 2, "188790", NOON, {"temp_out": -17.3}),
    "synoptic": (1, 1, "WBB", NOON, {
        "temp_out": -2.4, "dew_point": -6.9, "out_hum": 71.3, "bar": 853.1, "wind_speed": 5.4, "wind_dir": 95,
        "hi_speed": 10.8, "solar_radiation": 0,
    }),
    "weatherlink": (1, 1, "12345", NOON, {
        "temp_out": 10, "dew_point": 5, "out_hum": 62.5, "bar": 1016.26, "rain": 0.6, "wind_speed": 8.05, "wind_dir": 157,
        "hi_speed": 19.31, "hi_dir": 160, "solar_radiation": 250,
    }),
    "weatherxm": (1, 1, "0d5a1940", NOON, {
        "temp_out": 12.1, "dew_point": 8.2, "out_hum": 77, "bar": 1015.4, "rain": 4.1, "wind_speed": 9, "wind_dir": 192,
        "hi_speed": 14.4, "solar_radiation": 130.1,
    }),
    "wunderground": (1, 1, "ITEST1", NOON, {
        "temp_out": 14.3, "dew_point": 8.7, "out_hum": 69, "bar": 1018.3, "rain": 1.4, "wind_speed": 3.2, "wind_dir": 270,
        "hi_speed": 11.1, "solar_radiation": 320.5,
    }),
}  # fmt: skip
# Lines of a document that are no observations, by the reason for which they are left out.
LEFT_OUT = {"dwd": {"no time": 2}}


def sample_of(name: str) -> Path:
    (found,) = SAMPLES.glob(f"{name}.*")
    return found


def as_settings(name: str) -> dict[str, Any]:
    return {
        FIELDS[field]: DECLARATIONS[FIELDS[field]].kind.parse(str(one)) for field, one in preset(name).source.items()
    }


def test_every_preset_has_a_sample_and_is_read() -> None:
    assert set(names()) == READ.keys()
    assert {one.stem for one in SAMPLES.iterdir()} == {*names(), "README"}
    assert len(names()) >= 14


@pytest.mark.parametrize("name", names())
def test_a_preset_reads_a_document_of_its_network(name: str) -> None:
    stations, observations, station, time, values = READ[name]
    body = sample_of(name).read_bytes()
    found = trial(replace(load({}).settings, **as_settings(name)), body, NOW, station)
    assert (len(found.document.stations), found.observations) == (stations, observations)
    assert found.document.left_out == LEFT_OUT.get(name, {})
    (one,) = [one for one in found.document.observations if (one.station_id, iso_of(one.time)) == (station, time)]
    read = {column: value for column, value in one._asdict().items() if isinstance(value, float)}
    assert read == values
    if not preset(name).wants_stations:
        assert all(one.latitude is not None for one in found.document.stations)


@pytest.mark.parametrize("name", names())
def test_a_document_is_recognised(name: str) -> None:
    body = sample_of(name).read_bytes()
    found = known(body, sample(body).format)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", names())
def test_a_preset_says_all_that_people_want_to_know(name: str) -> None:
    one = preset(name)
    assert all((one.title, one.area, one.licence))
    for address in (one.terms, one.documentation):
        assert re.fullmatch(r"https://\S+", address)
    assert any(re.match(r"20\d\d-\d\d-\d\d: ", line) for line in one.checked)
    assert one.wants_credential <= bool(one.needs)
    assert set(one.adapt) <= one.source.keys()
    inventory = yaml.safe_load(one.inventory())
    source: dict[str, Any] = inventory["weather_sources"][0]
    secrets = inventory.get("weather_source_secrets", {}).get(name, "").splitlines()
    assert len(secrets) == len([way for way in str(one.source.get("auth", "")).split(",") if way])
    assert source == {
        "name": name,
        "preset": name,
        **{field: one.source[field] for field in one.adapt},
        **({"stations": f"/etc/weather/stations-{name}.csv"} if one.wants_stations else {}),
    }


def test_a_network_that_nobody_knows_is_none_of_them() -> None:
    body = json.dumps([{"station": "a", "when": "2026-01-31T12:00:00Z", "temp": 3.0}]).encode()
    assert known(body, "json") is None
