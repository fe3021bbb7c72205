"""Past time as the detector saw it: `weather-tool playback`, on both engines."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Run
from tests.network import BEGIN, Network
from toolkit import times
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import Selection, open_for_reading

HOUR = 3600
FAULTS = (
    "station=volos,variable=temp_out,kind=offset,size=8,at=2h,for=6h",
    "station=sparti,kind=silent,at=1h,for=9h",
    "station=dodoni,variable=out_hum,kind=stuck,at=-6h,for=16h",
    "station=zagora,variable=rain,kind=dripping,at=-2h,for=9h,size=2",
    "station=vlasti,variable=bar,kind=noise,size=9,at=2h,for=6h",
    "station=portaria,variable=wind_speed,kind=stuck,at=-4h,for=14h",
)
SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, "≥": operator.ge, "<": operator.lt, "≤": operator.le,
}  # fmt: skip


def played(run: Run, db: str, *words: str, end: float = BEGIN + 10 * HOUR) -> list[Any]:
    done = run("playback", "--json", "--end", times.iso_of(end), *words, WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def reported(run: Run, db: str, end: float) -> Any:
    done = run("detect", "--no-record", "--json", "--end", times.iso_of(end), WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def verdicts(step: Any, variable: str) -> dict[str, Any]:
    (sensor,) = [one for one in step["sensors"] if one["variable"] == variable]
    return {one["test"]: one for one in sensor["verdicts"]}


def test_a_step_is_what_a_run_says_at_that_time(run: Run, db: str) -> None:
    network = Network(db, *FAULTS)
    network.observe(10)
    steps = played(run, db, "--hours", "4", "--step", "240", "--station", "volos", "--everything")
    assert [one["at"] for one in steps] == [BEGIN + hours * HOUR for hours in (6, 10)]
    for step in steps:
        assert step["report"] | {"generated_at": ""} == reported(run, db, step["at"]) | {"generated_at": ""}
    (fault,) = [one for one in steps[0]["report"]["anomalies"] if one["station_id"] == "volos"]
    assert (fault["test"], fault["class"]) == ("step", "device_failure")
    step = verdicts(steps[0], "temp_out")["step"]
    assert step["flagged"][0][0] == times.epoch_of(fault["start"])
    jump = step["criteria"][0]
    assert (jump["at"], jump["met"], jump["what"]) == (step["flagged"][0][0], True, "a jump")
    assert jump["compared"][0]["value"] > 2 * jump["compared"][0]["limit"]
    with open_for_reading(db) as store:
        assert store.anomalies(Selection()) == []  # nothing is kept


@pytest.mark.parametrize("station", ["volos", "sparti", "dodoni", "zagora", "vlasti", "portaria"])
def test_the_figures_agree_with_the_verdict(run: Run, station: str, faulty: str) -> None:
    flagged = set()
    for step in played(run, faulty, "--hours", "8", "--step", "120", "--station", station):
        for sensor in step["sensors"]:
            for one in sensor["verdicts"]:
                where = station, sensor["variable"], one["test"], one["criteria"]
                met = [criterion for criterion in one["criteria"] if criterion["met"]]
                assert bool(met) or not one["flagged"], where
                for criterion in met:
                    assert all(SIGNS[each["sign"]](each["value"], each["limit"]) for each in criterion["compared"]), (
                        where
                    )
                if one["flagged"]:
                    flagged.add(one["test"])
    expected = {
        "volos": "step", "sparti": "missing", "dodoni": "persistence", "zagora": "gauge", "vlasti": "noise",
        "portaria": "persistence",
    }  # fmt: skip
    assert expected[station] in flagged


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> str:
    db = str(tmp_path_factory.mktemp("faulty") / "weather.db")
    network = Network(db, *FAULTS)
    for _ in range(10):
        network.observe(1)
    return db


def test_what_came_later_is_left_out(run: Run, db: str) -> None:
    network = Network(db, FAULTS[0])
    network.observe(3)
    network.now += 5 * HOUR  # and only then what was measured meanwhile
    weather = SimulatedWeather(network.stations, 1)
    network.arrive(
        one for at in range(BEGIN + 3 * HOUR + 600, BEGIN + 4 * HOUR + 1, 600) for one in weather.at(at) if one
    )
    (then,) = played(run, db, "--hours", "0", "--station", "volos", end=BEGIN + 4 * HOUR)
    (now,) = played(run, db, "--hours", "0", "--station", "volos", "--everything", end=BEGIN + 4 * HOUR)
    assert (then["late"], then["observations"]) == (now["late"], now["observations"]) == (14 * 6, 14 * 36)
    values = [next(one for one in step["sensors"] if one["variable"] == "temp_out")["values"] for step in (then, now)]
    assert values[0] == [*values[1][:30], *[None] * 6]
    assert None not in values[1]


def test_a_person_reads_it(run: Run, faulty: str) -> None:
    words = "playback", "--end", times.iso_of(BEGIN + 6 * HOUR), "--hours", "4", "--station", "volos"
    done = run(*words, "--variable", "temp_out", WEATHER_DB=faulty)
    assert done.returncode == 0, done.stderr
    assert "5 runs from 2025-11-21T18:00:00Z to 2025-11-21T22:00:00Z" in done.stdout
    assert "device_failure\tstep\tit jumped from" in done.stdout
    assert "step\ta jump\tchange from the reading before that neighbours did not share\t" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--hours", "1000"), "1000 hours in steps of 60 minutes: give from 1 to 200 steps"),
        (("--step", "0"), "give from 1 to 200 steps"),
        (("--step", "nan"), "give from 1 to 200 steps"),
        (("--station", "volo"), "there is no station 'volo'"),
        (("--variable", "temp_out"), "--variable=temp_out: give the name of a variable, and --station besides"),
        (("--station", "volos", "--variable", "tmp"), "--variable=tmp"),
    ],
)
def test_what_cannot_be_played_is_said(run: Run, faulty: str, words: tuple[str, ...], says: str) -> None:
    done = run("playback", *words, WEATHER_DB=faulty)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
