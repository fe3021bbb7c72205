from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import TOOL, Run
from tests.integration.conftest import Spoil
from toolkit.feed.stations import read_stations
from toolkit.quality.temporal import METHODS
from toolkit.simulator import faults
from toolkit.simulator.faults import Faulty

DOCS = Path(__file__).parent.parent.parent / "docs"
SPIKE = "station=volos,variable=temp_out,kind=spike,at=-2h,for=20m,size=35"
NEIGHBOURS = ("volos", "uth_volos", "volos-port", "zagora", "makrinitsa", "portaria")


def detect(run: Run, *words: str) -> dict[str, Any]:
    done = run("detect", "--end", "2025-11-22T16:00Z", "--json", *words)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def alarms(report: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (one["station_id"], one["variable"], one["test"], one["class"])
        for one in report["anomalies"]
        if one["class"] != "weather_event"
    ]


def test_good_weather_raises_no_alarm(run: Run, spoil: Spoil) -> None:
    report = detect(run)
    assert alarms(report) == []
    assert (report["stations"]["total"], report["stations"]["with_data"], report["insufficient"]) == (14, 14, [])


@pytest.mark.parametrize(
    ("what", "hours", "until", "variable", "test", "says"),
    [
        ("temp_out = temp_out + 15", 2, 1.7, "temp_out", "step", "it jumped from"),
        ("temp_out = temp_out + 5, hi_temp = NULL", 3, 0, "temp_out", "step", "contradict it"),
        ("bar = bar + 10", 20, 0, "bar", "step", "contradict it"),
        ("temp_out = 999", 1, 0.5, "temp_out", "range", "999 °C is outside what is possible, -95 to 62 °C"),
        ("temp_out = 85, dew_point = 79.9", 1, 0.5, "temp_out", "range", "85 °C is outside what is possible"),
        ("out_hum = NULL", 4, 0, "out_hum", "missing", "no value for 4.0 h"),
        ("temp_out = 13.3", 5, 0, "temp_out", "persistence", "without a change"),
        ("wind_speed = 0", 12, 0, "wind_speed", "persistence", "it has read 0 km/h without a change for"),
        ("temp_out = 1.8 * temp_out + 32", 4, 0, "temp_out", "step", "contradict it"),
        ("temp_out = hi_temp + 2", 1, 0, "temp_out", "consistency", "temp_out is above hi_temp"),
        ("bar = bar + (abs(random()) % 100) / 10.0 - 5", 4, 0, "bar", "noise", "it jumps to and fro"),
        (
            "temp_out = temp_out + (unixepoch(time) - 1763740800) / 7200.0",
            24,
            0,
            "temp_out",
            "spatial",
            "contradict it",
        ),
    ],
)
def test_a_fault_is_named_with_its_reason(
    run: Run, spoil: Spoil, what: str, hours: float, until: float, variable: str, test: str, says: str
) -> None:
    spoil(what, "station_id = 'volos'", hours, until)
    if variable == "temp_out" and test != "consistency":  # or the rule alone would tell
        spoil("hi_temp = NULL, low_temp = NULL", "1", 80)
    report = detect(run)
    assert alarms(report) == [("volos", variable, test, "device_failure")]
    (fault,) = [one for one in report["anomalies"] if one["class"] == "device_failure"]
    assert says in fault["reason"]
    if test not in {"missing"}:
        assert fault["value"] is not None
    if test in {"step", "spatial", "persistence", "noise"}:
        assert fault["score"] is not None
        assert {one["station_id"] for one in fault["neighbours"]} <= set(NEIGHBOURS)
        assert all(one["distance_km"] < 100 and one["implies"] is not None for one in fault["neighbours"])


