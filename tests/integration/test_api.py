"""The HTTP API, as its clients see it: over HTTP, from a service that runs as systemd would run it, on both engines."""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests
from covjson_pydantic.coverage import Coverage, CoverageCollection
from covjson_pydantic.ndarray import NdArray
from edr_pydantic.capabilities import ConformanceModel, LandingPageModel
from edr_pydantic.collections import Collection, Collections
from owslib.ogcapi.edr import EnvironmentalDataRetrieval

from tests.collector import Service, service
from tests.conftest import Run
from tests.databases import query
from tests.documents import ROOT, commands_of
from tests.integration.conftest import END
from tests.ports import free_port
from toolkit.api import server as serving
from toolkit.api.application import application
from toolkit.model import Document, Station
from toolkit.settings import load
from toolkit.simulator.network import default_network
from toolkit.store import Selection, Span, open_for_reading, open_for_writing
from toolkit.store.flags import FlagInterval
from toolkit.times import iso_of, stored

HOUR = 3600


class Client:
    """A client of a service that runs."""

    def __init__(self, base: str, db: str, running: Service) -> None:
        self.base, self.db, self.service = base, db, running
        self.session = requests.Session()

    def __call__(self, path: str, **further: Any) -> requests.Response:
        return self.session.get(path if path.startswith("http") else self.base + path, timeout=30, **further)

    def json(self, path: str) -> Any:
        answer = self(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def served(environment: dict[str, str], folder: Path, **settings: str) -> Iterator[Client]:
    address = f"127.0.0.1:{free_port()}"
    told = {**environment, "WEATHER_API_ADDRESS": address, "WEATHER_API_REQUESTS_PER_MINUTE": "0", **settings}
    with service(told, folder, does=("api",)) as running:
        running.wait_for("READY=1")
        yield Client(f"http://{address}", told["WEATHER_DB"], running)
        running.stop()
        assert running.process.returncode == 0


def fill(db: str, good: Path) -> None:
    """Three days of good weather, of which two runs said something, and a value that was turned down."""
    with open_for_reading(str(good)) as source, open_for_writing(db) as store:
        store.add(Document(source.stations(), []), END - 100 * HOUR)
        store.add(Document([], list(source.observations(Selection()))), END + 60)
        names = [station.station_id for station in source.stations()]
        with store.transaction():
            store.flags.replace(
                Span(END - 48 * HOUR, END), END + 120, ["temp_out", "out_hum", "bar"],
                [
                    FlagInterval(names[0], "temp_out", END - 6 * HOUR, END, 4, "spatial"),
                    FlagInterval(names[0], "out_hum", END - 3 * HOUR, END - HOUR, 3, "step"),
                    FlagInterval(names[1], "all", END - 2 * HOUR, END, 3, "isolation"),
                    FlagInterval(names[2], "bar", END - 5 * HOUR, END - 4 * HOUR, 2, ""),
                ],
            )  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def api(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, good_weather: Path
) -> Iterator[Client]:
    """A service on three days of good weather, of either engine."""
    folder = tmp_path_factory.mktemp("api")
    db = str(folder / "weather.db")
    if request.param == "postgresql":
        db = request.getfixturevalue("postgresql").database(f"api_{uuid4().hex}")
    fill(db, good_weather)
    environment = {"PATH": "/usr/bin:/bin", "WEATHER_ENV_FILE": str(folder / "none"), "WEATHER_DB": db}
    with served(environment, folder, WEATHER_REPORTS=str(folder / "reports")) as client:
        yield client


@pytest.fixture
def small(environment: dict[str, str], good_weather: Path) -> dict[str, str]:
    """The environment of a service on the same weather in SQLite, for one test alone."""
    shutil.copy(good_weather, environment["WEATHER_DB"])
    return environment


def values_of(one: object) -> list[Any]:
    assert isinstance(one, NdArray)
    return list(one.values)  # type: ignore[attr-defined]


STATIONS = [station.station_id for station in default_network()]
FIRST = STATIONS[0]


def test_what_the_landing_page_names_is_there_in_the_forms_of_the_standard(api: Client) -> None:
    landing = LandingPageModel.model_validate_json(api("/").content)
    for link in landing.links:
        assert api(link.href).status_code in {200, 404 if "network" in link.href else 200}, link
    assert {"self", "service-desc", "conformance", "data"} <= {link.rel for link in landing.links}
    ConformanceModel.model_validate_json(api("/conformance").content)
    collections = Collections.model_validate_json(api("/collections").content)
    assert [one.id for one in collections.collections] == ["observations", "latest"]
    told = Collection.model_validate_json(api("/collections/observations").content)
    assert told.data_queries
    assert told.data_queries.radius
    assert told.extent.temporal
    assert told.extent.temporal.interval[0][1].timestamp() == END
    parameter = told.parameter_names.root["temp_out"]
    assert parameter.unit
    assert str(parameter.observedProperty.id).endswith("/air_temperature")


def test_a_client_of_the_standard_finds_its_way(api: Client) -> None:
    edr = EnvironmentalDataRetrieval(api.base)
    assert edr.data() == ["observations", "latest"]
    found = edr.query_data("observations", "position", coords="POINT(22.94 39.36)", datetime_=iso_of(END))
    assert Coverage.model_validate_json(json.dumps(found)).type == "Coverage"


def test_values_and_flags_are_those_of_the_view(api: Client) -> None:
    columns = "temp_out, temp_out_qc, temp_out_qc_test, out_hum_qc, bar_qc"
    for name in STATIONS[:3]:
        rows = query(
            api.db, f"SELECT {columns} FROM observations_qc WHERE station_id = '{name}' "
            f"AND time > '{stored(END - 60 * HOUR)}' ORDER BY time",
        )  # fmt: skip
        answer = api(
            f"/collections/observations/locations/{name}",
            params={"parameter-name": columns.replace(" ", ""), "datetime": f"{iso_of(END - 60 * HOUR + 1)}/.."},
        )
        assert answer.headers["content-type"] == "application/prs.coverage+json"
        coverage = Coverage.model_validate_json(answer.content)
        assert list(coverage.ranges) == columns.split(", ")
        read = list(zip(*map(values_of, coverage.ranges.values()), strict=True))
        assert len(read) == len(rows) > 300
        assert read == [(None if row[0] is None else pytest.approx(row[0]), *row[1:]) for row in rows]


def test_the_latest_are_those_of_the_view(api: Client) -> None:
    rows = query(
        api.db,
        f"SELECT station_id, temp_out, temp_out_qc, bar_qc FROM observations_qc WHERE time = '{stored(END)}' ORDER BY 1",
    )
    found = api.json("/collections/latest/items?parameter-name=temp_out,temp_out_qc,bar_qc")["features"]
    read = [
        tuple(one["properties"][key] for key in ("station_id", "temp_out", "temp_out_qc", "bar_qc")) for one in found
    ]
    assert sorted(read) == rows
    assert {one["properties"]["datetime"] for one in found} == {iso_of(END)}
    collection = CoverageCollection.model_validate_json(
        api("/collections/latest/area?coords=POLYGON((19 34,30 34,30 42,19 42,19 34))").content
    )
    assert [one.id for one in collection.coverages] == [row[0] for row in rows]


def test_every_observation_is_on_one_page(api: Client) -> None:
    asked = f"/collections/observations/items?limit=37&parameter-name=temp_out&datetime={iso_of(END - 2 * HOUR)}/.."
    seen, path = [], asked
    while path:
        page = api.json(path)
        assert len(page["features"]) <= 37
        seen += [one["id"] for one in page["features"]]
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    rows = query(api.db, f"SELECT time, station_id FROM observations WHERE time >= '{stored(END - 2 * HOUR)}'")
    assert len(seen) == len(rows) == len(set(seen))
    lines = api(asked.replace("limit=37", "limit=10000") + "&f=CSV").text.splitlines()
    assert lines[0] == "time,station_id,temp_out"
    assert len(lines) == len(rows) + 1
    first = api.json(f"/collections/observations/items/{seen[0]}")
    assert first["id"] == seen[0]
    assert "temp_out_qc" in first["properties"]


def test_only_values_with_the_flags_that_are_asked_for(api: Client) -> None:
    failed = api.json("/collections/observations/items?qc=fail&parameter-name=temp_out&limit=10000")["features"]
    [(number,)] = query(api.db, "SELECT COUNT(*) FROM observations_qc WHERE temp_out_qc = 4")
    assert len(failed) == number == 37
    assert {one["properties"]["station_id"] for one in failed} == {FIRST}
    good = Coverage.model_validate_json(
        api(f"/collections/observations/locations/{FIRST}?qc=good&parameter-name=temp_out").content
    )
    [(passed,)] = query(
        api.db, f"SELECT COUNT(*) FROM observations_qc WHERE station_id = '{FIRST}' AND temp_out_qc = 1"
    )
    values = values_of(good.ranges["temp_out"])
    assert len([value for value in values if value is not None]) == passed > 100


def test_stations_are_found_by_where_they_are(api: Client) -> None:
    there = {one["station_id"]: one for one in api.json("/stations")["stations"]}
    assert sorted(there) == sorted(STATIONS)
    place = there[FIRST]
    point = f"POINT({place['longitude']} {place['latitude']})"
    day = f"&parameter-name=temp_out&datetime={iso_of(END)}"
    assert api.json(f"/collections/observations/position?coords={point}{day}")["id"] == FIRST
    near = api.json(f"/collections/observations/radius?coords={point}&within=1&within-units=m{day}")
    assert [one["id"] for one in near["coverages"]] == [FIRST]
    west, south = place["longitude"] - 0.01, place["latitude"] - 0.01
    east, north = west + 0.02, south + 0.02
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    inside = api.json(f"/collections/observations/area?coords=POLYGON(({ring})){day}")
    assert [one["id"] for one in inside["coverages"]] == [FIRST]
    boxed = api.json(f"/collections/observations/locations?bbox={west},{south},{east},{north}")
    assert [one["id"] for one in boxed["features"]] == [FIRST]
    assert api(f"/collections/observations/position?coords=POINT(0 0){day}").status_code == 404


WRONG: list[tuple[str, int, str]] = [
    ("/nothing", 404, "/nothing"),
    ("/collections/other", 404, "'observations' or 'latest'"),
    ("/collections/observations/locations/volo", 404, "'volo'"),
    ("/collections/observations/items?foo=1", 400, "'foo'"),
    ("/collections/observations/items?parameter-name=temp_ot", 400, "did you mean temp_out?"),
    ("/collections/observations/items?datetime=yesterday", 400, "2026-01-31T12:00:00Z"),
    ("/collections/observations/items?datetime=2026-01-02/2026-01-01", 400, "the end is before the start"),
    ("/collections/observations/items?datetime=2026-02-30", 400, "2026-02-30"),
    ("/collections/observations/items?qc=nice", 400, "4 (fail)"),
    ("/collections/observations/items?limit=0", 400, "limit='0'"),
    ("/collections/observations/items?limit=1e9", 400, "limit='1e9'"),
    ("/collections/observations/items?cursor=AAAA", 400, "next"),
    ("/collections/observations/items?station=nowhere", 400, "'nowhere'"),
    ("/collections/observations/items?bbox=1,2,3", 400, "WEST,SOUTH,EAST,NORTH"),
    ("/collections/observations/position", 400, "'coords'"),
    ("/collections/observations/position?coords=POINT(1)", 400, "LONGITUDE LATITUDE"),
    ("/collections/observations/position?coords=POINT(999 1)", 400, "degrees"),
    ("/collections/observations/area?coords=POLYGON((1 1,2 2,1 1))", 400, "four points"),
    ("/collections/observations/area?coords=LINESTRING(1 1,2 2)", 400, "POLYGON"),
    ("/collections/observations/radius?coords=POINT(1 1)&within=nan", 400, "within='nan'"),
    ("/collections/observations/radius?coords=POINT(1 1)&within=1&within-units=ell", 400, "within-units='ell'"),
    ("/collections/observations/area?f=PDF&coords=POLYGON((1 1,2 1,2 2,1 1))", 400, "f='PDF'"),
    ("/incidents/0", 404, "number"),
    ("/incidents/12345", 404, "12345"),
    ("/incidents?state=asleep", 400, "'asleep'"),
    ("/network?month=2026-13", 400, "2026-13"),
    ("/network?month=2020-01", 404, "weather-tool network --month 2020-01 --save"),
    ("/stations?offset=-1", 400, "offset='-1'"),
    ("/health?verbose", 400, "'verbose'"),
]


@pytest.mark.parametrize(("path", "status", "words"), WRONG)
def test_a_request_that_is_wrong_is_told_why(api: Client, path: str, status: int, words: str) -> None:
    answer = api(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert words in problem["detail"]


def test_nothing_can_be_written(api: Client) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = api.session.request(method, f"{api.base}/collections/observations/items", timeout=10)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert answer.headers["content-type"] == "application/problem+json"


def test_an_answer_that_the_client_has_is_not_sent_again(api: Client) -> None:
    path = "/collections/latest/items"
    whole = api(path, headers={"Accept-Encoding": "identity"})
    packed = api(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == whole.json()
    assert int(packed.headers["content-length"]) < len(whole.content) / 4
    again = api(path, headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = api.session.head(api.base + path, timeout=10, headers={"Accept-Encoding": "identity"})
    assert (head.headers["etag"], head.content) == (whole.headers["etag"], b"")
    assert head.headers["content-length"] == str(len(whole.content))


def test_what_is_stored_is_answered_a_second_later(small: dict[str, str], tmp_path: Path) -> None:
    with served(small, tmp_path) as api:
        before = api("/collections/latest/items?station=" + FIRST)
        with open_for_writing(api.db) as store:
            last = next(one for one in store.latest() if one.station_id == FIRST)
            store.add(Document([], [last._replace(time=END + 600, temp_out=41.5)]), END + 700)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            after = api("/collections/latest/items?station=" + FIRST)
            if after.headers["etag"] != before.headers["etag"]:
                break
        assert after.json()["features"][0]["properties"]["temp_out"] == 41.5


def test_incidents_health_and_metrics(api: Client) -> None:
    assert api.json("/incidents?state=all")["incidents"] == []
    health = api.json("/health")
    assert (health["status"], health["newest"]) == ("stale", iso_of(END))
    assert [(one["name"], set(one)) for one in health["sources"]] == [("feed", {"name", "status", "newest"})]
    metrics = api("/metrics").text
    assert 'weather_api_requests_total{method="GET",route="/health",status="200"}' in metrics
    assert 'weather_api_request_duration_seconds_count{route="/health"}' in metrics


def test_a_token_is_needed_where_there_are_tokens(small: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    file = tmp_path / "credentials" / "api_tokens"
    file.write_text("# the map\n0123456789abcdef-map\n0123456789abcdef-archive\n")
    with served(small, tmp_path, CREDENTIALS_DIRECTORY=str(file.parent)) as api:
        for path in ("/health", "/metrics"):
            assert api(path).status_code == 200
        for wrong in ({}, {"Authorization": "Bearer 0123456789abcdef"}, {"Authorization": "Basic dTpw"}):
            answer = api("/stations", headers=wrong)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert api("/stations", headers={"Authorization": "Bearer 0123456789abcdef-archive"}).status_code == 200


def test_tokens_that_cannot_be_used_are_told_at_the_start(run: Run, small: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    file = tmp_path / "credentials" / "api_tokens"
    for text, words in (("0123456789abcdef\nshort\n", "line 2"), ("\n# none\n", "no token")):
        file.write_text(text)
        done = run("api", CREDENTIALS_DIRECTORY=str(file.parent))
        assert done.returncode != 0
        assert words in done.stderr
        assert "short" not in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_client_that_asks_too_often_is_told_to_wait(small: dict[str, str], tmp_path: Path) -> None:
    with served(small, tmp_path, WEATHER_API_REQUESTS_PER_MINUTE="5") as api:
        answers = [api("/conformance") for _ in range(8)]
        assert [one.status_code for one in answers[:5]] == [200] * 5
        late = answers[-1]
        assert late.status_code == 429
        assert 1 <= int(late.headers["retry-after"]) <= 12
        assert api("/health").status_code == 200
        # Behind the proxy of this host each client counts by itself, whatever it says of itself.
        other = {"X-Forwarded-For": "10.0.0.1, 192.0.2.7"}
        assert api("/conformance", headers=other).status_code == 200


def test_a_proxy_on_this_host_says_where_the_service_is(api: Client) -> None:
    told = {"X-Forwarded-Prefix": "/api", "X-Forwarded-Proto": "https", "Host": "weather.example.org"}
    links = api("/", headers=told).json()["links"]
    assert links[0]["href"] == "https://weather.example.org/api/"
    collection = api("/collections/latest/locations?bbox=0,0,90,90", headers=told).json()
    assert collection["features"][0]["properties"]["edrqueryendpoint"].startswith("https://weather.example.org/api/col")
    assert api("/", headers={"Host": 'x"><script>'}).status_code == 400


def test_pages_of_other_sites_read_it_only_where_they_may(small: dict[str, str], tmp_path: Path) -> None:
    origin = {"Origin": "https://maps.example.org"}
    with served(small, tmp_path) as api:
        assert "access-control-allow-origin" not in api("/stations", headers=origin).headers
    with served(small, tmp_path, WEATHER_API_CORS_ORIGINS=origin["Origin"]) as api:
        assert api("/stations", headers=origin).headers["access-control-allow-origin"] == origin["Origin"]
        other = api("/stations", headers={"Origin": "https://other.example.org"})
        assert "access-control-allow-origin" not in other.headers


def test_a_collector_at_work_is_not_waited_for_and_does_not_wait(small: dict[str, str], tmp_path: Path) -> None:
    with served(small, tmp_path) as api:
        holder = sqlite3.connect(api.db, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        holder.execute("UPDATE stations SET elevation = 1")
        assert len(api.json("/stations")["stations"]) == len(STATIONS)
        holder.execute("COMMIT")
        holder.close()


def test_where_the_store_cannot_be_read_it_says_so_and_goes_on(small: dict[str, str], tmp_path: Path) -> None:
    db = Path(small["WEATHER_DB"])
    with served(small, tmp_path) as api:
        db.rename(tmp_path / "away.db")
        for path in ("/health", "/collections/latest/items"):
            answer = api(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert str(tmp_path) not in answer.text
        (tmp_path / "away.db").rename(db)
        assert api("/health").status_code == 200


def test_it_tells_systemd_how_it_stands_and_stops_while_clients_wait(small: dict[str, str], tmp_path: Path) -> None:
    with served(small, tmp_path) as api:
        host, _, port = api.base.removeprefix("http://").partition(":")
        api.service.wait_for("WATCHDOG=1")
        with socket.create_connection((host, int(port))) as idle:
            idle.sendall(b"GET / HTTP/1.1\r\n")
            began = time.monotonic()
            log = api.service.stop()
            assert time.monotonic() - began < 60
            assert api.service.wait_for("STOPPING=1")
            assert "Traceback" not in log


def test_an_address_that_is_taken_is_one_line(run: Run, small: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("api", WEATHER_API_ADDRESS=f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 1
    assert "cannot serve the API" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_examples_of_the_guide(small: dict[str, str], tmp_path: Path) -> None:
    examples = [one for one in commands_of(ROOT / "docs" / "api.md") if one.startswith("curl")]
    assert len(examples) > 8
    with served(small, tmp_path) as api:
        for example in examples:
            at = example.replace("http://127.0.0.1:9106", api.base).replace("/volos", f"/{FIRST}")
            at = at.replace("station=volos", f"station={FIRST}")
            done = subprocess.run(
                ["bash", "-c", at.replace("curl -s", "curl -s --fail-with-body", 1)],
                env={"PATH": os.environ["PATH"], "TOKEN": "0123456789abcdef"}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, (at, done.stdout)
            assert done.stdout


def test_fuzzed_requests_are_answered_as_the_definition_says(small: dict[str, str], tmp_path: Path) -> None:
    words = ["--phases", "fuzzing", "--max-examples", os.environ.get("API_FUZZ", "5"), "--no-color"]
    with served(small, tmp_path) as api:
        done = subprocess.run(
            [
                str(Path(sys.executable).parent / "st"), "run", f"{api.base}/api", *words,
                # What the definition cannot say, such as that an interval ends after its start, is refused as well.
                "--exclude-checks", "positive_data_acceptance", "--warnings", "off",
            ],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-4000:]
        assert "Traceback" not in api.service.log


@pytest.fixture
def connection(small: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], socket.socket]]:
    """Connections to a server whose patience is short."""
    monkeypatch.setattr(serving, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(serving, "ANSWER_SECONDS", 0.6)
    with serving.listening("127.0.0.1:0") as here:
        app = application(load({}, small).settings)
        server = serving.Server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [here]})
        thread.start()
        assert server.ready.wait(30)
        yield lambda: socket.create_connection(here.getsockname())
        server.should_exit = True
        thread.join()
        app.state.answers.close()


def test_what_is_no_request_is_a_problem_as_every_other(connection: Callable[[], socket.socket]) -> None:
    with connection() as client:
        client.sendall(b"NONSENSE\r\n\r\n")
        answer = HTTPResponse(client)
        answer.begin()
        assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
        assert json.load(answer)["detail"] == "this is no HTTP, or its head is longer than 64 KiB"


def test_a_client_that_says_nothing_or_reads_nothing_is_left(connection: Callable[[], socket.socket]) -> None:
    with connection() as silent:
        assert silent.recv(100) == b""
    with connection() as half:
        half.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n")
        assert half.recv(100) == b""
    with connection() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(400):
            deaf.sendall(b"GET /api HTTP/1.1\r\nHost: here\r\n\r\n")
        while select.select([], [], [deaf], 0.05) == ([], [], []):
            try:
                deaf.send(b"GET /api HTTP/1.1\r\nHost: here\r\n\r\n", socket.MSG_DONTWAIT)
            except BlockingIOError:
                continue
            except OSError:
                break
    with connection() as good:
        good.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        assert good.recv(100).startswith(b"HTTP/1.1 200")


def test_a_station_whose_id_has_a_slash_is_found_by_the_links_to_it(small: dict[str, str], tmp_path: Path) -> None:
    one = Station("pelion/north", "Pelion", None, 39.4, 23.0, 800.0)
    with open_for_writing(small["WEATHER_DB"]) as store:
        (seen,) = list(store.observations(Selection(end=END, stations=[STATIONS[0]])))[-1:]
        store.add(Document([one], [seen._replace(station_id=one.station_id)]), END)
    with served(small, tmp_path) as api:
        stations = api.json("/collections/observations/locations")["features"]
        (there,) = [place for place in stations if place["id"] == one.station_id]
        assert api.json(there["properties"]["edrqueryendpoint"])["ranges"]["temp_out"]["values"] == [seen.temp_out]
        items = api.json("/collections/latest/items?limit=1000")["features"]
        (item,) = [feature for feature in items if feature["properties"]["station_id"] == one.station_id]
        assert api.json(f"/collections/latest/items/{quote(item['id'], safe='')}")["id"] == item["id"]
