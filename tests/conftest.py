"""What tests share: the command as users run it, and a real feed over real HTTP that can misbehave."""

from __future__ import annotations

import gc
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import preloaded
from tests.postgresql import Server, require_timescaledb
from tests.shared import MEMORY, made_once

TOOL = str(Path(sys.executable).parent / "weather-tool")
# Of tests and of the processes that they start, before numpy is loaded: tests run side by side, and statsmodels' many
# small products would only wait for one another's threads (a test takes ten times as long, with two cores at work).
os.environ["OPENBLAS_NUM_THREADS"] = "1"
# A shell ignores these for what it begins in its background, and so does nohup, and commands would inherit that: where
# pytest itself catches them, they do not.
for _number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)

Run = Callable[..., subprocess.CompletedProcess[str]]


def feature(station: str, ts: object = 1_763_827_200, **values: object) -> dict[str, Any]:
    """A feature of the feed, with good values unless told otherwise."""
    good: dict[str, object] = {
        "temp_out": 13.9,
        "hi_temp": 14.1,
        "low_temp": 13.7,
        "out_hum": 60,
        "bar": 1016.4,
        "rain": 0.2,
        "wind_speed": 3.2,
        "wind_dir": 22.5,
        "wind_dir_str": "NNE",
        "hi_speed": 6.4,
        "hi_dir": 0.0,
        "hi_dir_str": "N",
    }
    properties = {"fid": f"fid.{station}", "station_file": station, "station_name_en": station.title(), "ts": ts}
    point = {"type": "Point", "coordinates": [22.9, 39.3, 52.0]}
    return {"type": "Feature", "properties": {**properties, **good, **values}, "geometry": point}


def collection(*features: Any) -> bytes:
    """A document of the feed."""
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


class Feed:
    """A feed that serves what a test puts into it."""

    def __init__(self) -> None:
        self.body = collection(feature("volos"))
        self.status = 200
        self.headers: dict[str, str] = {}
        self.denies = False  # says to whoever asks that nothing is new
        self.requests: list[dict[str, str]] = []
        self.make: Callable[[], bytes] = lambda: self.body  # the body of the next answer
        self.served = b""  # the body that was last written to its end
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                feed.requests.append(dict(self.headers))
                status = feed.status
                etag = feed.headers.get("ETag")
                asked = self.headers.get("If-None-Match")
                if asked and (feed.denies or asked == etag):
                    status = 304
                self.send_response(status)
                for name, value in feed.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if status != 304:
                    body = feed.make()
                    self.wfile.write(body)
                    feed.served = body

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/feed.geojson"
        self._thread: threading.Thread | None = None
        self.start()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


@pytest.fixture
def feed() -> Iterator[Feed]:
    serving = Feed()
    yield serving
    serving.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody has signed, and its key, in one file."""
    file = tmp_path_factory.mktemp("certificate") / "own.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", file, "-out", file],
        check=True, capture_output=True,
    )  # fmt: skip
    return file


def server_context(certificate: Path, asks: ssl.VerifyMode = ssl.CERT_NONE) -> ssl.SSLContext:
    """TLS of a server with this certificate; `asks` is whether a client is to show one, which has to be the same."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = asks
    return context


@pytest.fixture
def environment(tmp_path: Path, feed: Feed) -> dict[str, str]:
    """The environment of a command: nothing of the machine's own settings, a database of the test's own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WEATHER_")}
    return {
        **clean,
        "WEATHER_ENV_FILE": str(tmp_path / "weather.env"),
        "WEATHER_DB": str(tmp_path / "weather.db"),
        "WEATHER_SPOOL": str(tmp_path / "spool"),
        "WEATHER_BACKUPS": str(tmp_path / "backups"),
        "WEATHER_FEED_URL": feed.url,
        "NO_COLOR": "1",
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Run weather-tool as a process (see `tests.preloaded`): `run("collect", "--once", WEATHER_DB=…)`."""

    def call(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return preloaded.run([TOOL, *words], {**environment, **variables})

    return call


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server for the session; each test takes a database of its own."""
    yield from _served()


@pytest.fixture(scope="session")
def timescaledb() -> Iterator[Server]:
    """A PostgreSQL server with TimescaleDB, which every new database of it has. Skipped where it is not installed."""
    require_timescaledb()
    yield from _served(shared_preload_libraries="timescaledb")


def _served(**settings: str) -> Iterator[Server]:
    # Not in pytest's folder, which every other session that begins closes to all users but its own.
    with tempfile.TemporaryDirectory(prefix="weather-postgresql-", dir=MEMORY) as folder:
        Path(folder).chmod(0o755)
        # What is in it need not outlast the machine, as it does with the defaults: nobody waits for the disk.
        server = Server(
            Path(folder) / "cluster", fsync="off", full_page_writes="off", max_prepared_transactions="4", **settings
        )
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A value of WEATHER_DB for each engine, with nothing in it."""
    if request.param == "sqlite":
        yield str(tmp_path / "weather.db")
    else:
        server: Server = request.getfixturevalue("postgresql")
        yield server.database(name := f"test_{uuid4().hex}")
        server.drop(name)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the network of `tests.console.sample`: to be copied."""
    from tests import console

    def make(path: Path) -> None:
        console.sample(str(path))
        in_one_file(path)

    return made_once(tmp_path_factory, f"sample-{console.NOW}.db", make)


def in_one_file(path: Path) -> None:
    """Let an SQLite database be one file, which can be copied."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def pytest_collection_finish() -> None:
    """Let nobody look for garbage in modules and tests, which stay."""
    gc.collect()
    gc.freeze()
