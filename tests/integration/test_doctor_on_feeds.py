"""The doctor on what a feed tells in another way than before."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Feed, Run, collection, feature
from toolkit.checks.probes import way

PLACES = {"volos": (22.94, 39.36), "zagora": (23.1, 39.45), "athens": (23.73, 37.97)}


def told(minutes_ago: float, *, turned: bool = False, without: str = "") -> bytes:
    """A document of some minutes ago."""
    features: list[dict[str, Any]] = []
    for station, place in PLACES.items():
        one = feature(station, ts=int(time.time() - minutes_ago * 60), temp_out=10 + place[0] - 22)
        one["geometry"]["coordinates"] = [*(reversed(place) if turned else place), 52.0]
        one["properties"].pop(without, None)
        features.append(one)
    return collection(*features)


def collected(run: Run, feed: Feed, *documents: bytes) -> list[dict[str, str]]:
    """What the doctor finds when these documents were collected."""
    for feed.body in documents:
        assert run("collect", "--once").returncode == 0
    found: list[dict[str, str]] = json.loads(run("doctor", "--json").stdout)["causes"]
    return found


def test_coordinates_in_each_others_place_are_told_until_they_are_mended(run: Run, feed: Feed) -> None:
    (found,) = collected(run, feed, told(9), told(0.1, turned=True))
    assert found["id"] == "feed-stations"
    assert "latitude and longitude in each other's place" in found["evidence"]
    assert "was at 39.36, 22.94 (" in found["evidence"]
    assert "is told at 22.94, 39.36" in found["evidence"]
    feed.body = told(0.05)
    assert json.loads(run("doctor", "--json").stdout)["causes"] == []
    assert collected(run, feed, told(0.02)) == []


def test_coordinates_that_were_wrong_from_the_start_may_be_put_right(run: Run, feed: Feed) -> None:
    """For longer than they were wrong they count as right."""
    assert collected(run, feed, told(9, turned=True), told(8)) == []


def test_a_variable_that_a_young_service_is_told_no_more_is_named(run: Run, feed: Feed) -> None:
    (found,) = collected(run, feed, told(9), told(5), told(0.1, without="temp_out"))
    assert found["id"] == "feed-variables"
    assert "no station of the feed tells temp_out" in found["evidence"]
    assert collected(run, feed, told(0.05)) == []


def test_a_proxy_that_takes_no_connection_is_named_as_such(run: Run, feed: Feed) -> None:
    assert collected(run, feed, told(0.1)) == []
    told_now = json.loads(run("doctor", "--json", WEATHER_FEED_PROXY="http://127.0.0.1:9").stdout)
    (found,) = told_now["causes"]
    assert found["id"] == "feed-connects"
    assert found["evidence"].endswith("connection refused: it is the proxy that WEATHER_FEED_PROXY names")


def test_an_interface_that_takes_small_packets_alone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "eth0").mkdir()
    (tmp_path / "eth0/mtu").write_text("1500\n")
    monkeypatch.setattr(way, "INTERFACES", tmp_path)
    assert way.narrow() is None
    (tmp_path / "eth0/mtu").write_text("68\n")
    found = way.narrow()
    assert found
    assert "eth0 takes packets of 68 bytes alone" in found.evidence


def test_a_variable_that_was_told_once_may_be_one_of_some_hours(run: Run, feed: Feed) -> None:
    assert collected(run, feed, told(9), told(5, without="temp_out"), told(0.1, without="temp_out")) == []


MORE = {**PLACES, "larisa": (22.42, 39.64), "lamia": (22.43, 38.9), "patra": (21.73, 38.25)}


def network(minutes_ago: float, change: Callable[[dict[str, Any]], object] = lambda _: None) -> bytes:
    """A document of six stations, each entry of it changed."""
    features: list[dict[str, Any]] = []
    for number, (station, place) in enumerate(MORE.items()):
        one = feature(
            station, ts=int(time.time() - minutes_ago * 60), temp_out=10.5 + number, bar=1013.1 + number / 10,
            wind_speed=12.0 + 2 * number, hi_speed=20.0 + 2 * number,
        )  # fmt: skip
        one["geometry"]["coordinates"] = [*place, 52.0]
        change(one)
        features.append(one)
    return collection(*features)


def every(name: str, value: Callable[[float], object]) -> Callable[[dict[str, Any]], object]:
    """A change of one variable of every entry."""
    return lambda one: one["properties"].update({name: value(one["properties"][name])})


@pytest.mark.parametrize(
    ("change", "check", "said"),
    [
        (every("temp_out", lambda value: value * 1.8 + 32), "feed-variables", "it is told in °F now, and read as °C"),
        (every("temp_out", lambda value: value + 273.15), "feed-variables", "it is told in K now, and read as °C"),
        (every("bar", lambda value: value / 33.86389), "feed-variables", "it is told in inHg now, and read as hPa"),
        (every("bar", lambda value: value * 100), "feed-variables", "it is told in Pa now, and read as hPa"),
        (every("wind_speed", lambda value: value / 3.6), "feed-variables", "it is told in m/s now, and read as km/h"),
        (every("wind_speed", lambda value: value * 3.6), "feed-variables", "it is told in km/h now, and read as m/s"),
        (every("temp_out", lambda _: 0), "feed-variables", "temp_out of 6 of 6 stations is 0 °C: no sensor tells it"),
        (every("temp_out", lambda _: -9999), "feed-variables", "there are numbers such as -9999 in it"),
        (lambda one: one.update(geometry=None), "feed-stations", "6 of 6 stations looked at have no coordinates"),
        (lambda one: one["geometry"].update(coordinates=[0.0, 0.0]), "feed-stations", "or 0, 0 in the feed: "),
        (lambda one: one["geometry"].update(coordinates=[5.5, 50.1]), "feed-stations", "6 of 6 stations looked at are"),
        (lambda one: one["properties"].pop("ts"), "feed-readable", "none of its 6 entries tells a time"),
    ],
)  # fmt: skip
def test_what_a_feed_does_to_all_stations_is_named_at_once_and_when_it_is_stored(
    run: Run, feed: Feed, change: Callable[[dict[str, Any]], object], check: str, said: str
) -> None:
    assert collected(run, feed, *(network(minutes) for minutes in (9, 7, 5))) == []
    feed.body = network(0.5, change)
    for _ in range(2):
        found = json.loads(run("doctor", "--json").stdout)["causes"]
        assert found[0]["id"] == check, found
        assert said in found[0]["evidence"]
        run("collect", "--once")
    assert collected(run, feed, network(0.1)) == []


def test_weather_is_no_other_unit(run: Run, feed: Feed) -> None:
    def front(one: dict[str, Any]) -> None:
        one["properties"].update(temp_out=one["properties"]["temp_out"] - 9, wind_speed=55.0, hi_speed=80.0)

    assert collected(run, feed, *(network(minutes) for minutes in (9, 5)), network(0.1, front)) == []


def test_a_field_of_the_time_that_was_renamed_is_named_and_can_be_put_right(
    run: Run, feed: Feed, tmp_path: Path, environment: dict[str, str]
) -> None:
    settings = tmp_path / "settings"
    settings.write_text('# WEATHER_FEED_FIELDS="station_id=station_file|fid, time=ts"\n')
    environment["WEATHER_ENV_FILE"] = str(settings)
    renamed = told(0.1).replace(b'"ts"', b'"observed_at"')
    causes = {one["id"]: one for one in collected(run, feed, told(9)) + _now(run, feed, renamed)}
    found = causes["feed-readable"]
    assert "WEATHER_FEED_FIELDS says that ts does, and what looks like times is in observed_at" in found["evidence"]
    change = found["remedy"].partition(" && ")[0]
    subprocess.run(change, shell=True, check=True)
    assert settings.read_text() == 'WEATHER_FEED_FIELDS="station_id=station_file|fid, time=observed_at"\n'
    assert _now(run, feed, renamed) == []


def _now(run: Run, feed: Feed, document: bytes) -> list[dict[str, str]]:
    feed.body = document
    found: list[dict[str, str]] = json.loads(run("doctor", "--json").stdout)["causes"]
    return found


def test_times_ahead_of_the_servers_own_clock_are_the_feeds(run: Run, feed: Feed) -> None:
    (found,) = collected(run, feed, told(9), told(-180))
    assert found["id"] == "feed-current"
    assert "3 hours in the future by its server's own clock" in found["evidence"]
    assert found["remedy"] == "weather-tool feed try"


def test_a_feed_that_stands_still_is_why_observations_grow_old(run: Run, feed: Feed) -> None:
    """For longer than observations are fresh, and not yet for as long as a feed may be late."""
    (found,) = collected(run, feed, told(18))
    assert found["id"] == "feed-current"
    assert "18 minutes old: its source has stopped" in found["evidence"]
    assert "observations-fresh" in found["explains"]


@pytest.mark.parametrize(
    ("fields", "theirs", "said", "right"),
    [
        ("station_id=station_file|fid, temp_out=temperature_2m, time=ts", "temp_out", "temperature_2m",
         "station_id=station_file|fid, time=ts"),
        ("station_id=station_file|fid, time=ts", "TempOut", "temp_out",
         "station_id=station_file|fid, time=ts, temp_out=TempOut"),
    ],
)  # fmt: skip
def test_a_field_that_the_feed_has_not_is_named_and_put_right(
    run: Run, feed: Feed, tmp_path: Path, environment: dict[str, str], fields: str, theirs: str, said: str, right: str
) -> None:
    assert collected(run, feed, told(9), told(5)) == []
    document = told(0.1).replace(b"temp_out", theirs.encode())
    settings = tmp_path / "settings"
    settings.write_text(f'# WEATHER_FEED_FIELDS="time=ts"\nWEATHER_FEED_FIELDS="{fields}"\n')
    environment["WEATHER_ENV_FILE"] = str(settings)
    (found,) = _now(run, feed, document)
    assert found["id"] == "feed-variables"
    assert (
        f"WEATHER_FEED_FIELDS reads temp_out from {said}, and the feed has no such field, but {theirs}"
        in (found["evidence"])
    )
    subprocess.run(found["remedy"].partition(" && ")[0], shell=True, check=True)
    assert settings.read_text() == f'# WEATHER_FEED_FIELDS="time=ts"\nWEATHER_FEED_FIELDS="{right}"\n'
    assert _now(run, feed, document) == []


def test_stations_that_were_renamed_are_told_by_their_places_until_they_have_their_ids_again(
    run: Run, feed: Feed
) -> None:
    def front(one: dict[str, Any]) -> None:
        one["properties"]["station_file"] = f"v2-{one['properties']['station_file']}"

    found, *more = collected(run, feed, network(9), network(5), network(0.1, front))
    assert more == []
    assert found["id"] == "feed-stations"
    assert "6 of 6 stations that reported lately are not in the feed, and at the same" in found["evidence"]
    assert "such as v2-athens in the place of athens: the feed's owner has renamed them" in found["evidence"]
    assert collected(run, feed, network(0.05)) == []


def test_a_server_that_denies_what_it_has_is_named(run: Run, feed: Feed) -> None:
    collected(run, feed, told(18))
    feed.denies = True
    (found,) = _now(run, feed, told(0.1))
    assert found["id"] == "feed-passed-on"
    assert "18 minutes newer than what is stored: its server says 'not modified' to who asks" in found["evidence"]


@pytest.mark.parametrize(("all_of_them", "status"), [(False, "WARNING"), (True, "CRITICAL")])
def test_numbers_that_are_written_with_a_comma_are_named_and_are_no_values(
    run: Run, feed: Feed, all_of_them: bool, status: str
) -> None:
    def commas(one: dict[str, Any]) -> None:
        numbers = {name: value for name, value in one["properties"].items() if isinstance(value, float | int)}
        numbers.pop("ts")
        if not all_of_them:
            numbers.pop("out_hum")
        one["properties"].update({name: str(float(str(value))).replace(".", ",") for name, value in numbers.items()})

    assert collected(run, feed, *(network(minutes) for minutes in (9, 7, 5))) == []
    feed.body = network(0.1, commas)
    assert run("collect", "--once").returncode == 0
    few = {"WEATHER_FRESH_MINUTES": "4"}
    (found,) = json.loads(run("doctor", "--json", **few).stdout)["causes"]
    assert (found["id"], found["status"]) == ("feed-variables", status)
    assert "until lately: its numbers are written with a comma: '10,5'; 6 entries or" in found["evidence"]
    checked = run("healthcheck", **few)
    assert checked.returncode == (2 if all_of_them else 0)
    assert ("no observation of the last 4 minutes has a value" in checked.stdout) == all_of_them
    assert collected(run, feed, network(0.05)) == []


def test_times_that_are_whole_hours_behind_are_read_in_a_wrong_time_zone(run: Run, feed: Feed) -> None:
    for hours, behind in ((1, "an hour"), (3, "3 hours")):
        (found,) = collected(run, feed, network(9), network(60 * hours + 3, every("temp_out", lambda value: value + 1)))
        assert found["id"] == "feed-current"
        assert f"times are {behind} behind its server's own clock" in found["evidence"]
        assert found["remedy"] == "weather-tool feed try"
    (found,) = _now(run, feed, network(95))
    assert "of several servers behind its name" in found["evidence"]
    feed.headers["Date"] = "yesterday"
    (found,) = _now(run, feed, network(63))
    assert "of several servers behind its name" in found["evidence"]
