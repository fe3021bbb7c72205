"""Incidents on the page of a report, in the index of pages, and beside the newest observations."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.integration.conftest import Spoil
from toolkit.model import Document, Observation, Station
from toolkit.store import Selection, open_for_reading, open_for_writing
from toolkit.store.incidents import Action, Affected, Incident, Maintenance

T = 1_763_827_200  # 2025-11-22 16:00:00 UTC
END = "--end=2025-11-22T16:00Z"
FAR = 4_000_000_000
HOUR = 3600
INCIDENT = Incident(
    id=0, station_id="volos", variable="temp_out", kind="data_wrong", symptoms="spatial,persistence",
    severity="warning", state="open", started=T - 2 * HOUR, ended=T - HOUR, opened=T - HOUR, acknowledged=None,
    resolved=None, judged=T, assignee=None, verdict=None, part_of=None, reopened=0, confidence=0.9, evidence="{}",
)  # fmt: skip


def write(
    db: str, incidents: Sequence[Incident], actions: Sequence[Action] = (), stations: Sequence[Affected] = ()
) -> None:
    with open_for_writing(db) as store, store.transaction():
        for one in incidents:
            store.incidents.add(one)
        store.incidents.note(actions)
        store.incidents.affect(stations)


def cells(html: str, heading: str) -> list[list[str]]:
    """The rows of a table of incidents, as text."""
    found = re.search(rf"<summary>{heading}: .*?<tbody>(.*?)</tbody>", html, re.DOTALL)
    return [
        [" ".join(unescape(re.sub("<[^>]*>", " ", cell)).split()) for cell in re.split("</t[dh]>", row)[:-1]]
        for row in (found[1].split("</tr>")[:-1] if found else [])
    ]


@pytest.fixture
def spoilt(spoil: Spoil, environment: dict[str, str], db: str) -> str:
    """Either engine, with the weather of a night in which the thermometer of volos failed."""
    spoil("temp_out = temp_out + 15", "station_id = 'volos'", 2, 1.7)
    if environment["WEATHER_DB"] != db:
        with open_for_reading(environment["WEATHER_DB"]) as weather, open_for_writing(db) as store:
            store.add(Document(weather.stations(), list(weather.observations(Selection(T - 90 * HOUR)))), T)
    return db


def test_what_is_open_is_told_the_worst_first(run: Run, spoilt: str) -> None:
    write(
        spoilt,
        [
            INCIDENT,
            INCIDENT._replace(
                station_id="sparti", variable="bar", state="acknowledged", severity="critical", assignee="nikos",
                acknowledged=T - 900, opened=T - 90 * HOUR, started=T - 99 * HOUR,
            ),
            INCIDENT._replace(station_id="zagora", variable="rain", state="maintenance"),
            INCIDENT._replace(station_id=None, variable="out_hum", severity="critical", reopened=2, opened=1),
            INCIDENT._replace(station_id="dodoni", state="dismissed", verdict="weather", resolved=T - 60),
            INCIDENT._replace(station_id="vlasti", state="resolved", resolved=T - 80 * HOUR, ended=T - 90 * HOUR),
            INCIDENT._replace(station_id="grevena", state="resolved", resolved=T - 60, part_of=4),
        ],
        [
            Action(2, T - 900, "maria", "acknowledged", "on <b>Tuesday</b>"),
            Action(4, T - 400, "detector", "reopened", ""),
            Action(5, T - 60, "maria", "dismissed", "a front"),
        ],
        [Affected(4, name, T - 1200, T) for name in ("volos", "zagora")],
    )  # fmt: skip
    with open_for_writing(spoilt) as store, store.transaction():
        store.incidents.plan(Maintenance(0, "zagora", "all", T - 600, FAR, "nikos", "cleaning"))
    done = run("report", "--html", "-", END, WEATHER_DB=spoilt)
    assert done.returncode == 0, done.stderr
    wrong, since, last = "data wrong (spatial, persistence)", "2025-11-22 14:00", "2025-11-22 15:00"
    at = "since 2025-11-22 15:40"
    assert cells(done.stdout, "Open") == [
        ["4 came back", f"network, out_hum 2 stations volos {at} , zagora {at}", "critical", wrong, since, last,
         "open; came back 2 times", "–"],
        ["2", "sparti, bar", "critical", wrong, "2025-11-18 13:00", last,
         "acknowledged by maria, 2025-11-22 15:45: on <b>Tuesday</b>; for nikos", "show"],
        ["1 new", "volos, temp_out", "warning", wrong, since, last, "open", "show"],
        ["3 new", "zagora, rain", "warning", wrong, since, last,
         "in maintenance by nikos until 2096-10-02 07:06: cleaning", "show"],
    ]  # fmt: skip
    assert cells(done.stdout, "Over") == [
        ["5", "dodoni, temp_out", "warning", wrong, since, last,
         "dismissed by maria, 2025-11-22 15:59: a front; verdict: weather", "–"],
    ]  # fmt: skip
    assert "4 incidents open, 3 of them new since 2025-11-22 10:00" in done.stdout
    # Each leads to what shows it: the anomaly in the window, or how it began.
    for row, place in (("1", "anomaly-1"), ("2", "evidence-2")):
        assert f'href="#{place}" aria-label="evidence of incident {row}"' in done.stdout
        assert f'<article id="{place}"' in done.stdout
    assert "; incident 1, open</p>" in done.stdout


def test_what_is_new_is_so_since_the_page_before(
    run: Run, spoil: Spoil, environment: dict[str, str], tmp_path: Path
) -> None:
    spoil("temp_out = temp_out + 15", "station_id = 'volos'", 2, 1.7)

    def index(name: str) -> str:
        done = run("detect", END, "--no-record", "--html", str(tmp_path / "pages" / name))
        assert done.returncode == 0, done.stderr
        return (tmp_path / "pages" / "index.html").read_text(encoding="utf-8")

    assert "No incident open, as of" in index("report_1.html")
    write(environment["WEATHER_DB"], [INCIDENT._replace(opened=FAR)])
    second = index("report_2.html")
    assert [row[0] for row in cells(second, "Open")] == ["1 new"]
    assert 'href="report_2.html#anomaly-1"' in second
    assert "anomalies at 1; 1 incident open, 1 of them new</td>" in second
    assert "anomalies at 1; no incident open</td>" in second
    with sqlite3.connect(environment["WEATHER_DB"]) as connection:
        connection.execute("UPDATE incidents SET opened = '2025-11-22 16:00:00'")
    connection.close()
    assert [row[0] for row in cells(index("report_3.html"), "Open")] == ["1"]
    with sqlite3.connect(environment["WEATHER_DB"]) as connection:
        connection.execute("UPDATE incidents SET state = 'resolved', resolved = '2090-01-01 00:00:00', ended = opened")
    connection.close()
    last = index("report_4.html")
    assert (cells(last, "Open"), [row[0] for row in cells(last, "Over")]) == ([], ["1"])


def test_a_bad_night_has_the_worst_and_their_number(run: Run, spoil: Spoil, environment: dict[str, str]) -> None:
    spoil("", "station_id = 'dodoni'", 1)
    names = [f"s{number}" for number in range(60)]
    write(
        environment["WEATHER_DB"],
        [INCIDENT._replace(station_id=f"s{number}", variable="<i>bar") for number in range(2000)]
        + [INCIDENT._replace(station_id=None, severity="critical")],
        stations=[Affected(2001, name, T, T) for name in names],
    )
    html = run("report", "--html", "-", END).stdout
    rows = cells(html, "Open")
    assert (len(rows), rows[0][0]) == (100, "2001 new")
    assert "60 stations" in rows[0][1]
    assert rows[0][1].endswith("and 10 more")
    assert "2001 incidents open, 2001 of them new" in html
    assert "Open: 2001, of which 100 are shown" in html
    assert "<i>" not in html


def test_the_newest_observations_are_told_with_incidents_and_maintenance(run: Run, db: str) -> None:
    names = ("dodoni", "sparti", "volos", "zagora")
    with open_for_writing(db) as store:
        stations = [Station(name, None, None, 39, 22, 100) for name in names]
        store.add(Document(stations, [Observation(T, name, 10.0, *[None] * 11) for name in names]), T)
        with store.transaction():
            store.incidents.plan(Maintenance(0, "sparti", "rain", T, FAR, "nikos", ""))
            store.incidents.plan(Maintenance(0, "zagora", "all", T, T + 60, "nikos", "over"))
    write(
        db,
        [
            INCIDENT._replace(state="acknowledged"),
            INCIDENT._replace(station_id=None, variable="bar", severity="critical"),
            INCIDENT._replace(station_id="dodoni", state="resolved", resolved=T),
            INCIDENT._replace(station_id="dodoni", part_of=2),
        ],
        stations=[Affected(2, name, T, T) for name in ("sparti", "volos")],
    )
    done = run("data", "latest", "--json", WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    found = {
        one["station_id"]: (
            [(each["id"], each["state"], each["started"]) for each in one["incidents"]],
            [(each["variable"], each["to"], each["by"]) for each in one["maintenance"]],
        )
        for one in json.loads(done.stdout)
    }
    network, own = (2, "open", "2025-11-22T14:00:00Z"), (1, "acknowledged", "2025-11-22T14:00:00Z")
    assert found == {
        "dodoni": ([], []),
        "sparti": ([network], [("rain", "2096-10-02T07:06:40Z", "nikos")]),
        "volos": ([network, own], []),
        "zagora": ([], []),
    }
    lines = [line.split("\t") for line in run("data", "latest", WEATHER_DB=db).stdout.splitlines()]
    told = {line[0]: line[-1] for line in lines}
    assert told["sparti"] == "2 bar critical, open; maintenance of rain until 2096-10-02 07:06"
    assert told["volos"] == "2 bar critical, open; 1 temp_out warning, acknowledged"
    assert told["dodoni"] == "-"
