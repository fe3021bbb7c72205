from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from toolkit.feed.document import parse
from toolkit.simulator import faults
from toolkit.simulator.faults import Faulty
from toolkit.simulator.server import compose
from toolkit.simulator.source import read_stations
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_writing

END = 1_763_827_200  # 2025-11-22 16:00:00 UTC
SPIKE = "station=volos,variable=temp_out,kind=spike,at=-2h,for=20m,size=35"


@pytest.fixture
def fill(environment: dict[str, str]) -> Callable[..., None]:
    """Put the hours before END into the database, as the feed would have brought them."""

    def put(*specs: str, hours: float = 6, without: tuple[str, ...] = ()) -> None:
        stations = read_stations(None)
        source = Faulty(SimulatedWeather(stations, 1), [faults.parse(spec, stations, END) for spec in specs])
        with open_for_writing(environment["WEATHER_DB"]) as store:
            for step in reversed(range(int(hours * 6))):
                document = parse(compose(stations, source.at(END - 600 * step)))
                document.observations = [one for one in document.observations if one.station_id not in without]
                store.add(document, END - 600 * step + 60)

    return put


def detect(run: Run, *words: str) -> dict[str, Any]:
    done = run("detect", "--end", "2025-11-22T16:00Z", "--json", *words)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("method", ["3sigma", "mad", "arima"])
def test_a_fault_is_named(run: Run, fill: Callable[..., None], method: str) -> None:
    fill(SPIKE)
    report = detect(run, "--window", "6", "--temporal-method", method, "--spatial-verify")
    assert report["schema"] == "weather-toolkit/report/1"
    assert report["window"] == {"start": "2025-11-22T10:00:00Z", "end": "2025-11-22T16:00:00Z", "hours": 6}
    assert report["method"] == method
    assert (report["stations"]["total"], report["stations"]["with_data"]) == (14, 14)
    assert report["insufficient"] == []
    found = [one for one in report["anomalies"] if one["class"] == "device_failure" and one["value"] > 30]
    (fault,) = found
    assert list(fault) == [
        "station_id", "variable", "start", "end", "value", "expected", "score", "test", "class", "correlation", "neighbours",
    ]  # fmt: skip
    assert (fault["station_id"], fault["variable"], fault["test"]) == ("volos", "temp_out", method)
    assert fault["start"] == "2025-11-22T14:00:00Z"
    assert fault["correlation"] < 0.3
    assert {one["station_id"] for one in fault["neighbours"]} == {"uth_volos", "volos-port", "zagora"}


def test_without_verification_nothing_is_verified(run: Run, fill: Callable[..., None]) -> None:
    fill(SPIKE)
    report = detect(run, "--no-spatial-verify")
    assert {one["class"] for one in report["anomalies"]} == {"unverified"}


def test_a_front_is_weather(run: Run, fill: Callable[..., None]) -> None:
    jumps = [
        f"station={name},variable=bar,kind=spike,at=-1h,for=20m,size=12"
        for name in ("volos", "uth_volos", "volos-port", "zagora")
    ]
    fill(*jumps)
    report = detect(run, "--variables", "bar")
    assert {one["class"] for one in report["anomalies"] if one["station_id"] == "volos"} == {"weather_event"}


def test_a_variable_that_is_empty_at_one_station_costs_the_others_nothing(run: Run, fill: Callable[..., None]) -> None:
    fill(
        SPIKE, "station=zagora,variable=temp_out,kind=dropout,at=-7h", "station=dodoni,variable=bar,kind=dropout,at=-5h"
    )
    report = detect(run, "--temporal-method", "arima")
    assert any(one["station_id"] == "volos" and one["class"] == "device_failure" for one in report["anomalies"])
    assert report["insufficient"] == [{"station_id": "dodoni", "reason": "bar: 5 of 36 expected values"}]


def test_too_little_data_is_said_per_station(run: Run, fill: Callable[..., None]) -> None:
    fill("station=volos,kind=silent,at=-5h", without=("sparti",))
    report = detect(run)
    assert report["stations"]["with_data"] == 12
    assert report["insufficient"] == [
        {"station_id": "sparti", "reason": "0 of 36 expected observations"},
        {"station_id": "volos", "reason": "5 of 36 expected observations"},
    ]


def test_no_station_with_enough_data_is_no_success(run: Run, fill: Callable[..., None]) -> None:
    fill(hours=1)
    done = run("detect", "--end", "2025-11-22T16:00Z", "--json")
    assert done.returncode == 1
    assert "none of 14 stations has enough data" in done.stderr
    assert len(json.loads(done.stdout)["insufficient"]) == 14


def test_one_station_alone(run: Run, fill: Callable[..., None]) -> None:
    fill(SPIKE)
    report = detect(run, "--station", "volos", "--variables", "temp_out")
    assert report["stations"] == {"total": 1, "with_data": 1, "anomalous": 1}
    assert report["anomalies"][0]["neighbours"]
    done = run("detect", "--end", "2025-11-22T16:00Z", "--station", "atlantis")
    assert (done.returncode, "atlantis" in done.stderr, "volos-port" in done.stderr) == (2, True, True)


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


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--end", "yesterday"], "'yesterday' is not a time"),
        (["--window", "0"], "--window='0': give a number from 0.5 to 744"),
        (["--temporal-method", "magic"], "--temporal-method='magic': give one of 3sigma, mad, arima"),
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
