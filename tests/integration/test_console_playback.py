"""Playback over HTTP, on both engines: what a run of the past said, and why."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.console import NOW, Console

HOUR = 3600


def played(console: Console, **asked: Any) -> Any:
    """What is played back, once nothing more comes."""
    client = console.session()
    until = time.monotonic() + 120
    while (found := client.json("playback", **asked))["state"] in {"waiting", "playing"}:
        assert time.monotonic() < until, found["state"]
    return found


def test_each_run_says_what_the_detector_says(console: Console) -> None:
    asked = {"station": "volos", "end": NOW, "hours": 4, "step": 120}
    found = played(console, **asked)
    assert (found["state"], found["total"], found["why"]) == ("done", 3, "")
    assert [one["at"] for one in found["runs"]] == [NOW - 4 * HOUR, NOW - 2 * HOUR, NOW]
    (fault,) = [one for one in found["runs"][-1]["report"]["anomalies"] if one["station_id"] == "volos"]
    assert (fault["variable"], fault["class"]) == ("temp_out", "device_failure")
    sensors = console.session().json("playback/sensors", **asked, at=NOW)
    (sensor,) = [one for one in sensors if one["variable"] == "temp_out"]
    flagged = {one["test"] for one in sensor["verdicts"] if one["flagged"]}
    assert fault["test"] in flagged
    (verdict,) = [one for one in sensor["verdicts"] if one["test"] == "spatial"]
    assert verdict["criteria"][0]["met"] is True
    assert verdict["criteria"][0]["compared"][0]["value"] > verdict["criteria"][0]["compared"][0]["limit"]
    assert sensor["values"][-1] - sensor["expected"][-1] > 5
    assert {one["now"]["station_id"] for one in sensor["neighbours"]} == {"volos-port", "uth_volos", "zagora"}


def test_what_was_made_is_kept_and_given_at_once(console: Console) -> None:
    asked = {"end": NOW, "hours": 0, "station": "sparti"}
    first = played(console, **asked)
    client = console.session()
    answer = client.get("playback", **asked)
    assert answer.json() == first
    again = client.http.get(answer.url, headers={"If-None-Match": answer.headers["ETag"]}, timeout=30)
    assert again.status_code == 304


def test_two_wishes_are_made_one_after_the_other(console: Console) -> None:
    client = console.session()
    wishes = [{"end": NOW - 60 * number, "hours": 0} for number in (1, 2)]
    states = [client.json("playback", **one)["state"] for one in wishes]
    assert states[1] == "waiting"
    assert [len(played(console, **one)["runs"]) for one in wishes] == [1, 1]


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ({}, 400, "the query parameter 'end' is needed"),
        ({"end": NOW, "hours": 336, "step": 10}, 400, "hours=336 in steps of 10 minutes: give fewer hours"),
        ({"end": NOW, "hours": 1e9}, 400, "hours='1000000000.0'"),
        ({"end": NOW, "step": "nan"}, 400, "step='nan'"),
        ({"end": 10**15}, 400, "end='1000000000000000'"),
        ({"end": NOW, "stations": "x"}, 400, "there is no parameter 'stations' here"),
    ],
)
def test_what_cannot_be_played_is_said(console: Console, asked: dict[str, Any], status: int, says: str) -> None:
    answer = console.session().get("playback", **asked)
    assert answer.status_code == status
    assert says in answer.json()["detail"]


def test_a_station_that_there_is_not_is_named(console: Console) -> None:
    found = played(console, end=NOW, hours=0, station="--db=/etc/passwd")
    assert (found["state"], found["runs"]) == ("failed", [])
    assert found["why"].startswith("there is no station '--db=/etc/passwd'")
    answer = console.session().get("playback/sensors", end=NOW, hours=0, station="--db=/etc/passwd", at=NOW)
    assert answer.status_code == 404


def test_more_wishes_than_can_wait_are_told_so(console: Console) -> None:
    client = console.session()
    answers = [client.get("playback", end=NOW - 600 * number, hours=24, step=20).status_code for number in range(12)]
    assert answers[:8] == [200] * 8
    assert answers[-1] == 503
