"""The doctor on what a feed tells in another way than before."""

from __future__ import annotations

import json
import time
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