def test_the_form_of_a_report(run: Run, spoil: Spoil) -> None:
    spoil("temp_out = temp_out + 35", "station_id = 'volos'", 2, 1.7)
    report = detect(run, "--window", "6", "--spatial-verify")
    jsonschema.validate(report, json.loads((DOCS / "reference" / "report.schema.json").read_text("utf-8")))
    assert list(report) == [
        "schema",
        "generated_at",
        "window",
        "method",
        "stations",
        "anomalies",
        "insufficient",
        "exceptions",
    ]
    assert report["schema"] == "weather-toolkit/report/2"
    assert report["window"] == {"start": "2025-11-22T10:00:00Z", "end": "2025-11-22T16:00:00Z", "hours": 6}
    assert report["method"] == "combined"
    (fault,) = report["anomalies"]
    assert list(fault) == [
        "station_id", "variable", "start", "end", "value", "expected", "score", "test", "class", "reason", "correlation",
        "neighbours", "confidence",
    ]  # fmt: skip
    assert (fault["start"], fault["end"]) == ("2025-11-22T14:10:00Z", "2025-11-22T14:10:00Z")
    assert abs(fault["value"] - 35 - fault["expected"]) < 1
    assert 0.8 < fault["confidence"] <= 1
    assert list(fault["neighbours"][0]) == ["station_id", "distance_km", "value", "implies", "correlation"]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("kind=stuck,at=-5h,for=3h", "by day it has read"),
        ("kind=stalled,at=-5h,for=3h", "no radiation by day"),
        ("kind=offset,at=-5m,size=60", "at night it reads"),
    ],
)
def test_a_pyranometer_that_repeats_a_value_gives_none_by_day_or_light_at_night(
    run: Run, fill: Callable[..., None], fault: str, says: str
) -> None:
    fill(f"station=volos,variable=solar_radiation,{fault}", hours=12)
    report = detect(run)
    assert alarms(report) == [("volos", "solar_radiation", "radiation", "device_failure")]
    assert says in report["anomalies"][0]["reason"]


@pytest.mark.parametrize("method", METHODS)
def test_a_temporal_method_by_its_name(run: Run, fill: Callable[..., None], method: str) -> None:
    fill(SPIKE)
    report = detect(run, "--temporal-method", method, "--spatial-verify")
    assert report["method"] == method
    (fault,) = [one for one in report["anomalies"] if one["class"] == "device_failure"]
    assert (fault["station_id"], fault["variable"], fault["test"]) == ("volos", "temp_out", method)
    assert fault["start"] == "2025-11-22T14:00:00Z"


@pytest.mark.parametrize("method", ["combined", "mad"])
def test_thresholds_at_their_defaults_change_nothing(run: Run, fill: Callable[..., None], method: str) -> None:
    fill(SPIKE)
    given = ["--temporal-threshold", "3", "--correlation-threshold-high", "", "--minimum-data", "0.5"]
    reports = [detect(run, "--temporal-method", method, *words) for words in ([], given)]
    for report in reports:
        del report["generated_at"]
    assert reports[0] == reports[1]


def test_a_temporal_method_is_as_strict_as_its_threshold(run: Run, fill: Callable[..., None]) -> None:
    fill(SPIKE)
    found = [
        len(detect(run, "--temporal-method", "mad", "--temporal-threshold", threshold)["anomalies"])
        for threshold in ("2", "3", "100")
    ]
    assert found[0] > found[1] > found[2]


def test_the_correlation_classifies_what_a_temporal_method_found_if_asked(run: Run, fill: Callable[..., None]) -> None:
    fill(SPIKE)

    def spike(*words: str) -> dict[str, Any]:
        found = detect(run, "--temporal-method", "mad", "--station", "volos", "--variables", "temp_out", *words)
        return next(one for one in found["anomalies"] if one["start"] == "2025-11-22T14:00:00Z")

    usual = spike()
    goes = usual["correlation"]
    assert (usual["class"], 0.02 < goes < 0.98) == ("device_failure", True)
    for high, low, class_ in (
        (goes - 0.01, 0, "weather_event"),
        (1, goes, "suspected"),
        (1, goes + 0.01, "device_failure"),
    ):
        found = spike("--correlation-threshold-high", f"{high:g}", "--correlation-threshold-low", f"{low:g}")
        assert (found["class"], found["correlation"]) == (class_, goes)
        assert f"by a correlation of {goes:g}" in found["reason"]


