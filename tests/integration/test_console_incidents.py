"""What a shift does with incidents in the console: over HTTP, with somebody signed in, on both engines."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from fastapi import Request

from toolkit.api.application import application
from toolkit.api.server import Server, listening
from toolkit.console import application as console
from toolkit.console import people
from toolkit.model import Document, Station
from toolkit.settings import load
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


class Service:
    """A service that takes the name of who has signed in from a header; all but `viewer` are operators."""

    def __init__(self, base: str, db: str) -> None:
        self.base, self.db = base + "/console/data/", db

    def get(self, path: str, name: str = "maria", status: int = 200, **query: Any) -> Any:
        answer = requests.get(self.base + path, query, headers={"X-Name": name}, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, name: str = "maria", status: int = 200, **body: Any) -> Any:
        answer = requests.post(
            self.base + path, json=body, headers={"X-Name": name, "X-CSRF-Token": "token of the page"}, timeout=30
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    def ids(self, name: str = "maria", **query: Any) -> list[int]:
        return [one["id"] for one in self.get("incidents", name, **query)["incidents"]]

    def one(self, number: int) -> Any:
        return self.get(f"incidents/{number}")


async def _by_header(request: Request) -> people.Visit | None:
    name = request.headers.get("x-name", "")
    who = people.Person(name, "viewer" if name == "viewer" else "operator")
    return people.Visit(who, "token of the page", None) if name else None


@pytest.fixture
def service(db: str) -> Iterator[Service]:
    """Three incidents of stations, one of the network, one that is over."""
    with open_for_writing(db) as store:
        stations = [Station(name, name.title(), f"Σταθμός {name}", None, None, None) for name in ("a", "b", "c")]
        store.add(Document(stations, []), NOW - 9 * HOUR)
        with store.transaction():
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
    told = {"WEATHER_DB": db, "WEATHER_ENV_FILE": "/nonexistent", "WEATHER_API_REQUESTS_PER_MINUTE": "0"}
    app = application(load({}, told).settings)
    console.add(app)
    app.dependency_overrides[people.visit] = _by_header
    with listening("127.0.0.1:0") as here:
        server = Server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [here]}, daemon=True)
        thread.start()
        assert server.ready.wait(30)
        yield Service(f"http://127.0.0.1:{here.getsockname()[1]}", db)
        server.should_exit = True
        thread.join(10)
    app.state.answers.close()


def test_a_shift_sees_the_worst_first_and_what_is_its_own_nobodys_and_new(service: Service) -> None:
    assert service.ids() == [2, 4, 1, 3]
    assert service.ids(show="mine") == []
    assert service.ids("nikos", show="mine") == [2]
    assert service.ids(show="unassigned") == [4, 1, 3]
    assert service.ids(show="new", looked=NOW - 600) == [3]  # it got worse
    assert service.ids(show="over") == [5]
    told = service.get("incidents", "nikos", looked=NOW - 600, limit=1)
    assert told["counts"] == {"active": 4, "mine": 1, "unassigned": 3, "new": 1}
    assert (told["people"], told["more"]) == (["nikos"], True)
    assert service.ids(limit=2, offset=3) == [3]


def test_the_list_is_narrowed_by_severity_variable_station_and_text(service: Service) -> None:
    assert service.ids(severity="warning") == [2, 4, 1]
    assert service.ids(variable="all") == [2]
    assert service.ids(station="b") == [2, 4]
    assert service.ids(text="ΣΤΑΘΜΌΣ A") == [1]
    assert service.ids(text="niko") == [2]
    assert service.ids(show="over", text="σταθμός a", variable="rain") == [5]
    assert service.ids(show="over", station="b") == service.ids(show="over", text="zzz") == []
    assert "severity" in service.get("incidents", severity="bad", status=400)["detail"]
    assert "did you mean" in service.get("incidents", sation="a", status=400)["detail"]


def test_one_has_its_evidence_and_what_is_no_evidence_is_left_out(service: Service) -> None:
    one = service.one(1)
    (seen,) = one["evidence"]
    assert (seen["value"], seen["expected"], seen["score"]) == (31.5, 24.5, None)
    assert (seen["started"], seen["ended"]) == (1767225600, None)
    assert [(near["station_id"], near["station_name"], near["implies"], near["value"]) for near in seen["neighbours"]] == [
        ("b", "B", 24.4, 24.6), ("7", None, None, None)
    ]  # fmt: skip
    assert (one["started"], one["station_name_gr"]) == (NOW - 2 * HOUR, "Σταθμός a")
    assert [(each["station_id"], each["station_name"]) for each in service.one(4)["stations"]] == [
        ("b", "B"),
        ("c", "C"),
    ]
    assert "no incident 99" in service.get("incidents/99", status=404)["detail"]


def test_decisions_are_seen_at_once_and_have_the_name_of_who_decided(service: Service) -> None:
    assert service.post("incidents/1,3/acknowledge", note="on it")["incidents"][0]["state"] == "acknowledged"
    service.post("incidents/1/assign", to="maria")
    assert service.ids(show="mine") == [1]
    service.post("incidents/1/note", "nikos", note="no ladder\x1b[2J on site")
    service.post("incidents/3/dismiss", verdict="weather")
    service.post("incidents/1/resolve", note="new thermometer")
    assert service.ids() == [2, 4]
    one = service.one(1)
    assert (one["state"], one["verdict"]) == ("resolved", "fault")
    assert [(each["by"], each["action"], each["note"]) for each in one["history"]] == [
        ("detector", "opened", ""),
        ("maria", "acknowledged", "on it"),
        ("maria", "assigned", "maria"),
        ("nikos", "noted", "no ladder [2J on site"),
        ("maria", "resolved", "new thermometer"),
    ]
    assert [(each["event"], each["state"]) for each in one["messages"]] == [("resolved", "waiting")]
    assert service.one(3)["verdict"] == "weather"


def test_of_two_operators_the_second_does_not_overturn_the_first(service: Service) -> None:
    """Each acts on what the list showed; the second is told what the first did, and nothing of theirs is done."""
    shown = {str(one["id"]): one["version"] for one in service.get("incidents")["incidents"]}
    service.post("incidents/1/resolve", "nikos", seen=shown)
    told = service.post("incidents/1,2/dismiss", verdict="weather", seen=shown, status=409)["detail"]
    assert "incident 1 has changed since it was shown: resolved by nikos at" in told
    assert (service.one(1)["verdict"], service.one(2)["state"]) == ("fault", "open")
    service.post("incidents/1/note", note="thanks", seen={})  # a note overturns nothing
    fresh = {"1": service.one(1)["version"]}
    assert service.post("incidents/1/dismiss", verdict="siting", seen=fresh)["incidents"][0]["verdict"] == "siting"


def test_many_at_once_each_is_done_once(service: Service) -> None:
    """Twelve browsers acknowledge the same incident in the same moment."""
    answers: list[int] = []
    start = threading.Barrier(12)

    def acknowledge(name: str) -> None:
        start.wait()
        address, headers = (
            service.base + "incidents/1/acknowledge",
            {"X-Name": name, "X-CSRF-Token": "token of the page"},
        )
        answers.append(requests.post(address, json={}, headers=headers, timeout=30).status_code)

    threads = [threading.Thread(target=acknowledge, args=(f"person-{number}",)) for number in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == [200, *[409] * 11]
    assert len(service.one(1)["history"]) == 2


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


def test_what_cannot_be_done_is_said_and_nothing_is_changed(service: Service) -> None:
    before = service.one(1), service.one(5)
    for path, body, status, detail in REFUSED:
        assert detail in service.post(path, status=status, **body)["detail"], (path, body)
    assert (service.one(1), service.one(5)) == before
    assert service.get("maintenance")["maintenance"] == []


def test_who_has_not_signed_in_and_who_may_only_look_do_not_act(service: Service) -> None:
    for path in ("incidents/1/acknowledge", "maintenance", "maintenance/1/end"):
        assert "sign in" in service.post(path, "", status=401)["detail"]
        assert "may look" in service.post(path, "viewer", status=403)["detail"]
    assert service.ids("") == [2, 4, 1, 3]  # reading is open here


def test_maintenance_is_planned_seen_at_the_incident_and_ended(service: Service) -> None:
    window: dict[str, Any] = {
        "station": "a",
        "variables": ["temp_out"],
        "started": NOW - HOUR,
        "ended": NOW + HOUR,
        "note": "mast",
    }
    (planned,) = service.post("maintenance", **window)["maintenance"]
    assert (planned["by"], planned["from"], planned["station_name"]) == ("maria", NOW - HOUR, "A")
    assert service.one(1)["state"] == "maintenance"
    assert [each["note"] for each in service.one(1)["maintenance"]] == ["mast"]
    overlapping = service.post("maintenance", "nikos", 400, **window)["detail"]
    assert f"it overlaps maintenance {planned['id']} of a" in overlapping
    assert "weather-tool" not in overlapping  # the sentence has to do in a browser as well
    (ended,) = service.post(f"maintenance/{planned['id']}/end")["maintenance"]
    assert NOW <= ended["to"] < NOW + HOUR
    (ahead,) = service.post("maintenance", station="b", started=NOW + HOUR, ended=NOW + 2 * HOUR)["maintenance"]
    assert [one["id"] for one in service.get("maintenance", since=NOW)["maintenance"]] == [planned["id"], ahead["id"]]
    assert service.post(f"maintenance/{ahead['id']}/end")["maintenance"] == []
    assert [one["id"] for one in service.get("maintenance", station="b")["maintenance"]] == []
