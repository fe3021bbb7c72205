"""What a shift does with incidents in the console: over HTTP, by people who have signed in, on both engines."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.console import Console, Role
from tests.databases import change
from toolkit.database import database
from toolkit.model import Document, Station
from toolkit.store import open_for_writing
from toolkit.store.incidents import Action, Affected, Incident

NOW = int(time.time())
HOUR = 3600
EVIDENCE = (
    '{"detector": {"symptom": "spatial", "class": "device_failure", "reason": "7 °C above what its neighbours imply",'
    ' "value": 31.5, "expected": 24.5, "score": NaN, "started": "2026-01-01T00:00:00Z", "ended": "yesterday",'
    ' "neighbours": [{"station_id": "b", "distance_km": 12.5, "value": 24.6, "implies": 24.4, "correlation": 0.99},'
    ' "c", {"station_id": 7, "value": "<b>"}]}, "other": 3}'
)


def incident(station: str | None, **fields: Any) -> Incident:
    """An open incident that began two hours ago."""
    usual: dict[str, Any] = {
        "id": 0, "station_id": station, "variable": "temp_out", "kind": "data_wrong", "symptoms": "spatial",
        "severity": "warning", "state": "open", "started": NOW - 2 * HOUR, "ended": NOW - HOUR, "opened": NOW - HOUR,
        "acknowledged": None, "resolved": None, "judged": NOW - HOUR, "assignee": None, "verdict": None,
        "part_of": None, "reopened": 0, "confidence": 0.9, "evidence": EVIDENCE,
    }  # fmt: skip
    return Incident(**{**usual, **fields})


class Shift:
    """People who have signed in to a service, by their names; all but `viewer` are operators, and "" is nobody."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._clients = {name: console.session(name, role) for name, role in PEOPLE.items()}

    def get(self, path: str, name: str = "maria", status: int = 200, **query: Any) -> Any:
        answer = self._clients[name].get(path, **query)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, name: str = "maria", status: int = 200, **body: Any) -> Any:
        answer = self._clients[name].post(path, body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ids(self, name: str = "maria", **query: Any) -> list[int]:
        return [one["id"] for one in self.get("incidents", name, **query)["incidents"]]

    def one(self, number: int) -> Any:
        return self.get(f"incidents/{number}")


PEOPLE: dict[str, Role] = {"": "viewer", "viewer": "viewer", "maria": "operator", "nikos": "operator"}
TABLES = ("outbox", "incident_history", "incident_stations", "maintenance", "incidents")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def signed_in(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shift]:
    """A service with three stations, and who has signed in."""
    folder = tmp_path_factory.mktemp("console")
    db = str(folder / "weather.db")
    if request.param == "postgresql":
        db = request.getfixturevalue("postgresql").database(f"console_{uuid4().hex}")
    with open_for_writing(db) as store:
        stations = [Station(name, name.title(), f"Σταθμός {name}", None, None, None) for name in ("a", "b", "c")]
        store.add(Document(stations, []), NOW - 9 * HOUR)
    running = Console(db, folder)
    yield Shift(running)
    running.stop()


@pytest.fixture
def shift(signed_in: Shift) -> Shift:
    """Three incidents of stations, one of the network, one that is over."""
    db = signed_in.console.db
    if database(db).file is None:
        change(db, f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
    else:
        for table in TABLES:
            change(db, f"DELETE FROM {table}")
    with open_for_writing(db) as store, store.transaction():
        add = store.incidents.add
        numbers = [
            add(incident("a")),
            add(incident("b", variable="all", severity="critical", kind="data_missing", assignee="nikos")),
            add(incident("c", severity="info", started=NOW - 90 * HOUR)),
            add(incident(None, variable="bar", severity="critical", started=NOW - 3 * HOUR)),
            add(incident("a", variable="rain", state="resolved", resolved=NOW - HOUR, verdict="fault")),
        ]
        assert numbers == [1, 2, 3, 4, 5]
        store.incidents.affect([Affected(4, name, NOW - 3 * HOUR, NOW - HOUR) for name in ("b", "c")])
        store.incidents.note(Action(number, NOW - HOUR, "detector", "opened", "") for number in numbers)
        store.incidents.note([Action(3, NOW - 60, "detector", "worsened", "info")])
    signed_in.post("incidents/9/resolve", status=400)  # after it the service looks at once whether something was stored
    return signed_in


def test_a_shift_sees_the_worst_first_and_what_is_its_own_nobodys_and_new(shift: Shift) -> None:
    assert shift.ids() == [2, 4, 1, 3]
    assert shift.ids(show="mine") == []
    assert shift.ids("nikos", show="mine") == [2]
    assert shift.ids(show="unassigned") == [4, 1, 3]
    assert shift.ids(show="new", looked=NOW - 600) == [3]  # it got worse
    assert shift.ids(show="over") == [5]
    told = shift.get("incidents", "nikos", looked=NOW - 600, limit=1)
    assert told["counts"] == {"active": 4, "mine": 1, "unassigned": 3, "new": 1}
    assert told["more"]
    assert shift.ids(limit=2, offset=3) == [3]


def test_the_list_is_narrowed_by_severity_variable_station_and_text(shift: Shift) -> None:
    assert shift.ids(severity="warning") == [2, 4, 1]
    assert shift.ids(variable="all") == [2]
    assert shift.ids(station="b") == [2, 4]
    assert shift.ids(text="ΣΤΑΘΜΌΣ A") == [1]
    assert shift.ids(text="niko") == [2]
    assert shift.ids(show="over", text="σταθμός a", variable="rain") == [5]
    assert shift.ids(show="over", station="b") == shift.ids(show="over", text="zzz") == []
    assert "severity" in shift.get("incidents", severity="bad", status=400)["detail"]
    assert "did you mean" in shift.get("incidents", sation="a", status=400)["detail"]


def test_one_has_its_evidence_and_what_is_no_evidence_is_left_out(shift: Shift) -> None:
    one = shift.one(1)
    (seen,) = one["evidence"]
    assert (seen["value"], seen["expected"], seen["score"]) == (31.5, 24.5, None)
    assert (seen["started"], seen["ended"]) == (1767225600, None)
    assert [(near["station_id"], near["station_name"], near["implies"], near["value"]) for near in seen["neighbours"]] == [
        ("b", "B", 24.4, 24.6), ("7", None, None, None)
    ]  # fmt: skip
    assert (one["started"], one["station_name_gr"]) == (NOW - 2 * HOUR, "Σταθμός a")
    assert [(each["station_id"], each["station_name"]) for each in shift.one(4)["stations"]] == [
        ("b", "B"),
        ("c", "C"),
    ]
    assert "no incident 99" in shift.get("incidents/99", status=404)["detail"]


def test_decisions_are_seen_at_once_and_have_the_name_of_who_decided(shift: Shift) -> None:
    assert shift.post("incidents/1,3/acknowledge", note="on it")["incidents"][0]["state"] == "acknowledged"
    shift.post("incidents/1/assign", to="maria")
    shift.post("incidents/1/assign", to="a technician")
    assert shift.get("incidents/people")["people"] == ["a technician", "maria", "nikos"]
    shift.post("incidents/1/assign", to="maria")
    assert shift.ids(show="mine") == [1]
    shift.post("incidents/1/note", "nikos", note="no ladder\x1b[2J on site")
    shift.post("incidents/3/dismiss", verdict="weather")
    shift.post("incidents/1/resolve", note="new thermometer")
    assert shift.ids() == [2, 4]
    one = shift.one(1)
    assert (one["state"], one["verdict"]) == ("resolved", "fault")
    assert [(each["by"], each["action"], each["note"]) for each in one["history"]] == [
        ("detector", "opened", ""),
        ("maria", "acknowledged", "on it"),
        *[("maria", "assigned", name) for name in ("maria", "a technician", "maria")],
        ("nikos", "noted", "no ladder [2J on site"),
        ("maria", "resolved", "new thermometer"),
    ]
    assert [(each["event"], each["state"]) for each in one["messages"]] == [("resolved", "waiting")]
    assert shift.one(3)["verdict"] == "weather"


def test_of_two_operators_the_second_does_not_overturn_the_first(shift: Shift) -> None:
    """Each acts on what the list showed; the second is told what the first did, and nothing of theirs is done."""
    shown = {str(one["id"]): one["version"] for one in shift.get("incidents")["incidents"]}
    shift.post("incidents/1/resolve", "nikos", seen=shown)
    told = shift.post("incidents/1,2/dismiss", verdict="weather", seen=shown, status=409)["detail"]
    assert "incident 1 has changed since it was shown: resolved by nikos at" in told
    assert (shift.one(1)["verdict"], shift.one(2)["state"]) == ("fault", "open")
    shift.post("incidents/1/note", note="thanks", seen={})  # a note overturns nothing
    fresh = {"1": shift.one(1)["version"]}
    assert shift.post("incidents/1/dismiss", verdict="siting", seen=fresh)["incidents"][0]["verdict"] == "siting"


def test_many_at_once_each_is_done_once(shift: Shift) -> None:
    """Twelve pages acknowledge the same incident in the same moment."""
    client = shift.console.session("maria")
    answers: list[int] = []
    start = threading.Barrier(12)

    def acknowledge() -> None:
        address = f"{client.console.root}data/incidents/1/acknowledge"
        headers, cookies = dict(client.http.headers), client.http.cookies.get_dict()
        start.wait()
        answers.append(requests.post(address, json={}, headers=headers, cookies=cookies, timeout=30).status_code)

    threads = [threading.Thread(target=acknowledge) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == [200, *[409] * 11]
    assert len(shift.one(1)["history"]) == 2


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("incidents/1/acknowledge", {"by": "root"}, 400, "by"),
    ("incidents/1/note", {}, 400, "give a note"),
    ("incidents/1/note", {"note": "x" * 1001}, 400, "1001 characters"),
    ("incidents/1/note", {"note": "x" * 5000}, 400, "note"),
    ("incidents/1/assign", {"to": "detector"}, 400, "that is a job's name"),
    ("incidents/1/dismiss", {}, 400, "verdict"),
    ("incidents/1/dismiss", {"verdict": "fault"}, 400, "verdict"),
    ("incidents/1,77/resolve", {}, 400, "there is no incident 77"),
    ("incidents/5/acknowledge", {}, 409, "it is resolved as fault"),
    ("incidents/1/explode", {}, 404, "there is nothing"),
    ("incidents/1,x/resolve", {}, 404, "there is nothing"),
    ("incidents/" + ",".join(map(str, range(1, 202))) + "/resolve", {}, 404, "there is nothing"),
    ("maintenance", {"station": "aa", "started": NOW, "ended": NOW + 60}, 400, "there is no station 'aa'"),
    ("maintenance", {"station": "a", "started": NOW, "ended": NOW}, 400, "is not after the start"),
    ("maintenance", {"station": "a", "started": NOW, "ended": 2**50}, 400, "ended"),
    ("maintenance", {"station": "a", "started": 0, "ended": 60}, 400, "from 2001 to 2100"),
    ("maintenance", {"station": "a", "variables": ["temp_outt"], "started": 0, "ended": 60}, 400, "did you mean temp"),
    ("maintenance/7/end", {}, 400, "there is no maintenance 7"),
]  # fmt: skip


def test_what_cannot_be_done_is_said_and_nothing_is_changed(shift: Shift) -> None:
    before = shift.one(1), shift.one(5)
    for path, body, status, detail in REFUSED:
        assert detail in shift.post(path, status=status, **body)["detail"], (path, body)
    assert (shift.one(1), shift.one(5)) == before
    assert shift.get("maintenance")["maintenance"] == []


def test_who_has_not_signed_in_and_who_may_only_look_do_not_act(shift: Shift) -> None:
    for path in ("incidents/1/acknowledge", "maintenance", "maintenance/1/end"):
        assert "sign in" in shift.post(path, "", status=401)["detail"]
        assert "may look" in shift.post(path, "viewer", status=403)["detail"]
    for name in ("", "viewer"):
        assert shift.get("incidents/people", name)["people"] == ["nikos"]  # accounts are no business of others
    assert shift.ids("") == [2, 4, 1, 3]  # reading is open here


def test_maintenance_is_planned_seen_at_the_incident_and_ended(shift: Shift) -> None:
    window: dict[str, Any] = {
        "station": "a",
        "variables": ["temp_out"],
        "started": NOW - HOUR,
        "ended": NOW + HOUR,
        "note": "mast",
    }
    (planned,) = shift.post("maintenance", **window)["maintenance"]
    assert (planned["by"], planned["from"], planned["station_name"]) == ("maria", NOW - HOUR, "A")
    assert shift.one(1)["state"] == "maintenance"
    assert [each["note"] for each in shift.one(1)["maintenance"]] == ["mast"]
    overlapping = shift.post("maintenance", "nikos", 400, **window)["detail"]
    assert f"it overlaps maintenance {planned['id']} of a" in overlapping
    assert "weather-tool" not in overlapping  # the sentence has to do in a browser as well
    (ended,) = shift.post(f"maintenance/{planned['id']}/end")["maintenance"]
    assert NOW <= ended["to"] < NOW + HOUR
    (ahead,) = shift.post("maintenance", station="b", started=NOW + HOUR, ended=NOW + 2 * HOUR)["maintenance"]
    assert [one["id"] for one in shift.get("maintenance", since=NOW)["maintenance"]] == [planned["id"], ahead["id"]]
    assert shift.post(f"maintenance/{ahead['id']}/end")["maintenance"] == []
    assert [one["id"] for one in shift.get("maintenance", station="b")["maintenance"]] == []