def test_a_station_with_less_than_the_minimum_of_data_is_not_judged(run: Run, spoil: Spoil) -> None:
    spoil("temp_out = NULL", "station_id = 'volos'", 1, 0)
    assert detect(run)["insufficient"] == []
    (one,) = detect(run, "--minimum-data", "0.9")["insufficient"]
    assert (one["station_id"], one["variable"], one["reason"]) == (
        "volos", "temp_out", "temp_out: 30 of 36 expected values",
    )  # fmt: skip


def test_the_first_hours_of_a_network_are_enough_for_a_gross_fault(run: Run, fill: Callable[..., None]) -> None:
    fill(SPIKE)
    assert alarms(detect(run)) == [("volos", "temp_out", "step", "device_failure")]


def test_without_verification_nothing_is_verified(run: Run, spoil: Spoil) -> None:
    spoil("temp_out = temp_out + 15", "station_id = 'volos'", 2, 1.7)
    assert alarms(detect(run, "--no-spatial-verify")) == [("volos", "temp_out", "step", "unverified")]


def test_a_station_without_neighbours_is_unverified(run: Run, spoil: Spoil) -> None:
    spoil("temp_out = temp_out + 15, hi_temp = NULL", "station_id = 'heraclion'", 2, 1.7)
    (fault,) = detect(run)["anomalies"]
    assert (fault["class"], fault["neighbours"]) == ("unverified", [])
    assert "there is no neighbour to ask" in fault["reason"]


def test_a_front_is_weather(run: Run, spoil: Spoil) -> None:
    spoil("bar = bar - 12", f"station_id IN {NEIGHBOURS}", 2)
    report = detect(run, "--variables", "bar")
    assert {one["station_id"] for one in report["anomalies"]} <= set(NEIGHBOURS)
    assert {one["class"] for one in report["anomalies"]} == {"weather_event"}
    assert all("so did its neighbours" in one["reason"] for one in report["anomalies"])


def test_air_that_is_cooled_is_told_from_a_thermometer_that_reads_too_low(run: Run, spoil: Spoil) -> None:
    spoil("hi_temp = NULL, low_temp = NULL", "1", 80)  # or the rules alone would tell
    spoil("temp_out = temp_out - 7", "station_id = 'volos'", 2, 1)
    assert alarms(detect(run)) == [("volos", "temp_out", "step", "device_failure")]
    spoil("out_hum = min(out_hum * 1.5, 100)", "station_id = 'volos'", 2, 1)
    report = detect(run)
    assert alarms(report) == []
    assert any("out_hum changed with it" in one["reason"] for one in report["anomalies"])


def test_a_shower_whose_cold_air_stays_is_told_from_an_offset(run: Run, spoil: Spoil) -> None:
    spoil("hi_temp = NULL, low_temp = NULL, dew_point = NULL", "1", 80)
    spoil("out_hum = 60", "station_id = 'volos'", 80)
    spoil("temp_out = temp_out - 7, out_hum = 85", "station_id = 'volos'", 8)
    report = detect(run)
    assert alarms(report) == []
    spoil("out_hum = 60", "station_id = 'volos'", 80)
    assert ("volos", "temp_out", "step", "device_failure") in alarms(detect(run))


def test_air_that_cloud_comes_and_goes_in_is_told_from_a_noisy_sensor(run: Run, spoil: Spoil) -> None:
    spoil("hi_temp = NULL, low_temp = NULL, dew_point = NULL", "1", 80)
    # From -2 to 2 K, another one every ten minutes.
    jump = "((unixepoch(time) / 600 % 41) * (unixepoch(time) / 600 % 41) * 7 % 41 - 20) / 10.0"
    spoil(f"temp_out = temp_out + {jump}", "station_id = 'volos'", 5)
    assert alarms(detect(run)) == [("volos", "temp_out", "noise", "device_failure")]
    spoil(f"out_hum = max(5, min(100, round(out_hum * (1 - 0.065 * {jump}))))", "station_id = 'volos'", 5)
    report = detect(run)
    assert alarms(report) == []
    reasons = {one["variable"]: one["reason"] for one in report["anomalies"] if one["test"] == "noise"}
    assert "out_hum jumped with it, as that of air does" in reasons["temp_out"]
    # A sensor that reads something else beside that is wrong, though the air jumps.
    spoil(f"out_hum = 50 + 9 * {jump}", "station_id = 'volos'", 5)
    assert ("volos", "out_hum", "noise", "device_failure") in alarms(detect(run))


