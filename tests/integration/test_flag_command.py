"""`weather-tool flag`: past time is judged anew, on both engines, and goes on where it was ended."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import TOOL, Run
from tests.databases import change, query
from tests.network import BEGIN, Network
from toolkit.flagging.estimates import estimates
from toolkit.flagging.readings import flagged_readings
from toolkit.flagging.unfinished import alone
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import Selection, open_for_reading
from toolkit.times import stored

HOURS = 48
START = stored(BEGIN - HOURS * 3600)
FAULT = "station=volos,variable=temp_out,kind=offset,size=8,at=-30h,for=5h"
OFTEN = {"WEATHER_WINDOW_HOURS": "1"}  # 16 windows


def interrupted(db: str, environment: dict[str, str], how: signal.Signals, after: int) -> str:
    """What a run says on stderr that gets a signal once so many windows have been judged."""
    process = subprocess.Popen(
        [TOOL, "flag", "--start", START],
        env={**environment, **OFTEN, "WEATHER_DB": db},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while query(db, "SELECT COUNT(*) FROM judged")[0][0] < after:
        assert process.poll() is None, "it has ended too soon"
        time.sleep(0.01)  # the database is the only thing that tells
    process.send_signal(how)
    _, said = process.communicate()
    assert process.returncode in {128 + how, -how}
    return said


def test_past_time_is_flagged_and_nothing_else_is_written(db: str, run: Run) -> None:
    Network(db, FAULT, hours=HOURS)
    done = run("flag", "--start", START, "--json", WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["start"], said["end"]) == ("2025-11-19T16:00:00Z", "2025-11-21T16:00:00Z")
    assert {key: value for key, value in said["flags"][0].items() if key != "hours"} == {
        "station_id": "volos",
        "variable": "temp_out",
        "flag": "fail",
        "test": "step",
        "intervals": 1,
    }
    rows = query(
        db,
        "SELECT MIN(time), MAX(time), COUNT(*) FROM observations_qc WHERE station_id = 'volos' AND temp_out_qc = 4",
    )
    assert [(str(a)[:19], str(b)[:19], n) for a, b, n in rows] == [
        (stored(BEGIN - 30 * 3600), stored(BEGIN - 25 * 3600 - 600), 30)
    ]
    assert query(db, "SELECT COUNT(*) FROM observations_qc WHERE temp_out_qc = 2") == [(0,)]
    for table in ("anomalies", "incidents", "incident_history"):
        assert query(db, f"SELECT COUNT(*) FROM {table}") == [(0,)], table


def test_the_same_command_goes_on_where_it_was_ended(db: str, run: Run, environment: dict[str, str]) -> None:
    Network(db, FAULT, hours=HOURS)
    said = interrupted(db, environment, signal.SIGTERM, 2)
    assert "the same command goes on from there" in said
    assert interrupted(db, environment, signal.SIGKILL, 5).startswith("going on from 2025-11-1")
    windows, flags = [], []
    for expected in ("going on from ", ""):
        done = run("flag", "--start", START, "--json", WEATHER_DB=db, **OFTEN)
        assert done.returncode == 0, done.stderr
        assert done.stderr[: len("going on from ")] == expected
        windows.append(json.loads(done.stdout)["windows"])
        flags.append(sorted(query(db, "SELECT station_id, variable, started, ended, flag FROM detector_flags")))
    # The one that had been finished judged all anew, and came to the same.
    assert 0 < windows[0] <= windows[1] - 4
    assert flags[0] == flags[1]


def test_with_other_settings_all_is_judged_anew(run: Run, environment: dict[str, str]) -> None:
    db = environment["WEATHER_DB"]
    Network(db, hours=HOURS)
    interrupted(db, environment, signal.SIGKILL, 2)
    done = run("flag", "--start", START, WEATHER_NEIGHBOUR_KM="60", **OFTEN)
    assert (done.returncode, done.stderr) == (0, "")


def test_observations_arrive_meanwhile(db: str, environment: dict[str, str]) -> None:
    network = Network(db, hours=HOURS)
    process = subprocess.Popen(
        [TOOL, "flag", "--start", START], env={**environment, **OFTEN, "WEATHER_DB": db}, stdout=subprocess.DEVNULL
    )
    hours = 0
    while process.poll() is None and hours < 8:
        network.observe(1)
        network.detect()
        hours += 1
    assert process.wait() == 0
    assert hours
    assert query(db, "SELECT COUNT(*) FROM observations_qc WHERE temp_out_qc = 2") == [(0,)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--start", "yesterday"], "--start: 'yesterday' is not a time"),
        (["--start", "2025-11-21", "--end", "2025-11-20"], "give an end that is an hour or more later"),
        ([], "the following arguments are required: --start"),
    ],
)
def test_a_wrong_time_is_said(run: Run, words: list[str], said: str) -> None:
    done = run("flag", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_cannot_be_done_is_said(tmp_path: Path, run: Run) -> None:
    db = str(tmp_path / "weather.db")
    assert "there is no database" in run("flag", "--start", START).stderr
    Network(db, hours=2)
    done = run("flag", "--start", "2001-01-01", "--end", "2002-01-01")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "there is no observation from 2001-01-01T00:00:00Z to 2002-01-01T00:00:00Z" in done.stderr
    (tmp_path / "spool").mkdir()
    with alone(tmp_path / "spool"):
        done = run("flag", "--start", START)
    assert done.returncode == 1
    assert "past time is being judged already" in done.stderr


def test_what_neighbours_imply_is_near_the_truth(db: str) -> None:
    network = Network(db, FAULT, hours=HOURS)
    began, ended = stored(BEGIN - 30 * 3600), stored(BEGIN - 25 * 3600 - 600)
    change(
        db,
        "INSERT INTO maintenance (station_id, variable, started, ended, actor, note) "
        f"VALUES ('volos', 'temp_out', '{began}', '{ended}', '', '')",
    )
    truth = SimulatedWeather(default_network(), 1)
    with open_for_reading(db) as store:
        (readings,) = flagged_readings(store, Selection(), ["temp_out", "wind_dir"])
        found = estimates(store, network.settings, readings)
    assert np.isnan(found["wind_dir"]).all()
    (known,) = np.nonzero(~np.isnan(found["temp_out"]))
    assert (readings.flags["temp_out"][known] == 4).all()
    assert len(known) == 30
    place = readings.stations.index("volos")
    assert (readings.station[known] == place).all()
    true = [truth.at(int(at))[place] for at in readings.time[known]]
    assert np.abs(found["temp_out"][known] - [one.temp_out if one else np.nan for one in true]).max() < 2
    # What was measured stays as it is.
    assert np.abs(readings.values["temp_out"][known] - found["temp_out"][known]).min() > 5
