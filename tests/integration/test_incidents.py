"""`weather-tool incidents`: what people see and decide of incidents, on both engines."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Run
from tests.integration.conftest import END
from toolkit.model import Document, Station
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.incidents import Action, Affected, Incident, Maintenance
from toolkit.times import from_epoch, iso

HOUR = 3600
INCIDENT = Incident(
    id=0, station_id="volos", variable="temp_out", kind="data_wrong", symptoms="spatial,step", severity="warning",
    state="open", started=END - 5 * HOUR, ended=END, opened=END - 4 * HOUR, acknowledged=None, resolved=None,
    judged=END, assignee=None, verdict=None, part_of=None, reopened=0, confidence=0.9,
    evidence=json.dumps({"detector": {
        "symptom": "spatial", "reason": "it reads 28.4 °C for 13.1 °C \x1b[31m<b>", "value": 28.4, "expected": 13.1,
        "score": 9.0, "neighbours": [
            {"station_id": "zagora", "distance_km": 20.1, "value": 9.0, "implies": 13.0, "correlation": 0.97},
        ],
    }}),
)  # fmt: skip
NAMES = ("volos", "volos-port", "zagora", "portaria")


@pytest.fixture
def store(db: str, environment: dict[str, str]) -> Callable[..., list[int]]:
    """Put incidents into the store that the command uses."""
    environment["WEATHER_DB"] = db
    with open_for_writing(db) as opened:
        stations = [Station(name, None, None, 39.4 + place / 10, 22.9, 50) for place, name in enumerate(NAMES)]
        opened.add(Document(stations, []), END)

    def put(*incidents: Incident) -> list[int]:
        with open_for_writing(db) as opened, opened.transaction():
            return [opened.incidents.add(one) for one in incidents]

    return put


def answer(run: Run, *words: str, **variables: str) -> Any:
    done = run("incidents", *words, "--json", **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(run: Run, *words: str, code: int = 2) -> str:
    done = run("incidents", *words)
    assert (done.returncode, len(done.stderr.splitlines()), done.stdout) == (code, 1, ""), done
    return done.stderr


def test_what_is_listed(run: Run, store: Callable[..., list[int]]) -> None:
    wrong, silent, info, over, part = store(
        INCIDENT,
        INCIDENT._replace(station_id="zagora", variable="all", kind="data_missing", severity="critical"),
        INCIDENT._replace(variable="bar", severity="info", state="acknowledged", started=END - 100 * HOUR),
        INCIDENT._replace(state="resolved", resolved=END, ended=END - 3 * HOUR),
        INCIDENT._replace(state="resolved", resolved=END, part_of=1),
    )

    def ids(*words: str) -> list[int]:
        return [one["id"] for one in answer(run, "list", *words)]

    assert ids() == [silent, wrong, info]  # the worst first
    assert ids("--severity", "warning") == [silent, wrong]
    assert ids("--station", "volos") == [wrong, info]
    assert ids("--variable", "bar", "--variable", "all") == [silent, info]
    assert ids("--state", "resolved") == [over]
    assert ids("--all", "--since", "2025-11-22T15:00Z") == [info, silent, wrong]
    assert ids("--all", "--limit", "1") == [over]
    shown = run("incidents", "list").stdout.splitlines()
    assert shown[0].split("\t")[:5] == ["id", "severity", "state", "station", "variable"]
    assert "\x1b" not in shown[2]
    assert "28.4 °C" in shown[2]
    assert refused(run, "list", "--station", "volo").count("did you mean volos?") == 1
    assert "did you mean temp_out?" in refused(run, "list", "--variable", "tempout")
    assert "is not a time" in refused(run, "list", "--since", "lately")
    assert part not in ids("--all")


def test_from_a_fault_to_its_repair(run: Run, store: Callable[..., list[int]], db: str) -> None:
    one, other = store(INCIDENT, INCIDENT._replace(station_id="zagora"))
    done = run("incidents", "ack", str(one), str(other), "--note", "on Tuesday", SUDO_USER="maria")
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            f"incident {one}: volos, temp_out: acknowledged, by maria",
            f"incident {other}: zagora, temp_out: acknowledged, by maria",
        ],
    )
    answer(run, "assign", str(one), "--to", "nikos", "--by", "eleni")
    answer(run, "note", f"#{one}", "--note", "a\nladder\x1b[31m", WEATHER_ACTOR="eleni")
    (resolved,) = answer(run, "resolve", str(one), "--note", "new thermometer", "--by", "nikos")
    assert (resolved["state"], resolved["verdict"], resolved["assignee"]) == ("resolved", "fault", "nikos")
    (shown,) = answer(run, "show", str(one))
    assert [(each["by"], each["action"], each["note"]) for each in shown["history"]] == [
        ("maria", "acknowledged", "on Tuesday"),
        ("eleni", "assigned", "nikos"),
        ("eleni", "noted", "a ladder [31m"),
        ("nikos", "resolved", "new thermometer"),
    ]
    with open_for_reading(db) as opened:
        events = [(each.event, each.state) for each in opened.incidents.told([one])]
    assert events == [("resolved", "waiting")]
    # Whatever is wrong, nothing is changed.
    assert f"incident {one} cannot be acknowledged: it is resolved as fault" in refused(run, "ack", str(one), code=1)
    assert "is acknowledged already, since" in refused(run, "ack", str(other), code=1)
    assert "cannot be assigned" in refused(run, "assign", str(other), str(one), "--to", "x", code=1)
    assert answer(run, "show", str(other))[0]["assignee"] is None
    assert "is resolved already, as a fault" in refused(run, "resolve", str(one), code=1)
    assert f"there is no incident 99: they go up to {other}" in refused(run, "resolve", str(other), "99")
    assert "is no incident's" in refused(run, "ack", "12e9")
    assert "give a note" in refused(run, "note", str(one))
    assert "that is a job's name" in refused(run, "ack", str(other), "--by", "Detector")
    assert "give a name of 1 to 64 characters" in refused(run, "ack", str(other), "--by", "x" * 65)


def test_of_several_who_acknowledge_at_once_one_does(run: Run, store: Callable[..., list[int]]) -> None:
    (one,) = store(INCIDENT)
    with ThreadPoolExecutor(4) as pool:
        done = list(
            pool.map(lambda name: run("incidents", "ack", str(one), "--by", name), ["ada", "bea", "cid", "dan"])
        )
    assert sorted(each.returncode for each in done) == [0, 1, 1, 1]
    assert all("is acknowledged already" in each.stderr for each in done if each.returncode)
    assert [each["action"] for each in answer(run, "show", str(one))[0]["history"]] == ["acknowledged"]


def test_what_was_no_fault(run: Run, store: Callable[..., list[int]]) -> None:
    one, over, part = store(
        INCIDENT,
        INCIDENT._replace(state="resolved", resolved=END),
        INCIDENT._replace(state="resolved", resolved=END, part_of=1),
    )
    found = answer(run, "dismiss", str(one), str(over), "--as", "weather", "--by", "maria")
    assert [(each["state"], each["verdict"]) for each in found] == 2 * [("dismissed", "weather")]
    assert "is dismissed already, as weather" in refused(run, "dismiss", str(one), "--as", "weather", code=1)
    # A second thought is one.
    assert answer(run, "dismiss", str(one), "--as", "siting", "--by", "maria")[0]["verdict"] == "siting"
    assert "of the network: decide of that one" in refused(run, "dismiss", str(part), "--as", "siting", code=1)


def test_all_that_is_known_of_one(run: Run, store: Callable[..., list[int]], db: str) -> None:
    (one, of_network) = store(INCIDENT, INCIDENT._replace(station_id=None, severity="critical"))
    with open_for_writing(db) as opened, opened.transaction():
        opened.incidents.affect(Affected(of_network, name, END - HOUR, END) for name in NAMES)
        opened.incidents.note([Action(one, END, "detector", "opened", "<script>alert(1)</script>\x1b]0;x\x07")])
        opened.incidents.plan(Maintenance(0, "volos", "all", END - HOUR, END + HOUR, "maria", "the roof"))
        opened.incidents.plan(Maintenance(0, "volos", "bar", END - HOUR, END + HOUR, "maria", "a hose"))
    exceptions = json.dumps([{"station": "volos", "limits": 2, "reason": "on a roof"}])
    done = run("incidents", "show", str(one), str(of_network), WEATHER_EXCEPTIONS=exceptions)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    for said in (
        "zagora\t20.1 km\t9 °C\t13 °C\t0.97", "volos\t-\t28.4 °C\t-\t-", "seen by: spatial, step", "detector\topened\t",
        "the roof", '"limits": 2.0, "reason": "on a roof"', f"incident {of_network}: the network, temp_out",
        f"portaria\t{iso(from_epoch(END - HOUR))}",
    ):  # fmt: skip
        assert said in done.stdout, said
    assert "a hose" not in done.stdout


def test_maintenance_ahead_and_afterwards(run: Run, store: Callable[..., list[int]]) -> None:
    now, before, outside = store(
        INCIDENT,
        INCIDENT._replace(state="resolved", resolved=END, started=END - 9 * HOUR, ended=END - 8 * HOUR),
        INCIDENT._replace(variable="bar", state="resolved", resolved=END),
    )
    (window,) = answer(
        run, "maintenance", "volos", "--from", "2025-11-22T06:00Z", "--to", "2025-11-22T17:00Z", "--variables",
        "temp_out", "--note", "the mast", "--by", "maria",
    )  # fmt: skip
    assert (window["variable"], window["by"], window["note"], window["state"]) == (
        "temp_out",
        "maria",
        "the mast",
        "over",
    )
    state = {one["id"]: (one["state"], one["verdict"]) for one in answer(run, "list", "--all")}
    assert state == {
        now: ("maintenance", None), before: ("resolved", "maintenance"), outside: ("resolved", None)
    }  # fmt: skip
    (shown,) = answer(run, "show", str(now))
    assert shown["history"][-1]["note"] == "2025-11-22 06:00 to 2025-11-22 17:00 UTC: the mast"
    assert [one["id"] for one in shown["maintenance"]] == [window["id"]]
    assert f"it overlaps maintenance {window['id']} of volos, temp_out" in refused(
        run, "maintenance", "volos", "--from", "2025-11-22T16:00Z", "--to", "2025-11-23"
    )
    ahead = answer(run, "maintenance", "volos", "--from", "2090-01-01", "--to", "2090-01-02", "--variables", "bar,rain")
    assert [(one["variable"], one["state"]) for one in ahead] == [("bar", "ahead"), ("rain", "ahead")]
    assert run("incidents", "maintenance", "--end", str(ahead[0]["id"])).stdout.endswith(" is cancelled\n")
    (later,) = answer(run, "maintenance", "--end", str(ahead[1]["id"]), "--to", "2090-01-03")
    assert later["to"] == "2090-01-03T00:00:00Z"
    listed = answer(run, "maintenance", "--days", "36500")
    assert [one["id"] for one in listed] == [window["id"], ahead[1]["id"]]
    assert "is over since 2025-11-22 17:00:00 UTC" in refused(run, "maintenance", "--end", str(window["id"]))
    assert "there is no maintenance 77" in refused(run, "maintenance", "--end", "77")
    assert "did you mean volos?" in refused(run, "maintenance", "volo", "--from", "2090-01-01", "--to", "2090-01-02")
    assert "did you mean temp_out?" in refused(
        run, "maintenance", "volos", "--to", "2090-01-01", "--variables", "temp_ou"
    )
    assert "is not after the start" in refused(
        run, "maintenance", "volos", "--from", "2090-01-02", "--to", "2090-01-01"
    )
    assert "give at most 366" in refused(run, "maintenance", "volos", "--from", "2080-01-02", "--to", "2090-01-01")
    assert "give --to" in refused(run, "maintenance", "volos")
    assert "give the station as well" in refused(run, "maintenance", "--to", "2090-01-01")


def test_what_people_say_of_the_detector(run: Run, store: Callable[..., list[int]]) -> None:
    dismissed = INCIDENT._replace(state="dismissed", verdict="weather", resolved=END, acknowledged=END - 2 * HOUR)
    store(
        *[dismissed._replace(verdict=verdict) for verdict in ("weather", "weather", "siting")],
        *[INCIDENT._replace(variable="bar", symptoms="step", state="resolved", verdict="fault", resolved=END)] * 2,
        INCIDENT._replace(variable="bar", symptoms="step", state="dismissed", verdict="weather", resolved=END),
        INCIDENT._replace(state="resolved", verdict="maintenance", resolved=END),
        *[dismissed._replace(station_id="zagora", variable="wind_speed", symptoms="persistence", evidence="{}")] * 3,
        INCIDENT,
    )
    found = answer(run, "stats", "--days", "3650")
    assert (found["number"], found["labelled"], found["maintenance"]) == (11, 9, 1)
    assert {one["name"]: one["precision"] for one in found["by_test"]} == {
        "spatial": 0,
        "persistence": 0,
        "step": 0.667,
    }
    assert {one["name"]: one["precision"] for one in found["by_station"]} == {"volos": 0.333, "zagora": 0}
    assert (found["hours_to_acknowledge"], found["hours_to_repair"]) == (2, 5)
    suggested = [
        {
            "station": "volos", "variables": ["temp_out"], "limits": 2.0,
            "reason": "dismissed 3 times as siting and weather, 2025-11-22 to 2025-11-22",
        },
        {
            "station": "zagora", "variables": ["wind_speed"], "judged": False,
            "reason": "dismissed 3 times as weather, 2025-11-22 to 2025-11-22",
        },
    ]  # fmt: skip
    assert found["suggested"] == suggested
    there = json.dumps([suggested[0], {"station": "x", "judged": False, "reason": "gone", "until": "2024-01-01"}])
    shown = run("incidents", "stats", "--days", "3650", WEATHER_EXCEPTIONS=there).stdout
    assert 'weather_exceptions:\n  - station: "zagora"\n    variables: ["wind_speed"]\n    judged: false\n' in shown
    assert '    station: "volos"' not in shown
    assert 'expired: {"station": "x"' in shown
    assert run("detect", "--exceptions", json.dumps(suggested)).stderr.startswith("weather-tool: none of 4 stations")


@pytest.fixture
def fault(db: str, environment: dict[str, str]) -> str:
    """Thirty hours of weather, with a thermometer that has read 15 °C too much for three of them."""
    environment["WEATHER_DB"] = db
    source = SimulatedWeather(default_network(), 1)
    rows = [one for step in reversed(range(180)) for one in source.at(END - 600 * step) if one]
    rows = [
        one._replace(temp_out=one.temp_out + 15, hi_temp=None, low_temp=None)
        if one.station_id == "volos" and one.time > END - 3 * HOUR and one.temp_out is not None
        else one
        for one in rows
    ]
    with open_for_writing(db) as opened:
        opened.add(Document(list(source.stations), rows), END + 60)
    return db


def test_decisions_are_what_other_settings_are_tried_against(run: Run, fault: str) -> None:
    assert run("detect", "--end", "2025-11-22T16:00Z").returncode == 0
    (one,) = [each for each in answer(run, "list") if each["variable"] == "temp_out"]
    assert (one["station_id"], one["kind"]) == ("volos", "data_wrong")
    again = ("detect", "--against-decisions", "--end", "2025-11-22T16:00Z")
    assert "has anybody said what it was" in run(*again).stderr
    answer(run, "resolve", str(one["id"]), "--by", "maria")

    def outcome(*words: str) -> str:
        done = run(*again, "--json", *words)
        assert done.returncode == 0, done.stderr
        (replayed,) = json.loads(done.stdout)["incidents"]
        return str(replayed["outcome"])

    blind = json.dumps([{"station": "volos", "judged": False, "reason": "to try"}])
    assert outcome() == "found"
    assert outcome("--exceptions", blind) == "missed"
    answer(run, "dismiss", str(one["id"]), "--as", "siting", "--by", "maria")
    assert outcome() == "found all the same"
    assert outcome("--exceptions", blind) == "avoided"
    done = run(*again, "--exceptions", blind)
    assert done.stdout.splitlines()[0].startswith("1 incidents, ")
    assert "0 found, 0 missed, 1 avoided, 0 found all the same, 0 not replayed" in done.stdout
    assert len(answer(run, "list", "--all")) == 1
    assert "means nothing with --against-decisions" in run(*again, "--save").stderr
    assert "with --against-decisions" in run("detect", "--days", "3").stderr