def test_a_shower_that_reaches_the_next_station_an_hour_later_is_weather(run: Run, spoil: Spoil) -> None:
    spoil("hi_temp = NULL, low_temp = NULL", "1", 80)
    spoil("temp_out = temp_out - 7", "station_id = 'volos'", 2, 1)
    spoil("temp_out = temp_out - 7", "station_id = 'volos-port'", 3, 2)
    report = detect(run, "--variables", "temp_out")
    assert alarms(report) == []
    assert any("saw the same some hours before or after" in one["reason"] for one in report["anomalies"])


def test_a_spike_of_which_humidity_knows_nothing_is_a_fault_whatever_passed_nearby(run: Run, spoil: Spoil) -> None:
    spoil("hi_temp = NULL, low_temp = NULL, dew_point = NULL, out_hum = 60", "1", 80)
    spoil("temp_out = temp_out - 9", "station_id = 'volos'", 2, 1.8)
    spoil("temp_out = temp_out - 9", "station_id = 'volos-port'", 3, 2)
    assert ("volos", "temp_out", "step", "device_failure") in alarms(detect(run))
    spoil("out_hum = 90", "station_id = 'volos'", 2, 1.8)
    assert "volos" not in {one[0] for one in alarms(detect(run))}


def test_a_silent_station_is_one_anomaly_and_a_silent_feed_is_none(run: Run, spoil: Spoil) -> None:
    spoil("", "station_id = 'volos'", 5)
    report = detect(run)
    assert alarms(report) == [("volos", "all", "missing", "device_failure")]
    assert report["insufficient"] == [
        {"station_id": "volos", "variable": "all", "reason": "6 of 36 expected observations"}
    ]
    spoil("", "1", 3)
    assert [one for one in detect(run)["anomalies"] if one["test"] == "missing" and one["end"][11:13] > "13"] == []


