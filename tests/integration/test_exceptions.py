"""Sensors that are judged otherwise than all others: the setting `exceptions`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.integration.conftest import Spoil
from tests.integration.test_detect import alarms, detect
from tests.integration.test_sensors import sensors

WARM = ("temp_out = temp_out + 5, hi_temp = NULL, low_temp = NULL", "station_id = 'volos'")
FAILURE = [("volos", "temp_out", "step", "device_failure")]


def exceptions(**entry: object) -> str:
    return json.dumps([{"station": "volos", "reason": "the roof is <b>repaired</b>", **entry}])


def test_a_sensor_that_is_not_judged_is_named_with_the_reason_and_judges_no_other(run: Run, spoil: Spoil) -> None:
    spoil(*WARM, 3)
    assert alarms(detect(run)) == FAILURE
    report = detect(run, "--exceptions", exceptions(variables=["temp_out"], judged=False, until="2025-11-22"))
    assert report["anomalies"] == []
    reason = "the roof is <b>repaired</b>"
    assert report["insufficient"] == [
        {"station_id": "volos", "variable": "temp_out", "reason": f"temp_out: not judged, by an exception: {reason}"}
    ]
    assert report["exceptions"] == [
        {
            "station_id": "volos", "variable": "temp_out", "effect": "not judged", "reason": reason,
            "until": "2025-11-23T00:00:00Z",
        }
    ]  # fmt: skip
    # It is no neighbour either.
    spoil("temp_out = temp_out + 9, hi_temp = NULL, low_temp = NULL", "station_id = 'volos-port'", 1)
    without = detect(run, "--exceptions", exceptions(variables=["temp_out"], judged=False))
    (port,) = [one for one in without["anomalies"] if one["station_id"] == "volos-port"]
    assert "volos" not in [one["station_id"] for one in port["neighbours"]]


def test_the_page_shows_them_as_text(run: Run, spoil: Spoil, tmp_path: Path) -> None:
    spoil(*WARM, 3)
    path = tmp_path / "page.html"
    given = exceptions(variables=["temp_out"], judged=False)
    done = run("detect", "--end", "2025-11-22T16:00Z", "--html", str(path), "--exceptions", given)
    assert done.returncode == 0, done.stderr
    page = path.read_text("utf-8")
    assert "<li>volos, temp_out: not judged: the roof is &lt;b&gt;repaired&lt;/b&gt;</li>" in page
    assert "<b>repaired" not in page


def test_an_exception_ends(run: Run, spoil: Spoil) -> None:
    spoil(*WARM, 3)
    report = detect(run, "--exceptions", exceptions(judged=False, until="2025-11-21"))
    assert (alarms(report), report["exceptions"]) == (FAILURE, [])


def test_a_station_that_is_not_judged_is_not_silent_either(run: Run, spoil: Spoil) -> None:
    spoil("", "station_id = 'volos'", 6)
    assert [one[2:] for one in alarms(detect(run))] == [("missing", "device_failure")]
    report = detect(run, "--exceptions", exceptions(judged=False))
    assert report["anomalies"] == []
    assert [(one["variable"], one["reason"][:10]) for one in report["insufficient"]] == [("all", "not judged")]
    assert (report["stations"]["total"], report["stations"]["with_data"]) == (14, 13)


def test_a_looser_limit_and_another_neighbourhood_are_one_sensors_own(run: Run, spoil: Spoil) -> None:
    spoil(*WARM, 3)
    spoil("bar = bar + 10", "station_id = 'volos'", 3)
    assert {one[1] for one in alarms(detect(run))} == {"temp_out", "bar"}
    looser = detect(run, "--exceptions", exceptions(variables=["temp_out"], limits=20))
    assert {one[1] for one in alarms(looser)} == {"bar"}
    assert looser["exceptions"][0]["effect"] == "limits × 20"
    nobody = detect(run, "--exceptions", exceptions(variables=["temp_out"], neighbour_km=0.1))
    assert {one["variable"]: bool(one["neighbours"]) for one in nobody["anomalies"]} == {"temp_out": False, "bar": True}
    assert {one[1] for one in alarms(nobody)} == {"bar"}


def test_sensor_health_knows_them_too(run: Run, spoil: Spoil) -> None:
    drifting = "bar = bar + (julianday(time) - julianday('2025-11-19 16:00:00')) * 3"
    spoil(drifting, "station_id = 'volos'", 72)
    assert sensors(run)["volos", "bar"]["state"] == "critical"
    assert ("volos", "bar") not in sensors(run, "--exceptions", exceptions(variables=["bar"], judged=False))
    assert sensors(run, "--exceptions", exceptions(variables=["bar"], limits=100))["volos", "bar"]["state"] == "healthy"
    told = run("sensors", "--days", "3", "--end", "2025-11-22T16:00Z", "--exceptions", exceptions(limits=2))
    assert told.stdout.splitlines()[-1] == "exception: volos, all: limits × 2: the roof is <b>repaired</b>"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("volos", "give a JSON list such as"),
        ("[1]", "entry 1: it is no object"),
        ('[{"station": "volos", "judged": false}]', "entry 1 (volos): reason is needed"),
        ('[{"station": "volos", "reason": "x"}]', "entry 1 (volos): it changes nothing"),
        ('[{"station": "volos", "reson": "x"}]', "reson means nothing here; did you mean reason?"),
        (exceptions(variables=["tempout"], judged=False), "'tempout' is not measured; did you mean temp_out?"),
        (exceptions(limits=0.5), "limits: give a number from 1 to 100"),
        (exceptions(limits=2, until="soon"), "'soon' is not a time"),
        (exceptions(limits=2, judged=False), "what is not judged has neither limits nor neighbours"),
        (exceptions(limits=float("nan")), "limits: give a number"),
        (
            json.dumps(2 * [{"station": "volos", "variables": "bar", "limits": 2, "reason": "\x1b[31m"}]),
            "entry 2 (volos): bar is in entry 1 already",
        ),
    ],
)
def test_a_wrong_one_is_named_in_one_line(run: Run, text: str, says: str) -> None:
    done = run("detect", WEATHER_EXCEPTIONS=text)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert says in done.stderr
    assert "\x1b" not in done.stderr


def test_the_doctor_names_those_that_are_over_or_of_no_station(run: Run, spoil: Spoil) -> None:
    def seen(entry: str) -> str:
        done = run("doctor", "--json", "--area", "incidents", WEATHER_EXCEPTIONS=entry)
        (found,) = [one for one in json.loads(done.stdout)["checks"] if one["id"] == "exceptions-current"]
        return f"{found['status']}: {found['evidence']}"

    assert seen(exceptions(judged=False)) == "OK: 1 exceptions"
    assert seen(exceptions(judged=False, until="2024-01-31")).endswith(
        "expired: volos (all), until 2024-02-01 00:00:00 UTC"
    )
    assert seen(exceptions(station="vollos", limits=2)).endswith("there is no station vollos")
