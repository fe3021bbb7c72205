"""What Prometheus and the doctor see of incidents and of the messages about them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.integration.test_exporter import parsed
from tests.notifying import INCIDENT, NOW
from toolkit.checks import Status
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import Result, examine
from toolkit.checks.host import Host
from toolkit.exporter.incidents import NAMED
from toolkit.incidents.telling import messages
from toolkit.model import Document, Observation, Station
from toolkit.settings import load, load_lenient
from toolkit.store import open_for_writing


def test_metrics_of_incidents(run: Run, db: str) -> None:
    over = INCIDENT._replace(
        state="resolved", started=NOW - 12_000, ended=NOW - 4800, opened=NOW - 9000, resolved=NOW - 1800
    )
    with open_for_writing(db) as store, store.transaction():
        for one in (
            INCIDENT, INCIDENT._replace(station_id=None, severity="critical", variable="bar", state="acknowledged"),
            INCIDENT._replace(severity="info", state="maintenance"), INCIDENT._replace(severity="info"),
            over, over._replace(acknowledged=NOW - 5400), over._replace(part_of=1), over._replace(state="dismissed"),
            over._replace(opened=NOW - 40 * 86400, resolved=NOW - 31 * 86400),
        ):  # fmt: skip
            store.incidents.add(one)
        told = messages([(INCIDENT._replace(id=1), "opened")], load({}, {}).settings, NOW - 7200)
        store.incidents.tell(told)
        store.incidents.count("sent", 3)
        store.incidents.count("sent", 4)
    found = parsed(run("metrics", WEATHER_DB=db).stdout)
    active = {labels: value for (name, labels), value in found.items() if name == "weather_incidents_active" and value}
    assert active == {
        "severity=critical,state=acknowledged": 1, "severity=info,state=maintenance": 1, "severity=info,state=open": 1,
        "severity=warning,state=open": 1,
    }  # fmt: skip
    started = "weather_incident_started_timestamp_seconds"
    labels = "incident=2,kind=data_wrong,severity=critical,state=acknowledged,station=,variable=bar"
    assert found[started, labels] == INCIDENT.started
    assert sum(name == started for name, _ in found) == 4
    assert found["weather_incidents_resolved", ""] == 2
    assert found["weather_incidents_repair_seconds", ""] == 2 * 7200
    assert (found["weather_incidents_acknowledged", ""], found["weather_incidents_acknowledge_seconds", ""]) == (
        1,
        3600,
    )
    assert found["weather_messages_total", "outcome=sent"] == 7
    assert found["weather_outbox_messages", ""] == 1
    assert 7200 <= found["weather_outbox_age_seconds", ""] < 10_800


def test_a_storm_has_a_bounded_number_of_series(run: Run, tmp_path: Path) -> None:
    db = str(tmp_path / "weather.db")
    with open_for_writing(db) as store, store.transaction():
        for number in range(NAMED + 50):
            store.incidents.add(INCIDENT._replace(station_id=f"s{number}"))
        store.incidents.add(INCIDENT._replace(severity="critical"))
    found = parsed(run("metrics", WEATHER_DB=db).stdout)
    named = [labels for name, labels in found if name == "weather_incident_started_timestamp_seconds"]
    assert len(named) == NAMED
    assert any("severity=critical" in labels for labels in named)
    assert found["weather_incidents_active", "severity=warning,state=open"] == NAMED + 50


def test_availability(run: Run, db: str) -> None:
    stations = [Station(name, None, None, None, None, None) for name in ("half", "over", "gone")]
    times = {
        "half": [NOW - 600 * number for number in range(72)],
        "over": [NOW - 300 * number for number in range(280)],
        "gone": [NOW - 90_000],
    }
    observations = [Observation(at, station) for station, every in times.items() for at in every]
    with open_for_writing(db) as store:
        store.add(Document(stations, observations), NOW)
    found = parsed(run("metrics", WEATHER_DB=db).stdout)
    ratios = {labels: value for (name, labels), value in found.items() if name == "weather_station_availability_ratio"}
    assert ratios == {"station=half": pytest.approx(0.5, abs=0.01), "station=over": 1}


@pytest.fixture
def diagnosed(db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    (tmp_path / "jobs.json").write_text(
        json.dumps({"scheduler": "cron", "jobs": {"notify": {"command": "notify", "schedule": {}}}})
    )
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", tmp_path / "jobs.json")
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("WEATHER_DB", db)
    return Host(load_lenient())


def result(host: Host, name: str) -> Result:
    (found,) = examine(host, [BY_ID[name]])
    return found


def test_the_doctor_sees_that_nobody_could_be_told(diagnosed: Host, db: str) -> None:
    with open_for_writing(db) as store, store.transaction():
        for number, hours in ((1, 1), (2, 5)):
            opened = int(time.time()) - hours * 3600
            told = messages([(INCIDENT._replace(id=number), "opened")], load({}, {}).settings, opened)
            store.incidents.tell(one._replace(attempts=3, tried=NOW, error="line 1 (mailto://…): no") for one in told)
    found = result(diagnosed, "people-told")
    assert (found.status, found.command) == (Status.WARNING, "weather-job notify notify")
    assert found.finding.evidence == "2 messages wait, the oldest for 5 hours: line 1 (mailto://…): no"
    with open_for_writing(db) as store, store.transaction():
        waiting = store.incidents.messages(["waiting"])
        store.incidents.change_messages(one._replace(state="sent") for one in waiting if one.incident_id == 2)
    assert result(diagnosed, "people-told").status is Status.OK


def test_the_doctor_sees_incidents_that_nobody_looks_at(diagnosed: Host, db: str) -> None:
    old = INCIDENT._replace(opened=NOW - 4 * 86400)
    with open_for_writing(db) as store, store.transaction():
        for one in (INCIDENT, old._replace(severity="info"), old._replace(state="acknowledged")):
            store.incidents.add(one)
    assert result(diagnosed, "incidents-seen").status is Status.OK
    with open_for_writing(db) as store, store.transaction():
        store.incidents.add(old._replace(station_id="a\x1b[31m"))
    found = result(diagnosed, "incidents-seen")
    assert (found.status, found.command) == (
        Status.WARNING,
        "weather-tool incidents list  # then ack, resolve or dismiss each",
    )
    assert "1 incidents are open" in found.finding.evidence
    assert "4 days: 4 (a\\x1b[31m, temp_out)" in found.finding.evidence


def test_stations_beyond_the_bound_have_no_series_but_count(run: Run, db: str) -> None:
    names = [f"s{number:02}" for number in range(12)]
    stations = [Station(name, None, None, None, None, None) for name in names]
    with open_for_writing(db) as store:
        store.add(Document(stations, [Observation(NOW - 60, name) for name in names[:9]]), NOW)
        store.add(Document(stations, [Observation(NOW - 7200, name) for name in names[9:]]), NOW)
        with store.transaction():
            store.incidents.add(INCIDENT._replace(station_id="s07"))
            store.incidents.add(INCIDENT._replace(station_id="s10", severity="critical"))
            store.incidents.add(INCIDENT._replace(station_id="s11", severity="info"))
            store.incidents.add(INCIDENT._replace(station_id="s08", state="resolved", resolved=NOW))

    def named(most: int) -> tuple[set[str], dict[tuple[str, str], float]]:
        found = parsed(run("metrics", WEATHER_DB=db, WEATHER_METRICS_STATIONS=str(most)).stdout)
        ages, shares = (
            {labels.removeprefix("station=") for name, labels in found if name == f"weather_station_{what}"}
            for what in ("data_age_seconds", "availability_ratio")
        )
        assert ages == shares
        return ages, found

    assert named(2)[0] == {"s07", "s10"}
    some, found = named(4)
    assert some == {"s00", "s07", "s10", "s11"}
    assert (found["weather_stations", ""], found["weather_stations_named", ""]) == (12, 4)
    assert found["weather_stations_observed", "within=3600"] == 9
    assert found["weather_stations_observed", "within=21600"] == 12
    assert found["weather_network_availability_ratio", ""] == pytest.approx(1 / 144)
    assert named(0)[0] == set()
    assert named(12)[0] == set(names)