def test_a_variable_that_was_hardly_reported_is_named_and_the_station_is_not_silent(
    run: Run, spoil: Spoil, tmp_path: Path
) -> None:
    spoil("out_hum = NULL", "station_id = 'volos' AND strftime('%M', time) <> '00'", 6)
    report = detect(run, "--html", str(tmp_path / "page.html"))
    assert report["insufficient"] == [
        {"station_id": "volos", "variable": "out_hum", "reason": "out_hum: 6 of 36 expected values"}
    ]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<tr data-state="well" data-station="volos">' in page
    spoil("", "station_id = 'zagora'", 5)
    detect(run, "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<tr data-state="silent" data-station="zagora">' in page


def test_a_variable_that_a_station_does_not_measure_is_no_fault(run: Run, spoil: Spoil) -> None:
    spoil("bar = NULL", "station_id = 'zagora'", 80)
    spoil("temp_out = temp_out + 15", "station_id = 'volos'", 2, 1.7)
    assert alarms(detect(run)) == [("volos", "temp_out", "step", "device_failure")]


def test_what_the_collector_turned_down_is_seen(run: Run, spoil: Spoil, environment: dict[str, str]) -> None:
    spoil("temp_out = NULL", "station_id = 'volos'", 0.5)
    with sqlite3.connect(environment["WEATHER_DB"]) as connection:
        connection.execute("INSERT INTO rejected VALUES ('2025-11-22 15:50:00', 'volos', 'temp_out', 999)")
    connection.close()
    (fault,) = detect(run)["anomalies"]
    assert (fault["test"], fault["value"], fault["start"]) == ("range", 999, "2025-11-22T15:50:00Z")


def test_a_fault_that_lasts_is_one_row_over_all_runs(run: Run, spoil: Spoil, environment: dict[str, str]) -> None:
    spoil("temp_out = temp_out + 8, hi_temp = NULL", "station_id = 'volos'", 9, 2)

    def rows() -> list[tuple[str, ...]]:
        with sqlite3.connect(environment["WEATHER_DB"]) as connection:
            found = connection.execute(
                "SELECT station_id, variable, started, ended, state, class, first_run, last_run FROM anomalies "
                "WHERE class <> 'weather_event'"
            ).fetchall()
        connection.close()
        return found

    for end in ("10:00", "13:00"):
        assert run("detect", "--end", f"2025-11-22T{end}Z").returncode == 0
    (row,) = rows()
    assert row == (
        "volos", "temp_out", "2025-11-22 07:10:00", "2025-11-22 13:00:00", "open", "device_failure",
        "2025-11-22 10:00:00", "2025-11-22 13:00:00",
    )  # fmt: skip
    assert run("detect", "--end", "2025-11-22T16:00Z").returncode == 0
    (row,) = rows()
    assert row[2:5] == ("2025-11-22 07:10:00", "2025-11-22 14:00:00", "closed")
    before = rows()
    assert run("detect", "--end", "2025-11-22T13:00Z").returncode == 0  # a run over the past changes nothing
    assert run("detect", "--end", "2025-11-22T16:00Z", "--no-record").returncode == 0
    assert rows() == before


def test_stations_that_report_every_hour_are_judged_by_their_own_rhythm(run: Run, spoil: Spoil) -> None:
    spoil("", "strftime('%M', time) <> '00'", 80)
    report = detect(run)
    assert (alarms(report), report["stations"]["with_data"]) == ([], 14)
    spoil("temp_out = temp_out + 25, hi_temp = NULL", "station_id = 'volos'", 2, 1)
    assert alarms(detect(run)) == [("volos", "temp_out", "step", "device_failure")]


def test_no_station_with_enough_data_is_no_success(run: Run, fill: Callable[..., None]) -> None:
    fill(hours=1)
    done = run("detect", "--end", "2025-11-22T16:00Z", "--json")
    assert done.returncode == 1
    assert "none of 14 stations has enough data" in done.stderr
    assert len(json.loads(done.stdout)["insufficient"]) == 14


def test_a_store_younger_than_the_window_may_be_no_failure(run: Run, fill: Callable[..., None]) -> None:
    fill(hours=1)
    early = run("detect", "--end", "2025-11-22T16:00Z", "--allow-short-history")
    assert (early.returncode, "not judged: volos" in early.stdout) == (0, True)
    late = run("detect", "--end", "2025-11-25T16:00Z", "--allow-short-history")
    assert late.returncode == 1


def test_one_station_alone(run: Run, spoil: Spoil) -> None:
    spoil("temp_out = temp_out + 15", "station_id = 'volos'", 2, 1.7)
    spoil("temp_out = temp_out + 15", "station_id = 'heraclion'", 2, 1.7)
    report = detect(run, "--station", "volos", "--variables", "temp_out")
    assert report["stations"] == {"total": 1, "with_data": 1, "anomalous": 1}
    assert report["anomalies"][0]["neighbours"]
    done = run("detect", "--end", "2025-11-22T16:00Z", "--station", "atlantis")
    assert (done.returncode, "atlantis" in done.stderr, "volos-port" in done.stderr) == (2, True, True)


def test_a_failing_device_is_shown_beside_its_neighbours(run: Run, spoil: Spoil) -> None:
    spoil("temp_out = temp_out + 15", "station_id = 'volos'", 2, 1.7)
    done = run("detect", "--end", "2025-11-22T16:00Z")
    assert "volos and its neighbours, temp_out:" in done.stdout
    assert "implies for volos" in done.stdout
    shown = done.stdout.partition("volos and its neighbours")[2]
    assert {"zagora", "volos-port", "uth_volos"} <= set(shown.split())


def test_a_report_is_saved_whole_under_its_time(run: Run, fill: Callable[..., None], tmp_path: Path) -> None:
    fill(SPIKE)
    report = detect(run, "--save", f"{tmp_path}/reports/report_%Y%m%d_%H%M%S.json")
    (saved,) = (tmp_path / "reports").iterdir()
    assert saved.name.startswith("report_20")
    assert "%" not in saved.name
    assert json.loads(saved.read_text()) == report
    done = run("detect", "--end", "2025-11-22T16:00Z", "--save", "/proc/none/report.json")
    assert done.returncode == 1
    assert "cannot write /proc/none/report.json" in done.stderr


def test_a_person_reads_a_table(run: Run, fill: Callable[..., None]) -> None:
    fill(SPIKE, "station=sparti,kind=silent,at=-5h")
    done = run("detect", "--end", "2025-11-22T16:00Z")
    assert "13 of 14 stations judged" in done.stdout
    assert "device_failure" in done.stdout
    assert "not judged: sparti: 5 of 36 expected observations" in done.stdout


def test_on_a_narrow_terminal_nothing_is_cut(
    run: Run, fill: Callable[..., None], environment: dict[str, str], tmp_path: Path
) -> None:
    fill(SPIKE)
    terminal, its_end = pty.openpty()
    command = [TOOL, "detect", "--end", "2025-11-22T16:00Z"]
    subprocess.run(command, env={**environment, "COLUMNS": "60"}, stdout=its_end, stderr=its_end, check=True)
    os.close(its_end)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert "device_failure  volos, temp_out, 2025-11-22 14:" in shown
    assert "its neighbours (volos-port, uth_volos, zagora) contradict it" in shown
    assert "…" not in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--end", "yesterday"], "'yesterday' is not a time"),
        (["--window", "0"], "--window='0': give a number from 0.5 to 744"),
        (["--temporal-method", "magic"], "--temporal-method='magic': give one of combined, 3sigma, mad, "),
        (["--temporal-threshold", "0.1"], "--temporal-threshold='0.1': give a number from 1 to 100"),
        (
            ["--correlation-threshold-high", "0.5", "--correlation-threshold-low", "0.6"],
            "--correlation-threshold-low='0.6': give at most 0.5, the high threshold",
        ),
        (["--variables", "temp_in"], "--variables='temp_in': temp_in is not measured; did you mean temp_out?"),
        (["--save-to", "x"], "unrecognized arguments: --save-to x"),
    ],
)
def test_a_wrong_option_is_named_with_its_remedy(run: Run, words: list[str], says: str) -> None:
    done = run("detect", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A year of real hourly weather at three neighbouring airports."""
    from lab.recorded import write

    folder = tmp_path_factory.mktemp("recorded")
    return write(folder)


def test_the_whole_chain_on_real_weather(run: Run, recorded: tuple[Path, Path], environment: dict[str, str]) -> None:
    """From a replayed feed over HTTP to a report, on a recording of real weather, with a fault put in."""
    from toolkit.simulator import replay
    from toolkit.simulator.clock import Clock
    from toolkit.simulator.server import server

    observations, stations = recorded
    source = replay.read(observations, read_stations(stations), None, None)
    end = source.first + 30 * 86400
    fault = faults.parse("station=JFK,variable=temp_out,kind=spike,at=-5h,for=1h,size=40", source.stations, end)
    moment = [0]

    class Hour(Clock):
        def observed(self, real: float) -> tuple[int, float]:
            return moment[0], 1.0

    with server(Faulty(source, [fault]), Hour(0, 1, 1, 1, 0), "127.0.0.1", 0) as feed:
        thread = threading.Thread(target=feed.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        url = f"http://127.0.0.1:{feed.server_address[1]}/"
        for hour in reversed(range(30)):
            moment[0] = end - 3600 * hour
            assert run("collect", "--once", WEATHER_FEED_URL=url).returncode == 0
        feed.shutdown()
        thread.join()
    from toolkit.times import from_epoch, iso

    done = run(
        "detect",
        "--end",
        iso(from_epoch(end)),
        "--window",
        "24",
        "--json",
        "--temporal-method",
        "arima",
        WEATHER_CADENCE_SECONDS="3600",
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["stations"] == {"total": 3, "with_data": 3, "anomalous": report["stations"]["anomalous"]}
    failures = [one for one in report["anomalies"] if one["class"] == "device_failure"]
    assert ("JFK", "temp_out") in {(one["station_id"], one["variable"]) for one in failures}
    assert {one["station_id"] for one in failures[0]["neighbours"]} == {"EWR", "LGA"}
