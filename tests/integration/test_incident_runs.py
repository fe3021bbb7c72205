"""What the detector's runs make of trouble: incidents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Run
from tests.network import BEGIN, Network
from toolkit.simulator.network import default_network
from toolkit.store import open_for_reading
from toolkit.store.incidents import IncidentFilter
from toolkit.times import from_epoch

VOLOS = "station=volos,variable=temp_out"


@pytest.mark.parametrize(
    ("spec", "variable", "kind", "severity"),
    [
        (f"{VOLOS},kind=offset,size=6,at=30m", "temp_out", "data_wrong", "warning"),
        (f"{VOLOS},kind=stuck,at=30m", "temp_out", "data_wrong", "warning"),
        (f"{VOLOS},kind=noise,size=4,at=30m", "temp_out", "data_wrong", "warning"),
        (f"{VOLOS},kind=drift,size=1,at=30m", "temp_out", "data_wrong", "warning"),
        (f"{VOLOS},kind=dropout,at=30m", "temp_out", "data_missing", "warning"),
        ("station=volos,kind=silent,at=30m", "all", "data_missing", "critical"),
    ],
)
def test_twelve_runs_over_a_fault_are_one_incident(
    tmp_path: Path, spec: str, variable: str, kind: str, severity: str
) -> None:
    network = Network(str(tmp_path / "weather.db"), spec)
    network.run(12)
    found = network.incidents()
    assert [(one.station_id, one.variable, one.kind, one.severity, one.state, one.reopened) for one in found] == [
        ("volos", variable, kind, severity, "open", 0)
    ]
    assert BEGIN - 3600 <= found[0].started <= BEGIN + 3 * 3600
    assert found[0].ended > network.now - 3600


def test_a_repaired_sensor_is_resolved_by_itself(db: str) -> None:
    network = Network(db, f"{VOLOS},kind=offset,size=6,at=30m,for=3h")
    network.run(4)
    (one,) = network.incidents()
    assert (one.state, one.resolved) == ("open", None)
    network.run(6)
    (one,) = network.incidents()
    assert one.state == "resolved"
    assert [action.action for action in network.history(one) if action.action != "symptom"] == ["opened", "resolved"]


def test_a_fault_that_comes_and_goes_is_one_incident(tmp_path: Path) -> None:
    often = [f"{VOLOS},kind=offset,size=8,at={hours}h,for=1h" for hours in (1, 5, 9, 13, 17, 21)]
    network = Network(str(tmp_path / "weather.db"), *often)
    network.run(24)
    (one,) = network.incidents()
    assert (one.state, one.reopened, one.severity) == ("open", 0, "warning")


def test_a_fault_that_comes_back_reopens_its_incident_and_has_to_stay_away_for_longer(tmp_path: Path) -> None:
    twice = [f"{VOLOS},kind=offset,size=8,at={hours}h,for=1h" for hours in (1, 11)]
    network = Network(str(tmp_path / "weather.db"), *twice)
    network.run(20)
    (one,) = network.incidents()
    assert (one.state, one.reopened) == ("open", 1)
    network.run(5)
    (one,) = network.incidents()
    assert (one.state, one.reopened) == ("resolved", 1)
    done = [action.action for action in network.history(one) if action.action != "symptom"]
    assert done == ["opened", "resolved", "reopened", "resolved"]


def test_a_sensor_that_falls_silent_is_not_taken_for_well(tmp_path: Path) -> None:
    network = Network(
        str(tmp_path / "weather.db"),
        f"{VOLOS},kind=offset,size=8,at=30m",
        f"{VOLOS},kind=dropout,at=3h",
        "station=zagora,variable=bar,kind=offset,size=8,at=30m",
        "station=zagora,kind=silent,at=3h",
    )
    network.run(20)
    found = {(one.station_id, one.variable, one.kind): one.state for one in network.incidents()}
    assert found == {
        ("volos", "temp_out", "data_wrong"): "open",
        ("volos", "temp_out", "data_missing"): "open",
        ("zagora", "bar", "data_wrong"): "open",
        ("zagora", "all", "data_missing"): "open",
    }


ALL = [station.station_id for station in default_network()]


def test_a_unit_that_changes_at_all_stations_is_one_incident_of_the_network(db: str) -> None:
    feed = [f"station={name},variable=temp_out,kind=unit,at=150m,for=20h" for name in ALL]
    network = Network(db, *feed, f"{VOLOS},kind=offset,size=6,at=30m,for=20h")
    network.run(2)
    (own,) = network.incidents()
    network.run(14)
    own, of_all = network.incidents(IncidentFilter(variables=["temp_out"]))
    assert (own.station_id, own.state, own.part_of) == ("volos", "open", None)
    assert (of_all.station_id, of_all.variable, of_all.kind) == (None, "temp_out", "data_wrong")
    assert (of_all.state, of_all.severity, of_all.resolved) == ("open", "critical", None)
    assert {one.station_id for one in network.affected(of_all)} >= {*ALL} - {"volos"}


def test_stations_that_fall_silent_together_are_one_incident_and_one_that_stays_so_has_its_own(tmp_path: Path) -> None:
    silent = [f"station={name},kind=silent,at=30m,for={'40h' if name == ALL[0] else '5h'}" for name in ALL[:6]]
    network = Network(str(tmp_path / "weather.db"), *silent)
    network.run(4)
    (of_all,) = network.incidents()
    assert (of_all.station_id, of_all.variable, of_all.kind, of_all.state) == (None, "all", "data_missing", "open")
    assert [one.station_id for one in network.affected(of_all)] == ALL[:6]
    network.run(14)
    of_all, own = network.incidents(IncidentFilter(variables=["all"]))
    assert of_all.state == "resolved"
    assert (own.station_id, own.state, own.severity) == (ALL[0], "open", "critical")
    assert own.started < BEGIN + 3600


def test_stations_that_each_turn_out_to_be_a_part_become_one_incident(tmp_path: Path) -> None:
    at = {ALL[3]: "30m", ALL[1]: "80m", ALL[6]: "82m", ALL[9]: "84m", ALL[11]: "86m", ALL[13]: "88m"}
    network = Network(
        str(tmp_path / "weather.db"), *(f"station={name},variable=bar,kind=dropout,at={at[name]}" for name in at)
    )
    while not network.incidents():
        network.run(1)
    assert network.incidents()[0].station_id == ALL[3]
    network.run(2)
    (of_all,) = [one for one in network.incidents() if one.state == "open"]
    assert of_all.station_id is None
    (part,) = [one for one in network.incidents() if one.station_id == ALL[3]]
    assert (part.state, part.part_of) == ("resolved", of_all.id)
    assert network.history(part)[-1].action == "joined"
    assert [one.id for one in network.incidents(IncidentFilter())] == [of_all.id]


def test_what_only_weeks_show_is_an_incident_and_ends_when_the_sensor_is_repaired(tmp_path: Path) -> None:
    network = Network(str(tmp_path / "weather.db"), f"{VOLOS},kind=drift,size=0.05,at=0h,for=7d", hours=7 * 24)
    network.observe(7 * 24)
    network.examine()
    (drift,) = [one for one in network.incidents() if one.station_id == "volos" and one.variable == "temp_out"]
    assert (drift.kind, drift.state) == ("data_wrong", "open")
    network.run(2)  # of which the detector cannot tell the end
    network.examine()
    assert {one.id: one.state for one in network.incidents()}[drift.id] == "open"
    network.observe(3 * 24)
    network.examine()
    network.run(1)  # which saw the sensor jump back when it was repaired
    (drift,) = [one for one in network.incidents() if one.id == drift.id]
    assert drift.state == "resolved"


def test_the_start_of_what_began_before_the_window_is_looked_for(tmp_path: Path) -> None:
    network = Network(
        str(tmp_path / "weather.db"),
        f"{VOLOS},kind=offset,size=8,at=-40h",
        "station=zagora,variable=bar,kind=dropout,at=-10h",
        "station=dodoni,kind=silent,at=-20h",
        hours=96,
    )
    network.run(1)
    began = {(one.station_id, one.variable): (one.started - BEGIN) / 3600 for one in network.incidents()}
    assert began["volos", "temp_out"] == pytest.approx(-40, abs=1)
    assert began["zagora", "bar"] == pytest.approx(-10, abs=0.2)
    assert began["dodoni", "all"] == pytest.approx(-20, abs=0.2)


def test_an_archive_is_judged_window_by_window(tmp_path: Path) -> None:
    network = Network(
        str(tmp_path / "weather.db"),
        "station=volos,variable=temp_out,kind=offset,at=-40h,for=20h,size=8",
        "station=zagora,kind=silent,at=-10h",
        hours=120,
    )
    for hours in range(45, -1, -3):
        network.detect(end=network.now - hours * 3600)
    states = {one.station_id: (one.state, round((one.ended - one.started) / 3600)) for one in network.incidents()}
    assert states == {"volos": ("resolved", 20), "zagora": ("open", 10)}


def test_a_window_of_the_past_tells_of_the_past_alone(tmp_path: Path) -> None:
    network = Network(
        str(tmp_path / "weather.db"),
        "station=volos,variable=temp_out,kind=offset,at=-40h,for=20h,size=8",
        "station=zagora,kind=silent,at=-10h",
        hours=120,
    )
    network.detect()
    for hours in (46, 30, 18, 5):
        network.detect(end=network.now - hours * 3600)
    assert {one.station_id: one.state for one in network.incidents()} == {"volos": "resolved", "zagora": "open"}
    with open_for_reading(network.settings.db) as store:
        told = {one.key.partition(" ")[2] for one in store.incidents.messages(["waiting"])}
    assert told == {"opened 0", "escalated 0"}


def test_sensor_health_opens_incidents_by_command_and_in_the_first_days_only_what_they_show(
    run: Run, environment: dict[str, str]
) -> None:
    network = Network(
        environment["WEATHER_DB"],
        "station=volos,variable=out_hum,kind=stuck,at=-60h",
        "station=zagora,variable=bar,kind=offset,size=20,at=-71h",
        hours=72,
    )
    end = from_epoch(network.now).isoformat()
    done = run("sensors", "--days", "30", "--record", "--end", end)
    assert done.returncode == 0, done.stderr
    (one,) = network.incidents()
    assert (one.station_id, one.variable, one.kind, one.symptoms) == ("volos", "out_hum", "data_wrong", "stuck")
    assert [line.actor for line in network.history(one)] == ["sensors"]
