"""`weather-tool network`: a month of a network with known gaps, delays, biases, flags and incidents, on both engines."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from tests.conftest import Run
from tests.databases import change
from toolkit.database import database
from toolkit.model import Document, Observation, Station
from toolkit.store import Span, StoredAnomaly, open_for_writing
from toolkit.store.incidents import Incident

START = datetime(2025, 10, 1, tzinfo=UTC).timestamp()
END = datetime(2025, 11, 1, tzinfo=UTC).timestamp()
HOUR, DAY = 3600, 86400
NAMES = ("good", "late", "gap", "new", "dead", "warm", "noisy", "rare", "odd", "gone")
HOURS = 744
ROOT = Path(__file__).parents[2]
ON_ONE_ENGINE = pytest.mark.parametrize("db", ["sqlite"], indirect=True)


def hour(number: float) -> float:
    return START + number * HOUR


def day(number: float) -> float:
    return START + (number - 1) * DAY


@cache
def month() -> Document:
    """Ten stations that report every hour and see the same weather."""
    chance = np.random.default_rng(1)
    weather = np.cumsum(chance.normal(0, 0.3, HOURS + 1))
    stations = [Station(name, name.title(), None, 39 + 0.03 * row, 22.9, 50.0) for row, name in enumerate(NAMES)]
    rows = []
    for number in range(HOURS + 1):  # the first is of September
        at = int(hour(number))
        for name in NAMES:
            if skipped(name, number):
                continue
            temperature = 15 + 6 * np.sin(2 * np.pi * (number % 24 - 9) / 24) + weather[number] + chance.normal(0, 0.1)
            temperature += {"warm": 2.0, "noisy": chance.normal(0, 1.5)}.get(name, 0.0)
            humidity = None if name == "dead" and number else float(round(60 - weather[number] + chance.normal(0, 1)))
            values = dict.fromkeys(Observation._fields[2:])
            values |= {"temp_out": round(float(temperature), 1), "out_hum": humidity, "bar": 1013.2}
            rows.append(Observation(at, name, **values))
    return Document(stations, rows)


def skipped(name: str, number: int) -> bool:
    return (
        (name == "gap" and 100 < number <= 148)
        or (name == "new" and number <= 15 * 24)
        or (name == "rare" and number % 3 != 0)
        or (name == "gone" and number > 0)
    )


@pytest.fixture
def network(db: str, environment: dict[str, str]) -> str:
    """The month in a database."""
    environment |= {"WEATHER_DB": db, "WEATHER_CADENCE_SECONDS": "3600"}
    with open_for_writing(db) as store:
        store.add(month(), START - 5 * DAY)
        flagged = [
            ("warm", "temp_out", day(10), day(10) + 11 * HOUR, "device_failure", "spatial"),
            ("warm", "temp_out", day(20), day(20) + 5 * HOUR, "suspected", "persistence"),
            ("good", "temp_out", day(10), day(10) + 11 * HOUR, "weather_event", "spatial"),
            ("good", "temp_out", day(7), day(7) + 5 * HOUR, "device_failure", "spatial"),
            ("gap", "all", hour(101), hour(148), "device_failure", "missing"),
            ("late", "out_hum", day(1) - 5 * DAY, day(1) + 2 * HOUR, "unverified", "step"),  # since September
        ]
        store.record(
            Span(START - 6 * DAY, END),
            NAMES,
            [StoredAnomaly(*one, 9.0, 8.0, 5.0, "it stands out") for one in flagged],
        )
        with store.transaction():
            for incident in INCIDENTS:
                store.incidents.add(incident)
    dismissed = "(SELECT id FROM incidents WHERE state = 'dismissed')"
    change(db, f"UPDATE anomalies SET incident_id = {dismissed} WHERE station_id = 'good' AND class = 'device_failure'")
    sqlite = database(db).file is not None

    def later(seconds: int, where: str) -> None:
        at = f"datetime(time, '{seconds} seconds')" if sqlite else f"time + interval '{seconds} seconds'"
        change(db, f"UPDATE observations SET collected_at = {at} WHERE {where}")

    later(120, "true")
    tenth = "strftime('%H', time) IN ('03', '13', '23')" if sqlite else "extract(hour FROM time) IN (3, 13, 23)"
    later(1201, f"station_id = 'late' AND {tenth}")
    later(-30, "station_id = 'odd' AND time = '2025-10-03 05:00:00'")
    change(db, "UPDATE stations SET first_seen = '2025-10-16 00:00:10' WHERE station_id = 'new'")
    change(db, "UPDATE stations SET last_seen = '2025-10-31 23:00:00'")
    return db


def incident(station: str | None, variable: str, state: str, **given: Any) -> Incident:
    known = {
        "id": 0, "kind": "data_wrong", "symptoms": "spatial", "severity": "warning", "acknowledged": None,
        "resolved": None, "judged": END, "assignee": None, "verdict": None, "part_of": None, "reopened": 0,
        "confidence": 0.9, "evidence": "{}",
    }  # fmt: skip
    return Incident(**{**known, "station_id": station, "variable": variable, "state": state, **given})


INCIDENTS = (
    # Since September; acknowledged after 4 h, resolved on the 11th.
    incident(
        "warm", "temp_out", "resolved", started=day(1) - 10 * HOUR, ended=day(11), opened=day(1) + HOUR,
        acknowledged=day(1) + 5 * HOUR, resolved=day(11) + 6 * HOUR,
    ),
    # Acknowledged after 10 h, and it lasts.
    incident(
        "dead", "out_hum", "acknowledged", started=day(2), ended=END, opened=day(2) + 2 * HOUR,
        acknowledged=day(2) + 12 * HOUR,
    ),
    incident(None, "all", "resolved", started=day(5), ended=day(5) + 5 * HOUR, opened=day(5), resolved=day(6)),
    incident("good", "temp_out", "dismissed", started=day(7), ended=day(8), opened=day(7), resolved=day(8)),
    incident(
        "noisy", "temp_out", "resolved", started=day(9), ended=day(10), opened=day(9), resolved=day(10),
        verdict="maintenance",
    ),
    # Of September and of November.
    incident(
        "late", "bar", "resolved", started=day(1) - 5 * DAY, ended=day(1) - 4 * DAY, opened=day(1) - 5 * DAY,
        resolved=day(1) - 4 * DAY,
    ),
    # Over in the month, but nobody said so before November.
    incident(
        "odd", "bar", "resolved", started=day(15), ended=day(16), opened=day(15) + HOUR, resolved=END + 5 * DAY
    ),
    incident("late", "bar", "open", started=END + DAY, ended=END + 2 * DAY, opened=END + DAY),
)  # fmt: skip


def report(run: Run, *words: str) -> dict[str, Any]:
    done = run("network", "--month", "2025-10", "--json", *words)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_figures_are_those_that_were_put_in(run: Run, network: str) -> None:
    found = report(run)
    jsonschema.validate(found, json.loads((ROOT / "docs/reference/network.schema.json").read_text("utf-8")))
    stations = {one["station_id"]: one for one in found["stations"]}
    sensors = {
        (name, one["variable"]): one for name, station in stations.items() for one in station["sensors"]
    }  # fmt: skip

    # Availability.
    assert {name: one["availability"] for name, one in stations.items()} == {
        "good": 1, "late": 1, "gap": round(696 / 744, 4), "new": 1, "dead": 1, "warm": 1, "noisy": 1, "rare": 1,
        "odd": 1, "gone": 0,
    }  # fmt: skip
    assert (stations["gap"]["received"], stations["gap"]["expected"], stations["gap"]["lost_hours"]) == (696, 744, 48)
    assert (stations["new"]["received"], stations["new"]["expected"]) == (16 * 24, 16 * 24)
    assert (stations["rare"]["received"], stations["rare"]["expected"]) == (248, 248)
    assert stations["rare"]["interval_seconds"] == 3 * HOUR
    assert [one["station_id"] for one in found["stations"]][:2] == ["gone", "gap"], "the least available first"
    assert {key[1] for key in sensors} == {"temp_out", "out_hum", "bar"}, "nobody measures the others"
    assert (sensors["dead", "out_hum"]["availability"], sensors["dead", "out_hum"]["lost_hours"]) == (0, 744)
    assert (sensors["dead", "bar"]["availability"], sensors["dead", "bar"]["lost_hours"]) == (1, 0)
    assert sensors["gap", "temp_out"]["availability"] == stations["gap"]["availability"]
    assert sensors["gap", "temp_out"]["lost_hours"] == 0, "it is the station's loss"
    days = {one["date"]: one for one in found["days"]}
    assert len(days) == 31
    # Within the gap: of eight stations 24 are expected, and two send none; of the rare one 8; the new one is not there.
    assert days["2025-10-06"] | {"date": ""} == {
        "date": "", "expected": 8 * 24 + 8, "received": 6 * 24 + 8, "availability": (6 * 24 + 8) / (8 * 24 + 8),
    }  # fmt: skip
    assert days["2025-10-31"]["expected"] == 9 * 24 + 8
    network_ = found["network"]
    assert (network_["stations"], network_["sensors"], network_["typical_seconds"]) == (10, 30, HOUR)
    assert network_["received"] == 6 * 744 + 696 + 16 * 24 + 248
    assert network_["expected"] == network_["received"] + 48 + 744

    # Timeliness.
    assert stations["good"]["timeliness"] == {
        "median_seconds": 120, "p95_seconds": 120, "within_15_min": 1, "within_30_min": 1, "within_2_h": 1, "early": 0,
    }  # fmt: skip
    late = stations["late"]["timeliness"]
    assert (late["median_seconds"], late["p95_seconds"]) == (120, 1260), "to the minute, beyond ten"
    assert (late["within_15_min"], late["within_30_min"]) == (round(1 - 93 / 744, 4), 1)
    assert stations["odd"]["timeliness"]["early"] == 1
    assert stations["gone"]["timeliness"]["median_seconds"] is None

    # Quality.
    warm = sensors["warm", "temp_out"]["quality"]
    assert warm["tests"] == [
        {"test": "spatial", "values": 12, "share": round(12 / 744, 4)},
        {"test": "persistence", "values": 6, "share": round(6 / 744, 4)},
    ]
    assert (warm["flagged"], sensors["warm", "temp_out"]["flagged_hours"]) == (18, 18)
    assert sensors["good", "temp_out"]["quality"]["flagged"] == 0, "weather is right, and what people dismissed"
    assert sensors["late", "out_hum"]["quality"]["flagged"] == 2, "the month's part"
    assert warm["bias"] == pytest.approx(2.0, abs=0.15)
    assert sensors["good", "temp_out"]["quality"]["bias"] == pytest.approx(0, abs=0.15)
    assert sensors["noisy", "temp_out"]["quality"]["spread"] == pytest.approx(1.5, abs=0.15)
    assert sensors["good", "temp_out"]["quality"]["spread"] == pytest.approx(0.1, abs=0.05)
    of_variables = {one["variable"]: one for one in found["variables"]}
    assert of_variables["temp_out"]["quality"]["flagged"] == 18
    assert (of_variables["out_hum"]["sensors"], of_variables["out_hum"]["received"]) == (10, network_["received"] - 744)

    # What cost most.
    assert [(one["station_id"], one["variable"], one["hours"]) for one in found["costs"]] == [
        ("dead", "out_hum", 744), ("gone", "all", 744), ("gap", "all", 48), ("warm", "temp_out", 18),
        ("late", "out_hum", 2),
    ]  # fmt: skip

    # Incidents.
    told = found["incidents"]
    assert (told["opened"], told["resolved"], told["dismissed"], told["lasting"]) == (6, 3, 1, 1)
    assert told["mean_hours_to_acknowledge"] == 7
    assert told["mean_hours_to_repair"] == pytest.approx((250 + 5) / 2)
    assert [(one["station_id"], one["hours"]) for one in told["all"]] == [
        ("dead", 720), ("warm", 250), ("noisy", 24), ("odd", 24), (None, 5),
    ]  # fmt: skip
    assert told["all"][0]["ended"] is None


def test_one_station_alone(run: Run, network: str) -> None:
    found = report(run, "--station", "warm")
    assert [one["station_id"] for one in found["stations"]] == ["warm"]
    assert found["network"]["expected"] == 744
    (temperature,) = [one for one in found["stations"][0]["sensors"] if one["variable"] == "temp_out"]
    assert temperature["quality"]["bias"] == pytest.approx(2.0, abs=0.15), "its neighbours are asked all the same"
    assert {one["station_id"] for one in found["incidents"]["all"]} == {"warm"}


def test_losses_of_the_whole_network_are_no_rhythm(run: Run, network: str) -> None:
    """What no station reports is not what was expected."""
    odd = "CAST(strftime('%H', time) AS INTEGER) % 2" if database(network).file else "extract(hour FROM time)::int % 2"
    change(network, f"DELETE FROM observations WHERE {odd} = 1")
    found = report(run)
    assert found["network"]["typical_seconds"] == 2 * HOUR
    (good,) = [one for one in found["stations"] if one["station_id"] == "good"]
    assert (good["expected"], good["received"]) == (744, 372)
    done = run("network", "--month", "2025-10")
    assert (
        "A typical station reports every 2.0 h, and is expected to every 60 min (WEATHER_CADENCE_SECONDS)."
        in done.stdout
    )


@ON_ONE_ENGINE
def test_losses_of_a_sensor_are_no_rhythm(run: Run, network: str) -> None:
    kept = "('00', '01', '02', '05', '06', '09', '12', '13', '14', '20', '21')"
    change(
        network,
        f"UPDATE observations SET temp_out = NULL WHERE station_id = 'warm' AND strftime('%H', time) NOT IN {kept}",
    )
    (warm,) = report(run, "--station", "warm")["stations"]
    (temperature,) = [one for one in warm["sensors"] if one["variable"] == "temp_out"]
    assert (temperature["expected"], temperature["received"]) == (744, 11 * 31)


@ON_ONE_ENGINE
def test_markdown_is_the_default_and_has_every_part(run: Run, network: str) -> None:
    change(network, "UPDATE stations SET station_id = 'a|b' WHERE station_id = 'gone'")
    done = run("network", "--month", "2025-10")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# Network performance, 2025-10\n\n10 stations sent 88 % of what was expected")
    parts = re.findall(r"^## (.*)$", done.stdout, re.MULTILINE)
    assert parts == ["Variables", "Timeliness", "Sensors", "What cost most", "Incidents", "Stations"]
    assert "| dead, out_hum | 31.0 days | 31.0 days | 0 h |" in done.stdout
    assert "| the network | data_wrong | warning | resolved | 2025-10-05T00:00:00Z | 5.0 h | – |" in done.stdout
    widths = {line.replace("\\|", "").count("|") for line in done.stdout.splitlines() if "a\\|b" in line}
    assert len(widths) >= 1, "a name does not end a cell"
    assert "a|b" not in done.stdout


@ON_ONE_ENGINE
def test_a_page_is_one_file_with_an_index_beside_it(
    run: Run, network: str, environment: dict[str, str], tmp_path: Path
) -> None:
    change(network, "UPDATE stations SET station_name_en = '<script>alert(1)</script>' WHERE station_id = 'warm'")
    reports = tmp_path / "reports"
    done = run("network", "--month", "2025-10", "--html", "--save", WEATHER_REPORTS=str(reports))
    assert done.returncode == 0, done.stderr
    folder = reports / "network"
    assert sorted(path.name for path in folder.iterdir()) == [
        "index.html", "network_2025-10.html", "network_2025-10.json"
    ]  # fmt: skip
    html = (folder / "network_2025-10.html").read_text("utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', html) == ['href="index.html"']
    assert '<a href="network_2025-10.html">network_2025-10</a>' in (folder / "index.html").read_text("utf-8")
    assert json.loads((folder / "network_2025-10.json").read_text("utf-8"))["period"]["month"] == "2025-10"
    done = run("detect", "--end", "2025-10-31T00:00Z", "--html", WEATHER_REPORTS=str(reports))
    assert done.returncode == 0, done.stderr
    assert '<a href="network/index.html">' in (reports / "index.html").read_text("utf-8")
    elsewhere = tmp_path / "%Y" / "october.html"
    done = run("network", "--month", "2025-10", "--html", str(elsewhere))
    assert done.stderr == f"page: {tmp_path}/2025/october.html\n"
    assert [path.name for path in (tmp_path / "2025").iterdir()] == ["october.html"]


WRONG = [
    (["--month", "2025-13"], 2, "--month='2025-13': give a month as YYYY-MM, such as "),
    (["--month", "october"], 2, "--month='october': give a month as YYYY-MM"),
    (["--month", "2999-01"], 2, "--month=2999-01: it is in the future; the newest month that is over is "),
    (["--month", "2025-08"], 1, "there is no observation of 2025-08; the newest is of 2025-11-01 00:00:00 UTC"),
    (["--month", "2025-10", "--station", "wram"], 2, "there is no station 'wram'; there are: "),
]


@ON_ONE_ENGINE
def test_what_is_wrong_is_one_line(run: Run, network: str) -> None:
    for words, code, says in WRONG:
        done = run("network", *words)
        assert (done.returncode, done.stdout) == (code, "")
        assert says in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_service_that_was_just_deployed_has_no_last_month_yet(run: Run, network: str) -> None:
    done = run("network", "--month", "2025-09", "--allow-short-history")
    assert done.returncode == 0, "an observation of 00:00 on the first is of the month before"
    change(network, "DELETE FROM observations WHERE time <= '2025-10-01 00:00:00'")
    done = run("network", "--month", "2025-09", "--allow-short-history")
    assert done.returncode == 0
    assert done.stderr.startswith("no report: there is no observation of 2025-09; ")
    assert run("network", "--month", "2025-09").returncode == 1
    done = run("network", "--month", "2025-11", "--allow-short-history")
    assert done.returncode == 1, "the store is older than this month"
